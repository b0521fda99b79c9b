# SPDX-License-Identifier: Apache-2.0
"""Meshes of the user (docs/howto/custom_meshes.md): from the catalogue to `blender measure` and into scene records.

A mesh's size is known to Blender alone. So each asset is handed over as JSON (`unmeasured_meshes`), comes back measured
(`read_measured_meshes`), and then stands in a scene like all else (`make_custom_object`).
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ValidationError

from pipeline.config.config import Config
from pipeline.record.asset_catalogue import CATALOGUE, Catalogue, CatalogueError, CustomAsset, Placement
from pipeline.record.base_types import RecordModel
from pipeline.record.objects import CustomMeshParameters, CustomObject
from pipeline.scenes.geometry.free_space import moved

UNMEASURED_SIZE_M = (0.0, 0.0, 0.0)


class CustomMesh(RecordModel):
    """What a scene needs of an own asset; `parameters.size_m` is zero until it is measured, `triangles` null."""

    asset: str
    category: Literal["pedestrian", "pallet_truck"] | None
    stands: tuple[Placement, ...]
    parameters: CustomMeshParameters
    triangles: int | None = None


def unmeasured_meshes(catalogue: Catalogue, folder: Path = CATALOGUE.parent) -> dict[str, CustomMesh]:
    """Return all own assets by name, still to be measured; the hashes of their files tell when one was changed.

    Raises:
        CatalogueError: a file is not in `folder` or cannot be read; names the asset.
    """
    return {name: _unmeasured_mesh(name, asset, folder) for name, asset in catalogue.custom.items()}


def _unmeasured_mesh(name: str, asset: CustomAsset, folder: Path) -> CustomMesh:
    try:
        sha256 = {path.relative_to(folder).as_posix(): _sha256(path) for path in _files(folder / asset.file, folder)}
    except OSError as error:
        raise CatalogueError(f"custom.{name}.file: {folder / asset.file}: {error.strerror}") from None
    parameters = CustomMeshParameters(
        file=asset.file,
        sha256=sha256,
        metres_per_unit=asset.metres_per_unit,
        up=asset.up_axis,
        forward=asset.forward,
        opaque=asset.category is not None,
        size_m=UNMEASURED_SIZE_M,
    )
    return CustomMesh(asset=name, category=asset.category, stands=asset.stands, parameters=parameters)


def _files(file: Path, folder: Path) -> list[Path]:
    """Return the mesh file first, then what belongs to it.

    That is all in its own folder, or, if it lies among others in `folder`, what has its name with another ending.
    """
    has_own_folder = file.parent != folder
    candidates = file.parent.rglob("*") if has_own_folder else file.parent.glob("*")
    others = (
        path for path in candidates if path.is_file() and (has_own_folder or path.name.split(".")[0] == file.stem)
    )
    return [file, *sorted(path for path in others if path != file)]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_measured_meshes(paths: Iterable[Path]) -> list[CustomMesh]:
    """Read what `blender measure` wrote, one file an asset.

    Raises:
        CatalogueError: not such a file.
    """
    meshes = []
    for path in paths:
        try:
            meshes.append(CustomMesh.model_validate_json(path.read_bytes()))
        except (OSError, ValidationError) as error:
            raise CatalogueError(f"{path}: no measured asset ({error}); run python -m blender measure again") from None
    return meshes


def draw_custom_mesh(
    random: np.random.Generator,
    meshes: Sequence[CustomMesh],
    share: float,
    category: str | None,
    placement: str = "free",
) -> CustomMesh | None:
    """Return one of those of this category that may stand like this, in `share` of all cases; else None.

    Nothing is drawn if there is none: without own assets images are what they were.
    """
    fitting = [mesh for mesh in meshes if mesh.category == category and placement in mesh.stands]
    if not fitting or random.random() >= share:
        return None
    return fitting[random.integers(len(fitting))]


def make_custom_object(mesh: CustomMesh, name: str = "own", rear_m: float | None = None) -> CustomObject:
    """The asset at the origin: under the middle of its footprint, or with its rear end at x = `rear_m`."""
    center_x = 0.0 if rear_m is None else round(mesh.parameters.size_m[0] / 2 + rear_m, 4)
    return CustomObject(
        asset=mesh.asset, category=mesh.category, name=name, position_m=(center_x, 0.0, 0.0), yaw_deg=0.0,
        stands_on="floor", instance_id=0, parameters=mesh.parameters,
    )  # fmt: skip


def row_of_custom_objects(random: np.random.Generator, mesh: CustomMesh, count: int) -> list[CustomObject]:
    """Several of one kind side by side, the same way."""
    pitch = mesh.parameters.size_m[1] + random.uniform(0.15, 0.4)
    return [
        moved(
            make_custom_object(mesh, f"own{number}"),
            (float(random.normal(0, 0.06)), float(number * pitch), 0.0),
            float(np.clip(random.normal(0, 2), -3, 3)),
        )
        for number in range(count)
    ]


def meshes_for_config(catalogue: Catalogue, config: Config, folder: Path = CATALOGUE.parent) -> dict[str, CustomMesh]:
    """Return those of the own assets that images of this config may show.

    Raises:
        CatalogueError: see `unmeasured_meshes`.
    """
    shares = {
        "pallet_truck": config.trucks.custom_share,
        "pedestrian": config.people.custom_share,
        None: config.goods.custom_share,
    }
    return {name: mesh for name, mesh in unmeasured_meshes(catalogue, folder).items() if shares[mesh.category] > 0}
