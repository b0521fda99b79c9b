# SPDX-License-Identifier: Apache-2.0
"""A COCO file with its pictures as what torchvision's Mask R-CNN is trained on."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler
from torchvision.transforms.v2 import functional as transforms

from pipeline import coco
from pipeline.augment import augment
from pipeline.config_learning import AugmentSection
from pipeline.randomness import rng

# What a crop leaves of an instance and is too little to teach; a box without area makes the losses NaN.
MIN_PIXELS = 8
MIN_SIDE_PX = 2


class Draw(NamedTuple):
    """The `number`-th picture that training takes is the data set's `picture`-th."""

    number: int
    picture: int


class Sample(NamedTuple):
    """`picture`: float32 RGB (3, height, width), 0 to 1. `target`: see `target_of`. `file_name` is for messages."""

    picture: Tensor
    target: dict[str, Tensor]
    file_name: str


class TrainingPictures(Dataset):
    """Pictures by draw, each time with another look. Label k is the file's k-th category; `iscrowd` is not taught.

    Pixels of `iscrowd` instances count as background: such instances are tiny or nearly hidden.

    Raises:
        coco.CocoError: no pictures, no categories, an annotation without a mask, pictures missing or of another size.
    """

    def __init__(self, annotated: coco.CocoFile, images_dir: Path, settings: AugmentSection, seed: int) -> None:
        _check_teachable(annotated)
        coco.check_pictures(annotated, images_dir)
        self.annotated = annotated
        self.images_dir = images_dir
        self.settings = settings
        self.seed = seed
        self.labels = {category.id: place for place, category in enumerate(annotated.categories, 1)}
        self.annotations = annotated.annotations_by_image()

    def __len__(self) -> int:
        return len(self.annotated.images)

    def __getitem__(self, draw: Draw) -> Sample:
        image = self.annotated.images[draw.picture]
        picture = torch.from_numpy(coco.read_picture(self.images_dir / image.file_name).transpose(2, 0, 1).copy())
        ids, labels = self.instances(image)
        picture, ids = augment(picture, ids, self.settings, rng(self.seed, draw.number, "augment"))
        return Sample(transforms.to_dtype(picture, scale=True), target_of(ids, labels), image.file_name)

    def instances(self, image: coco.CocoImage) -> tuple[Tensor, Tensor]:
        """Return the id map, int32 (height, width), and the labels, int64, of ids 1, 2, …; id 0 is background.

        One map instead of a mask per instance: visible masks do not overlap, and a map costs the same to augment
        whatever it holds. Where masks of other makers do overlap, the smaller instance is in front.
        """
        taught = [annotation for annotation in self.annotations[image.id] if not annotation.iscrowd]
        masks = [self.annotated.mask(annotation, image).astype(bool) for annotation in taught]
        order = sorted(range(len(taught)), key=lambda place: -masks[place].sum())
        ids = np.zeros((image.height, image.width), np.int32)
        for instance_id, place in enumerate(order, 1):
            ids[masks[place]] = instance_id
        labels = [self.labels[taught[place].category_id] for place in order]
        return torch.from_numpy(ids), torch.tensor(labels, dtype=torch.int64)


def target_of(ids: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Return the target of one picture with n instances, all that the id map still shows well enough.

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
    large = (by_row.sum(dim=1) >= MIN_PIXELS) & (torch.minimum(right - left, bottom - top) >= MIN_SIDE_PX)
    mask_ids = torch.arange(1, len(labels) + 1, dtype=torch.int32)
    return {"boxes": boxes[large], "labels": labels[large], "ids": ids, "mask_ids": mask_ids[large]}


def _extent(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first place with pixels and the one after the last, of each row of pixel counts."""
    there = (pixels > 0).byte()
    return there.argmax(dim=1), there.shape[1] - there.flip(1).argmax(dim=1)


class Batches(Sampler[list[Draw]]):
    """Every picture once, in random order, then all again in another order, and so on: `iterations` batches."""

    def __init__(self, pictures: int, batch_size: int, iterations: int, seed: int) -> None:
        self.pictures = pictures
        self.batch_size = batch_size
        self.iterations = iterations
        self.seed = seed

    def __len__(self) -> int:
        return self.iterations

    def __iter__(self) -> Iterator[list[Draw]]:
        order: Sequence[int] = []
        for iteration in range(self.iterations):
            batch = []
            for number in range(iteration * self.batch_size, (iteration + 1) * self.batch_size):
                epoch, place = divmod(number, self.pictures)
                if place == 0:
                    order = rng(self.seed, epoch, "order").permutation(self.pictures)
                batch.append(Draw(number, int(order[place])))
            yield batch


def _check_teachable(annotated: coco.CocoFile) -> None:
    if not annotated.images:
        raise coco.CocoError(f"{annotated.path}: images: empty; there is nothing to train on")
    if not annotated.categories:
        raise coco.CocoError(f"{annotated.path}: categories: empty; there is nothing to detect")
    boxes_only = [a.id for a in annotated.annotations if a.segmentation is None and not a.iscrowd]
    if boxes_only:
        first = ", ".join(map(str, boxes_only[:10]))
        raise coco.CocoError(
            f"{annotated.path}: {len(boxes_only)} annotations have no segmentation, which the mask head learns from: "
            f"annotation {first}"
        )
