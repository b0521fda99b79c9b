# SPDX-License-Identifier: GPL-3.0-or-later
import bpy
import numpy as np
import pytest

from blender.hall import hall

SURFACE = {"kind": "concrete", "color_rgb": [0.25, 0.25, 0.25], "roughness": 0.6, "wear": 0.5, "seed": 3}
LINE = {"start_m": [-4, 1], "end_m": [4, 2], "width_m": 0.1, "color_rgb": [0.7, 0.5, 0.02], "wear": 0.4}
HALL = {"size_m": [12, 9, 5], "floor": SURFACE, "walls": SURFACE, "ceiling": SURFACE, "lines": [LINE]}


def built(asset_cache, **changes) -> dict[str, bpy.types.Object]:
    return {thing.name: thing for thing in hall.build_hall({**HALL, **changes}, asset_cache)}


def points(thing: bpy.types.Object) -> np.ndarray:
    return np.array([vertex.co for vertex in thing.data.vertices])


@pytest.mark.parametrize("size", [[12, 9, 5], [9, 16, 7]])
@pytest.mark.parametrize("kind", ["concrete", "painted", "brick", "sheet_metal"])
def test_the_hall_has_its_size_and_clear_height(kind, size, asset_cache):
    surface = {**SURFACE, "kind": kind}
    things = built(asset_cache, size_m=size, floor=surface, walls=surface, ceiling=surface)
    np.testing.assert_allclose(points(things["floor"]).min(axis=0), (-size[0] / 2, -size[1] / 2, 0), atol=1e-6)
    np.testing.assert_allclose(points(things["floor"]).max(axis=0), (size[0] / 2, size[1] / 2, 0), atol=1e-6)
    np.testing.assert_allclose(np.abs(points(things["walls"]))[:, :2], np.tile(np.array(size[:2]) / 2, (16, 1)))
    beams = points(things["beams"])
    assert beams[:, 2].min() == pytest.approx(size[2], abs=1e-5)
    assert points(things["ceiling"])[:, 2].min() >= beams[:, 2].max() - 0.08
    assert points(things["walls"])[:, 2].max() == pytest.approx(points(things["ceiling"])[:, 2].max())


def test_walls_face_inward_and_the_ceiling_down(asset_cache):
    things = built(asset_cache)
    for name in ("walls", "ceiling"):
        middle = np.array((0, 0, 2.5))
        for polygon in things[name].data.polygons:
            assert (middle - np.array(polygon.center)) @ np.array(polygon.normal) > 0


@pytest.mark.parametrize("seed", range(10))
def test_fittings_stay_on_their_walls_inside_the_hall(seed, asset_cache):
    fittings = points(built(asset_cache, walls={**SURFACE, "seed": seed})["wall fittings"])
    assert (np.abs(fittings[:, :2]) <= np.array((6, 4.5)) + 1e-5).all()
    to_wall = (np.array((6, 4.5)) - np.abs(fittings[:, :2])).min(axis=1)
    assert to_wall.max() < 0.6
    assert fittings[:, 2].min() > -1e-5
    assert fittings[:, 2].max() <= 5 + 1e-5


def test_lines_lie_just_above_the_floor(asset_cache):
    line = points(built(asset_cache)["floor lines"])
    assert line[:, 2].min() == pytest.approx(0.0005, abs=1e-6)
    sides = np.sort(np.linalg.norm(line[1:] - line[0], axis=1))
    np.testing.assert_allclose(sides[:2], (0.1, np.hypot(8, 1)), rtol=1e-5)
    np.testing.assert_allclose(line[:, :2].mean(axis=0), (0, 1.5), atol=1e-6)


def test_lines_of_one_paint_are_one_object_and_do_not_coincide(asset_cache):
    crossing = {**LINE, "start_m": [0, -3], "end_m": [0, 3]}
    other = {**LINE, "color_rgb": [0.8, 0.8, 0.8]}
    things = built(asset_cache, lines=[LINE, crossing, other])
    lines = [thing for name, thing in things.items() if name.startswith("floor lines")]
    assert sorted(len(line.data.polygons) for line in lines) == [1, 2]
    heights = [round(corner[2], 6) for line in lines for corner in points(line)]
    assert len(set(heights)) == 3


def test_ambient_light_passes_walls_and_ceiling_but_not_the_floor(asset_cache):
    things = built(asset_cache)
    for name in ("walls", "ceiling", "beams", "wall fittings"):
        assert not things[name].visible_diffuse
        assert not things[name].visible_shadow
        assert things[name].visible_camera
        assert things[name].visible_glossy
    assert things["floor"].visible_diffuse
    assert things["floor"].visible_shadow


def test_a_hall_may_have_no_lines_and_no_wear(asset_cache):
    things = built(asset_cache, lines=[], floor={**SURFACE, "wear": 0.0})
    assert set(things) == {"floor", "walls", "ceiling", "beams", "wall fittings"}


def test_equal_seeds_give_equal_halls_and_others_do_not(asset_cache):
    def shape(seed):
        return points(built(asset_cache, walls={**SURFACE, "seed": seed})["wall fittings"])

    bpy.ops.wm.read_factory_settings(use_empty=True)
    asset_cache.materials.clear()
    first = shape(1)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    asset_cache.materials.clear()
    np.testing.assert_array_equal(first, shape(1))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    asset_cache.materials.clear()
    other = shape(2)
    assert first.shape != other.shape or not np.allclose(first, other)
