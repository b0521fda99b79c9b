# SPDX-License-Identifier: Apache-2.0
"""The sections `data`, `render`, `label` and `run`: how large the set is, how it is rendered and labeled, and names."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.common.plain_values import AS_WHOLE_NUMBER
from pipeline.common.vocabulary import MapFormat, ViewTransform
from pipeline.config.field_types import Count, Fraction, Name, PositiveCount, Section, Switch

MAX_SHARDS = 100_000  # their folders are named 00000 to 99999


class SplitSection(Section):
    """How many of every `train + val + test` consecutive images go to each split.

    Only the index of an image decides its split, so that a larger `data.images` moves no image to another split.
    """

    train: PositiveCount = 18
    val: PositiveCount = 1
    test: PositiveCount = 1

    def of(self, index: int) -> str:
        """Return the split of the image with this index."""
        position = index % (self.train + self.val + self.test)
        return "train" if position < self.train else "val" if position < self.train + self.val else "test"


class DataSection(Section):
    """The rendered data set."""

    name: Name = Field("default", description="the data set is in results/data/NAME")
    seed: Count = Field(7, description="of all scenes; another seed gives other images")
    images: PositiveCount = Field(
        5000, description="number of images; a larger number keeps those that are rendered already"
    )
    shard_size: PositiveCount = Field(50, description="images that one job renders")
    split: SplitSection = SplitSection()

    @model_validator(mode="after")
    def _check_shards(self) -> Self:
        if self.shards > MAX_SHARDS:
            raise ValueError(
                f"{self.images} images in shards of {self.shard_size} are {self.shards} shards, but at most "
                f"{MAX_SHARDS} are possible; set a larger data.shard_size"
            )
        return self

    @property
    def shards(self) -> int:
        """The number of shards."""
        return -(-self.images // self.shard_size)

    def images_in_shard(self, number: int) -> int:
        """Return the number of images. All shards but the last are full, so a larger set has the same first shards."""
        return min(self.shard_size, self.images - number * self.shard_size)


class AppearanceSection(Section):
    """The keys of `render` that decide how the images look."""

    samples: Annotated[int, Field(ge=1, le=65536), AS_WHOLE_NUMBER] = Field(
        64, description="samples per pixel of Cycles: more give less noise and take longer"
    )
    denoise: Switch = Field(True, description="remove the noise with Open Image Denoise")
    view_transform: ViewTransform = Field("AgX", description="Blender's conversion of light to pixel values")
    depth: MapFormat | None = Field(
        None, description="also write depth along the optical axis: png in whole millimeters, exr in meters"
    )
    normals: MapFormat | None = Field(None, description="also write surface normals in camera coordinates")
    verify_share: Fraction = Field(
        0.04, description="share of images in which one object is also rendered isolated, to verify its silhouette"
    )


class RenderSection(AppearanceSection):
    """Cycles, Blender's renderer."""

    device: Literal["auto", "cpu", "cuda", "optix", "hip", "metal", "oneapi"] = Field(
        "auto",
        description="auto: a GPU if there is one, else the CPU; a device that is named and missing is an error. On a "
        "cluster, name the GPU: for auto, none is requested",
    )


class LabelSection(Section):
    """Which rendered objects become annotations."""

    audit: Switch = Field(True, description="check every id map against the silhouettes of its objects")
    max_violations: Count | None = Field(
        None,
        description="images that may fail the audit and are left out of all splits; if more fail, the stage fails; "
        "null: 0.1 % of the images, at least 1",
    )
    segmentation: Literal["rle", "polygons"] = Field("rle", description="format of the masks; only rle is exact")
    min_pixels: Count = Field(12, description="objects with fewer visible pixels get no annotation")
    min_visible_fraction: Fraction = Field(
        0.02, description="objects of which a smaller part is visible get no annotation"
    )
    crowd_pixels: Count = Field(
        100, description="objects with fewer visible pixels get iscrowd: they are not trained on and not scored"
    )
    crowd_visible_fraction: Fraction = Field(0.2, description="objects of which a smaller part is visible get iscrowd")


class RunSection(Section):
    """The training run."""

    name: Name = Field("default", description="the run is in results/runs/NAME")
    seed: Count = Field(0, description="of new weights, the order of images, and augmentation")
