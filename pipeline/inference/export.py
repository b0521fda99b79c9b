# SPDX-License-Identifier: Apache-2.0
"""Export a trained model as one file that runs without Cariste: ONNX (no torch needed) or TorchScript.

Input and output are those of `FixedSizeDetector.forward`; docs/howto/export.md says how to use the file. The file is
written only if its outputs agree with those of torch.
"""

import io
import json
import math
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from pipeline.coco.paste_masks import MASK_THRESHOLD
from pipeline.common import atomic_write
from pipeline.common.errors import CaristeError
from pipeline.inference.export_check import OUTPUTS, Outputs, Predictor, describe_mismatch
from pipeline.inference.forward import detect
from pipeline.models import detectors

INPUT_NAMES = ("image", "score_threshold")
OPSET = 17  # since 16, RoiAlign is the one of torchvision; onnxruntime reads 17 since 1.12
MIN_SIDE_PX = 32  # stride of the coarsest features of the backbone
ONNXRUNTIME_ERRORS_ONLY = 3  # a level of severity


class ExportError(CaristeError):
    """The model cannot be exported as asked; the message says why and what to do."""


class FixedSizeDetector(nn.Module):
    """The network as one function of an image of fixed size: `forward.detect`."""

    def __init__(self, network: MaskRCNN, width: int, height: int) -> None:
        super().__init__()
        original = network.transform
        resized_width, resized_height = resized_size(width, height, original.min_size[-1], original.max_size)
        self.network = network
        self.image_size = (height, width)
        # Sizes are computed here. In the graph they would be rounded in single precision.
        self.transform = GeneralizedRCNNTransform(
            original.min_size,
            original.max_size,
            original.image_mean,
            original.image_std,
            original.size_divisible,
            fixed_size=(resized_width, resized_height),
        )

    def forward(self, image: Tensor, score_threshold: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return boxes, labels, scores and masks of the n objects in an image, highest score first.

        Args:
            image: uint8 RGB (height, width, 3).
            score_threshold: float32 (); scores are above it.

        Returns:
            Boxes: float32 (n, 4), left, top, right, bottom in pixels of the image. Labels: int64 (n,), from 1. Scores:
            float32 (n,). Masks: float32 (n, side, side), each fills its box.
        """
        # torchvision reads the threshold from this attribute. As a tensor it becomes an input of the graph.
        self.network.roi_heads.score_thresh = score_threshold
        found = detect(self.network, self.transform, image, self.image_size)
        return found.boxes, found.labels, found.scores, found.masks[:, 0]


def resized_size(width: int, height: int, min_size: int, max_size: int) -> tuple[int, int]:
    """Return the (width, height) to which torchvision's transform resizes an image, with the same rounding.

    Raises:
        ExportError: a side is shorter than 32 pixels, before or after.
    """
    scale = min(min_size / min(width, height), max_size / max(width, height))
    resized = math.floor(width * scale), math.floor(height * scale)
    if min(width, height, *resized) < MIN_SIDE_PX:
        raise ExportError(
            f"--size {width} {height}: too small: the network would get {resized[0]}x{resized[1]} pixels "
            f"(model.min_size is {min_size}, model.max_size {max_size}); each side must have at least {MIN_SIDE_PX}, "
            "before and after"
        )
    return resized


def export_metadata(detector: detectors.Detector, fixed: FixedSizeDetector) -> dict[str, str]:
    """Return the metadata of the file: name -> JSON text. It is all that a user of the file has to know."""
    roi_heads, transform = detector.model.roi_heads, fixed.transform
    height, width = fixed.image_size
    resized_width, resized_height = transform.fixed_size
    metadata = {
        "format": detectors.MODEL_FORMAT,
        "categories": detector.categories,
        "input": {"width": width, "height": height, "channels": "RGB", "layout": "HWC", "dtype": "uint8"},
        "thresholds": {
            "score": roi_heads.score_thresh,
            "nms_iou": roi_heads.nms_thresh,
            "mask": MASK_THRESHOLD,
            "detections": roi_heads.detections_per_img,
        },
        # The graph does the preprocessing. This is for comparisons and retraining.
        "preprocessing": {
            "mean": transform.image_mean,
            "std": transform.image_std,
            "width": resized_width,
            "height": resized_height,
            "resize": f"bilinear: shorter side to {transform.min_size[-1]}, longer at most {transform.max_size}",
            "padded_to_multiple_of": transform.size_divisible,
        },
    }
    return {name: json.dumps(value) for name, value in metadata.items()}


def onnx_bytes(fixed: FixedSizeDetector, metadata: Mapping[str, str]) -> bytes:
    """Return an ONNX file. Its input `score_threshold` is optional: the default is that of the model."""
    score = json.loads(metadata["thresholds"])["score"]
    file = io.BytesIO()
    # Not the newer exporter, dynamo: torchvision's operators and its branches for tracing are written for this one.
    torch.onnx.export(
        fixed,
        _trace_inputs(fixed),
        file,
        input_names=INPUT_NAMES,
        output_names=OUTPUTS,
        opset_version=OPSET,
        dynamo=False,
    )
    exported = onnx.load_from_string(file.getvalue())
    exported.graph.initializer.append(onnx.numpy_helper.from_array(np.array(score, np.float32), INPUT_NAMES[1]))
    onnx.helper.set_model_props(exported, dict(metadata))
    return exported.SerializeToString()


def torchscript_bytes(fixed: FixedSizeDetector, metadata: Mapping[str, str]) -> bytes:
    """Return a TorchScript file. Both of its arguments are required."""
    # check_trace would only compare the image that is traced; `require_same_outputs` does more.
    traced = torch.jit.trace(fixed, _trace_inputs(fixed), check_trace=False)
    file = io.BytesIO()
    torch.jit.save(traced, file, _extra_files=dict(metadata))
    return file.getvalue()


def onnx_predictor(content: bytes) -> Predictor:
    """Return a function that runs an ONNX file on an image, on the CPU."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = ONNXRUNTIME_ERRORS_ONLY  # it would warn about the default of an input
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def run(image: np.ndarray, score_threshold: float) -> Outputs:
        values = (image, np.array(score_threshold, np.float32))
        return dict(zip(OUTPUTS, session.run(OUTPUTS, dict(zip(INPUT_NAMES, values, strict=True))), strict=True))

    return run


def torchscript_predictor(content: bytes) -> Predictor:
    """Return a function that runs a TorchScript file on an image, on the CPU."""
    return torch_predictor(torch.jit.load(io.BytesIO(content), map_location="cpu"))


def torch_predictor(fixed: Callable[[Tensor, Tensor], tuple[Tensor, ...]]) -> Predictor:
    """Return a function that runs a torch module on an image."""

    @torch.inference_mode()
    def run(image: np.ndarray, score_threshold: float) -> Outputs:
        outputs = fixed(torch.from_numpy(image), torch.tensor(score_threshold))
        return dict(zip(OUTPUTS, (each.numpy() for each in outputs), strict=True))

    return run


# End of the file name -> function that serializes, function that returns a predictor.
FORMATS = {".onnx": (onnx_bytes, onnx_predictor), ".torchscript.pt": (torchscript_bytes, torchscript_predictor)}


def file_format(out: Path) -> str:
    """Return the key of FORMATS that the name of a file asks for.

    Raises:
        ExportError: it asks for none.
    """
    for suffix in FORMATS:
        if out.name.endswith(suffix):
            return suffix
    raise ExportError(f"{out}: the name must end in {' or '.join(FORMATS)}, which decides the format")


def export(detector: detectors.Detector, out: Path, width: int, height: int) -> str:
    """Write the detector for images of one size, in the format that the file name asks for; return a summary.

    `detector`, on the CPU, must not be used afterwards: its score threshold has become an input.

    Raises:
        ExportError: a wrong name or size, or outputs that do not agree with torch.
    """
    serialize, make_predictor = FORMATS[file_format(out)]
    fixed = FixedSizeDetector(detector.model, width, height).eval()
    metadata = export_metadata(detector, fixed)
    with warnings.catch_warnings():
        # The tracer warns about everything that could depend on the size of the image, which is fixed here.
        warnings.simplefilter("ignore")
        content = serialize(fixed, metadata)
    score_threshold = json.loads(metadata["thresholds"])["score"]
    checked = require_same_outputs(torch_predictor(fixed), make_predictor(content), fixed.image_size, score_threshold)
    atomic_write.write_bytes(out, content)
    return f"{out}: {len(content) / 1e6:.1f} MB, images of {width}x{height}; {checked}"


def require_same_outputs(
    expected: Predictor, exported: Predictor, size: tuple[int, int], score_threshold: float
) -> str:
    """Compare two ways to run a model, on images with and without detections, and return a summary.

    Raises:
        ExportError: they do not agree, or the model detects nothing, not even with the lowest score.
    """
    first, second = _noise_image(size, 1), _noise_image(size, 2)
    cases = (
        ("noise, threshold 0", first, 0.0),
        ("black image, threshold 1", np.zeros_like(first), 1.0),
        ("other noise after that, threshold 0", second, 0.0),
        ("noise, threshold of the model", first, score_threshold),
    )
    counts = []
    for name, image, threshold in cases:
        expected_outputs = expected(image, threshold)
        if problem := describe_mismatch(expected_outputs, exported(image, threshold)):
            raise ExportError(f"the exported model does not agree with torch ({name}): {problem}; nothing was written")
        counts.append(len(expected_outputs["scores"]))
    if not counts[0] or not counts[2]:
        raise ExportError("the model detects nothing, not even with the lowest score: was it trained?")
    return f"agrees with torch: images with {', '.join(map(str, counts))} detections"


def _trace_inputs(fixed: FixedSizeDetector) -> tuple[Tensor, Tensor]:
    """Return the inputs for tracing. At threshold 0 there are detections, so all heads are traced."""
    return torch.from_numpy(_noise_image(fixed.image_size, 0)), torch.tensor(0.0)


def _noise_image(size: tuple[int, int], seed: int) -> np.ndarray:
    """Return an image, uint8 RGB (height, width, 3), of random blocks, so that there are edges everywhere."""
    height, width = size
    blocks = np.random.default_rng(seed).integers(0, 256, (height // 16 + 1, width // 16 + 1, 3), np.uint8)
    return np.ascontiguousarray(blocks.repeat(16, 0).repeat(16, 1)[:height, :width])
