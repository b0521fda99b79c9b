# SPDX-License-Identifier: Apache-2.0
"""Do two ways of running a model find the same in an image?"""

from collections.abc import Callable

import numpy as np

OUTPUTS = ("boxes", "labels", "scores", "masks")
Outputs = dict[str, np.ndarray]  # by the names in OUTPUTS, shapes as in `export.CameraDetector.forward`
Predictor = Callable[[np.ndarray, float], Outputs]  # image, score threshold

# On 66 photographs single precision made 0.002 pixels, 2e-5 in scores and 1e-4 in masks; a wrong operator makes more.
TOLERANCES = {"boxes": 0.1, "scores": 1e-3, "masks": 1e-2}
# Of two almost equal scores either may come first, and be the last that is kept or the one that survives an overlap.
MIN_MATCHED_SHARE = 0.95


def describe_mismatch(expected: Outputs, found: Outputs) -> str:
    """Return in words what differs, or "" if all is within the tolerances; order does not count.

    Detections belong together if they have the same label and their boxes agree best, each used once.
    """
    for name in OUTPUTS:
        wanted, got = expected[name], found[name]
        if (wanted.dtype, wanted.shape[1:]) != (got.dtype, got.shape[1:]):
            return f"{name} are {got.dtype} {got.shape}, not {wanted.dtype} {wanted.shape}"
    pairs = _pairs(expected, found)
    most = max(len(expected["scores"]), len(found["scores"]))
    if len(pairs) < MIN_MATCHED_SHARE * most:
        counts = f"{len(found['scores'])} detections, not {len(expected['scores'])}"
        return f"{counts}; only {len(pairs)} have the same label and a box within {TOLERANCES['boxes']} pixels"
    left, right = (list(rows) for rows in zip(*pairs, strict=True)) if pairs else ([], [])
    for name in ("scores", "masks"):
        largest = np.abs(expected[name][left] - found[name][right]).max(initial=0)
        if not largest <= TOLERANCES[name]:  # not >, which is false of NaN
            return f"{name} differ by up to {largest:.2g}, more than {TOLERANCES[name]}"
    return ""


def _pairs(expected: Outputs, found: Outputs) -> list[tuple[int, int]]:
    """Return the rows that belong together."""
    distances = np.abs(expected["boxes"][:, None] - found["boxes"][None]).max(axis=2, initial=0)
    possible = (expected["labels"][:, None] == found["labels"][None]) & (distances <= TOLERANCES["boxes"])
    pairs = []
    for row in range(len(possible)):
        if possible[row].any():
            column = int(np.where(possible[row], distances[row], np.inf).argmin())
            pairs.append((row, column))
            possible[:, column] = False
    return pairs
