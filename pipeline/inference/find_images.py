# SPDX-License-Identifier: Apache-2.0
"""Find the images to predict in files and folders."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from pipeline.common import image_files, image_formats
from pipeline.common.errors import CaristeError
from pipeline.common.image_remarks import name_some
from pipeline.common.path_checks import shown
from pipeline.inference.prediction_files import DRAWN_BY

# What Windows, macOS and storage devices put beside images: smaller copies, deleted files.
SYSTEM_NAMES = {
    *("thumbs.db", "desktop.ini", "$recycle.bin", "system volume information", "__macosx"),
    *("@eadir", "#recycle", "@recycle", "lost+found"),
}
LOG = logging.getLogger(__name__)


class InputsError(CaristeError):
    """There are no images to predict; the message says why and what to do."""


class ImageSearch:
    """Collects images in order, each once, and what was passed over.

    Args:
        recursive: also search the folders in folders, except hidden ones and links.
    """

    def __init__(self, recursive: bool) -> None:
        self.recursive = recursive
        self.images: dict[Path, Path] = {}  # absolute path -> path as given
        self.skipped: dict[str, list[str]] = {}

    def add_file(self, path: Path) -> None:
        """Add an image, unless it is a drawn copy of an earlier run or was added before."""
        if image_files.png_software(path) == DRAWN_BY:
            self._skip("drawn copies of an earlier run", path)
        elif self.images.setdefault(path.parent.resolve() / path.name, path) is not path:
            self._skip("given more than once", path)

    def add_folder(self, folder: Path) -> None:
        """Add the images in a folder, sorted by name.

        Raises:
            InputsError: the folder cannot be read.
        """
        try:
            entries = sorted(folder.iterdir())
        except OSError as error:
            raise InputsError(f"{shown(folder)}: {error.strerror}") from None
        for path in entries:
            if path.name.startswith(".") or path.name.lower() in SYSTEM_NAMES:
                self._skip("hidden", path)
            elif path.is_dir():
                if self.recursive and path.is_symlink():
                    self._skip("links to folders", path)
                elif self.recursive:
                    self.add_folder(path)
                else:
                    self._skip("folders in folders (search them with --recursive)", path)
            elif path.suffix.lower() in image_formats.suffixes():
                self.add_file(path)
            elif path.suffix.lower() in image_formats.OTHER_SUFFIXES:
                self._skip("formats that are not read (convert these to JPEG or PNG)", path)
            else:
                self._skip("no images by their suffix", path)

    def describe_skipped(self) -> str:
        """Return on one line what was passed over; "" if nothing was."""
        return "; ".join(f"{reason}: {name_some(names)}" for reason, names in self.skipped.items())

    def _skip(self, reason: str, path: Path) -> None:
        self.skipped.setdefault(reason, []).append(shown(path.name))


def find_images(inputs: Sequence[Path], recursive: bool = False) -> list[Path]:
    """Return the images that `inputs` name, and those in the folders that it names, in order. Log what is skipped.

    Raises:
        InputsError: no such file or folder, a folder that cannot be read, or no images.
    """
    search = ImageSearch(recursive)
    for path in inputs:
        if path.is_dir():
            search.add_folder(path)
        elif os.path.lexists(path):
            search.add_file(path)
        else:
            raise InputsError(f"{shown(path)}: no such file or folder")
    skipped = search.describe_skipped()
    if not search.images:
        where = ", ".join(map(shown, inputs))
        why = f"skipped {skipped}" if skipped else "suffixes of images are .jpg, .png, .tif, .webp and others"
        raise InputsError(f"{where}: no images to predict; {why}")
    if skipped:
        LOG.info("skipped %s", skipped)
    return list(search.images.values())
