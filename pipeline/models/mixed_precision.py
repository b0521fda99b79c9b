# SPDX-License-Identifier: Apache-2.0
"""Mixed precision: backbone and heads in 16 bits, all that measures boxes in 32.

Between 512 and 1,024 a bfloat16 counts in steps of 4. Under plain autocast torchvision's anchors, proposals and decoded
boxes take the features' type, and come out up to 2 pixels beside their place.
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
    """Return the context in which the model is called; for fp32 it changes nothing."""
    return torch.autocast(device.type, DTYPES.get(precision, torch.bfloat16), enabled=precision in DTYPES)


def keep_boxes_fp32(detector: MaskRCNN) -> None:
    """Let proposals (anchors, scores, decoding) and losses of `detector` be computed in fp32, whatever autocast says.

    The region proposal network runs outside autocast on features in fp32. What the last layers of the heads say is
    turned into fp32 before boxes are decoded from it or losses taken.
    """
    # A bound method, not a closure, so that a copy of the model calls its own network.
    detector.rpn.forward = MethodType(_propose_in_fp32, detector.rpn)
    detector.roi_heads.box_predictor.register_forward_hook(_to_fp32)
    detector.roi_heads.mask_predictor.register_forward_hook(_to_fp32)


def _propose_in_fp32(
    network: nn.Module,
    images: ImageList,
    features: dict[str, Tensor],
    targets: list[dict[str, Tensor]] | None = None,
) -> tuple[list[Tensor], dict[str, Tensor]]:
    with torch.autocast(images.tensors.device.type, enabled=False):
        wide = OrderedDict((level, feature.float()) for level, feature in features.items())
        return type(network).forward(network, images, wide, targets)


def _to_fp32(_module: nn.Module, _inputs: Any, outputs: Tensor | tuple[Tensor, ...]) -> Tensor | tuple[Tensor, ...]:
    return outputs.float() if isinstance(outputs, Tensor) else tuple(output.float() for output in outputs)
