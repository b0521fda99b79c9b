# SPDX-License-Identifier: Apache-2.0
"""Custom meshes: mesh files of the user (docs/howto/custom_meshes.md), from the catalogue into scene records.

Only Blender knows the size of a mesh. So every mesh is written as JSON (`unmeasured_meshes`). The command
`python -m blender measure` adds its size (`read_measured_meshes`). Then the mesh can be placed like other
objects (`make_custom_object`).
"""

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from pipeline.common.file_hash import sha256_of
from pipeline.common.validation_messages import wrong_keys
from pipeline.config.config import Config
from pipeline.record.asset_catalogue import CATALOGUE, Catalogue, CatalogueError, CustomAsset, Placement
from pipeline.record.base_types import Category, RecordModel
from pipeline.record.objects import CustomMeshParameters, CustomObject
from pipeline.scenes.assets.mesh_files import files_of_mesh
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
    parameters = CustomMeshParameters(
        file=asset.file,
        sha256=_file_hashes(name, asset, folder),
        metres_per_unit=asset.metres_per_unit,
        up=asset.up_axis,
        forward=asset.forward,
        opaque=asset.category is not None,
        max_triangles=asset.max_triangles,
        size_m=UNMEASURED_SIZE_M,
    )
    return CustomMesh(asset=name, category=asset.category, stands=asset.stands, parameters=parameters)


def _file_hashes(name: str, asset: CustomAsset, folder: Path) -> dict[str, str]:
    """Return the hash of each file of a mesh, by its path relative to `folder`."""
    try:
        files = files_of_mesh(folder / asset.file, folder, asset.files)
        hashes = {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}
    except OSError as error:
        key, path = "file" if not (folder / asset.file).exists() else "files", Path(str(error.filename))
        hint = _without_folder(path, folder) or _similar_name(path)
        raise CatalogueError(f"custom.{name}.{key}: {path}: {error.strerror}{hint}") from None
    if unwritable := [file for file in hashes if not file.isprintable()]:
        raise CatalogueError(f"custom.{name}.file: the name of the file {unwritable[0]!r} is no text: rename it")
    return hashes


def _without_folder(path: Path, folder: Path) -> str:
    """Return what to write for a path that begins with the name of the folder of the catalogue, which it is below."""
    inside = path.relative_to(folder) if path.is_relative_to(folder) else path
    if inside.parts[:1] != (folder.name,):
        return ""
    return f"; paths begin in {folder.name}/: write {inside.relative_to(folder.name)}"


def _similar_name(missing: Path) -> str:
    """Return "; there is ..." if the folder of a missing file has one of a similar name."""
    names = {path.name.lower(): path.name for path in missing.parent.glob("*")}
    close = difflib.get_close_matches(missing.name.lower(), names, n=1, cutoff=0.8)
    return f"; there is {names[close[0]]}" if close and not missing.exists() else ""


def read_measured_meshes(paths: Iterable[Path]) -> list[CustomMesh]:
    """Read files of `python -m blender measure`, one per custom mesh.

    Raises:
        CatalogueError: a file is missing or has another format.
    """
    meshes = []
    for path in paths:
        try:
            meshes.append(CustomMesh.model_validate_json(path.read_bytes()))
        except OSError as error:
            raise CatalogueError(f"{path}: {error.strerror}; run python -m blender measure again") from None
        except ValidationError as error:
            problem = wrong_keys(error, CustomMesh)[0]
            raise CatalogueError(
                f"{path}: not the JSON of a measured mesh: {problem}; run python -m blender measure again"
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
