# SPDX-License-Identifier: GPL-3.0-or-later
"""Silhouettes, reasons of absence and isolated renders compared with rendered id maps."""

import cv2
import numpy as np
import pytest

from blender.cycles import exr_passes, render_settings
from blender.ground_truth import isolated_render, measure_instances, silhouettes
from blender.shards import build_scene
from pipeline.record.scene import InstanceMeasurement
from tests.helpers import records
from tests.unit.blender.ground_truth.test_keypoints import place

WIDTH, HEIGHT = 128, 96
TRUCK = records.truck(1).model_dump(mode="json")


def grown(mask):
    """Return the mask dilated by one pixel in all eight directions."""
    return cv2.dilate(mask.view(np.uint8), np.ones((3, 3), np.uint8)).view(bool)


def render(tmp_path, objects, position_m=(0.0, -2.6, 0.7), samples=8):
    """Return the record, the built scene and the id map."""
    made = records.record(0, width=WIDTH, height=HEIGHT).model_dump(mode="json")
    made["objects"], made["camera"]["position_m"] = list(objects), position_m
    made["render"] |= {"samples": samples}
    built = build_scene.build_scene(made)
    render_settings.configure(made["render"], "cpu", 1)
    render_settings.render(tmp_path / "passes.exr")
    return made, built, exr_passes.read_passes(tmp_path / "passes.exr", set(built.roots)).ids


# The last two: the camera amid the tiller, so that triangles cross the near plane; a person cut by the frame.
@pytest.mark.parametrize(
    ("thing", "position_m"),
    [
        (TRUCK, (0.0, -2.6, 0.7)),
        (place(-60, seed=2), (0.0, -2.6, 1.0)),
        (TRUCK, (0.02, -0.09, 1.02)),
        (TRUCK, (0.1, 0.3, 0.2)),
        (place(-60, seed=2), (-0.3, -0.6, 1.5)),
    ],
)
def test_visible_pixels_and_isolated_render_agree_with_the_silhouette(tmp_path, thing, position_m):
    made, built, ids = render(tmp_path, [thing], position_m)
    (instance,), found, _ = measure_instances.measure_instances(made, built.roots, ids)
    InstanceMeasurement.model_validate(instance)
    whole = found[1].in_frame(WIDTH, HEIGHT)
    assert instance["amodal_pixels"] == found[1].mask.sum() >= whole.sum() > 250
    seen = ids == 1
    assert not (seen & ~grown(whole)).any()
    proof = isolated_render.render_isolated(1, built.roots[1], tmp_path / "alone.exr")
    assert not (proof.half_covered & ~grown(whole)).any()
    assert not (whole & ~grown(proof.half_covered)).any()
    assert (proof.half_covered ^ whole).sum() < 0.25 * whole.sum()
    assert not (proof.half_covered & ~proof.any_covered).any()
    assert not (proof.any_covered & ~grown(proof.half_covered)).any()


def test_an_isolated_render_leaves_the_scene_unchanged(tmp_path):
    _, built, ids = render(tmp_path, [TRUCK, place(-90, 2, (0.9, 0.3, 0.0))], samples=2)
    proof = isolated_render.render_isolated(2, built.roots[2], tmp_path / "alone.exr")
    assert not (proof.half_covered & (ids == 1)).any()
    render_settings.render(tmp_path / "passes.exr")
    assert np.array_equal(exr_passes.read_passes(tmp_path / "passes.exr", {1, 2}).ids, ids)


def test_large_instances_are_verified_in_turn():
    def silhouette(pixels, x=0):
        return silhouettes.Silhouette(np.ones((1, pixels), bool), x, 0)

    found = {3: silhouette(40), 1: silhouette(90), 2: silhouette(39), 5: silhouette(90, x=-60)}
    assert [isolated_render.choose_instance(index, found, 100, 1) for index in range(3)] == [1, 3, 1]
    assert isolated_render.choose_instance(0, {2: silhouette(39)}, 100, 1) is None


def test_absent_objects_are_outside_the_frame_or_hidden(tmp_path):
    wall = records.carton((1.6, 0.4, 1.6), (0.5, 0.5, 0.0)).model_dump(mode="json")
    beside = records.truck(2, (-4.5, 0.0, 0.0)).model_dump(mode="json")
    hidden = records.truck(1, (0.4, 2.5, 0.0)).model_dump(mode="json")
    behind = records.truck(3, (0.0, -5.0, 0.0)).model_dump(mode="json")
    made, built, ids = render(tmp_path, [hidden, beside, behind, wall], samples=1)
    one, two, three = measure_instances.measure_instances(made, built.roots, ids)[0]
    assert (one["absent"], one["truncated"], one["visible_pixels"]) == ("hidden", False, 0)
    assert one["amodal_pixels"] > 60
    assert (two["absent"], two["truncated"], two["visible_pixels"]) == ("outside", True, 0)
    assert two["amodal_box_px"][0] < 0
    assert (three["absent"], three["amodal_box_px"], three["amodal_pixels"]) == ("outside", None, 0)
    assert three["box_3d"][0]["u_px"] is None


def test_a_missing_mask_is_an_error(tmp_path):
    made, built, ids = render(tmp_path, [TRUCK], samples=1)
    with pytest.raises(measure_instances.MeasureError, match="instance 1 has no pixel, yet the camera sees"):
        measure_instances.measure_instances(made, built.roots, np.zeros_like(ids))
