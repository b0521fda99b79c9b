# SPDX-License-Identifier: Apache-2.0
"""A model file small enough to be written, changed and loaded many times."""

import copy
import functools
import io
import tempfile
from pathlib import Path
from typing import Any

import torch

from pipeline.coco.reader import Category
from pipeline.config import config
from pipeline.models import detectors
from tests.helpers.configs import SMALL_MODEL

CATEGORIES = [Category(id=1, name="pedestrian"), Category(id=2, name="pallet_truck")]

MODEL = {"backbone": "timm/test_efficientnet", "weights": "none", "freeze": "none"}


@functools.cache
def model_bytes(suffix: str = ".pt") -> bytes:
    """Return a whole model file with random weights, in the format of torch or, for `.safetensors`, in that one."""
    settings = config.validate({"model": SMALL_MODEL | MODEL}).model
    with tempfile.TemporaryDirectory() as folder, torch.random.fork_rng():
        torch.manual_seed(0)
        path = Path(folder) / f"model{suffix}"
        detectors.save(path, detectors.build(settings, CATEGORIES), settings, CATEGORIES, {"iterations": 2})
        return path.read_bytes()


def model_content() -> dict[str, Any]:
    """Return a copy of the content of the model file, to be changed and saved with torch.save."""
    return copy.deepcopy(_model_content())


@functools.cache
def _model_content() -> dict[str, Any]:
    return torch.load(io.BytesIO(model_bytes()), weights_only=True)
