# SPDX-License-Identifier: Apache-2.0
"""Which object of the scene record a detection lies on: what a model takes for a pallet truck or a person.

Rays from the camera through the box of the detection are cut with the boxes that stand for the objects when scenes are
made. So the answer is approximate: a box covers more than its object, and the hall itself has no boxes.
"""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from pipeline.coco import reader
from pipeline.record.scene import Scene, read_rendered_scenes
from pipeline.scenes.cameras.projection import pixel_rays
from pipeline.scenes.geometry.boxes import Boxes
from pipeline.scenes.geometry.collision_boxes import local_boxes

RAYS_PER_SIDE = 9
HALL = "hall"  # floor, walls, ceiling


def scene_of_image(image: reader.CocoImage, data: Path) -> Scene | None:
    """Return the record of a rendered image, None for other images. `data`: the folder of the data set."""
    index, shard = image.model_extra.get("index"), Path(image.file_name).parent.parent
    path = data / shard / "scenes.jsonl"
    if not isinstance(index, int) or not path.is_file():
        return None
    return _scenes(path).get(index)


@lru_cache(maxsize=4)  # images of a shard follow each other
def _scenes(path: Path) -> dict[int, Scene]:
    return {rendered.scene.index: rendered.scene for rendered in read_rendered_scenes(path)}


def asset_under(scene: Scene, box: Sequence[float]) -> str:
    """Return the asset that most rays through a box (x, y, width, height) meet first, `HALL` if most meet none."""
    x, y, width, height = box
    steps = (np.arange(RAYS_PER_SIDE) + 0.5) / RAYS_PER_SIDE
    points = np.stack(np.meshgrid(x + width * steps, y + height * steps), axis=-1).reshape(-1, 2)
    rays = pixel_rays(scene.camera, points)
    boxes, owners = _object_boxes(scene)
    if not owners:
        return HALL
    entry = boxes.ray_entry(np.array(scene.camera.position_m), rays)
    hit = np.isfinite(entry.min(axis=1))
    counts = Counter(owners[index] for index in entry[hit].argmin(axis=1))
    counts[HALL] = int((~hit).sum())
    return counts.most_common(1)[0][0]


def _object_boxes(scene: Scene) -> tuple[Boxes, list[str]]:
    """Return the boxes of all objects in the hall, and the asset of each box."""
    rows, owners = [], []
    for scene_object in scene.objects:
        boxes = local_boxes(scene_object).moved(scene_object.position_m, scene_object.yaw_deg)
        rows.append(boxes.rows)
        owners += [scene_object.asset] * len(boxes.rows)
    return Boxes(np.concatenate(rows) if rows else np.zeros((0, 7))), owners
