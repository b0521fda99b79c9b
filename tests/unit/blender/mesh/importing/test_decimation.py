# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes with many triangles are simplified on request; their size and their materials stay."""

import bpy
import numpy as np
import pytest

from blender import measure
from blender.mesh import custom_mesh
from blender.mesh.asset_cache import AssetCache
from blender.mesh.importing.decimation import count_triangles
from tests.helpers import mesh_files
from tests.helpers.mesh_loading import asked_for, load


@pytest.fixture
def ball(tmp_path):
    """An egg of 1.5 x 0.6 x 1.2 m with 8,064 triangles and a material."""
    mesh_files.empty_file()
    bpy.ops.mesh.primitive_uv_sphere_add(segments=64, ring_count=64, radius=0.5)
    bpy.context.object.scale = (1.5, 0.6, 1.2)
    bpy.context.object.data.materials.append(bpy.data.materials.new("paint"))
    return mesh_files.save(tmp_path / "ball.blend")


@pytest.mark.parametrize("max_triangles", [100, 1000, 8000])
def test_a_mesh_is_simplified_on_request(ball, max_triangles):
    meshes, _ = load(ball, max_triangles=max_triangles)
    assert 0.7 * max_triangles < count_triangles(meshes) <= max_triangles
    assert custom_mesh.bounding_size_m(meshes) == pytest.approx((1.5, 0.6, 1.2), abs=1e-4)
    assert meshes[0].materials[0].name == "paint"


def test_a_smaller_mesh_stays_as_it_is(ball):
    assert count_triangles(load(ball, max_triangles=10_000)[0]) == count_triangles(load(ball)[0]) == 8064


def test_many_triangles_are_named_with_what_to_do(ball, monkeypatch):
    monkeypatch.setattr(measure, "MANY_TRIANGLES", 5000)
    notes = []
    measure.measure_asset(asked_for(ball), ball.parent, notes.append)
    (note,) = notes
    assert note.startswith("custom.mine: 8,064 triangles make each image slower")
    assert "set max_triangles: 50000 in its entry" in note
    notes.clear()
    measured = measure.measure_asset(asked_for(ball, max_triangles=2000), ball.parent, notes.append)
    assert not notes
    assert measured["triangles"] <= 2000
    assert measured["parameters"]["max_triangles"] == 2000


def test_the_next_image_gets_the_same_simplified_mesh(ball, monkeypatch):
    monkeypatch.setattr(custom_mesh, "_simplified_meshes", {})
    parameters = measure.measure_asset(asked_for(ball, max_triangles=500), ball.parent)["parameters"]

    def built() -> np.ndarray:
        mesh_files.empty_file()
        (part,) = custom_mesh.build_custom_mesh(parameters, AssetCache(), ball.parent)
        assert part.data.materials[0].name == "paint"
        return custom_mesh.vertex_positions(part.data)

    first = built()
    monkeypatch.setattr(custom_mesh, "load_meshes", None)  # the second image does not read the file
    assert np.array_equal(first, built())
