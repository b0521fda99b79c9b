# SPDX-License-Identifier: Apache-2.0
"""The model file: the weights and all that is needed to use them, in the format of torch or as `.safetensors`."""

from pathlib import Path
from typing import Any

from pipeline.common.atomic_write import atomic_file
from pipeline.common.errors import CaristeError
from pipeline.models.weights import state_dicts

MODEL_FORMAT = "cariste-mask-rcnn-3"
CHECKPOINT_FORMAT = "cariste-checkpoint-1"
REQUIRED_KEYS = ("format", "architecture", "categories", "normalization", "norm_eps", "settings", "facts", "weights")


class ModelFileError(CaristeError):
    """A model file that cannot be used; the message names the file and the reason."""


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a model file."""
    with atomic_file(path) as temporary:
        state_dicts.write(temporary, content)


def read(path: Path) -> dict[str, Any]:
    """Return the content of a model file.

    Raises:
        ModelFileError: the file does not exist, is damaged, or is not a model file of this version.
    """
    if not path.is_file():
        raise ModelFileError(f"{path}: no such model file")
    try:
        content = state_dicts.read(path)
    except state_dicts.WeightsError as error:
        raise ModelFileError(str(error)) from None
    return validate_content(path, content)


def validate_content(path: Path, content: Any) -> dict[str, Any]:
    """Return `content`, read from `path`, if it is the content of a model file.

    Raises:
        ModelFileError: it has another format, or lacks keys.
    """
    file_format = content.get("format") if isinstance(content, dict) else None
    if file_format != MODEL_FORMAT:
        is_older = str(file_format).startswith("cariste-mask-rcnn-")
        raise ModelFileError(
            f"{path}: not a model file of this version: its format is {file_format!r}, not {MODEL_FORMAT!r}"
            + ("; train the model again, or use the version of Cariste that wrote the file" if is_older else "")
        )
    if missing := [key for key in REQUIRED_KEYS if key not in content]:
        raise ModelFileError(f"{path}: incomplete: it lacks {', '.join(missing)}")
    return content
