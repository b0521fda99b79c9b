# SPDX-License-Identifier: Apache-2.0
"""Custom meshes: mesh files of the user (docs/howto/custom_meshes.md), from the catalogue into scene records.

Only Blender knows the size of a mesh. So every mesh is written as JSON (`unmeasured_meshes`). The command
`python -m blender measure` adds its size (`read_measured_meshes`). Then the mesh can be placed like other
objects (`make_custom_object`).
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from pipeline.common.file_hash import sha256_of
from pipeline.config.config import Config
from pipeline.record.asset_catalogue import CATALOGUE, Catalogue, CatalogueError, CustomAsset, Placement
from pipeline.record.base_types import Category, RecordModel
from pipeline.record.objects import CustomMeshParameters, CustomObject
from pipeline.scenes.geometry.free_space import moved

UNMEASURED_SIZE_M = (0.0, 0.0, 0.0)


class CustomMesh(RecordModel):
    """A custom mesh as scenes need it. Until it is measured, `parameters.size_m` is zero and `triangles` is null."""

    asset: str
    category: Category | None
    stands: tuple[Placement, ...]
    parameters: CustomMeshParameters
    triangles: int | None = None


def unmeasured_meshes(catalogue: Catalogue, folder: Path = CATALOGUE.parent) -> dict[str, CustomMesh]:
    """Return name -> custom mesh for all custom assets, without sizes.

    The hashes of their files make a change of a file visible.

    Raises:
        CatalogueError: a file is not in `folder` or cannot be read; the message names the asset.
    """
    return {name: _unmeasured_mesh(name, asset, folder) for name, asset in catalogue.custom.items()}


def _unmeasured_mesh(name: str, asset: CustomAsset, folder: Path) -> CustomMesh:
    try:
        sha256 = {path.relative_to(folder).as_posix(): sha256_of(path) for path in _files(folder / asset.file, folder)}
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
    """Return the mesh file, followed by the sorted files that belong to it.

    If the mesh file has a folder of its own, all files below that folder belong to it. If it lies directly in `folder`,
    the files with the same name and another suffix belong to it.
    """
    has_own_folder = file.parent != folder
    candidates = file.parent.rglob("*") if has_own_folder else file.parent.glob("*")
    if not has_own_folder:
        candidates = (path for path in candidates if path.name.split(".")[0] == file.stem)
    return [file, *sorted(path for path in candidates if path.is_file() and path != file)]


def read_measured_meshes(paths: Iterable[Path]) -> list[CustomMesh]:
    """Read files of `python -m blender measure`, one per custom mesh.

    Raises:
        CatalogueError: a file is missing or has another format.
    """
    meshes = []
    for path in paths:
        try:
            meshes.append(CustomMesh.model_validate_json(path.read_bytes()))
        except (OSError, ValidationError) as error:
            raise CatalogueError(
                f"{path}: not the JSON of a measured mesh ({error}); run python -m blender measure again"
            ) from None
    return meshes


def draw_custom_mesh(
    random: np.random.Generator,
    meshes: Sequence[CustomMesh],
    share: float,
    category: str | None,
    placement: str = "free",
) -> CustomMesh | None:
    """Return a random mesh of this category that may stand at this kind of place, with probability `share`; else None.

    If no mesh fits, no random number is drawn, so that images without custom meshes stay the same.
    """
    fitting = [mesh for mesh in meshes if mesh.category == category and placement in mesh.stands]
    if not fitting or random.random() >= share:
        return None
    return fitting[random.integers(len(fitting))]


def make_custom_object(mesh: CustomMesh, name: str = "custom", rear_m: float | None = None) -> CustomObject:
    """Return the object with its center at the origin, or with its rear end at x = `rear_m`."""
    center_x = 0.0 if rear_m is None else round(mesh.parameters.size_m[0] / 2 + rear_m, 4)
    return CustomObject(
        asset=mesh.asset, category=mesh.category, name=name, position_m=(center_x, 0.0, 0.0), yaw_deg=0.0,
        stands_on="floor", instance_id=0, parameters=mesh.parameters,
    )  # fmt: skip


def row_of_custom_objects(random: np.random.Generator, mesh: CustomMesh, count: int) -> list[CustomObject]:
    """Return several objects with the same mesh side by side, with the same heading."""
    pitch = mesh.parameters.size_m[1] + random.uniform(0.15, 0.4)
    return [
        moved(
            make_custom_object(mesh, f"custom{number}"),
            (float(random.normal(0, 0.06)), float(number * pitch), 0.0),
            float(np.clip(random.normal(0, 2), -3, 3)),
        )
        for number in range(count)
    ]


def unmeasured_meshes_for_config(
    catalogue: Catalogue, config: Config, folder: Path = CATALOGUE.parent
) -> dict[str, CustomMesh]:
    """Return name -> custom mesh for the custom assets that images of this config may show.

    Raises:
        CatalogueError: see `unmeasured_meshes`.
    """
    shares = {
        "pallet_truck": config.trucks.custom_share,
        "pedestrian": config.people.custom_share,
        None: config.goods.custom_share,
    }
    return {name: mesh for name, mesh in unmeasured_meshes(catalogue, folder).items() if shares[mesh.category] > 0}
