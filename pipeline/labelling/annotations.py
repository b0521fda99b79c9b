# SPDX-License-Identifier: Apache-2.0
"""The COCO entries of a rendered image: its image entry, and an annotation for every object that is not dropped."""

import math
from typing import Any

import numpy as np
from faster_coco_eval import mask as coco_mask

from pipeline.coco import polygons, rle
from pipeline.config import config
from pipeline.labelling.shard_reader import LabelRecord
from pipeline.record.scene import BoxCorner, InstanceMeasurement, Keypoint, image_file_name

# COCO's 17 keypoints, and the pairs of them that its tools join with lines (numbered from 1).
KEYPOINTS = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
    *("left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
)
SKELETON = (
    *((16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9)),
    *((8, 10), (9, 11), (2, 3), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7)),
)
CATEGORIES = (
    {"id": 1, "name": "pedestrian", "keypoints": list(KEYPOINTS), "skeleton": [list(pair) for pair in SKELETON]},
    {"id": 2, "name": "pallet_truck"},
)
CATEGORY_IDS = {category["name"]: category["id"] for category in CATEGORIES}


def image_entry(record: LabelRecord, shard: str) -> dict[str, Any]:
    """Return the entry in `images`. File names are relative to the folder of the data set; `shard`: folder name."""
    scene = record.scene
    stem = f"{scene.index:06d}"
    map_formats = {"depth": scene.render.depth, "normals": scene.render.normals}
    return {
        "id": scene.index + 1,
        "file_name": f"shards/{shard}/images/{image_file_name(scene.index)}",
        "instances": f"shards/{shard}/instances/{image_file_name(scene.index)}",
        **{name: f"shards/{shard}/{name}/{stem}.{suffix}" for name, suffix in map_formats.items() if suffix},
        "width": scene.render.width,
        "height": scene.render.height,
        "index": scene.index,
        "camera": scene.camera.model_dump(mode="json", exclude={"rig"}),
        "rig": scene.camera.rig,
        "layout": scene.layout,
        "light": {
            **({} if scene.light is None else {"scene": scene.light}),
            "lamps": len(scene.lamps),
            "power_w": round(math.fsum(lamp.power_w for lamp in scene.lamps), 3),
            "exposure_ev": scene.render.exposure_ev,
        },
    }


def annotation_entries(
    record: LabelRecord,
    visible: dict[int, dict[str, Any]],
    silhouettes: dict[str, np.ndarray],
    settings: config.LabelSection,
) -> list[dict[str, Any]]:
    """Return the annotations of one image in the order of instance ids, without the key `id`.

    `visible`: RLE of the visible masks by instance id. `silhouettes`: see `shard_reader.read_silhouettes`. Both must
    agree with the record, which audit.py checks.
    """
    objects = record.objects_by_id
    kept = [instance for instance in record.instances_by_id.values() if _is_kept(instance, settings)]
    masks = [visible[instance.instance_id] for instance in kept]
    boxes = coco_mask.toBbox(masks).astype(int).tolist() if masks else []
    amodal_masks = _amodal_masks(kept, silhouettes, record.image_shape)
    return [
        {
            "image_id": record.scene.index + 1,
            "category_id": CATEGORY_IDS[objects[instance.instance_id].category],
            "segmentation": _segmentation(mask, instance, settings),
            "area": instance.visible_pixels,
            "bbox": box,
            "iscrowd": int(_is_crowd(instance, settings)),
            "amodal_segmentation": amodal_masks.get(instance.instance_id),
            "amodal_bbox": instance.amodal_box_px and list(instance.amodal_box_px),
            "visible_fraction": round(visible_fraction(instance), 4),
            "truncated": instance.truncated,
            "distance_m": round(instance.distance_m, 3),
            "bbox_3d": [_corner_values(corner) for corner in instance.box_3d],
            **(_keypoints(instance.keypoints) if objects[instance.instance_id].category == "pedestrian" else {}),
            "asset": objects[instance.instance_id].asset,
            # Not "instance_id": FiftyOne reserves this name and refuses to import it.
            "instance": instance.instance_id,
        }
        for instance, mask, box in zip(kept, masks, boxes, strict=True)
    ]


def visible_fraction(instance: InstanceMeasurement) -> float:
    """Return visible / amodal pixels, 0 to 1."""
    # Both counts come from different samples, so an unhidden object may have a few more visible than amodal pixels.
    return instance.visible_pixels / max(instance.amodal_pixels, instance.visible_pixels, 1)


def _is_kept(instance: InstanceMeasurement, settings: config.LabelSection) -> bool:
    enough_pixels = instance.visible_pixels >= max(settings.min_pixels, 1)
    return enough_pixels and visible_fraction(instance) >= settings.min_visible_fraction


def _is_crowd(instance: InstanceMeasurement, settings: config.LabelSection) -> bool:
    too_small = instance.visible_pixels < settings.crowd_pixels
    return too_small or visible_fraction(instance) < settings.crowd_visible_fraction


def _amodal_masks(
    instances: list[InstanceMeasurement], silhouettes: dict[str, np.ndarray], shape: tuple[int, int]
) -> dict[int, dict[str, Any]]:
    """Return the RLE of the part of each silhouette that lies in the frame, by instance id."""
    ranges = {
        each.instance_id: rle.pixel_ranges_of_crop(silhouettes[str(each.instance_id)], *each.amodal_box_px[:2], *shape)
        for each in instances
        if each.amodal_box_px
    }
    return rle.encode_rles(ranges, *shape)


def _segmentation(
    mask: dict[str, Any], instance: InstanceMeasurement, settings: config.LabelSection
) -> dict[str, Any] | list[list[int]]:
    # COCO's tools expect RLE wherever iscrowd is 1.
    if settings.segmentation == "rle" or _is_crowd(instance, settings):
        return mask
    return polygons.mask_to_polygons(coco_mask.decode(mask).astype(bool))


def _corner_values(corner: BoxCorner) -> list[float | None]:
    return [corner.u_px, corner.v_px, corner.depth_m]


def _keypoints(keypoints: tuple[Keypoint, ...] | None) -> dict[str, Any]:
    """Return COCO's x, y, v of each keypoint; where v, our visibility, is 0, x and y are 0 as well.

    None, for a custom mesh whose joints are unknown, gives zeros.
    """
    points = keypoints or (Keypoint(u_px=None, v_px=None, visibility=0),) * len(KEYPOINTS)
    triples = [(point.u_px, point.v_px, point.visibility) if point.visibility else (0, 0, 0) for point in points]
    return {
        "keypoints": [value for triple in triples for value in triple],
        "num_keypoints": sum(point.visibility > 0 for point in points),
    }
