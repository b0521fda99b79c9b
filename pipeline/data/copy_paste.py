# SPDX-License-Identifier: Apache-2.0
"""Copy-paste augmentation: instances of another image are pasted at the same position (arXiv 2012.07177).

Edges are not blended; Ghiasi et al. found that blending makes no difference.
"""

import numpy as np

from pipeline.data.augment import LabeledImage

# Each instance of the other image is pasted with this probability; the paper takes "a random subset".
PASTE_PROBABILITY = 0.5
# A box without a mask is dropped if more of it is covered: it is unknown how much of its instance is still visible.
MAX_COVERED_SHARE = 0.5


def paste(labeled: LabeledImage, other: LabeledImage, rng: np.random.Generator) -> LabeledImage:
    """Return the image with some instances of `other`, pixels and ids. Only instances with a mask are pasted.

    The masks of the instances that they cover get smaller. New ids follow those of the image. If the images have
    different sizes, only the common part is pasted, counted from the top left.
    """
    image, ids = labeled.image.copy(), labeled.ids.copy()
    height, width = (min(sides) for sides in zip(ids.shape, other.ids.shape, strict=True))
    common_area = np.s_[:height, :width]
    is_pasted = rng.random(len(other.labels)) < PASTE_PROBABILITY
    new_ids = np.zeros(len(is_pasted) + 1, np.int32)
    new_ids[1:][is_pasted] = len(labeled.labels) + 1 + np.arange(is_pasted.sum())
    pasted_ids = new_ids[other.ids[common_area]]
    pasted_mask = pasted_ids > 0
    image[common_area][pasted_mask] = other.image[common_area][pasted_mask]
    np.copyto(ids[common_area], pasted_ids, where=pasted_mask)
    kept_boxes = np.array([_covered_share(box, pasted_mask) <= MAX_COVERED_SHARE for box in labeled.boxes], bool)
    return LabeledImage(
        image,
        ids,
        np.concatenate([labeled.labels, other.labels[is_pasted]]),
        labeled.boxes[kept_boxes],
        labeled.box_labels[kept_boxes],
    )


def _covered_share(box: np.ndarray, pasted_mask: np.ndarray) -> float:
    """Return the share of the area of the box that is pasted over."""
    (left, top), (right, bottom) = np.floor(box[:2]).astype(int), np.ceil(box[2:]).astype(int)
    return pasted_mask[top:bottom, left:right].sum() / max(1, (bottom - top) * (right - left))
