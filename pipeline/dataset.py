# SPDX-License-Identifier: Apache-2.0
"""Rendered and real pictures, each draw with another look, as what Mask R-CNN is trained on."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from pipeline import coco
from pipeline.augment import Labelled, augment_camera, augment_geometry
from pipeline.config_learning import AugmentSection, MixedSet
from pipeline.copy_paste import paste
from pipeline.randomness import rng
from pipeline.sampling import Draw
from pipeline.sources import Source, open_sources

# What a crop leaves of an instance and is too little to teach; a box without area makes the losses NaN.
MIN_PIXELS = 8
MIN_SIDE_PX = 2


class Sample(NamedTuple):
    """`picture`: float32 RGB (3, height, width), 0 to 1. `target`: see `target_of`. `file_name` is for messages."""

    picture: Tensor
    target: dict[str, Tensor]
    file_name: str


class TrainingPictures(Dataset):
    """Pictures by draw, each time with another look. Label k is the file's k-th category; `iscrowd` is not taught.

    Pixels of `iscrowd` instances count as background: such instances are tiny or nearly hidden. The pictures of the
    sets `mixed` in follow those of `annotated`, set by set.

    Raises:
        coco.CocoError: see `sources.open_sources`.
    """

    def __init__(
        self,
        annotated: coco.CocoFile,
        images_dir: Path,
        settings: AugmentSection,
        seed: int,
        mixed: Mapping[str, MixedSet] | None = None,
    ) -> None:
        self.sources = open_sources(annotated, images_dir, mixed or {})
        self.classes = len(annotated.categories)
        self.settings = settings
        self.seed = seed
        self.ends = np.cumsum([len(source.pictures) for source in self.sources])

    def __len__(self) -> int:
        return int(self.ends[-1])

    def __getitem__(self, draw: Draw) -> Sample:
        random = rng(self.seed, draw.number, "augment")
        drawn = augment_geometry(self.read(draw.picture), self.settings, random)
        if random.random() < self.settings.copy_paste:
            other = self.read(int(random.integers(len(self))))
            drawn = paste(drawn, augment_geometry(other, self.settings, random), random)
        look = augment_camera(drawn.picture, self.settings, random)
        source, place = self._find(draw.picture)
        return Sample(_as_tensor(look), target_of(drawn), source.pictures.file_name(place))

    def read(self, picture: int) -> Labelled:
        """Return a picture as its file shows it.

        Raises:
            coco.CocoError: the picture or a mask cannot be read.
        """
        source, place = self._find(picture)
        pixels = coco.read_picture(source.images_dir / source.pictures.file_name(place))
        return Labelled(pixels, *source.pictures.id_map(place), *source.pictures.boxes_alone(place))

    def largest_px(self) -> int:
        """Return how many pixels the largest picture has."""
        return max(int(source.pictures.sizes.prod(axis=1).max()) for source in self.sources)

    def _find(self, picture: int) -> tuple[Source, int]:
        place = int(np.searchsorted(self.ends, picture, side="right"))
        source = self.sources[place]
        return source, picture - int(self.ends[place]) + len(source.pictures)


def _as_tensor(picture: np.ndarray) -> Tensor:
    return torch.from_numpy(picture.transpose(2, 0, 1).astype(np.float32, order="C")).div_(255)


def target_of(labelled: Labelled) -> dict[str, Tensor]:
    """Return the target of one picture with n instances, all that it still shows well enough.

    `boxes`: float32 (n, 4), the corners x1, y1, x2, y2 around a mask's pixels, or what is left of a box without mask.
    `labels`: int64 (n,). `ids`: int32 (height, width), instance ids, 0 = nothing. `mask_ids`: int32 (n,), the id in
    the map of each box, 0 = a box without a mask.
    """
    ids = labelled.ids
    (height, width), count = ids.shape, len(labelled.labels) + 1
    # How many pixels of each row and of each column have which id.
    rows = np.bincount((ids + count * np.arange(height)[:, None]).ravel(), minlength=height * count)
    columns = np.bincount((ids + count * np.arange(width)).ravel(), minlength=width * count)
    rows, columns = rows.reshape(height, count) > 0, columns.reshape(width, count) > 0
    pixels = np.bincount(ids.ravel(), minlength=count)
    far = [width - columns[::-1].argmax(0), height - rows[::-1].argmax(0)]
    around = np.stack([columns.argmax(0), rows.argmax(0), *far], axis=1)[1:]
    shown = pixels[1:] >= MIN_PIXELS
    boxes = np.concatenate([around[shown], labelled.boxes])
    labels = np.concatenate([labelled.labels[shown], labelled.box_labels])
    mask_ids = np.concatenate([np.flatnonzero(shown) + 1, np.zeros(len(labelled.boxes), int)])
    wide = ((boxes[:, 2:] - boxes[:, :2]) >= MIN_SIDE_PX).all(axis=1)
    return {
        "boxes": torch.from_numpy(boxes[wide].astype(np.float32)),
        "labels": torch.from_numpy(labels[wide]),
        "ids": torch.from_numpy(ids),
        "mask_ids": torch.from_numpy(mask_ids[wide].astype(np.int32)),
        # Until the mask head reads ids: what torchvision's own wants. Of a box without a mask, nothing.
        "masks": torch.from_numpy((ids == np.where(mask_ids > 0, mask_ids, -1)[wide, None, None]).astype(np.uint8)),
    }
