# SPDX-License-Identifier: Apache-2.0
"""Rendered shards, read for labelling: records, images, id maps and silhouettes, each checked to be whole."""

import struct
import zipfile
import zlib
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
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

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
NPY_VERSION_1 = b"\x93NUMPY\x01\x00"
PNG_RGB = (8, 2)  # bits, colour type


class ShardReadError(CaristeError):
    """A shard or one of its images cannot be labelled; the message names the file and the reason."""


class _Needed(BaseModel):
    """Base of the parts of a record that labels are made from.

    The rest of it, shapes and paint of hundreds of things, is skipped: checking it would take longer than all else.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)


class LabelObject(_Needed):
    name: str
    asset: str
    category: Literal["pedestrian", "pallet_truck"] | None
    instance_id: int


class LabelScene(_Needed):
    generator_version: int
    index: int
    dataset_seed: int
    layout: str
    light: str | None = None
    render: RenderSettings
    camera: Camera
    lamps: tuple[Lamp, ...]
    objects: tuple[LabelObject, ...]


class LabelRecord(_Needed):
    """What labels need of a `RenderedScene`."""

    scene: LabelScene
    measured: Measurements

    @property
    def things(self) -> dict[int, LabelObject]:
        """The objects that have an instance id, by it."""
        return {thing.instance_id: thing for thing in self.scene.objects if thing.instance_id}

    @property
    def instances(self) -> dict[int, InstanceMeasurement]:
        """What was measured, by instance id in ascending order."""
        return {each.instance_id: each for each in sorted(self.measured.instances, key=lambda each: each.instance_id)}

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the image."""
        return self.scene.render.height, self.scene.render.width


def read_records(shard: Path, number: int, data: config.DataSection) -> list[LabelRecord]:
    """Read a shard's records and check that they are the ones that the config names.

    Raises:
        ShardError: no such shard, no records, or those of other images, another seed or generator.
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
                f"image {scene.index} was made with seed {scene.dataset_seed} by generator "
                f"{scene.generator_version}, wanted seed {data.seed}, generator {GENERATOR_VERSION}; "
                "render the shard again"
            )
    return records


def _check_indices(indices: list[int], number: int, data: config.DataSection) -> None:
    first = number * data.shard_size
    wanted = list(range(first, first + data.images_in_shard(number)))
    if indices != wanted:
        held = f"{len(indices)} images from {indices[0]} to {indices[-1]}" if indices else "no images"
        raise ShardReadError(
            f"holds {held}, the config asks for {len(wanted)} from {wanted[0]} to {wanted[-1]}; render the shard again"
        )


def check_image(shard: Path, record: LabelRecord) -> None:
    """Check that an image is a whole 8-bit RGB PNG of its size: by its checksums, 20 times as fast as decoding.

    Raises:
        ShardError: it is missing, corrupt, or another image than the record says.
    """
    path = shard / "images" / image_file_name(record.scene.index)
    try:
        width, height, depth, color_type = _check_png(path.read_bytes())
    except FileNotFoundError:
        raise ShardReadError(f"{path} is missing") from None
    except ValueError as error:
        raise ShardReadError(f"{path} is corrupt ({error})") from None
    if (height, width) != record.shape or (depth, color_type) != PNG_RGB:
        raise ShardReadError(
            f"{path} has {width}x{height} pixels of PNG type {color_type} with {depth} bits, "
            f"the record says {_size(record.shape)}, RGB with 8 bits"
        )


def _check_png(content: bytes) -> tuple[int, int, int, int]:
    """Return width, height, bits and colour type of a PNG file with right checksums (RFC 2083); ValueError for others.

    Pillow's `verify` does the same in five times the time: the image comes in some hundred chunks.
    """
    if content[:8] != PNG_SIGNATURE:
        raise ValueError("not a PNG file")
    at, kind, view = 8, b"", memoryview(content)
    while kind != b"IEND":
        end = at + 8 + int.from_bytes(content[at : at + 4], "big")
        if end + 4 > len(content):
            raise ValueError("it is cut short")
        kind = content[at + 4 : at + 8]
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(content[end : end + 4], "big"):
            raise ValueError(f"wrong checksum at byte {end}")
        at = end + 4
    return struct.unpack(">IIBB", content[16:26])


def read_instance_map(shard: Path, record: LabelRecord) -> np.ndarray:
    """Read an image's id map, uint16 (height, width).

    Raises:
        ShardError: it is missing, corrupt, not 16-bit grey, or of another size.
    """
    path = shard / "instances" / image_file_name(record.scene.index)
    if not path.exists():
        raise ShardReadError(f"{path} is missing")
    ids = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if ids is None:
        raise ShardReadError(f"{path} is corrupt")
    if ids.dtype != np.uint16 or ids.ndim != 2:
        raise ShardReadError(f"{path} is no 16-bit grey image but {ids.dtype} of shape {ids.shape}")
    if ids.shape != record.shape:
        raise ShardReadError(f"{path}: the id map is {_size(ids.shape)}, the record says {_size(record.shape)}")
    return ids


def read_silhouettes(shard: Path, record: LabelRecord) -> dict[str, np.ndarray]:
    """Read an image's silhouettes: "<id>", bool of the size of the instance's whole box, "<id>_thin", "<id>_isolated" and
    "<id>_isolated_any" (docs/reference/data_set.md).

    Raises:
        ShardError: the file is missing, corrupt, or holds other masks than the record says.
    """
    path = shard / "silhouettes" / f"{record.scene.index:06d}.npz"
    try:
        with zipfile.ZipFile(path) as file:
            members = {name.removesuffix(".npy"): file.read(name) for name in file.namelist()}
    except FileNotFoundError:
        raise ShardReadError(f"{path} is missing") from None
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        raise ShardReadError(f"{path} is corrupt ({error})") from None
    boxes = {number: each.amodal_box_px for number, each in record.instances.items()}
    wanted = {str(number): (box[3], box[2]) for number, box in boxes.items() if box}
    verified = [number for number, each in record.instances.items() if each.verified]
    wanted |= {f"{number}_{proof}": record.shape for number in verified for proof in ("isolated", "isolated_any")}
    thin = {f"{number}_thin": record.shape for number in record.instances}
    wanted |= {name: shape for name, shape in thin.items() if name in members}  # only of what has thin parts
    if members.keys() != wanted.keys():
        name = min(members.keys() ^ wanted.keys())
        raise ShardReadError(f"{path}: {name} is {'not in the record' if name in members else 'missing'}")
    try:
        return {name: _mask(members[name], shape) for name, shape in wanted.items()}
    except ValueError as error:
        raise ShardReadError(f"{path}: {error}") from None


def _mask(content: bytes, shape: tuple[int, int]) -> np.ndarray:
    """Return the mask of an .npy file that must hold bool `shape`; ValueError for all else.

    numpy.load does it in five times the time: it parses the header as a piece of Python.
    """
    start = 10 + int.from_bytes(content[8:10], "little")
    header = content[10:start].decode("latin-1").strip()
    if content[:8] != NPY_VERSION_1 or header != f"{{'descr': '|b1', 'fortran_order': False, 'shape': {shape}, }}":
        raise ValueError(f"{header} is no mask of {_size(shape)}")
    return np.frombuffer(content, bool, offset=start).reshape(shape)


def _size(shape: tuple[int, int]) -> str:
    return f"{shape[1]}x{shape[0]}"
