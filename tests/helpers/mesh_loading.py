# SPDX-License-Identifier: GPL-3.0-or-later
"""Load mesh files as the workflow does: from an entry of the catalogue to meshes in Blender."""

from pathlib import Path

import bpy
import pytest

from blender import measure
from blender.mesh import custom_mesh
from blender.mesh.importing.errors import CustomMeshError
from pipeline.record.asset_catalogue import Catalogue
from pipeline.scenes.assets import custom_meshes
from tests.helpers import mesh_files


def asked_for(path: Path, folder: Path | None = None, **entry) -> dict:
    """Return a custom mesh of `folder` (default: that of `path`) as the workflow passes it to Blender."""
    folder = folder or path.parent
    given = {"file": path.relative_to(folder).as_posix(), "category": "pallet_truck", "licence": "own work"} | entry
    catalogue = Catalogue.model_validate({"assets": {}, "custom": {"mine": given}})
    return custom_meshes.unmeasured_meshes(catalogue, folder)["mine"].model_dump(mode="json")


def load(path: Path, folder: Path | None = None, **entry) -> tuple[list[bpy.types.Mesh], list[str]]:
    """Return the meshes of a file, and what was said about it."""
    mesh_files.empty_file()
    notes: list[str] = []
    parameters = asked_for(path, folder, **entry)["parameters"]
    return custom_mesh.load_meshes(parameters, folder or path.parent, notes.append), notes


def size_of(path: Path, folder: Path | None = None, **entry) -> list[float]:
    """Return the size of the mesh of a file in meters: length, width, height."""
    return [round(side, 3) for side in custom_mesh.bounding_size_m(load(path, folder, **entry)[0]).tolist()]


def refusal(path: Path, folder: Path | None = None, **entry) -> str:
    """Return why a file is refused."""
    with pytest.raises(CustomMeshError) as error:
        measure.measure_asset(asked_for(path, folder, **entry), folder or path.parent)
    return str(error.value)
