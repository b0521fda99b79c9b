# SPDX-License-Identifier: Apache-2.0
"""Find the image files of a COCO file, and check that they have the sizes that it says. Only headers are read."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.coco.findings import Findings
from pipeline.coco.image_lookup import MAX_PATHS_SHOWN, ImageFolder
from pipeline.coco.reader import CocoFile, CocoImage, Id, raise_problems
from pipeline.common import image_files
from pipeline.common.image_remarks import Remarks
from pipeline.common.path_checks import shown


class ImageFile(NamedTuple):
    """The file of an image, and whether its EXIF orientation is applied."""

    path: Path
    turn_upright: bool = True

    def read(self, remarks: Remarks | None = None) -> np.ndarray:
        """Return the image as uint8 RGB (height, width, 3), as its annotations see it.

        Raises:
            ImageFileError: see `image_files.read_image`.
        """
        return image_files.read_image(self.path, remarks, self.turn_upright)


class FoundImages(NamedTuple):
    """The files of the images of a COCO file by their ids, and for the other ids what is wrong."""

    files: Mapping[Id, ImageFile]
    problems: Mapping[Id, str]


def check_images(coco: CocoFile, images_dir: str | Path) -> Mapping[Id, ImageFile]:
    """Return the files of all images.

    Raises:
        CocoError: one line per wrong image (the first ten).
    """
    found = find_images(coco, images_dir)
    raise_problems(coco.path, found.problems.values())
    return found.files


def find_images(coco: CocoFile, images_dir: str | Path) -> FoundImages:
    """Find the files of the images, and log what was assumed about their paths and their orientation."""
    folder = ImageFolder(images_dir)
    findings = Findings(coco.path)
    files: dict[Id, ImageFile] = {}
    problems: dict[Id, str] = {}
    owners: dict[Path, CocoImage] = {}
    for image in coco.images:
        try:
            file = _find(image, folder, findings)
            _check_owner(image, owners.setdefault(file.path, image), file.path, findings)
        except _ImageProblem as problem:
            problems[image.id] = f"image {image.id}: {problem}"
        else:
            files[image.id] = file
    findings.log()
    return FoundImages(files, problems)


class _ImageProblem(Exception):
    """Why an image cannot be used."""


def _check_owner(image: CocoImage, owner: CocoImage, path: Path, findings: Findings) -> None:
    """Refuse two names that lead to the same file. The same name for two images is what the COCO file wants."""
    if owner.file_name != image.file_name:
        raise _ImageProblem(f"{shown(path)} is the file of image {owner.id}; two file names lead to it")
    if owner is not image:
        findings.assume("a file is listed for several images: read as different images", shown(path))


def _find(image: CocoImage, folder: ImageFolder, findings: Findings) -> ImageFile:
    match = folder.find(image.file_name)
    if not match.paths:
        raise _ImageProblem(f"{shown(folder.folder / image.file_name)}: no such file")
    if len(match.paths) > 1:
        paths = ", ".join(map(shown, match.paths[:MAX_PATHS_SHOWN]))
        raise _ImageProblem(f"{shown(image.file_name)} fits {len(match.paths)} files ({paths}); write the path of one")
    (path,) = match.paths
    if match.assumed:
        findings.assume(f"paths of images differ from those in {shown(folder.folder)}: {match.assumed}", shown(path))
    return ImageFile(path, _is_upright(image, path, findings))


def _is_upright(image: CocoImage, path: Path, findings: Findings) -> bool:
    """Return whether the image was annotated upright, as viewers show it, and not as its pixels are stored."""
    expected = (image.width, image.height)
    try:
        size = image_files.read_size(path)
        if size == expected:
            return True
        stored_size = image_files.read_size(path, turn_upright=False)
    except image_files.ImageFileError as error:
        raise _ImageProblem(str(error)) from None
    if stored_size != expected:
        raise _ImageProblem(f"{shown(path)}: {_describe_mismatch(size, expected)}")
    findings.assume("sizes are those before the rotation by EXIF: the pixels are used as stored", shown(path))
    return False


def _describe_mismatch(size: tuple[int, int], expected: tuple[int, int]) -> str:
    """Return a message for an image of another (width, height) than its COCO file says."""
    (width, height), (expected_width, expected_height) = size, expected
    message = f"the image is {width}x{height}, the file says {expected_width}x{expected_height}"
    if size == expected[::-1]:
        return f"{message}: width and height are swapped; was it turned? Export the annotations again for this image"
    if abs(width / height / (expected_width / expected_height) - 1) < 0.01:
        return f"{message}: a resized copy? Use the images that were annotated, or export the annotations again"
    return message
