# SPDX-License-Identifier: Apache-2.0
"""Write small shards: an id map, silhouettes, and a record that agrees with both."""

import json
from pathlib import Path

import cv2
import numpy as np

from pipeline.common.file_hash import sha256_of
from pipeline.labelling import shard_reader
from pipeline.record.scene import GENERATOR_VERSION, RenderedScene

WIDTH, HEIGHT = 48, 32
RGB = (0.5, 0.5, 0.5)
PERSON = {
    "asset": "person",
    "category": "pedestrian",
    "parameters": {
        **dict.fromkeys(("gender", "age", "muscle", "weight", "proportions", "african", "asian", "caucasian"), 0.5),
        "height_m": 1.75,
        "skin_rgb": RGB,
        "pose": {"name": "stand", "phase": 0, "seed": 1, "hand_left_m": None, "hand_right_m": None},
        "outfit": {
            **dict.fromkeys(("top_rgb", "trousers_rgb", "shoes_rgb", "vest_rgb", "head_rgb", "hair_rgb"), RGB),
            "sleeves": "long",
            "head": "helmet",
        },
    },
}
TRUCK = {
    "asset": "hand_pallet_truck",
    "category": "pallet_truck",
    "parameters": {
        **dict.fromkeys(("fork_length_m", "width_m", "fork_width_m", "lift_m", "wear"), 0.5),
        **dict.fromkeys(("tiller_tilt_deg", "tiller_turn_deg"), 0),
        **dict.fromkeys(("body_rgb", "wheel_rgb"), RGB),
        "tandem_rollers": True,
        "grip": "d_loop",
        "wheel_covers": False,
        "seed": 1,
    },
}
SURFACE = {"kind": "concrete", "color_rgb": RGB, "roughness": 0.5, "wear": 0.5, "seed": 1}
LAMP = {"kind": "strip", "position_m": (0, 0, 5), "size_m": (1, 0.1), "yaw_deg": 0, "color_rgb": RGB}


def scene(index: int, numbers: list[int], height: int = HEIGHT, width: int = WIDTH) -> dict:
    """A record. Instances with odd ids are people, those with even ids are pallet trucks."""
    return {
        "generator_version": GENERATOR_VERSION,
        "index": index,
        "dataset_seed": 7,
        "layout": "aisle",
        "light": "neon",
        "render": {
            "width": width,
            "height": height,
            "samples": 1,
            "denoise": False,
            "seed": 1,
            "exposure_ev": 0.25,
            "view_transform": "AgX",
            "white_balance": 0.0,
            "contrast": "base",
            "depth": None,
            "normals": None,
            "verify": False,
        },
        "camera": {
            **dict.fromkeys(("fx_px", "fy_px", "cx_px", "cy_px"), 50),
            "rig": "robot",
            "position_m": (0, 0, 1),
            "rotation": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
        },
        "hall": {"size_m": (20, 20, 6), "floor": SURFACE, "walls": SURFACE, "ceiling": SURFACE, "lines": []},
        "lamps": [{**LAMP, "power_w": power} for power in (0.1, 0.2)],
        "ambient": {"color_rgb": RGB, "strength": 0.1},
        "objects": [
            {
                **(PERSON if number % 2 else TRUCK),
                "name": f"object_{number}",
                "position_m": (0, 0, 0),
                "yaw_deg": 0,
                "stands_on": "floor",
                "instance_id": number,
            }
            for number in numbers
        ],
    }


def measured(ids: np.ndarray, silhouettes: dict[int, np.ndarray]) -> list[dict]:
    """The measurements of each instance. `silhouettes`: id -> bool (3 H, 3 W), the frame in the middle."""
    return [_instance(number, ids, silhouette) for number, silhouette in silhouettes.items()]


def _instance(number: int, ids: np.ndarray, silhouette: np.ndarray) -> dict:
    height, width = ids.shape
    visible = int((ids == number).sum())
    in_frame = int(silhouette[height : 2 * height, width : 2 * width].sum())
    return {
        "instance_id": number,
        "visible_pixels": visible,
        "amodal_pixels": int(silhouette.sum()),
        "amodal_box_px": box_of(silhouette),
        "absent": None if visible else "hidden" if in_frame else "outside",
        "truncated": in_frame < int(silhouette.sum()) or not in_frame,
        "distance_m": number + 0.12345,
        "box_3d": [{"u_px": 1.5, "v_px": -2.25, "depth_m": 3.125}] * 7
        + [{"u_px": None, "v_px": None, "depth_m": -0.5}],
        "keypoints": keypoints(np.argwhere(ids == number)) if number % 2 else None,
        "verified": False,
    }


