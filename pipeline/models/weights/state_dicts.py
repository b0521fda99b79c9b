# SPDX-License-Identifier: Apache-2.0
"""Files of weights: read them without running code in them, find published ones, and check their sha256."""

import hashlib
import json
import logging
import os
import re
import tempfile
import zipfile
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, BinaryIO

import pooch
import safetensors.torch
import torch
from huggingface_hub import hf_hub_download
from safetensors import SafetensorError, safe_open

from pipeline.common.errors import CaristeError
from pipeline.common.file_hash import sha256_of

LOG = logging.getLogger(__name__)

WEIGHTS_DIR = Path(__file__).resolve().parents[3] / "assets" / "weights"
SAFETENSORS = ".safetensors"
# Our key in the metadata of a safetensors file, whose values are strings.
METADATA_KEY = "cariste"
SHA256_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.\w+$")
OS_ERROR = re.compile(r"os error (\d+)")
SHA256 = re.compile(r"[0-9a-f]{64}")


class WeightsError(CaristeError):
    """Weights that are missing, damaged or of another model; the message names the file and what to do."""


def read(file: Path) -> Any:
    """Return the content of a file: of `.safetensors` the tensors by name, of others what torch saved.

    No code in the file is run. Both formats of our model file give the same content.

    Raises:
        WeightsError: the file does not exist, is damaged, or has another format.
    """
    return _read_safetensors(file) if file.suffix == SAFETENSORS else read_archive(file)


def read_archive(file: Path) -> Any:
    """Return what torch saved in `file`: tensors and plain values. No code in the file is run.

    Raises:
        WeightsError: the file does not exist, is damaged, or was not written by torch.
    """
    try:
        if zipfile.is_zipfile(file):
            # torch itself does not check the checksums in the archive: a flipped bit would become a wrong weight.
            with zipfile.ZipFile(file) as archive:
                damaged = archive.testzip()
            if damaged:
                raise WeightsError(
                    f"{file}: damaged: the checksum of its part {damaged} is wrong; copy or create it again"
                )
        return torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise WeightsError(f"{file}: cannot be read: {error.strerror}") from None
    # torch.load and zipfile raise these for text, an empty file, a truncated zip and pickled code.
    except (KeyError, EOFError, RuntimeError, ValueError, UnpicklingError, zipfile.BadZipFile) as error:
        reason = one_line_message(error) or "it ends too early"
        raise WeightsError(f"{file}: not a file of torch weights, or damaged: {reason}") from None


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
    except SafetensorError as error:
        raise WeightsError(f"{file}: not a safetensors file, or damaged: {one_line_message(error)}") from None
    if METADATA_KEY not in metadata:
        return tensors
    content = json.loads(metadata[METADATA_KEY])
    if content.pop("sha256") != _sha256_of(tensors):
        raise WeightsError(f"{file}: damaged: the checksum of its tensors is wrong; copy or create it again")
    return content | {"weights": tensors}


def _sha256_of(tensors: dict[str, torch.Tensor]) -> str:
    """Return a checksum of all tensors. The format safetensors has none."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def find_or_download(url: str, key: str) -> Path:
    """Return the file that `url` names: from torch hub's folder of checkpoints, from `assets/weights/`, or downloaded.

    The name of the file ends with the first digits of its sha256, which are checked in all three cases. `key` is what
    asks for the file, such as `model.weights = coco`, for messages.

    Raises:
        WeightsError: the file is in no folder and cannot be downloaded, or it is damaged.
    """
    name = url.rsplit("/", 1)[-1]
    checkpoints = Path(torch.hub.get_dir()) / "checkpoints"
    for folder in (checkpoints, WEIGHTS_DIR):
        if (folder / name).exists():
            check_sha256_in_name(folder / name)
            return folder / name
    checkpoints.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=checkpoints) as folder:
        try:
            # pooch compares whole hashes, and torchvision and timm publish only the first digits.
            file = Path(pooch.retrieve(url, known_hash=None, fname=name, path=folder))
        except OSError as error:
            raise WeightsError(
                f"{key}: {name} cannot be downloaded ({one_line_message(error)}); without a network, set "
                "model.backbone: tf_efficientnet_lite0 and model.weights: bundled, which is installed; or download the "
                f"file from {url} on another machine and put it into assets/weights/ or {checkpoints}"
            ) from None
        try:
            check_sha256_in_name(file)
        except WeightsError as error:
            raise WeightsError(f"{key}: {name} was damaged on the way: {error}") from None
        file.replace(checkpoints / name)
    return checkpoints / name


def find_or_download_from_hub(repository: str, key: str) -> Path:
    """Return `model.safetensors` of a repository of the Hugging Face hub, from the cache or downloaded.

    In the cache, the name of a large file is its sha256, which is checked.

    Raises:
        WeightsError: the file is not in the cache and cannot be downloaded, or it is damaged.
    """
    try:
        file = Path(hf_hub_download(repository, "model.safetensors"))
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"{key}: model.safetensors of {repository} cannot be downloaded from the Hugging Face hub "
            f"({one_line_message(error)}); download it on another machine and give its path as model.weights"
        ) from None
    cached_file = file.resolve()
    if SHA256.fullmatch(cached_file.name):
        check_sha256(cached_file, cached_file.name, "delete it and download it again")
    else:
        LOG.warning("%s: its name in the cache is not a sha256: used without checking it", file)
    return file


def sha256_in_name(name: str) -> str | None:
    """Return the first digits of the sha256 at the end of a file name of torchvision or timm, or None."""
    match = SHA256_IN_NAME.search(name)
    return match.group(1) if match else None


def check_sha256_in_name(file: Path) -> None:
    """Compare a file with the sha256 at the end of its name.

    Raises:
        WeightsError: they differ.
    """
    if expected := sha256_in_name(file.name):
        check_sha256(file, expected, "delete it and download it again")
    else:
        LOG.warning("weights: the name of %s has no sha256: used without checking it", file)


def check_sha256(file: Path, expected: str, advice: str) -> None:
    """Raise WeightsError unless the sha256 of `file` begins with `expected`. `advice` is what to do then."""
    try:
        found = sha256_of(file)
    except OSError as error:
        raise WeightsError(f"{file}: cannot be read: {error.strerror}; {advice}") from None
    if not found.startswith(expected):
        raise WeightsError(f"{file}: its sha256 begins with {found[: len(expected)]}, not {expected}; {advice}")


def one_line_message(error: Exception) -> str:
    """Return the message of an error on one line, at most 300 characters."""
    return " ".join(str(error).split())[:300]
