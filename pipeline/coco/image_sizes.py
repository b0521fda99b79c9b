# SPDX-License-Identifier: Apache-2.0
"""The sizes of images that their COCO file does not say, from the image files."""

from pathlib import Path

from pipeline.coco.findings import Findings
from pipeline.coco.image_lookup import ImageFolder
from pipeline.common import image_files


class SizeReader:
    """Reads the sizes of images in a folder; without a folder every size is a problem."""

    def __init__(self, images_dir: str | Path | None) -> None:
        self.folder = ImageFolder(images_dir) if images_dir else None

    def __call__(self, file_name: str, given: str, place: str, findings: Findings) -> tuple[int, int]:
        """Return (width, height) in pixels, of the upright image; `given`: what the COCO file has instead.

        What was assumed, or why the size is not known, is noted in `findings`; an unknown size is (1, 1).
        """
        if self.folder is None:
            findings.refuse(f"{given} are no sizes in pixels, and there is no --images to read them from", place)
            return 1, 1
        paths = self.folder.find(file_name).paths
        if len(paths) != 1:
            findings.refuse(f"{given} are no sizes in pixels, and {file_name} is not in {self.folder.folder}", place)
            return 1, 1
        try:
            size = image_files.read_size(paths[0])
        except image_files.ImageFileError as error:
            findings.refuse(str(error), place)
            return 1, 1
        findings.assume("width and height are missing or wrong: read from the image file", place)
        return size
