# SPDX-License-Identifier: Apache-2.0
"""Which object lies under a box: in a scene that is written by hand, the truck, the carton beside it, and the hall."""

from pathlib import Path

import pytest

from pipeline.coco import reader
from pipeline.inference import rendered_assets
from pipeline.record.scene import Measurements, RenderedScene
from pipeline.scenes.geometry.collision_boxes import world_boxes
from tests.helpers import records
from tests.helpers.cameras import image_box


def box_of(scene, scene_object) -> tuple[float, float, float, float]:
    left, top, right, bottom = image_box(scene.camera, world_boxes([scene_object]))
    return left, top, right - left, bottom - top


def test_the_object_under_a_box():
    scene = records.record()
    for scene_object in scene.objects:
        assert rendered_assets.asset_under(scene, box_of(scene, scene_object)) == scene_object.asset
    assert rendered_assets.asset_under(scene, (0, 0, 10, 10)) == rendered_assets.HALL


def test_the_object_in_front_is_named():
    truck = records.truck()
    in_front = records.carton((0.9, 0.2, 1.4), (0.0, -1.2, 0.0))
    scene = records.record(objects=(truck, in_front))
    assert rendered_assets.asset_under(scene, box_of(scene, truck)) == "carton"


def test_an_empty_hall():
    scene = records.record().model_copy(update={"objects": ()})
    assert rendered_assets.asset_under(scene, (10, 10, 20, 20)) == rendered_assets.HALL


@pytest.fixture
def data(tmp_path) -> Path:
    shard = tmp_path / "shards" / "00000"
    shard.mkdir(parents=True)
    lines = [RenderedScene(scene=records.record(index), measured=Measurements(instances=())) for index in (4, 5)]
    (shard / "scenes.jsonl").write_text("".join(line.model_dump_json() + "\n" for line in lines))
    return tmp_path


def test_the_record_of_an_image(data):
    facts = {"id": 6, "width": 96, "height": 72}
    image = reader.CocoImage(file_name="shards/00000/images/000005.png", index=5, **facts)
    assert rendered_assets.scene_of_image(image, data).index == 5
    assert rendered_assets.scene_of_image(image.model_copy(update={"index": 9}), data) is None
    assert rendered_assets.scene_of_image(reader.CocoImage(file_name="photos/1.jpg", **facts), data) is None
