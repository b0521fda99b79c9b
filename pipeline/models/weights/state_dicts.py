# SPDX-License-Identifier: Apache-2.0
"""Files of weights: reading them without running code in them, finding published ones, checking their sha256."""

import hashlib
import json
import logging
import re
import zipfile
from http.client import HTTPException
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import safetensors.torch
import torch
from huggingface_hub import hf_hub_download
from safetensors import SafetensorError, safe_open

from pipeline.common.errors import CaristeError

LOG = logging.getLogger(__name__)

WEIGHTS_DIR = Path(__file__).resolve().parents[3] / "assets" / "weights"
SAFETENSORS = ".safetensors"
# The one key of a safetensors file's metadata that is ours; the format knows strings alone.
METADATA_KEY = "cariste"
SHA256_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.\w+$")
SHA256 = re.compile(r"[0-9a-f]{64}")


class WeightsError(CaristeError):
    """Weights that are missing, damaged or of another model; the message names the file and what to do."""


def read(file: Path) -> Any:
    """Return what a file holds: of `.safetensors` the tensors by name, of any other what torch saved, without code.

    A safetensors file of ours gives what the same model's torch file gives.

    Raises:
        WeightsError: no such file, damaged, or of another kind.
    """
    return _read_safetensors(file) if file.suffix == SAFETENSORS else read_archive(file)


def read_archive(file: Path) -> Any:
    """Return what torch saved in `file`: tensors and plain values, no code.

    Raises:
        WeightsError: no such file, damaged, or not one that torch wrote.
    """
    try:
        if zipfile.is_zipfile(file):
            # torch itself does not check the archive's checksums: a flipped bit would pass for a weight.
            with zipfile.ZipFile(file) as archive:
                damaged = archive.testzip()
            if damaged:
                raise WeightsError(
                    f"{file}: damaged: the checksum of its part {damaged} is wrong; copy or make it again"
                )
        return torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise WeightsError(f"{file}: cannot be read: {error.strerror}") from None
    # What torch.load and zipfile raise for text, an empty file, a cut-off zip and pickled code.
    except (KeyError, EOFError, RuntimeError, ValueError, UnpicklingError, zipfile.BadZipFile) as error:
        reason = one_line_message(error) or "it ends too early"
        raise WeightsError(f"{file}: not a file of torch weights, or damaged: {reason}") from None


def write(file: Path, content: dict[str, Any]) -> None:
    """Write plain values and, under "weights", tensors by name; as safetensors where the name ends so, else by torch.

    The same content gives the same bytes.
    """
    if file.suffix != SAFETENSORS:
        # An open file, because torch puts a path's name into the archive.
        with file.open("wb") as opened:
            torch.save(content, opened)
        return
    tensors = {name: tensor.contiguous() for name, tensor in content["weights"].items()}
    plain = {key: value for key, value in content.items() if key != "weights"} | {"sha256": _sha256_of(tensors)}
    safetensors.torch.save_file(tensors, file, {METADATA_KEY: json.dumps(plain, sort_keys=True)})


def _read_safetensors(file: Path) -> dict[str, Any]:
    try:
        with safe_open(file, framework="pt", device="cpu") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118, it is no dictionary
    except OSError as error:
        raise WeightsError(f"{file}: cannot be read: {error.strerror or error}") from None
    except SafetensorError as error:
        raise WeightsError(f"{file}: not a safetensors file, or damaged: {one_line_message(error)}") from None
    if METADATA_KEY not in metadata:
        return tensors
    content = json.loads(metadata[METADATA_KEY])
    if content.pop("sha256") != _sha256_of(tensors):
        raise WeightsError(f"{file}: damaged: the checksum of its tensors is wrong; copy or make it again")
    return content | {"weights": tensors}


def _sha256_of(tensors: dict[str, torch.Tensor]) -> str:
    """Return a checksum of all tensors: the format itself has none."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def find_or_download(url: str, key: str) -> Path:
    """Return the file behind `url`: in torch hub's folder of checkpoints, in `assets/weights/`, or now downloaded.

    Its name holds the start of its sha256, which is checked wherever it is found. `key`: what asks for it, as in
    `model.weights = coco`, for messages.

    Raises:
        WeightsError: it is nowhere and cannot be downloaded, or it is damaged.
    """
    name = url.rsplit("/", 1)[-1]
    checkpoints = Path(torch.hub.get_dir()) / "checkpoints"
    for folder in (checkpoints, WEIGHTS_DIR):
        if (folder / name).exists():
            check_sha256_in_name(folder / name)
            return folder / name
    checkpoints.mkdir(parents=True, exist_ok=True)
    try:
        torch.hub.download_url_to_file(url, str(checkpoints / name), sha256_in_name(name))
    except (OSError, HTTPException) as error:
        raise WeightsError(
            f"{key}: {name} cannot be downloaded ({error}); fetch it on a machine with network from {url} and put it "
            f"into assets/weights/ or {checkpoints}"
        ) from None
    except RuntimeError as error:
        raise WeightsError(f"{key}: {name} was damaged on the way: {error}; try again") from None
    return checkpoints / name


def find_or_download_from_hub(repository: str, key: str) -> Path:
    """Return `model.safetensors` of a repository of the Hugging Face hub, from its cache or now downloaded.

    The cache names a large file by its sha256, which is checked.

    Raises:
        WeightsError: it is not in the cache and cannot be downloaded, or it is damaged.
    """
    try:
        file = Path(hf_hub_download(repository, "model.safetensors"))
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"{key}: model.safetensors of {repository} cannot be downloaded from the Hugging Face hub "
            f"({one_line_message(error)}); fetch it on a machine with network and name its path as model.weights"
        ) from None
    blob = file.resolve()
    if SHA256.fullmatch(blob.name):
        check_sha256(blob, blob.name, "delete it and fetch it again")
    else:
        LOG.warning("%s: the hub's cache does not name its sha256: used without checking it", file)
    return file


def sha256_in_name(name: str) -> str | None:
    """Return the start of the sha256 that torchvision and timm put at the end of a file's name, if it is there."""
    found = SHA256_IN_NAME.search(name)
    return found.group(1) if found else None


def check_sha256_in_name(file: Path) -> None:
    """Hold a file against the sha256 that its name ends with.

    Raises:
        WeightsError: it is another.
    """
    if expected := sha256_in_name(file.name):
        check_sha256(file, expected, "delete it and fetch it again")
    else:
        LOG.warning("weights: the name of %s holds no sha256: used without checking it", file)


def check_sha256(file: Path, expected: str, advice: str) -> None:
    """Raise WeightsError unless the sha256 of `file` begins with `expected`."""
    try:
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{file}: cannot be read: {error.strerror}; {advice}") from None
    if not found.startswith(expected):
        raise WeightsError(f"{file}: its sha256 begins with {found[: len(expected)]}, not {expected}; {advice}")


def one_line_message(error: Exception) -> str:
    """Return the beginning of torch's long explanations."""
    return " ".join(str(error).split())[:300]
