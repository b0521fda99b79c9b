# SPDX-License-Identifier: GPL-3.0-or-later
"""A sheet of small pictures: what records hold, seen from all around and from above.

    python -m blender.preview --record specimens.jsonl --out sheet.png
    python -m blender.preview --record results/data/quickstart/shards/00000/scenes.jsonl --index 3 --out sheet.png

Walls and ceiling are left out and the light is even. A bar on the floor is 1 m long; an arrow shows what is forward for
the first thing. One row a record, or, with many records, one picture each.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

from blender import camera, cycles, png, records, scene, silhouettes
from blender.lettering import letters
from blender.materials import plain
from blender.meshes import Solid, box, to_mesh

TILE_PX = (264, 232)
CAPTION_PX = 22
FINER = 4  # captions are drawn so many times as large and shrunk
VIEWS = 9  # eight around and one from above
MOST_TILES = 45  # what two threads of a processor render in less than a minute
MOST_IN_A_GROUP = 8  # more things are a scene
SAMPLES = 6
EVEN_LIGHT = 0.7  # W / (m2 sr)
FOV_DEG = 30.0
FILLED = 0.86  # of a picture's sides, by what it shows
FIRST_DEG, UP_DEG = 40.0, 18.0  # the first view: from ahead, to the left, a little from above
LARGEST_THING_M = 6.0
SCENE_UP_DEG = 42.0
KEPT = ("floor", "litter")  # parts of the hall that stay


def sheet(chosen: list[dict], threads: int) -> np.ndarray:
    """Return the sheet (H, W, 3) uint8 of these records (dicts of pipeline's scene record).

    Raises:
        scene.SceneError: see `scene.build`.
    """
    views = max(1, min(VIEWS, MOST_TILES // len(chosen)))
    rows = [[_captioned(tile, record) for tile in _views(record, views, threads)] for record in chosen]
    tiles = [tile for row in rows for tile in row]
    columns = 3 if len(chosen) == 1 else views if views > 1 else min(len(tiles), 7)
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % columns)
    return np.concatenate([np.concatenate(tiles[at : at + columns], axis=1) for at in range(0, len(tiles), columns)])


def _views(record: dict, views: int, threads: int) -> list[np.ndarray]:
    """Build a record once and look at it from `views` sides, the last of them above if there are more than two."""
    settings = record["render"] | {"width": TILE_PX[0], "height": TILE_PX[1], "samples": SAMPLES, "denoise": True}
    settings |= {"exposure_ev": 0.0, "depth": None, "normals": None}
    light = record["ambient"] | {"strength": max(record["ambient"]["strength"], EVEN_LIGHT), "hdri": None}
    scene.build(record | {"ambient": light, "render": settings})
    things = [part for part in bpy.context.scene.objects if part.type == "MESH" and part.parent]
    if not things:
        raise scene.SceneError(f"picture {record['index']} is an empty hall: there is nothing to look at")
    corners = np.array([part.matrix_world @ Vector(corner) for part in things for corner in part.bound_box])
    low, high = corners.min(axis=0), corners.max(axis=0)
    _hide_shell()
    _add_marks(low, high)
    cycles.configure(settings, "cpu", threads)
    around = views - 1 if views > 2 else views
    up_deg = UP_DEG if max(high - low) < LARGEST_THING_M else SCENE_UP_DEG
    sides = [(FIRST_DEG + 360 * number / around, up_deg) for number in range(around)]
    sides += [(0.0, 89.9)] * (views - around)
    with tempfile.TemporaryDirectory() as folder:
        return [_tile(Path(folder), _camera(low, high, *side)) for side in sides]


def _hide_shell() -> None:
    """Leave of the hall its floor alone, and let lamps shine without being seen."""
    for part in bpy.context.scene.objects:
        if part.type == "MESH" and part.parent is None and not part.name.startswith(KEPT):
            part.hide_render = True


def _add_marks(low: np.ndarray, high: np.ndarray) -> None:
    """Lay a bar of 1 m in ten pieces on the floor, right of everything, and an arrow ahead of it all, towards +x."""
    dark, light = plain("dark mark", (0.02, 0.02, 0.02)), plain("light mark", (0.8, 0.8, 0.8))
    (x, y), middle = low[:2] - 0.25, (low[1] + high[1]) / 2
    pieces = [box((0.1, 0.05, 0.004), (x + 0.3 + 0.1 * n, y, 0.004), slot=n % 2) for n in range(10)]
    tip = np.array([(0.4, 0, 0.006), (0.1, 0.15, 0.006), (0.1, -0.15, 0.006)])
    tip += (high[0], middle, 0)
    corners, faces = letters("1 m")
    word = Solid(np.c_[corners * 0.16 + (x + 0.8, y - 0.18), np.full(len(corners), 0.006)], list(faces))
    mesh = to_mesh("marks", [*pieces, Solid(tip, [(0, 1, 2)]), word], [dark, light])
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("floor marks", mesh))


def _camera(low: np.ndarray, high: np.ndarray, heading_deg: float, up_deg: float) -> dict:
    """Return a record's camera that sees a box whole, from a heading (0: from ahead, counter-clockwise) and height."""
    width, height = TILE_PX
    focal = height / 2 / np.tan(np.radians(FOV_DEG / 2))
    heading, up = np.radians([heading_deg, up_deg])
    back = np.array([np.cos(up) * np.cos(heading), np.cos(up) * np.sin(heading), np.sin(up)])
    right = np.array([-np.sin(heading), np.cos(heading), 0.0])
    rotation = np.column_stack([right, np.cross(-back, right), -back])
    middle, half = (low + high) / 2, (high - low) / 2
    corners = (np.array(np.meshgrid(*[(-1, 1)] * 3)).reshape(3, -1).T * half) @ rotation
    # A corner (a, b, c) in camera axes about the middle fits if away >= |a| or |b| times focal / half a side, less c.
    room = np.array([width, height - CAPTION_PX]) / 2 * FILLED
    away = float((np.abs(corners[:, :2]) * focal / room - corners[:, 2:]).max())
    return {
        "fx_px": focal, "fy_px": focal, "cx_px": width / 2, "cy_px": (height - CAPTION_PX) / 2,
        "position_m": (middle + away * back).tolist(), "rotation": rotation.tolist(),
        "distortion": [0.0] * 5, "motion_m": [0.0] * 3, "motion_deg": [0.0] * 3, "aperture_f": None, "focus_m": 3.0,
    }  # fmt: skip


def _tile(folder: Path, view: dict) -> np.ndarray:
    bpy.data.objects.remove(bpy.context.scene.camera)
    camera.build(view, *TILE_PX)
    cycles.render(folder / "passes.exr")
    cycles.save_picture(folder / "tile.png")
    return cycles.load_picture(folder / "tile.png")


def _captioned(tile: np.ndarray, record: dict) -> np.ndarray:
    """Write below a picture what it shows: the name of a single thing, or which picture it is."""
    groups = {thing["name"] for thing in record["objects"]}
    text = record["objects"][0]["name"] if len(groups) <= MOST_IN_A_GROUP else f"picture {record['index']}"
    corners, faces = letters(text)
    size = min(CAPTION_PX * 0.5, 0.94 * TILE_PX[0] / np.ptp(corners[:, 0]))
    points = corners * (size, -size) + (TILE_PX[0] / 2, TILE_PX[1] - CAPTION_PX / 2)
    fine = silhouettes.fill(points[np.array(faces)] * FINER, (0, 0), (TILE_PX[0] * FINER, TILE_PX[1] * FINER))
    ink = fine.in_frame(TILE_PX[0] * FINER, TILE_PX[1] * FINER)
    ink = ink.reshape(TILE_PX[1], FINER, TILE_PX[0], FINER).mean(axis=(1, 3))
    tile = tile.copy()
    tile[-CAPTION_PX:] = 255
    return np.rint(tile * (1 - ink[..., None])).astype(np.uint8)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m blender.preview", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--record", type=Path, required=True, help="scene records in JSON, one a line")
    parser.add_argument("--index", type=int, help="only the picture with this index")
    parser.add_argument("--out", type=Path, required=True, help="PNG file to write")
    parser.add_argument("--threads", type=int, default=2, help="processor threads of Cycles")
    options = parser.parse_args()
    try:
        chosen = [records.read_one(options.record, options.index)] if options.index is not None else None
        made = sheet(chosen or records.read(options.record), options.threads)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        aside = options.out.with_name(f".{options.out.name}")
        png.write_uint8(aside, made)
        os.replace(aside, options.out)
    except (records.RecordError, scene.SceneError, OSError) as error:
        print(f"preview: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    status = main()
    # Without tidying up, where bpy now and then waits for ever: see blender/render.py.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
