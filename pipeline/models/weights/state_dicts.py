# SPDX-License-Identifier: Apache-2.0
"""Files of weights: read them without running code in them, and write them."""

import hashlib
import json
import os
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open

from pipeline.common.errors import CaristeError
from pipeline.common.path_checks import input_file_problem
from pipeline.models.weights import file_kinds

SAFETENSORS = ".safetensors"
# Keys below which training scripts store a state dict. As in timm, averaged weights come before the last ones.
WRAPPER_KEYS = ("state_dict_ema", "model_ema", "state_dict", "model")
# Our key in the metadata of a safetensors file, whose values are strings.
METADATA_KEY = "cariste"
OS_ERROR = re.compile(r"os error (\d+)")
UNSUPPORTED_CLASS = re.compile(r"Unsupported (?:global: GLOBAL|class|operand) ([\w.]+)")

AGAIN = file_kinds.DOWNLOAD_AGAIN


class WeightsError(CaristeError):
    """Weights that are missing, damaged or of another model; the message names the file and what to do."""


def read(file: Path) -> Any:
    """Return the content of a file: of the format safetensors the tensors by name, of others what torch saved.

    The first bytes decide the format, not the name. No code in the file is run. Both formats of our model file give
    the same content.

    Raises:
        WeightsError: the file does not exist, is damaged, or has another format, which the message names.
    """
    if problem := input_file_problem(file):
        raise WeightsError(f"{file}: {problem}")
    return _read_safetensors(file) if file_kinds.is_safetensors(file) else read_archive(file)


def read_archive(file: Path) -> Any:
    """Return what torch saved in `file`: tensors and plain values. No code in the file is run.

    Raises:
        WeightsError: the file does not exist, is damaged, or was not written by torch.
    """
    try:
        if problem := file_kinds.unusable_kind(file):
            raise WeightsError(f"{file}: not a file of torch weights: it {problem}")
        if zipfile.is_zipfile(file):
            if problem := file_kinds.foreign_classes(file):
                raise WeightsError(f"{file}: not a file of torch weights: it {problem}")
            # torch itself does not check the checksums in the archive: a flipped bit would become a wrong weight.
            with zipfile.ZipFile(file) as archive:
                damaged = archive.testzip()
            if damaged:
                raise WeightsError(f"{file}: damaged: the checksum of its part {damaged} is wrong; {AGAIN}")
        # An open file, because torch takes every path that ends in .safetensors for that format. It warns about what
        # old versions of torch wrote.
        with file.open("rb") as opened, warnings.catch_warnings(action="ignore"):
            return torch.load(opened, map_location="cpu", weights_only=True)
    except (WeightsError, MemoryError):
        raise
    except OSError as error:
        raise WeightsError(f"{file}: cannot be read: {error.strerror or one_line_message(error)}") from None
    # For damaged files torch and zipfile raise errors of many types, none of which is theirs alone.
    except Exception as error:
        if found := UNSUPPORTED_CLASS.findall(str(error)):
            raise WeightsError(
                f"{file}: not a file of torch weights: it {file_kinds.describe_classes(found)}"
            ) from None
        raise WeightsError(f"{file}: not a file of torch weights, or damaged or cut off; {AGAIN}") from None


def find_state_dict(content: Any) -> dict[str, torch.Tensor] | None:
    """Return the tensors by name in the content of a file, of whatever training script; None if there are none."""
    for wrapper in WRAPPER_KEYS:
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
            break
    is_state_dict = isinstance(content, dict) and all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor) for name, tensor in content.items()
    )
    return dict(content) if is_state_dict and content else None


def write(file: Path, content: dict[str, Any]) -> None:
    """Write plain values and, below the key "weights", tensors by name. The same content gives the same bytes.

    The format is safetensors if the name of the file ends with `.safetensors`, otherwise that of torch.

    Raises:
        OSError: the file cannot be written, as on a full disk.
    """
    if file.suffix != SAFETENSORS:
        # An open file, because torch writes the name of a path into the archive.
        with file.open("wb") as opened:
            write_archive(opened, content)
        return
    tensors = {name: tensor.contiguous() for name, tensor in content["weights"].items()}
    metadata = {key: value for key, value in content.items() if key != "weights"} | {"sha256": _sha256_of(tensors)}
    try:
        safetensors.torch.save_file(tensors, file, {METADATA_KEY: json.dumps(metadata, sort_keys=True)})
    except SafetensorError as error:
        if number := OS_ERROR.search(str(error)):
            raise OSError(int(number[1]), os.strerror(int(number[1]))) from None
        raise


def write_archive(opened: BinaryIO, content: Any) -> None:
    """Write tensors and plain values into an open file, in the format of torch.

    Raises:
        OSError: the file cannot be written. torch itself raises a RuntimeError that does not say so.
    """
    recorded = _RecordedErrors(opened)
    try:
        torch.save(content, recorded)
    except RuntimeError:
        if recorded.error is not None:
            raise recorded.error from None
        raise


class _RecordedErrors:
    """A file to write to that keeps the error of a write."""

    def __init__(self, opened: BinaryIO) -> None:
        self.opened = opened
        self.error: OSError | None = None

    def write(self, content: bytes) -> int:
        try:
            return self.opened.write(content)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        self.opened.flush()


def _read_safetensors(file: Path) -> dict[str, Any]:
    try:
        with safe_open(file, framework="pt", device="cpu") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118, it is not a dictionary
    except OSError as error:
        raise WeightsError(f"{file}: cannot be read: {error.strerror or error}") from None
    except (SafetensorError, ValueError, TypeError, RuntimeError, AttributeError) as error:
        reason = one_line_message(error)
        raise WeightsError(f"{file}: not a safetensors file, or damaged or cut off ({reason}); {AGAIN}") from None
    if METADATA_KEY not in metadata:
        return tensors
    try:
        content = json.loads(metadata[METADATA_KEY])
        checksum = content.pop("sha256")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise WeightsError(f"{file}: damaged: its key {METADATA_KEY!r} is not what Cariste wrote; {AGAIN}") from None
    if checksum != _sha256_of(tensors):
        raise WeightsError(f"{file}: damaged: the checksum of its tensors is wrong; {AGAIN}")
    return content | {"weights": tensors}


def _sha256_of(tensors: dict[str, torch.Tensor]) -> str:
    """Return a checksum of all tensors. The format safetensors has none."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def one_line_message(error: Exception) -> str:
    """Return the message of an error on one line, at most 300 characters."""
    return " ".join(str(error).split())[:300]
