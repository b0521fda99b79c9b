# SPDX-License-Identifier: Apache-2.0
"""Decode all images of a set before the training begins, so that a damaged one does not stop it hours later."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pipeline.common import image_files
from pipeline.common.image_remarks import Remarks
from pipeline.common.progress import track
from pipeline.common.validation_messages import at_most_ten

MAX_THREADS = 8


def check_all_decode(name: str, paths: Sequence[Path]) -> None:
    """Decode images, and log what was assumed about them. `name` of the set begins every message.

    Raises:
        ImageFileError: one line for each image that cannot be decoded, at most ten, then a count.
    """
    remarks = Remarks()
    if problems := decoding_problems(name, paths, remarks):
        raise image_files.ImageFileError(at_most_ten(problems))
    remarks.log()


def decoding_problems(name: str, paths: Sequence[Path], remarks: Remarks) -> list[str]:
    """Decode images, and return one line for each that cannot be decoded. What was assumed is added to `remarks`."""

    def problem_of(path: Path) -> str | None:
        try:
            image_files.check_pixels(path, remarks)
        except image_files.ImageFileError as error:
            return f"{name}: {error}"
        return None

    # Threads and not processes: decoding releases Python's global lock.
    with ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as pool:
        found = track(pool.map(problem_of, paths), len(paths), f"check of {name}")
        return [problem for problem in found if problem]