def keypoints(pixels: np.ndarray) -> list[dict]:
    """Seventeen joints: a visible one at the first of `pixels` (row, column), one hidden, the others outside."""
    seen = [{"u_px": float(x) + 0.5, "v_px": float(y) + 0.25, "visibility": 2} for y, x in pixels[:1]]
    hidden = [{"u_px": 0.5, "v_px": 1.5, "visibility": 1}]
    outside = [{"u_px": -9.0, "v_px": 3.0, "visibility": 0}, {"u_px": None, "v_px": None, "visibility": 0}]
    return (seen + hidden + outside * 8)[:17]


def box_of(silhouette: np.ndarray) -> list[int] | None:
    """x, y, width, height in pixels from the corner of the frame, which is the middle third of `silhouette`."""
    if not silhouette.any():
        return None
    height, width = silhouette.shape[0] // 3, silhouette.shape[1] // 3
    x, y, *size = cv2.boundingRect(silhouette.view(np.uint8))
    return [x - width, y - height, *size]


def silhouettes_of(ids: np.ndarray, numbers: list[int]) -> dict[int, np.ndarray]:
    """Silhouettes (3 H, 3 W) of objects that are neither hidden nor truncated."""
    return {number: np.pad(ids == number, ((ids.shape[0],) * 2, (ids.shape[1],) * 2)) for number in numbers}


def crops(silhouettes: dict[int, np.ndarray]) -> dict[str, np.ndarray]:
    """The content of a file of `silhouettes/`."""
    boxes = {
        number: cv2.boundingRect(silhouette.view(np.uint8))
        for number, silhouette in silhouettes.items()
        if silhouette.any()
    }
    return {str(number): silhouettes[number][y : y + h, x : x + w] for number, (x, y, w, h) in boxes.items()}


def record(ids: np.ndarray, silhouettes: dict[int, np.ndarray], index: int = 0) -> shard_reader.LabelRecord:
    """The record of an id map and silhouettes."""
    return shard_reader.LabelRecord.model_validate(
        {"scene": scene(index, list(silhouettes), *ids.shape), "measured": {"instances": measured(ids, silhouettes)}}
    )


def rewrite(record: shard_reader.LabelRecord, instance_id: int, **changes: object) -> shard_reader.LabelRecord:
    """A copy of a record with other measurements of one instance."""
    instances = tuple(
        each.model_copy(update=changes) if each.instance_id == instance_id else each
        for each in record.measured.instances
    )
    return record.model_copy(update={"measured": record.measured.model_copy(update={"instances": instances})})


def write(shard: Path, ids: np.ndarray, silhouettes: dict[int, np.ndarray], index: int) -> None:
    """Add an image of noise with its id map, silhouettes and record to a shard, and update its shard.json."""
    for folder in ("images", "instances", "silhouettes"):
        (shard / folder).mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(index).integers(0, 255, (*ids.shape, 3), np.uint8)
    cv2.imwrite(str(shard / f"images/{index:06d}.png"), noise)
    cv2.imwrite(str(shard / f"instances/{index:06d}.png"), ids)
    np.savez_compressed(shard / f"silhouettes/{index:06d}.npz", **crops(silhouettes))
    line = {"scene": scene(index, list(silhouettes), *ids.shape), "measured": {"instances": measured(ids, silhouettes)}}
    with (shard / "scenes.jsonl").open("a") as lines:
        lines.write(RenderedScene.model_validate(line).model_dump_json() + "\n")
    seal(shard)


def seal(shard: Path) -> None:
    """Write the `shard.json` that fits the files of a shard."""
    files = [path for path in shard.rglob("*") if path.is_file() and path.name != "shard.json"]
    hashes = {path.relative_to(shard).as_posix(): sha256_of(path) for path in files}
    facts = {"images": len(hashes) // 3, "versions": {"blender": "4.5"}, "made_by": None, "files": hashes}
    (shard / "shard.json").write_text(json.dumps(facts))


def id_map(*sizes: int) -> np.ndarray:
    """An id map with instances 1, 2, … side by side, each of the given number of pixels (at most 32, in one column)."""
    ids = np.zeros((HEIGHT, WIDTH), np.uint16)
    for instance_id, size in enumerate(sizes, 1):
        ids[:size, 3 * instance_id] = instance_id
    return ids


def write_data_set(data: Path, images: int, shard_size: int = 3) -> Path:
    """Write a data set whose image i has i instances, of 8, 12, 16, … pixels; return its folder."""
    for index in range(images):
        ids = id_map(*(8 + 4 * number for number in range(index)))
        write(
            data / "shards" / f"{index // shard_size:05d}", ids, silhouettes_of(ids, list(range(1, index + 1))), index
        )
    return data


def shift_ids(shard: Path, index: int, by: int = 2) -> None:
    """Move the id map of an image sideways, as if the camera of the record were wrong; the counts stay."""
    path = shard / f"instances/{index:06d}.png"
    ids = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(str(path), np.roll(ids, by, axis=1))
