# SPDX-License-Identifier: Apache-2.0
"""Published files of weights: find or download them, and check their sha256."""

import logging
import re
import shutil
import tempfile
from pathlib import Path

import pooch
import torch
from huggingface_hub import hf_hub_download

from pipeline.common.atomic_write import atomic_file
from pipeline.common.file_hash import sha256_of
from pipeline.models.weights.state_dicts import WeightsError, one_line_message

LOG = logging.getLogger(__name__)

WEIGHTS_DIR = Path(__file__).resolve().parents[3] / "assets" / "weights"
SHA256_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.\w+$")
SHA256 = re.compile(r"[0-9a-f]{64}")


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
    with tempfile.TemporaryDirectory() as folder:
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
        with atomic_file(checkpoints / name) as temporary:
            shutil.copyfile(file, temporary)
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
