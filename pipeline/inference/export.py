# SPDX-License-Identifier: Apache-2.0
"""A trained model as one file that runs without Cariste: ONNX (onnxruntime, no torch) or TorchScript.

    python -m pipeline.inference.export --model results/runs/quickstart/model.pt --out model.onnx --size 640 480
    python -m pipeline.inference.export --model results/runs/quickstart/model.pt --size 640 480 \\
        --out model.torchscript.pt

Input and output are those of `CameraDetector.forward`; docs/export.md says how to use the file. It is written only if
it gives what torch gives.
"""

import io
import json
import math
import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.transform import GeneralizedRCNNTransform, resize_boxes

from pipeline.coco.paste_masks import MASK_THRESHOLD
from pipeline.common.errors import CaristeError
from pipeline.inference.export_check import OUTPUTS, Outputs, Predictor, describe_mismatch
from pipeline.models import detectors

INPUT_NAMES = ("image", "score_threshold")
OPSET = 17  # has RoiAlign as torchvision computes it (since 16); onnxruntime reads it since 1.12
MIN_SIDE_PX = 32  # pixels: the coarsest features of the backbone are 32 apart


class ExportError(CaristeError):
    """A model that cannot be exported as wanted; the message says why and what to do."""


class FixedSizeDetector(nn.Module):
    """A network as one function of an image of fixed size: the steps of `predict.detect` up to the pasting."""

    def __init__(self, network: MaskRCNN, width: int, height: int) -> None:
        super().__init__()
        before = network.transform
        resized_width, resized_height = resized_size(width, height, before.min_size[-1], before.max_size)
        self.network = network
        self.size = (height, width)
        # Sizes computed here and not in the graph: there they would be rounded in single precision.
        self.transform = GeneralizedRCNNTransform(
            before.min_size,
            before.max_size,
            before.image_mean,
            before.image_std,
            before.size_divisible,
            fixed_size=(resized_width, resized_height),
        )

    def forward(self, image: Tensor, score_threshold: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return boxes, labels, scores and masks of the n objects in an image, the surest first.

        `image`: uint8 RGB (height, width, 3). `score_threshold`: float32 (), scores are above it. Boxes: float32
        (n, 4), left, top, right, bottom in pixels of the image. Labels: int64 (n,), from 1. Scores: float32 (n,).
        Masks: float32 (n, side, side), each fills its box.
        """
        # An attribute of the network, because torchvision has no argument for it. As a tensor it becomes an input.
        self.network.roi_heads.score_thresh = score_threshold
        images, _ = self.transform([image.permute(2, 0, 1).float() / 255])
        features = self.network.backbone(images.tensors)
        proposals, _ = self.network.rpn(images, features)
        (found,), _ = self.network.roi_heads(features, proposals, images.image_sizes)
        boxes = resize_boxes(found["boxes"], images.image_sizes[0], self.size)
        return boxes, found["labels"], found["scores"], found["masks"][:, 0]


def resized_size(width: int, height: int, min_size: int, max_size: int) -> tuple[int, int]:
    """Return the (width, height) that torchvision's transform gives an image: its rule, and its rounding.

    Raises:
        ExportError: before or after it a side is shorter than 32 pixels.
    """
    scale = min(min_size / min(width, height), max_size / max(width, height))
    inside = math.floor(width * scale), math.floor(height * scale)
    if min(width, height, *inside) < MIN_SIDE_PX:
        raise ExportError(
            f"--size {width} {height}: too small: the network would see {inside[0]}x{inside[1]} pixels (the model's "
            f"min_size is {min_size}, max_size {max_size}), and no side may be below {MIN_SIDE_PX}, before or after"
        )
    return inside


def export_metadata(detector: detectors.Detector, camera: FixedSizeDetector) -> dict[str, str]:
    """Return what a user of the file has to know, for its metadata: names, each with a JSON text."""
    heads, transform = detector.model.roi_heads, camera.transform
    height, width = camera.size
    resized_width, resized_height = transform.fixed_size
    facts = {
        "format": detectors.MODEL_FORMAT,
        "categories": detector.categories,
        "input": {"width": width, "height": height, "channels": "RGB", "layout": "HWC", "dtype": "uint8"},
        "thresholds": {
            "score": heads.score_thresh,
            "nms_iou": heads.nms_thresh,
            "mask": MASK_THRESHOLD,
            "detections": heads.detections_per_img,
        },
        # Done inside; for those who compare or retrain.
        "preprocessing": {
            "mean": transform.image_mean,
            "std": transform.image_std,
            "width": resized_width,
            "height": resized_height,
            "resize": f"bilinear: shorter side to {transform.min_size[-1]}, longer at most {transform.max_size}",
            "padded_to_multiple_of": transform.size_divisible,
        },
    }
    return {name: json.dumps(fact) for name, fact in facts.items()}


def onnx_bytes(camera: FixedSizeDetector, metadata: Mapping[str, str]) -> bytes:
    """Return an ONNX file whose input `score_threshold` may be left out: its default is the model's own."""
    score = json.loads(metadata["thresholds"])["score"]
    file = io.BytesIO()
    # Not the newer exporter, dynamo: torchvision's operators and its branches for tracing are written for this one.
    torch.onnx.export(
        camera, _example(camera), file, input_names=INPUT_NAMES, output_names=OUTPUTS, opset_version=OPSET, dynamo=False
    )
    exported = onnx.load_from_string(file.getvalue())
    exported.graph.initializer.append(onnx.numpy_helper.from_array(np.array(score, np.float32), INPUT_NAMES[1]))
    onnx.helper.set_model_props(exported, dict(metadata))
    return exported.SerializeToString()


def torchscript_bytes(camera: FixedSizeDetector, metadata: Mapping[str, str]) -> bytes:
    """Return a TorchScript file; its two arguments are both needed."""
    # check_trace: would compare with the image of the trace alone; `require_same_outputs` does more.
    traced = torch.jit.trace(camera, _example(camera), check_trace=False)
    file = io.BytesIO()
    torch.jit.save(traced, file, _extra_files=dict(metadata))
    return file.getvalue()


def onnx_predictor(content: bytes) -> Predictor:
    """Return how to look at an image with an ONNX file, on the CPU."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors: it would warn that an input has a default
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def run(image: np.ndarray, score_threshold: float) -> Outputs:
        values = (image, np.array(score_threshold, np.float32))
        return dict(zip(OUTPUTS, session.run(OUTPUTS, dict(zip(INPUT_NAMES, values, strict=True))), strict=True))

    return run


def torchscript_predictor(content: bytes) -> Predictor:
    """Return how to look at an image with a TorchScript file, on the CPU."""
    return torch_predictor(torch.jit.load(io.BytesIO(content), map_location="cpu"))


def torch_predictor(camera: Callable[[Tensor, Tensor], tuple[Tensor, ...]]) -> Predictor:
    """Return how to look at an image with a module of torch."""

    @torch.inference_mode()
    def run(image: np.ndarray, score_threshold: float) -> Outputs:
        found = camera(torch.from_numpy(image), torch.tensor(score_threshold))
        return dict(zip(OUTPUTS, (each.numpy() for each in found), strict=True))

    return run


FORMATS = {".onnx": (onnx_bytes, onnx_predictor), ".torchscript.pt": (torchscript_bytes, torchscript_predictor)}


def export(detector: detectors.Detector, out: Path, width: int, height: int) -> str:
    """Write the detector, for images of one size, as the kind of file that the name `out` says; return what was seen.

    `detector`, on the CPU, is not to be used after that: its score threshold has become the file's argument.

    Raises:
        ExportError: a name, a folder or a size that does not do, or a file that does not agree with torch.
    """
    kind = next((kind for kind in FORMATS if out.name.endswith(kind)), None)
    if kind is None:
        raise ExportError(f"{out}: its name must end in {' or '.join(FORMATS)}, which says what to write")
    if not out.parent.is_dir():
        raise ExportError(f"{out}: there is no folder {out.parent}; make it first")
    write, read = FORMATS[kind]
    camera = FixedSizeDetector(detector.model, width, height).eval()
    metadata = export_metadata(detector, camera)
    with warnings.catch_warnings():
        # The tracer warns of everything that could depend on the image's size, which is fixed here.
        warnings.simplefilter("ignore")
        content = write(camera, metadata)
    seen = require_same_outputs(
        torch_predictor(camera), read(content), camera.size, json.loads(metadata["thresholds"])["score"]
    )
    aside = out.with_name(f".{out.name}.{os.getpid()}")
    aside.write_bytes(content)
    aside.replace(out)
    return f"{out}: {len(content) / 1e6:.1f} MB, images of {width}x{height}; {seen}"


def require_same_outputs(expected: Predictor, found: Predictor, size: tuple[int, int], score_threshold: float) -> str:
    """Hold two ways of running a model against each other: with detections, with none, and with another image.

    Raises:
        ExportError: they do not agree, or the model detects nothing at all, even of the lowest score.
    """
    first, second = _noise(size, 1), _noise(size, 2)
    cases = (
        ("noise, every score", first, 0.0),
        ("black, no score is high enough", np.zeros_like(first), 1.0),
        ("other noise after that, every score", second, 0.0),
        ("noise, the model's own threshold", first, score_threshold),
    )
    counts = []
    for name, image, threshold in cases:
        wanted = expected(image, threshold)
        if problem := describe_mismatch(wanted, found(image, threshold)):
            raise ExportError(f"the exported model does not agree with torch ({name}): {problem}; nothing was written")
        counts.append(len(wanted["scores"]))
    if not counts[0] or not counts[2]:
        raise ExportError("the model detects nothing, not even of the lowest score: are its weights finite numbers?")
    return f"agrees with torch: images with {', '.join(map(str, counts))} detections"


def _example(camera: FixedSizeDetector) -> tuple[Tensor, Tensor]:
    """Return what to trace with: at threshold 0 there are detections, so all heads are traced."""
    return torch.from_numpy(_noise(camera.size, 0)), torch.tensor(0.0)


def _noise(size: tuple[int, int], seed: int) -> np.ndarray:
    """Return an image, uint8 RGB (height, width, 3), of random blocks: it has edges to see at every place."""
    height, width = size
    blocks = np.random.default_rng(seed).integers(0, 256, (height // 16 + 1, width // 16 + 1, 3), np.uint8)
    return np.ascontiguousarray(blocks.repeat(16, 0).repeat(16, 1)[:height, :width])
