# SPDX-License-Identifier: Apache-2.0
"""Read rendered shards for labeling: records, images, id maps and silhouettes. Every file is checked for damage."""

import io
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

import cv2
import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.common.errors import CaristeError
from pipeline.config import config
from pipeline.record.scene import (
    GENERATOR_VERSION,
    Camera,
    InstanceMeasurement,
    Lamp,
    Measurements,
    RenderSettings,
    image_file_name,
)

Content = TypeVar("Content")


class ShardReadError(CaristeError):
    """A shard or one of its images cannot be read; the message names the file and the reason."""


class _PartialRecord(BaseModel):
    """Base of the parts of a record that labels are made from.

    Other keys, the shapes and materials of hundreds of objects, are skipped: checking them would take most of the time.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)


class LabelObject(_PartialRecord):
    """The keys of an object that labels need; `instance_id` 0: not labeled."""

    name: str
    asset: str
    category: Literal["pedestrian", "pallet_truck"] | None
    instance_id: int


class LabelScene(_PartialRecord):
    """The keys of a `Scene` that labels need."""

    generator_version: int
    index: int
    dataset_seed: int
    layout: str
    light: str | None = None
    render: RenderSettings
    camera: Camera
    lamps: tuple[Lamp, ...]
    objects: tuple[LabelObject, ...]


class LabelRecord(_PartialRecord):
    """The keys of a `RenderedScene` that labels need."""

    scene: LabelScene
    measured: Measurements

    @property
    def objects_by_id(self) -> dict[int, LabelObject]:
        """The objects that have an instance id."""
        return {each.instance_id: each for each in self.scene.objects if each.instance_id}

    @property
    def instances_by_id(self) -> dict[int, InstanceMeasurement]:
        """The measurements, in ascending order of the instance id."""
        return {each.instance_id: each for each in sorted(self.measured.instances, key=lambda each: each.instance_id)}

    @property
    def image_shape(self) -> tuple[int, int]:
        """(height, width) of the image in pixels."""
        return self.scene.render.height, self.scene.render.width


def read_records(shard: Path, number: int, data: config.DataSection) -> list[LabelRecord]:
    """Read the records of shard `number` and check that they are those that the config asks for.

    Raises:
        ShardReadError: no such shard, no records, or records of other images, another seed or another generator.
    """
    path = shard / "scenes.jsonl"
    try:
        records = [LabelRecord.model_validate_json(line) for line in path.read_bytes().splitlines()]
    except FileNotFoundError:
        raise ShardReadError(f"{path} is missing; render the shard first") from None
    except ValidationError as error:
        raise ShardReadError(f"{path} is not a list of rendered scenes: {error}; render the shard again") from None
    _check_indices([record.scene.index for record in records], number, data)
    for scene in (record.scene for record in records):
        if (scene.dataset_seed, scene.generator_version) != (data.seed, GENERATOR_VERSION):
            raise ShardReadError(
                f"image {scene.index} has seed {scene.dataset_seed} and generator version {scene.generator_version}, "
                f"expected seed {data.seed} and generator version {GENERATOR_VERSION}; render the shard again"
            )
    return records


def _check_indices(indices: list[int], number: int, data: config.DataSection) -> None:
    first = number * data.shard_size
    expected = list(range(first, first + data.images_in_shard(number)))
    if indices != expected:
        found = f"{len(indices)} images from {indices[0]} to {indices[-1]}" if indices else "no images"
        raise ShardReadError(
            f"holds {found}, the config asks for {len(expected)} from {expected[0]} to {expected[-1]}; "
            "render the shard again"
        )


def check_image(shard: Path, record: LabelRecord) -> None:
    """Check that an image is an undamaged RGB PNG file of the right size, without decoding its pixels.

    Raises:
        ShardReadError: it is missing, damaged, or not the image that the record describes.
    """
    path = shard / "images" / image_file_name(record.scene.index)
    mode, (width, height) = _read(path, _verify_png)
    if (height, width) != record.image_shape or mode != "RGB":
        raise ShardReadError(
            f"{path} has {width}x{height} pixels of mode {mode}, the record says {_size(record.image_shape)} of RGB"
        )


def _verify_png(path: Path) -> tuple[str, tuple[int, int]]:
    """Return mode and (width, height) of a PNG file after checking the checksums of all its chunks."""
    with Image.open(path, formats=["PNG"]) as image:
        mode, size = image.mode, image.size
        image.verify()
    return mode, size


def read_instance_map(shard: Path, record: LabelRecord) -> np.ndarray:
    """Read the id map of an image, uint16 (height, width); 0: no labeled object.

    Raises:
        ShardReadError: it is missing, damaged, not 16-bit gray, or of another size than the image.
    """
    path = shard / "instances" / image_file_name(record.scene.index)
    if not path.exists():
        raise ShardReadError(f"{path} is missing")
    # OpenCV and not Pillow: twice as fast for 16 bits.
    ids = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if ids is None:
        raise ShardReadError(f"{path} is damaged")
    if ids.dtype != np.uint16 or ids.ndim != 2:
        raise ShardReadError(f"{path} is not a 16-bit gray image but {ids.dtype} of shape {ids.shape}")
    if ids.shape != record.image_shape:
        raise ShardReadError(f"{path}: the id map is {_size(ids.shape)}, the record says {_size(record.image_shape)}")
    return ids


def read_silhouettes(shard: Path, record: LabelRecord) -> dict[str, np.ndarray]:
    """Read the silhouettes of an image, bool masks (docs/reference/data_set.md).

    Keys: "<id>", of the size of the amodal box of the instance, and "<id>_thin", "<id>_isolated" and
    "<id>_isolated_any", of the size of the image.

    Raises:
        ShardReadError: the file is missing, damaged, or holds other masks than the record asks for.
    """
    path = shard / "silhouettes" / f"{record.scene.index:06d}.npz"
    masks = _read(path, _load_arrays)
    expected = _expected_masks(record, masks)
    if masks.keys() != expected.keys():
        name = min(masks.keys() ^ expected.keys())
        raise ShardReadError(f"{path}: {name} is {'not in the record' if name in masks else 'missing'}")
    for name, shape in expected.items():
        if masks[name].dtype != bool or masks[name].shape != shape:
            found = f"{masks[name].dtype} of shape {masks[name].shape}"
            raise ShardReadError(f"{path}: {name} is {found}, not a mask of {_size(shape)}")
    return masks


def _load_arrays(path: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(path) as file:
        # A third faster than np.load, and zipfile checks the checksum of what it reads as a whole.
        return {
            name.removesuffix(".npy"): np.lib.format.read_array(io.BytesIO(file.read(name)), allow_pickle=False)
            for name in file.namelist()
        }


def _expected_masks(record: LabelRecord, masks: dict[str, np.ndarray]) -> dict[str, tuple[int, int]]:
    """Return the shape of every mask that the record asks for; `masks`: those in the file."""
    instances = record.instances_by_id
    boxes = {instance_id: each.amodal_box_px for instance_id, each in instances.items()}
    expected = {str(instance_id): (box[3], box[2]) for instance_id, box in boxes.items() if box}
    for instance_id, each in instances.items():
        if each.verified:
            expected |= dict.fromkeys((f"{instance_id}_isolated", f"{instance_id}_isolated_any"), record.image_shape)
        if f"{instance_id}_thin" in masks:  # the record does not say which objects have thin parts
            expected[f"{instance_id}_thin"] = record.image_shape
    return expected


def _read(path: Path, reader: Callable[[Path], Content]) -> Content:
    """Return what `reader` reads.

    Raises:
        ShardReadError: the file is missing or damaged.
    """
    try:
        return reader(path)
    except FileNotFoundError:
        raise ShardReadError(f"{path} is missing") from None
    except (OSError, ValueError, SyntaxError, zipfile.BadZipFile, zlib.error) as error:
        raise ShardReadError(f"{path} is damaged ({error})") from None


def _size(shape: tuple[int, ...]) -> str:
    """Return `width x height` of a shape (height, width) for messages."""
    return f"{shape[1]}x{shape[0]}"
