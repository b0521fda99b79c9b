# SPDX-License-Identifier: Apache-2.0
"""Copy-paste: instances of another image, pasted where they were there (Ghiasi et al. 2021, arXiv 2012.07177).

Without the paper's blending of edges, which it found to make no difference.
"""

import numpy as np

from pipeline.data.augment import LabelledImage

# Each instance of the other image is pasted with this probability; the paper says "a random subset".
PASTE_PROBABILITY = 0.5
# A box without a mask goes when more of it is pasted over: what is still to be seen of its instance is not known.
MAX_COVERED_SHARE = 0.5


def paste(labelled: LabelledImage, other: LabelledImage, rng: np.random.Generator) -> LabelledImage:
    """Return the image with some of the other's instances, pixels and ids; only those that have a mask.

    What they cover of the instances that were there is cut from these. Pasted ids follow those that were there. Of
    images of different sizes, the part is pasted that both have, counted from the top left.
    """
    image, ids = labelled.image.copy(), labelled.ids.copy()
    height, width = (min(sides) for sides in zip(ids.shape, other.ids.shape, strict=True))
    common = np.s_[:height, :width]
    count, pasted = len(labelled.labels), rng.random(len(other.labels)) < PASTE_PROBABILITY
    new_ids = np.zeros(len(pasted) + 1, np.int32)
    new_ids[1:][pasted] = count + 1 + np.arange(pasted.sum())
    put = new_ids[other.ids[common]]
    over = put > 0
    image[common][over] = other.image[common][over]
    np.copyto(ids[common], put, where=over)
    kept = np.array([_share_inside(box, over) <= MAX_COVERED_SHARE for box in labelled.boxes], bool)
    return LabelledImage(
        image,
        ids,
        np.concatenate([labelled.labels, other.labels[pasted]]),
        labelled.boxes[kept],
        labelled.box_labels[kept],
    )


def _share_inside(box: np.ndarray, over: np.ndarray) -> float:
    """Return how much of the box, by area, is pasted over."""
    (left, top), (right, bottom) = np.floor(box[:2]).astype(int), np.ceil(box[2:]).astype(int)
    return over[top:bottom, left:right].sum() / max(1, (bottom - top) * (right - left))
