# SPDX-License-Identifier: Apache-2.0
"""Write image files."""

from pathlib import Path

import cv2
import numpy as np

from pipeline.common import atomic_write


def write_png(path: Path, image: np.ndarray) -> None:
    """Write `image`, uint8 RGB (height, width, 3), as a PNG file, atomically.

    Raises:
        OSError: the file cannot be written.
    """
    _, content = cv2.imencode(".png", image[:, :, ::-1])
    atomic_write.write_bytes(path, content.tobytes())
