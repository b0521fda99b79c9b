# SPDX-License-Identifier: Apache-2.0
"""The model file: one archive with the weights and all that is needed to use them, by torch or as `.safetensors`."""

import os
from pathlib import Path
from typing import Any

from pipeline.common.errors import CaristeError
from pipeline.models.weights import state_dicts

MODEL_FORMAT = "cariste-mask-rcnn-3"
CHECKPOINT_FORMAT = "cariste-checkpoint-1"
REQUIRED_KEYS = ("format", "architecture", "categories", "normalization", "norm_eps", "settings", "facts", "weights")


class ModelFileError(CaristeError):
    """A model file that cannot be used; the message names the file and the reason."""


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a model file, aside first: a reader finds the old file or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{os.getpid()}.{path.name}")
    state_dicts.write(aside, content)
    aside.replace(path)


def read(path: Path) -> dict[str, Any]:
    """Return the content of a model file, whole and of our format.

    Raises:
        ModelFileError: no such file, damaged, or no model file of this version.
    """
    if not path.is_file():
        raise ModelFileError(f"{path}: no such model file")
    try:
        content = state_dicts.read(path)
    except state_dicts.WeightsError as error:
        raise ModelFileError(str(error)) from None
    return validate_content(path, content)


def validate_content(path: Path, content: Any) -> dict[str, Any]:
    """Return `content`, read from `path`, if it is that of a model file.

    Raises:
        ModelFileError: it is of another kind or version, or incomplete.
    """
    found = content.get("format") if isinstance(content, dict) else None
    if found != MODEL_FORMAT:
        raise ModelFileError(
            f"{path}: not a model file of this version: its format is {found!r}, not {MODEL_FORMAT!r}"
            + ("; train it again, or use the version that wrote it" if str(found).startswith("cariste-") else "")
        )
    if missing := [key for key in REQUIRED_KEYS if key not in content]:
        raise ModelFileError(f"{path}: incomplete: it lacks {', '.join(missing)}")
    return content
