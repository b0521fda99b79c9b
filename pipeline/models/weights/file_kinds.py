# SPDX-License-Identifier: Apache-2.0
"""What a file that is given as weights or as a model really is, by its first bytes. Nothing in it is executed."""

import re
import zipfile
from pathlib import Path

import torch

HEAD_BYTES = 4096
MAX_HEADER_BYTES = 100_000_000  # the limit of the format safetensors
OLD_TORCH_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # a number that torch wrote first until 2020
ZIP = b"PK\x03\x04"
DOWNLOAD_AGAIN = "copy or download it again"
# Start of the file -> what it is, and what to do.
KINDS = (
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself: run `git lfs pull`"),
    (b"<!doctype html", "a web page, as a failed download leaves it: download the file again, with a login if needed"),
    (b"<html", "a web page, as a failed download leaves it: download the file again, with a login if needed"),
    (b"<?xml", "an XML file"),
    (b"\x89hdf", "an HDF5 file, as Keras writes it: convert its weights to safetensors"),
    (b"gguf", "a GGUF file of a language model"),
    (b"\x1f\x8b", "a gzip archive: unpack it"),
    (b"bzh", "a bzip2 archive: unpack it"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it"),
    (b"rar!", "a RAR archive: unpack it"),
    (b"\xfd7zxz", "an xz archive: unpack it"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive: unpack it"),
    (b"\x89png", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"gif8", "an image"),
    (b"%pdf", "a PDF"),
    (b"\x93numpy", "a numpy array"),
    (b"ftrt", "a TensorRT engine: use the file that it was built from"),
    (b"\0" * 64, f"only zero bytes, as a broken copy leaves them: {DOWNLOAD_AGAIN}"),
)
ONNX = re.compile(rb"\x08[\x01-\x20](\x12|\x1a|:)")
ONNX_NOTE = "an ONNX model, which cannot be trained or loaded here: use the model.pt that it was exported from"
TORCHSCRIPT_NOTE = (
    "a TorchScript program, whose code is never run here: use the model.pt that it was exported from, or save the "
    "state_dict() of the model"
)
# Start of the name of a class -> who writes such files.
WRITERS = {
    "ultralytics": "a model of Ultralytics YOLO",
    "models.": "a model of YOLOv5 or YOLOv7",
    "mmengine": "a checkpoint of OpenMMLab",
    "mmdet": "a checkpoint of OpenMMLab",
    "detectron2": "a checkpoint of Detectron2",
    "pytorch_lightning": "a checkpoint of Lightning",
    "lightning": "a checkpoint of Lightning",
    "torchvision": "a whole model of torchvision",
}


def unusable_kind(file: Path) -> str | None:
    """Return what an existing file is and what to do, None if torch or safetensors may have written it.

    Raises:
        OSError: it cannot be read.
    """
    with file.open("rb") as opened:
        head = opened.read(HEAD_BYTES)
    if head.startswith(ZIP):
        return _unusable_zip(file)
    if is_safetensors(file):
        return None
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if note := next(
        (note for prefix, note in KINDS if head.lower().startswith(prefix) or start.startswith(prefix)), ""
    ):
        return f"is {note}"
    if head[4:8] == b"TFL3":
        return "is a TensorFlow Lite model, which cannot be loaded here"
    if head[257:262] == b"ustar":
        return "is a tar archive: unpack it"
    if ONNX.match(head):
        return f"is {ONNX_NOTE}"
    if head.startswith(b"\x80"):
        is_torch = OLD_TORCH_MAGIC in head[:64]
        return None if is_torch else "is a pickle of Python, not of torch; code in files is never run"
    if start[:1] in (b"{", b"["):
        return "is a JSON file"
    return "is text" if _is_text(head) else f"is no file of torch or safetensors, or damaged: {DOWNLOAD_AGAIN}"


def is_safetensors(file: Path) -> bool:
    """Return whether a file begins as the format safetensors does, whatever its name is."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        return 0 < length <= MAX_HEADER_BYTES and opened.read(1) == b"{"


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        return head.decode("utf-8", "strict" if len(head) < HEAD_BYTES else "ignore").isprintable() or b"\n" in head
    except UnicodeDecodeError:
        return False


def _unusable_zip(file: Path) -> str | None:
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, KeyError):
        return f"is cut off or damaged: {DOWNLOAD_AGAIN}"
    names = [entry.filename for entry in entries]
    if any(name.endswith("/constants.pkl") or "/code/" in name for name in names):
        return f"is {TORCHSCRIPT_NOTE}"
    if not any(name.rpartition("/")[2] == "data.pkl" for name in names):
        if names and all(name.endswith(".npy") for name in names):
            return "is an archive of numpy arrays: save them with torch.save, as tensors by name"
        first = f", such as {names[0]!r:.60}" if names else ""
        return f"is a zip archive ({len(names)} in it{first}), not of torch: unpack it"
    # torch stores its parts uncompressed. A small file must not unpack to an endless one.
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        return "is a zip archive with compressed parts, which torch does not write: save it again with torch.save"
    return None


def foreign_classes(file: Path) -> str | None:
    """Return who wrote the Python objects in an archive of torch and what to do, None if it has only plain values."""
    try:
        names = sorted(torch.serialization.get_unsafe_globals_in_checkpoint(file))
    except Exception:  # a damaged file, of any kind; who reads it next says so
        return None
    return describe_classes(names) if names else None


def describe_classes(names: list[str]) -> str:
    """Return who wrote a file with objects of these classes, by their dotted names, and what to do."""
    writers = [writer for name in names for start, writer in WRITERS.items() if name.startswith(start)]
    what = writers[0] if writers else "a file with Python objects"
    return (
        f"is {what} ({', '.join(names[:3])}{', …' * (len(names) > 3)}), whose code is never run; where that program "
        "is installed, save only its tensors: torch.save(model.state_dict(), FILE)"
    )
