# SPDX-License-Identifier: Apache-2.0
"""Compare the outputs of two ways to run the same model on the same image."""

from collections.abc import Callable

import numpy as np

OUTPUTS = ("boxes", "labels", "scores", "masks")
Outputs = dict[str, np.ndarray]  # keys: OUTPUTS, shapes: see `export.FixedSizeDetector.forward`
Predictor = Callable[[np.ndarray, float], Outputs]  # arguments: image, score threshold

# On 66 photographs single precision changed boxes by 0.002 pixels, scores by 2e-5 and masks by 1e-4. A wrong operator
# changes them more.
TOLERANCES = {"boxes": 0.1, "scores": 1e-3, "masks": 1e-2}
# Two almost equal scores may swap. Then another detection is the last one that is kept, or the one that survives
# non-maximum suppression.
MIN_MATCHED_SHARE = 0.95


def describe_mismatch(expected: Outputs, actual: Outputs) -> str:
    """Return a description of the first difference, "" if all is within the tolerances. The order does not count.

    Two detections match if they have the same label and the nearest boxes. Every detection is used once.
    """
    for name in OUTPUTS:
        expected_array, actual_array = expected[name], actual[name]
        if (expected_array.dtype, expected_array.shape[1:]) != (actual_array.dtype, actual_array.shape[1:]):
            expected_type = f"{expected_array.dtype} {expected_array.shape}"
            return f"{name} are {actual_array.dtype} {actual_array.shape}, not {expected_type}"
    pairs = _match_detections(expected, actual)
    max_count = max(len(expected["scores"]), len(actual["scores"]))
    if len(pairs) < MIN_MATCHED_SHARE * max_count:
        counts = f"{len(actual['scores'])} detections, not {len(expected['scores'])}"
        return f"{counts}; only {len(pairs)} have the same label and a box within {TOLERANCES['boxes']} pixels"
    rows, columns = (list(indices) for indices in zip(*pairs, strict=True)) if pairs else ([], [])
    for name in ("scores", "masks"):
        largest = np.abs(expected[name][rows] - actual[name][columns]).max(initial=0)
        if not largest <= TOLERANCES[name]:  # not `>`, which is false for NaN
            return f"{name} differ by up to {largest:.2g}, more than {TOLERANCES[name]}"
    return ""


def _match_detections(expected: Outputs, actual: Outputs) -> list[tuple[int, int]]:
    """Return the pairs of an expected and an actual row that match."""
    distances = np.abs(expected["boxes"][:, None] - actual["boxes"][None]).max(axis=2, initial=0)
    possible = (expected["labels"][:, None] == actual["labels"][None]) & (distances <= TOLERANCES["boxes"])
    pairs = []
    for row in range(len(possible)):
        if possible[row].any():
            column = int(np.where(possible[row], distances[row], np.inf).argmin())
            pairs.append((row, column))
            possible[:, column] = False
    return pairs
