# SPDX-License-Identifier: Apache-2.0
"""The images that Mask R-CNN is trained on, rendered and real, with another random augmentation in each draw."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from pipeline.coco import reader
from pipeline.common.randomness import rng
from pipeline.config.training import AugmentSection, SourceSection
from pipeline.data.augment import LabeledImage, augment_camera, augment_geometry
from pipeline.data.copy_paste import paste
from pipeline.data.image_decoding import check_all_decode
from pipeline.data.image_sources import ImageSource, open_sources
from pipeline.data.sampler import Draw

# A crop can leave less of an instance: too little to learn from. A box without area would make the losses NaN.
MIN_MASK_PIXELS = 8
MIN_BOX_SIDE_PX = 2


class TrainingItem(NamedTuple):
    """An image to train on.

    Attributes:
        image: float32 RGB (3, height, width), 0 to 1.
        target: see `make_target`.
        file_name: for messages.
    """

    image: Tensor
    target: dict[str, Tensor]
    file_name: str


class TrainingDataset(Dataset):
    """Augmented images by draw. Label k is the k-th category of the file.

    Instances with `iscrowd` are not trained on. Their pixels count as background, because they are tiny or nearly
    hidden. The images of the sets in `mixed` follow those of `annotated`, set by set.

    Raises:
        CocoError: see `open_sources`.
        ImageFileError: an image of a set in `mixed` is damaged.
    """

    def __init__(
        self,
        annotated: reader.CocoFile,
        images_dir: Path,
        settings: AugmentSection,
        seed: int,
        mixed: Mapping[str, SourceSection] | None = None,
    ) -> None:
        self.sources = open_sources(annotated, images_dir, mixed or {})
        self.classes = len(annotated.categories)
        self.settings = settings
        self.seed = seed
        self.ends = np.cumsum([len(source.annotations) for source in self.sources])
        for source in self.sources[1:]:  # the audit has read every rendered image
            check_all_decode(source.name, [source.files[index].path for index in range(len(source.files))])

    def __len__(self) -> int:
        return int(self.ends[-1])

    def __getitem__(self, draw: Draw) -> TrainingItem:
        random = rng(self.seed, draw.number, "augment")
        augmented = augment_geometry(self.read(draw.image_index), self.settings, random)
        if random.random() < self.settings.copy_paste:
            other = self.read(int(random.integers(len(self))))
            augmented = paste(augmented, augment_geometry(other, self.settings, random), random)
        image = augment_camera(augmented.image, self.settings, random)
        source, index_in_source = self._locate(draw.image_index)
        target = make_target(torch.from_numpy(augmented.ids), torch.from_numpy(augmented.labels))
        return TrainingItem(
            _to_tensor(image),
            add_boxes_without_mask(target, augmented),
            source.annotations.file_name(index_in_source),
        )

    def read(self, image_index: int) -> LabeledImage:
        """Return an image as in its file, without augmentation.

        Raises:
            CocoError, ImageFileError: a mask or the image cannot be read.
        """
        source, index = self._locate(image_index)
        pixels = source.files[index].read()
        return LabeledImage(pixels, *source.annotations.id_map(index), *source.annotations.boxes_without_mask(index))

    def largest_px(self) -> int:
        """Return the number of pixels of the largest image."""
        return max(int(source.annotations.sizes.prod(axis=1).max()) for source in self.sources)

    def _locate(self, image_index: int) -> tuple[ImageSource, int]:
        """Return the source of an image, and the index of the image in it."""
        source_index = int(np.searchsorted(self.ends, image_index, side="right"))
        source = self.sources[source_index]
        return source, image_index - int(self.ends[source_index]) + len(source.annotations)


def _to_tensor(image: np.ndarray) -> Tensor:
    return torch.from_numpy(image.transpose(2, 0, 1).astype(np.float32, order="C")).div_(255)


def make_target(ids: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Return the training target of an image, with the n instances of which the id map shows enough.

    Args:
        ids: int32 (height, width), 0 is background.
        labels: int64, the labels of ids 1, 2, …

    Returns:
        `boxes`: float32 (n, 4), corners x1, y1, x2, y2 around the pixels of the masks. `labels`: int64 (n,).
        `ids`: the map. `mask_ids`: int32 (n,), the id of each box in the map; 0 is for boxes without a mask.
    """
    height, width = ids.shape
    by_row, by_column = (
        torch.bincount((ids * side + positions).flatten(), minlength=(len(labels) + 1) * side).view(-1, side)[1:]
        for side, positions in ((height, torch.arange(height).int()[:, None]), (width, torch.arange(width).int()))
    )
    (top, bottom), (left, right) = _extent(by_row), _extent(by_column)
    boxes = torch.stack((left, top, right, bottom), dim=1).float()
    is_large = (by_row.sum(dim=1) >= MIN_MASK_PIXELS) & (torch.minimum(right - left, bottom - top) >= MIN_BOX_SIDE_PX)
    mask_ids = torch.arange(1, len(labels) + 1, dtype=torch.int32)
    return {"boxes": boxes[is_large], "labels": labels[is_large], "ids": ids, "mask_ids": mask_ids[is_large]}


def _extent(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Return, for each row of pixel counts, the first position with pixels and the position after the last one."""
    occupied = (pixels > 0).byte()
    return occupied.argmax(dim=1), occupied.shape[1] - occupied.flip(1).argmax(dim=1)


def add_boxes_without_mask(target: dict[str, Tensor], labeled: LabeledImage) -> dict[str, Tensor]:
    """Return the target with the boxes that have no mask added, if they are still large enough. Their mask id is 0."""
    boxes, labels = torch.from_numpy(labeled.boxes).float(), torch.from_numpy(labeled.box_labels)
    is_large = ((boxes[:, 2:] - boxes[:, :2]) >= MIN_BOX_SIDE_PX).all(dim=1)
    return {
        "boxes": torch.cat([target["boxes"], boxes[is_large]]),
        "labels": torch.cat([target["labels"], labels[is_large]]),
        "ids": target["ids"],
        "mask_ids": torch.cat([target["mask_ids"], torch.zeros(int(is_large.sum()), dtype=torch.int32)]),
    }
