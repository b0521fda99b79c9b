# SPDX-License-Identifier: Apache-2.0
"""Rendered and real images, each draw with another look, as what Mask R-CNN is trained on."""

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
from pipeline.data.augment import LabelledImage, augment_camera, augment_geometry
from pipeline.data.copy_paste import paste
from pipeline.data.image_sources import ImageSource, open_sources
from pipeline.data.sampler import Draw

# What a crop leaves of an instance and is too little to teach; a box without area makes the losses NaN.
MIN_MASK_PIXELS = 8
MIN_BOX_SIDE_PX = 2


class TrainingItem(NamedTuple):
    """`image`: float32 RGB (3, height, width), 0 to 1. `target`: see `make_target`. `file_name` is for messages."""

    image: Tensor
    target: dict[str, Tensor]
    file_name: str


class TrainingDataset(Dataset):
    """Images by draw, each time with another look. Label k is the file's k-th category; `iscrowd` is not taught.

    Pixels of `iscrowd` instances count as background: such instances are tiny or nearly hidden. The images of the
    sets `mixed` in follow those of `annotated`, set by set.

    Raises:
        coco.CocoError: see `sources.open_sources`.
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

    def __len__(self) -> int:
        return int(self.ends[-1])

    def __getitem__(self, draw: Draw) -> TrainingItem:
        random = rng(self.seed, draw.number, "augment")
        drawn = augment_geometry(self.read(draw.image_index), self.settings, random)
        if random.random() < self.settings.copy_paste:
            other = self.read(int(random.integers(len(self))))
            drawn = paste(drawn, augment_geometry(other, self.settings, random), random)
        look = augment_camera(drawn.image, self.settings, random)
        source, place = self._find(draw.image_index)
        target = make_target(torch.from_numpy(drawn.ids), torch.from_numpy(drawn.labels))
        return TrainingItem(
            _as_tensor(look), add_boxes_without_mask(target, drawn), source.annotations.file_name(place)
        )

    def read(self, image_index: int) -> LabelledImage:
        """Return an image as its file shows it.

        Raises:
            coco.CocoError: the image or a mask cannot be read.
        """
        source, place = self._find(image_index)
        pixels = reader.read_image(source.images_dir / source.annotations.file_name(place))
        return LabelledImage(pixels, *source.annotations.id_map(place), *source.annotations.boxes_alone(place))

    def largest_px(self) -> int:
        """Return how many pixels the largest image has."""
        return max(int(source.annotations.sizes.prod(axis=1).max()) for source in self.sources)

    def _find(self, image_index: int) -> tuple[ImageSource, int]:
        place = int(np.searchsorted(self.ends, image_index, side="right"))
        source = self.sources[place]
        return source, image_index - int(self.ends[place]) + len(source.annotations)


def _as_tensor(image: np.ndarray) -> Tensor:
    return torch.from_numpy(image.transpose(2, 0, 1).astype(np.float32, order="C")).div_(255)


def make_target(ids: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Return the target of one image with n instances, all that the id map still shows well enough.

    `ids`: int32 (height, width). `labels`: int64, of ids 1, 2, …. Returned: `boxes` float32 (n, 4), the corners
    x1, y1, x2, y2 around the masks' pixels; `labels` int64 (n,); `ids`, the map; `mask_ids` int32 (n,), which id is
    each box's (0 is for boxes without a mask, of which a map knows nothing).
    """
    height, width = ids.shape
    by_row, by_column = (
        torch.bincount((ids * side + places).flatten(), minlength=(len(labels) + 1) * side).view(-1, side)[1:]
        for side, places in ((height, torch.arange(height).int()[:, None]), (width, torch.arange(width).int()))
    )
    (top, bottom), (left, right) = _extent(by_row), _extent(by_column)
    boxes = torch.stack((left, top, right, bottom), dim=1).float()
    large = (by_row.sum(dim=1) >= MIN_MASK_PIXELS) & (torch.minimum(right - left, bottom - top) >= MIN_BOX_SIDE_PX)
    mask_ids = torch.arange(1, len(labels) + 1, dtype=torch.int32)
    return {"boxes": boxes[large], "labels": labels[large], "ids": ids, "mask_ids": mask_ids[large]}


def _extent(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first place with pixels and the one after the last, of each row of pixel counts."""
    there = (pixels > 0).byte()
    return there.argmax(dim=1), there.shape[1] - there.flip(1).argmax(dim=1)


def add_boxes_without_mask(target: dict[str, Tensor], labelled: LabelledImage) -> dict[str, Tensor]:
    """Return the target with the boxes that have no mask, those that are large enough still; their mask id is 0."""
    boxes, labels = torch.from_numpy(labelled.boxes).float(), torch.from_numpy(labelled.box_labels)
    large = ((boxes[:, 2:] - boxes[:, :2]) >= MIN_BOX_SIDE_PX).all(dim=1)
    return {
        "boxes": torch.cat([target["boxes"], boxes[large]]),
        "labels": torch.cat([target["labels"], labels[large]]),
        "ids": target["ids"],
        "mask_ids": torch.cat([target["mask_ids"], torch.zeros(int(large.sum()), dtype=torch.int32)]),
    }
