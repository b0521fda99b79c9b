# SPDX-License-Identifier: GPL-3.0-or-later
import bpy
import numpy as np
import pytest

from blender.hall import columns, racks
from blender.materials.markings import side_faces

RACK = {
    "bays": 2,
    "bay_width_m": 2.7,
    "depth_m": 1.1,
    "height_m": 4.5,
    "level_heights_m": [1.8, 3.3],
    "upright_width_m": 0.1,
    "beam_height_m": 0.12,
    "upright_rgb": [0.02, 0.08, 0.35],
    "beam_rgb": [0.7, 0.2, 0.02],
    "guards": False,
    "wear": 0.5,
    "seed": 1,
}


def points(thing: bpy.types.Object, slot: int | None = None) -> np.ndarray:
    """Return the corners of the object's faces, of one material slot or of all."""
    polygons = [p for p in thing.data.polygons if slot is None or p.material_index == slot]
    return np.array([thing.data.vertices[i].co for p in polygons for i in p.vertices])


@pytest.mark.parametrize("seed", range(8))
def test_a_rack_has_its_size_and_stands_on_the_floor(seed, asset_cache):
    (rack,) = racks.build_rack({**RACK, "seed": seed}, asset_cache)
    uprights, beams = points(rack, racks.UPRIGHT_SLOT), points(rack, racks.BEAM_SLOT)
    assert points(rack)[:, 2].min() == pytest.approx(0, abs=1e-6)
    assert uprights[:, 2].max() == pytest.approx(4.5)
    # Two bays of 2.7 m and three uprights of 0.1 m; the foot plates are 50 mm wider.
    assert uprights[:, 0].max() == pytest.approx(2.85 + 0.025)
    assert np.abs(uprights[:, 1]).max() == pytest.approx(0.55 + 0.025)
    assert np.abs(beams[:, 1]).max() < 0.56
    assert beams[:, 2].max() == pytest.approx(3.3)


@pytest.mark.parametrize("seed", range(8))
def test_the_space_for_pallets_above_a_level_is_free(seed, asset_cache):
    (rack,) = racks.build_rack({**RACK, "seed": seed}, asset_cache)
    inside = np.abs(points(rack)[:, 1]) < 0.4
    over = points(rack)[inside & (np.abs(points(rack)[:, 0] - 1.4) < 1.3)]
    above = [z for z in over[:, 2] if 1.8 < z < 3.3 - 0.121 or z > 3.3]
    assert not above


def test_bays_have_their_clear_width(asset_cache):
    (rack,) = racks.build_rack({**RACK, "level_heights_m": []}, asset_cache)
    low = points(rack)
    between = np.abs(np.abs(low[:, 0]) - 1.4) < 2.7 / 2 - 0.026
    assert not between.any()


def test_guards_are_in_front_of_the_uprights_and_400_mm_high(asset_cache):
    (rack,) = racks.build_rack({**RACK, "guards": True}, asset_cache)
    guards = points(rack, racks.GUARD_SLOT)
    assert guards[:, 2].max() == pytest.approx(0.4)
    assert np.abs(guards[:, 1]).max() == pytest.approx(0.64, abs=0.01)
    (bare,) = racks.build_rack(RACK, asset_cache)
    assert not len(points(bare, racks.GUARD_SLOT))


def test_seeds_choose_decks_and_equal_racks_share_a_mesh(asset_cache):
    made = [racks.build_rack({**RACK, "seed": seed}, asset_cache)[0] for seed in range(12)]
    counts = {sum(p.material_index == racks.DECK_SLOT for p in rack.data.polygons) for rack in made}
    assert len(counts) == 3
    assert racks.build_rack(RACK, asset_cache)[0].data == racks.build_rack(dict(RACK), asset_cache)[0].data
    other = racks.build_rack({**RACK, "upright_rgb": [0.5, 0.5, 0.5]}, asset_cache)[0]
    assert other.data.materials[0] != made[0].data.materials[0]


@pytest.mark.parametrize(("guard", "width"), [(False, 0.35), (True, 0.35 + 2 * columns.GUARD_PLATE_M)])
def test_a_column_has_its_width_with_and_without_guard(guard, width, asset_cache):
    parameters = {"width_m": 0.35, "height_m": 6.0, "color_rgb": [0.5, 0.5, 0.5], "guard": guard}
    (column,) = columns.build_column(parameters, asset_cache)
    corners = points(column)
    np.testing.assert_allclose(np.ptp(corners, axis=0), (width, width, 6.0), atol=1e-6)
    assert corners[:, 2].min() == pytest.approx(0, abs=1e-6)


def test_side_faces_point_outward_and_are_upright():
    for face in side_faces((0.6, 0.4, 0.2)):
        assert face.normal @ face.center > 0
        patch = face.rectangle((0, 0), (0.1, 0.05), 0)
        out = (patch.vertices - face.center) @ face.normal
        np.testing.assert_allclose(out, 0.0015)
        a, b, c, _ = patch.vertices
        assert np.cross(b - a, c - b) @ face.normal > 0
