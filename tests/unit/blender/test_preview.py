# SPDX-License-Identifier: GPL-3.0-or-later
"""Sheets of small images to look at: of one thing from all around, of several, of a scene."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from blender import preview
from blender.shards import build_scene
from tests.helpers import records
from tests.helpers.blender_commands import run_blender


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(preview, "TILE_PX", (96, 80))
    monkeypatch.setattr(preview, "SAMPLES", 2)


def tiles(sheet: np.ndarray) -> np.ndarray:
    """Return a sheet's tiles (rows, columns, height, width, 3)."""
    width, height = preview.TILE_PX
    rows, columns = sheet.shape[0] // height, sheet.shape[1] // width
    return sheet.reshape(rows, height, columns, width, 3).swapaxes(1, 2)


def as_dict(*objects) -> dict:
    return records.record(3, objects).model_dump(mode="json")


def test_one_thing_is_shown_from_eight_sides_and_from_above(small):
    shown = tiles(preview.contact_sheet([as_dict(records.truck())], 1))
    assert shown.shape == (3, 3, 80, 96, 3)
    views = shown.reshape(9, 80, 96, 3)
    red = [((view[..., 0].astype(int) - view[..., 1]) > 40).sum() for view in views]
    assert min(red) > 60, "the red truck is in every view"
    assert all(np.abs(a.astype(int) - b).mean() > 2 for a, b in pairwise(views)), "none twice"
    captions = views[:, -preview.CAPTION_PX :]
    assert (captions.min(axis=(1, 2, 3)) < 60).all()
    assert (captions.max(axis=(1, 2, 3)) == 255).all()


def test_many_records_are_a_sheet_of_one_image_each(small, monkeypatch):
    monkeypatch.setattr(preview, "MAX_TILES", 4)
    one = as_dict(records.truck())
    shown = tiles(preview.contact_sheet([one, one, one], 1))
    assert shown.shape[:2] == (1, 3)
    assert np.array_equal(shown[0, 0], shown[0, 2])


def test_a_scene_is_shown_as_its_camera_sees_it_then_from_outside(small, monkeypatch):
    monkeypatch.setattr(preview, "SCENE_TILE_PX", (96, 80))
    boxes = [records.carton((0.4, 0.3, 0.3), (x, 1.0, 0.0)).model_copy(update={"name": f"c{x}"}) for x in range(-3, 4)]
    red_truck = as_dict(records.truck(), *boxes)
    dark = red_truck | {"lamps": [], "ambient": red_truck["ambient"] | {"strength": 0.0}}
    shown = tiles(preview.contact_sheet([dark], 1)).reshape(6, 80, 96, 3)
    images = shown[:, : -preview.CAPTION_PX]
    assert images[0].max() < 20, "its own light"
    assert (images[1:].max(axis=(1, 2, 3)) > 90).all(), "light to look at it"


def test_all_corners_of_what_is_shown_are_in_the_image():
    low, high = np.array([-1.0, -0.3, 0.0]), np.array([1.4, 0.3, 1.3])
    corners = np.array([(x, y, z) for x in (-1.0, 1.4) for y in (-0.3, 0.3) for z in (0.0, 1.3)])
    for azimuth_deg in range(0, 360, 30):
        for elevation_deg in (0.0, 18.0, 89.9):
            pixels, depth_m = preview.camera.world_to_pixels(
                preview._orbit_camera(low, high, azimuth_deg, elevation_deg), corners
            )
            assert (depth_m > 0).all()
            assert (pixels > 0).all()
            assert (pixels < (preview.TILE_PX[0], preview.TILE_PX[1] - preview.CAPTION_PX)).all()


def test_an_empty_hall_is_nothing_to_look_at(small):
    with pytest.raises(build_scene.SceneError, match="image 3 is an empty hall"):
        preview.contact_sheet([as_dict() | {"objects": []}], 1)


def test_the_command_writes_an_image_and_refuses_an_index_that_is_not_there(small, tmp_path):
    path, out = tmp_path / "a.json", tmp_path / "new/sheet.png"
    path.write_text(records.record(3).model_dump_json())
    command = ("preview", "--record", path, "--out", out)
    assert run_blender(*command, "--index", 3).exit_code == 0
    assert cv2.imread(str(out)).shape == (3 * preview.TILE_PX[1], 3 * preview.TILE_PX[0], 3)
    run = run_blender(*command, "--index", 4)
    assert run.exit_code == 2
    assert "not image 4" in run.stderr
