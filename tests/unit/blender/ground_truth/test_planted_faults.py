# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendered images with one planted error each: the audit of pipeline must find it."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from blender.common import png
from blender.cycles import exr_passes
from blender.ground_truth import isolated_render, measure_instances, silhouettes
from blender.shards import build_scene, render_image
from pipeline.coco import rle
from pipeline.labelling import audit, shard_reader
from pipeline.record.scene import RenderedScene
from tests.helpers import records
from tests.unit.blender.ground_truth.test_keypoints import place

WIDTH, HEIGHT = 160, 120
TRUCK, PERSON = 1, 2


def render(folder, verified: int = TRUCK) -> list[str]:
    """Render a truck and a person, one of them isolated as well, and return the audit's violations."""
    person = place(-70, PERSON, (0.7, 0.3, 0.0)) | {"stands_on": "floor"}
    objects = [records.truck(TRUCK).model_dump(mode="json"), person]
    made = records.record(verified - 1, width=WIDTH, height=HEIGHT).model_dump(mode="json") | {"objects": objects}
    made["render"] |= {"samples": 4, "verify": True}
    rendered = render_image.render_image(made, folder, "cpu", 1)
    line = RenderedScene.model_validate({"scene": made, "measured": rendered.measured}).model_dump_json()
    record = shard_reader.LabelRecord.model_validate_json(line)
    assert [number for number, each in record.instances_by_id.items() if each.verified] == [verified]
    ids, found = shard_reader.read_instance_map(folder, record), shard_reader.read_silhouettes(folder, record)
    shard_reader.check_image(folder, record)
    found_runs = rle.pixel_ranges_by_instance(ids)
    violations = list(
        audit.check_instance_ids(record, {number: rle.pixel_count(each) for number, each in found_runs.items()})
    )
    violations += audit.check_rle_masks(ids, rle.encode_rles(found_runs, *ids.shape))
    violations += audit.check_silhouettes(record, ids, found)[0]
    return [f"{each.instance_id}: {each.message}" for each in violations]


def wrap(monkeypatch, module, name: str, change: Callable) -> None:
    """Replace a function by `change`, which takes the original as its first argument."""
    monkeypatch.setattr(module, name, partial(change, getattr(module, name)))


def assert_said(violations: list[str], *patterns: str) -> None:
    for pattern in patterns:
        assert any(re.fullmatch(pattern, violation) for violation in violations), violations


@pytest.mark.parametrize("verified", [TRUCK, PERSON])
def test_a_correct_image_passes_the_audit(tmp_path, verified):
    assert render(tmp_path, verified) == []


def test_a_camera_moved_by_five_centimeters_is_found(tmp_path, monkeypatch):
    def shifted(original, record, roots, ids):
        x, y, z = record["camera"]["position_m"]
        return original(record | {"camera": record["camera"] | {"position_m": (x + 0.05, y, z)}}, roots, ids)

    wrap(monkeypatch, measure_instances, "measure_instances", shifted)
    assert_said(render(tmp_path), *(rf"{n}: \d+ of its \d+ visible pixels lie outside .*" for n in (TRUCK, PERSON)))


def test_a_camera_rotated_by_a_degree_is_found(tmp_path, monkeypatch):
    def turned(original, record, roots, ids):
        cos, sin = np.cos(np.radians(1)), np.sin(np.radians(1))
        rotation = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ record["camera"]["rotation"]
        return original(record | {"camera": record["camera"] | {"rotation": rotation.tolist()}}, roots, ids)

    wrap(monkeypatch, measure_instances, "measure_instances", turned)
    assert_said(render(tmp_path), *(rf"{n}: \d+ of its \d+ visible pixels lie outside .*" for n in (TRUCK, PERSON)))


def test_swapped_ids_are_found(tmp_path, monkeypatch):
    def swapped(original, path, instance_ids):
        read = original(path, instance_ids)
        return replace(read, ids=np.choose(read.ids, [0, PERSON, TRUCK]).astype(np.uint16))

    wrap(monkeypatch, exr_passes, "read_passes", swapped)
    assert_said(render(tmp_path), *(rf"{n}: \d+ of its \d+ visible pixels lie outside .*" for n in (TRUCK, PERSON)))


def test_an_instance_missing_in_the_id_map_is_found(tmp_path, monkeypatch):
    def vanished(original, path, pixels):
        original(path, np.where(pixels == PERSON, 0, pixels).astype(np.uint16))

    wrap(monkeypatch, png, "write_uint16", vanished)
    (violation,) = [each for each in render(tmp_path) if "keypoint" not in each]
    assert_said([violation], r"2: 0 pixels in the id map, \d+ visible pixels in the record")


def test_a_part_that_is_not_rendered_is_found(tmp_path, monkeypatch):
    def without_tiller(original, record):
        built = original(record)
        (tiller,) = (child for child in built.roots[TRUCK].children_recursive if "tiller" in child.name)
        tiller.hide_render = True
        return built

    wrap(monkeypatch, build_scene, "build_scene", without_tiller)
    (violation,) = render(tmp_path)
    assert_said([violation], r"1: rendered isolated, \d+ pixels of its silhouette are missing, up to \d+ px")


def test_a_part_missing_in_the_silhouette_is_found(tmp_path, monkeypatch):
    def without_tiller(original, root):
        found = original(root)
        low = (found.points_m[found.triangles][:, :, 2] < 0.6).all(1)
        return silhouettes.ObjectGeometry(found.points_m, found.triangles[low]) if root.name.endswith("1") else found

    wrap(monkeypatch, silhouettes, "world_geometry", without_tiller)
    assert_said(
        render(tmp_path),
        r"1: \d+ of its \d+ visible pixels lie outside its silhouette, up to \d+ px",
        r"1: rendered isolated, \d+ pixels lie outside its silhouette, up to \d+ px",
    )


def test_an_isolated_render_of_another_instance_is_found(tmp_path, monkeypatch):
    def other(original, number, root, exr):
        proof = original(number, root, exr)
        return isolated_render.IsolatedRender(
            np.roll(proof.half_covered, 3, axis=1), np.roll(proof.any_covered, 3, axis=1)
        )

    wrap(monkeypatch, isolated_render, "render_isolated", other)
    assert_said(render(tmp_path), r"1: rendered isolated, \d+ pixels lie outside its silhouette, up to 3 px")
