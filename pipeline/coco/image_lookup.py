# SPDX-License-Identifier: Apache-2.0
"""Find the image files that a COCO file names, also where its tool wrote other paths than those of today.

Tools write the paths of their own machine, URLs, backslashes (Windows), percent signs for blanks and a hash before the
name (Label Studio), letters composed in another way (macOS), or another case of the suffix (cameras).
"""

import itertools
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from pipeline.common import image_formats

UPLOAD_HASH = re.compile(r"^[0-9a-f]{6,40}[-_]")
URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")
DRIVE = re.compile(r"^[A-Za-z]:")
MAX_PATHS_SHOWN = 3


class Match(NamedTuple):
    """What was found for a file name.

    Attributes:
        paths: one path: found; several: the name fits all of them; none: no such file.
        assumed: what was assumed about the name, empty if it is the path as it stands.
    """

    paths: tuple[Path, ...]
    assumed: str = ""


class ImageFolder:
    """The folder that the file names of a COCO file are relative to."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def find(self, file_name: str) -> Match:
        """Return the path of an image by its name in a COCO file."""
        if "\0" in file_name:
            return Match(())
        path = self.folder / file_name
        if _exists(path):
            return Match((path,))
        for name in _readings(file_name):
            parts = PurePosixPath(name).parts
            for start in range(len(parts)):
                found = self._files.get(_key("/".join(parts[start:])))
                if found:
                    assumed = "only the end of the path in the file is used" if start else _spelling(name, found)
                    return Match(tuple(found), assumed)
            found = self._by_name.get(_key(parts[-1])) if parts else None
            if found:
                return Match(tuple(found), "found by the name alone, in a sub-folder")
            without_hash = UPLOAD_HASH.sub("", parts[-1]) if parts else ""
            found = self._by_name.get(_key(without_hash)) if without_hash else None
            if found:
                return Match(tuple(found), "found by the name without the hash before it")
            found = self._images_without_suffix.get(_key(_without_suffix(name)))
            if found:
                return Match(tuple(found), "found with another suffix")
        return Match(())

    @cached_property
    def _files(self) -> dict[str, list[Path]]:
        """All files below the folder, by the key of their path relative to it."""
        files = defaultdict(list)
        for folder, folders, names in os.walk(self.folder):
            folders[:] = sorted(each for each in folders if not each.startswith("."))
            for name in sorted(each for each in names if not each.startswith(".")):
                path = Path(folder, name)
                files[_key(path.relative_to(self.folder).as_posix())].append(path)
        return files

    @cached_property
    def _images_without_suffix(self) -> dict[str, list[Path]]:
        """All images below the folder, by the key of their path relative to it without the suffix."""
        files = defaultdict(list)
        for path in itertools.chain.from_iterable(self._files.values()):
            relative = path.relative_to(self.folder).as_posix()
            if _without_suffix(relative) != relative:
                files[_key(_without_suffix(relative))].append(path)
        return files

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        """All files below the folder, by the key of their name."""
        files = defaultdict(list)
        for paths in self._files.values():
            for path in paths:
                files[_key(path.name)].append(path)
        return files


def _readings(file_name: str) -> Iterator[str]:
    """Yield the relative paths with `/` that a file name may mean: as it stands, then as a URL or encoded path."""
    path = file_name
    if URL.match(file_name):
        path = _path_of_url(file_name)
    elif "?d=" in file_name:  # Label Studio: /data/local-files/?d=folder/name.jpg
        path = "".join(parse_qs(file_name.partition("?")[2]).get("d", [""]))
    plain = _relative(path)
    yield plain
    if unquote(plain) != plain:
        yield unquote(plain)


def _path_of_url(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return url.partition("://")[2]


def _relative(path: str) -> str:
    parts = DRIVE.sub("", path.replace("\\", "/")).split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def _key(path: str) -> str:
    """Return what is equal for paths that differ only in case or in how their letters are composed or encoded."""
    if not path.isascii():
        path = os.fsencode(path).decode("utf-8", "surrogateescape")
        if any("\udc80" <= letter <= "\udcff" for letter in path):  # bytes that are not UTF-8
            path = os.fsencode(path).decode("cp1252", "replace")
    return unicodedata.normalize("NFC", path).casefold()


def _spelling(name: str, found: list[Path]) -> str:
    same = any(path.as_posix().endswith(name) for path in found)
    return "\\, URLs and encoded letters in the path are read" if same else "case and composed letters may differ"


def _without_suffix(name: str) -> str:
    """Return a path without the suffix of an image; any other path as it is: "hall.12" may have no suffix."""
    suffix = PurePosixPath(name).suffix
    return name.removesuffix(suffix) if suffix.lower() in image_formats.suffixes() else name


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
