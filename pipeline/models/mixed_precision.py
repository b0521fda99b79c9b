# SPDX-License-Identifier: Apache-2.0
"""Mixed precision: backbone and heads in 16 bits, coordinates of boxes in 32 bits.

Between 512 and 1024, bfloat16 has steps of 4. Under plain autocast, torchvision's anchors, proposals and decoded boxes
take the type of the features, so that they are up to 2 pixels off.
"""

from collections import OrderedDict
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.image_list import ImageList

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def autocast(precision: str, device: torch.device) -> torch.autocast:
    """Return the context in which to call the model. For fp32 it changes nothing."""
    return torch.autocast(device.type, DTYPES.get(precision, torch.bfloat16), enabled=precision in DTYPES)


def keep_boxes_fp32(detector: MaskRCNN) -> None:
    """Make `detector` compute proposals (anchors, scores, decoding) and losses in fp32 under autocast, too.

    The region proposal network runs outside of autocast, on features in fp32. The outputs of the heads are converted to
    fp32 before boxes are decoded and losses are computed.
    """
    # A bound method and not a closure, so that a copy of the model calls its own network.
    detector.rpn.forward = MethodType(_propose_in_fp32, detector.rpn)
    detector.roi_heads.box_predictor.register_forward_hook(_to_fp32)
    detector.roi_heads.mask_predictor.register_forward_hook(_to_fp32)


def _propose_in_fp32(
    rpn: nn.Module,
    images: ImageList,
    features: dict[str, Tensor],
    targets: list[dict[str, Tensor]] | None = None,
) -> tuple[list[Tensor], dict[str, Tensor]]:
    with torch.autocast(images.tensors.device.type, enabled=False):
        fp32_features = OrderedDict((level, feature.float()) for level, feature in features.items())
        return type(rpn).forward(rpn, images, fp32_features, targets)


def _to_fp32(_module: nn.Module, _inputs: Any, outputs: Tensor | tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
    return outputs.float() if isinstance(outputs, Tensor) else tuple(output.float() for output in outputs)
