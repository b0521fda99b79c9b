# SPDX-License-Identifier: Apache-2.0
"""The files that predictions of images are written to. Nothing of the user's is overwritten."""

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any

from pipeline.common import image_files, json_files
from pipeline.common.errors import CaristeError
from pipeline.common.path_checks import shown

# Written into the files, so that they can be told from those of the user.
DRAWN_BY = "cariste predict"
# A name may have 255 bytes. The rest is for a number, the suffix and the temporary name while it is written.
MAX_STEM_BYTES = 200


class ResultsError(CaristeError):
    """The results would overwrite a file of the user; the message names it."""


def check_folder(out: Path) -> None:
    """Check that results can be written into a folder, which need not exist.

    Raises:
        ResultsError: it holds `images.json` or `predictions.json` that are not of an earlier run.
    """
    names = [name for name in ("images.json", "predictions.json") if (out / name).exists()]
    if names and not _is_of_earlier_run(out / "images.json"):
        paths = " and ".join(shown(out / name) for name in names)
        raise ResultsError(f"{paths}: not of an earlier run of this command; choose another folder for --out")


def _is_of_earlier_run(path: Path) -> bool:
    mark = json_files.json_bytes({"software": DRAWN_BY}).strip()
    return path.is_file() and b'"info":' + mark in path.read_bytes()


def write(
    out: Path, images: list[dict[str, Any]], categories: list[dict[str, Any]], results: list[dict[str, Any]]
) -> None:
    """Write `images.json` and `predictions.json`. If this is interrupted, results of an earlier run are gone."""
    document = {"info": {"software": DRAWN_BY}, "images": images, "annotations": [], "categories": categories}
    (out / "predictions.json").unlink(missing_ok=True)
    json_files.write_json(out / "images.json", document)
    json_files.write_json(out / "predictions.json", results)


def drawn_paths(images: Sequence[Path], folder: Path) -> list[Path]:
    """Return the path of the drawn copy of each image: `NAME.png`, with numbers where names repeat.

    Names differ also where capitals and the forms of accents do not count, as on macOS and Windows. Files in the folder
    that are not drawn copies are never overwritten.
    """
    taken = {_comparable(path.name) for path in _other_files(folder)}
    stems = [_safe_stem(image) for image in images]
    counts = Counter(map(_comparable, stems))
    paths = []
    for number, stem in enumerate(stems, 1):
        plain = [stem] if counts[_comparable(stem)] == 1 else []
        names = chain(plain, [f"{stem}_{number}"], (f"{stem}_{number}_{further}" for further in count(2)))
        name = next(name for name in names if _comparable(f"{name}.png") not in taken)
        taken.add(_comparable(f"{name}.png"))
        paths.append(folder / f"{name}.png")
    return paths


def _other_files(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder, which need not exist, that are not drawn copies."""
    if folder.is_dir():
        yield from (path for path in folder.iterdir() if image_files.png_software(path) != DRAWN_BY)


def _comparable(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _safe_stem(image: Path) -> str:
    """Return the name without suffix, without line breaks and the like, and not too long."""
    stem = "".join("_" if unicodedata.category(character) == "Cc" else character for character in image.stem)
    while len(os.fsencode(stem)) > MAX_STEM_BYTES:
        stem = stem[:-1]
    return stem
