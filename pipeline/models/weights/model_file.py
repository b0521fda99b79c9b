# SPDX-License-Identifier: Apache-2.0
"""The model file: the weights and all that is needed to use them, in the format of torch or as `.safetensors`."""

import re
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, ValidationError
from torch import Tensor

from pipeline.common.atomic_write import atomic_file
from pipeline.common.errors import CaristeError
from pipeline.common.validation_messages import wrong_keys
from pipeline.models.weights import state_dicts

MODEL_FORMAT = "cariste-mask-rcnn-3"
CHECKPOINT_FORMAT = "cariste-checkpoint-1"
OUR_FORMAT = re.compile(r"cariste-mask-rcnn-(\d{1,9})")
REQUIRED_KEYS = ("format", "architecture", "categories", "normalization", "norm_eps", "settings", "facts", "weights")
MAX_LISTED, MAX_LENGTH = 3, 150

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Width = Annotated[StrictInt, Field(ge=1, le=65536)]


class ModelFileError(CaristeError):
    """A model file that cannot be used; the message names the file and the reason."""


class _Plain(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Category(_Plain):
    id: StrictInt
    name: Annotated[StrictStr, Field(min_length=1)]


class _Architecture(_Plain):
    backbone: StrictStr
    fpn_channels: Annotated[StrictInt, Field(ge=1, le=4096)]
    anchor_sizes: Annotated[list[Width], Field(min_length=5, max_length=5)]
    aspect_ratios: Annotated[list[Positive], Field(min_length=1, max_length=20)]
    mask_channels: Annotated[list[Annotated[StrictInt, Field(ge=1, le=4096)]], Field(min_length=1, max_length=20)]
    box_hidden: Width | None
    box_dropout: Annotated[float, Field(ge=0, lt=1)]


class _Normalization(_Plain):
    mean: Annotated[list[Annotated[float, Field(allow_inf_nan=False)]], Field(min_length=3, max_length=3)]
    std: Annotated[list[Positive], Field(min_length=3, max_length=3)]


class _Content(BaseModel):
    """The keys of a model file. `settings` is checked where it is read, `weights` against the model."""

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="ignore")

    architecture: _Architecture
    categories: Annotated[list[_Category], Field(min_length=1)]
    normalization: _Normalization
    norm_eps: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None
    settings: dict[str, Any]
    facts: dict[str, Any]
    weights: dict[StrictStr, Tensor]


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a model file."""
    with atomic_file(path) as temporary:
        state_dicts.write(temporary, content)


def read(path: Path) -> dict[str, Any]:
    """Return the content of a model file.

    Raises:
        ModelFileError: the file does not exist, is damaged, or is not a model file of this version.
    """
    try:
        content = state_dicts.read(path)
    except state_dicts.WeightsError as error:
        raise ModelFileError(str(error)) from None
    return validate_content(path, content)


def validate_content(path: Path, content: Any) -> dict[str, Any]:
    """Return `content`, read from `path`, if it is the content of a model file.

    Raises:
        ModelFileError: it is something else, or lacks keys, or has values of a wrong kind.
    """
    file_format = content.get("format") if isinstance(content, dict) else None
    if file_format != MODEL_FORMAT:
        raise ModelFileError(f"{path}: {_describe_other(content, file_format)}")
    if missing := [key for key in REQUIRED_KEYS if key not in content]:
        raise ModelFileError(f"{path}: incomplete: it lacks {', '.join(missing)}; copy or create it again")
    try:
        _Content.model_validate(content)
    except ValidationError as error:
        raise ModelFileError(
            f"{path}: not what `cariste train` wrote: {describe_validation_error(error, _Content)}"
        ) from None
    for key in ("id", "name"):
        counts = Counter(category[key] for category in content["categories"])
        if repeated := [value for value, count in counts.items() if count > 1]:
            raise ModelFileError(f"{path}: two categories have the {key} {repeated[0]!r:.60}; give each one of its own")
    return content


def describe_validation_error(error: ValidationError, root: type[BaseModel]) -> str:
    """Return the first wrong keys of a document of the type `root`, and their problems, on one line."""
    problems = [str(key)[:MAX_LENGTH] for key in wrong_keys(error, root)]
    more = f"; and {len(problems) - MAX_LISTED} more" if len(problems) > MAX_LISTED else ""
    return "; ".join(problems[:MAX_LISTED]) + more


def _describe_other(content: Any, file_format: Any) -> str:
    """Return what the content of another file is, and what to do."""
    if file_format == CHECKPOINT_FORMAT:
        return (
            "a checkpoint of a run that is not finished, not a model file; start its `cariste train` again, which "
            "writes the model file, or begin a new training from it with model.weights"
        )
    if isinstance(file_format, str) and (found := OUR_FORMAT.fullmatch(file_format)):
        ours = int(OUR_FORMAT.fullmatch(MODEL_FORMAT)[1])
        advice = "update Cariste" if int(found[1]) > ours else "train the model again, or use that version of Cariste"
        return f"of another version of Cariste: its format is {file_format!r}, not {MODEL_FORMAT!r}; {advice}"
    if state_dicts.find_state_dict(content) is not None:
        return (
            "holds the weights of a network, but not what `cariste train` writes beside them, such as the categories; "
            "to use them, train a model with model.weights: FILE"
        )
    return f"not a model file: it has no format {MODEL_FORMAT!r}; give the model.pt that `cariste train` wrote"
