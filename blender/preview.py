# SPDX-License-Identifier: GPL-3.0-or-later
"""The command `preview`: a sheet of small images: what records hold, seen from all around and from above.

A scene is shown as its camera sees it, then from four corners and from above, a thing from eight sides and from above;
with many records there are fewer views of each, down to one. But for the camera's own view, walls, ceiling and what
hangs there are left out and the light is even. A bar on the floor is 1 m long, an arrow shows what is forward.
"""

import argparse
import tempfile
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

from blender.camera import camera
from blender.common import png, scene_records
from blender.common.atomic_file import replace_file
from blender.cycles import render_settings
from blender.ground_truth import silhouettes
from blender.materials.common_materials import plain_material
from blender.materials.lettering import text_triangles
from blender.mesh.solids import Solid, box, solids_to_mesh
from blender.shards import build_scene

TILE_PX = (264, 232)
SCENE_TILE_PX = (420, 342)
CAPTION_PX = 22
FINER = 4  # captions are drawn so many times as large and shrunk
VIEWS = 9  # eight around and one from above; of a scene its own view, four around and one from above
MOST_TILES = 32  # what two threads of a processor render in less than a minute
ONE_ROW = 7
MOST_IN_A_GROUP = 6  # more things on the floor are a scene
SAMPLES = 6
EVEN_LIGHT = 0.7  # W / (m2 sr)
FOV_DEG = 30.0
FILLED = 0.86  # of an image's sides, by what it shows
FIRST_DEG, UP_DEG = 40.0, 18.0  # the first view: from ahead, to the left, a little from above
SCENE_UP_DEG = 42.0
ABOVE = (0.0, 89.9)
KEPT = ("floor", "litter")  # parts of the hall that stay
STILL = {"distortion": [0.0] * 5, "motion_m": [0.0] * 3, "motion_deg": [0.0] * 3, "aperture_f": None, "focus_m": 3.0}


def contact_sheet(chosen: list[dict], threads: int) -> np.ndarray:
    """Return the sheet (H, W, 3) uint8 of these records (dicts of pipeline's scene record).

    Raises:
        scene.SceneError: see `scene.build_scene`; or nothing is in the hall.
    """
    views = max(1, min(VIEWS, MOST_TILES // len(chosen)))
    tiles = [tile for record in chosen for tile in _tiles(record, views, threads)]
    columns = 3 if len(chosen) == 1 else views if views > 1 else min(len(tiles), ONE_ROW)
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    return np.concatenate([np.concatenate(tiles[at : at + columns], axis=1) for at in range(0, len(tiles), columns)])


def _tiles(record: dict, views: int, threads: int) -> list[np.ndarray]:
    """Build a record once and take its images."""
    if all(thing["stands_on"] == "ceiling" for thing in record["objects"]):
        raise build_scene.SceneError(f"image {record['index']} is an empty hall: there is nothing to look at")
    whole_scene = shows_whole_scene(record) and views == VIEWS
    size_px = SCENE_TILE_PX if whole_scene else TILE_PX
    own_view = _own_camera(record, size_px)
    settings = record["render"] | {"width": size_px[0], "height": size_px[1], "samples": SAMPLES, "denoise": True}
    settings |= {"depth": None, "normals": None}
    build_scene.build_scene(record | {"render": settings, "camera": own_view})
    render_settings.configure(settings, "cpu", threads)
    name = f"image {record['index']}" if shows_whole_scene(record) else record["objects"][0]["name"]
    with tempfile.TemporaryDirectory() as folder:
        taken = [_tile(Path(folder), own_view, f"{name}, as its camera sees it")] if whole_scene else []
        low, high = _clear_view(record)
        sides = _scene_sides(views) if shows_whole_scene(record) else _thing_sides(views)
        return taken + [_tile(Path(folder), _camera(low, high, *side, size_px), name) for side in sides]


def _scene_sides(views: int) -> list[tuple[float, float]]:
    """Return headings and heights in degrees."""
    corners = [(FIRST_DEG + 90 * number, SCENE_UP_DEG) for number in range(4)]
    return [*corners, ABOVE] if views == VIEWS else corners[:1]


def _thing_sides(views: int) -> list[tuple[float, float]]:
    around = views - 1 if views > 2 else views
    return [(FIRST_DEG + 360 * number / around, UP_DEG) for number in range(around)] + [ABOVE] * (views - around)


def _clear_view(record: dict) -> tuple[np.ndarray, np.ndarray]:
    """Hide what is in the way, light and mark the rest; return the corners (3,) of the box around all things."""
    hung = {thing["name"] for thing in record["objects"] if thing["stands_on"] == "ceiling"}
    things = []
    for part in [part for part in bpy.context.scene.objects if part.type == "MESH"]:
        if part.parent is None:
            part.hide_render = not part.name.startswith(KEPT)
        elif _root(part).name in hung:
            part.hide_render = True
        else:
            things.append(part)
    corners = np.array([part.matrix_world @ Vector(corner) for part in things for corner in part.bound_box])
    low, high = corners.min(axis=0), corners.max(axis=0)
    _even_light()
    _add_marks(low, high)
    return low, high


def _root(part: bpy.types.Object) -> bpy.types.Object:
    return _root(part.parent) if part.parent else part


def shows_whole_scene(record: dict) -> bool:
    """Is this a hall, and not one thing with what belongs to it?"""
    return len([thing for thing in record["objects"] if thing["stands_on"] == "floor"]) > MOST_IN_A_GROUP


def _own_camera(record: dict, size_px: tuple[int, int]) -> dict:
    """Return the record's camera, without lens distortion and blur, for an image of this size with its caption."""
    width, height = size_px[0], size_px[1] - CAPTION_PX
    scale = min(width / record["render"]["width"], height / record["render"]["height"])
    focal = record["camera"]["fx_px"] * scale
    return record["camera"] | STILL | {"fx_px": focal, "fy_px": focal, "cx_px": width / 2, "cy_px": height / 2}


def _even_light() -> None:
    """Light from everywhere, and an exposure for it: the image's own light may be dusk or a torch."""
    background = bpy.context.scene.world.node_tree.nodes["Background"]
    for link in list(background.inputs["Color"].links):
        bpy.context.scene.world.node_tree.links.remove(link)
    background.inputs["Color"].default_value = (1.0, 1.0, 1.0, 1.0)
    background.inputs["Strength"].default_value = EVEN_LIGHT
    bpy.context.scene.view_settings.exposure = 0.0


def _add_marks(low: np.ndarray, high: np.ndarray) -> None:
    """Lay a bar of 1 m in ten pieces on the floor, left of everything, and an arrow ahead of it all, towards +x."""
    dark, light = plain_material("dark mark", (0.02, 0.02, 0.02)), plain_material("light mark", (0.8, 0.8, 0.8))
    (x, y), middle = (low[:2] + high[:2]) / 2 + (0, 0.2), (low[1] + high[1]) / 2
    y += (high[1] - low[1]) / 2
    pieces = [box((0.1, 0.05, 0.004), (x + 0.1 * n - 0.45, y, 0.004), slot=n % 2) for n in range(10)]
    arrow = np.array([(0.4, 0, 0), (0.1, 0.15, 0), (0.1, -0.15, 0)]) * min(1.0, max(high - low) / 1.5)
    corners, faces = text_triangles("1 m")
    # To be read from where the first view is taken: from the left.
    words = np.c_[corners * -0.16 + (x, y + 0.16), np.full(len(corners), 0.006)]
    arrow, word = Solid(arrow, [(0, 1, 2)]).moved((high[0], middle, 0.006)), Solid(words, list(faces))
    marks = bpy.data.objects.new("floor marks", solids_to_mesh("marks", [*pieces, arrow, word], [dark, light]))
    bpy.context.scene.collection.objects.link(marks)


def _camera(
    low: np.ndarray, high: np.ndarray, heading_deg: float, up_deg: float, size_px: tuple[int, int] = TILE_PX
) -> dict:
    """Return a record's camera that sees a box whole, from a heading (0: from ahead, counter-clockwise) and height."""
    width, height = size_px[0], size_px[1] - CAPTION_PX
    focal = height / 2 / np.tan(np.radians(FOV_DEG / 2))
    heading, up = np.radians([heading_deg, up_deg])
    back = np.array([np.cos(up) * np.cos(heading), np.cos(up) * np.sin(heading), np.sin(up)])
    right = np.array([-np.sin(heading), np.cos(heading), 0.0])
    rotation = np.column_stack([right, np.cross(-back, right), -back])
    middle, half = (low + high) / 2, (high - low) / 2
    corners = (np.array(np.meshgrid(*[(-1, 1)] * 3)).reshape(3, -1).T * half) @ rotation
    # A corner (a, b, c) in camera axes about the middle is seen from so far away that focal * a / (away + c) fits.
    room = np.array([width, height]) / 2 * FILLED
    away = float((np.abs(corners[:, :2]) * focal / room - corners[:, 2:]).max())
    return STILL | {
        "fx_px": focal, "fy_px": focal, "cx_px": width / 2, "cy_px": height / 2,
        "position_m": (middle + away * back).tolist(), "rotation": rotation.tolist(),
    }  # fmt: skip


def _tile(folder: Path, view: dict, caption: str) -> np.ndarray:
    """Take one image and write below it what it shows."""
    render = bpy.context.scene.render
    bpy.data.objects.remove(bpy.context.scene.camera)
    camera.build_camera(view, render.resolution_x, render.resolution_y)
    render_settings.render(folder / "passes.exr")
    render_settings.save_image(folder / "tile.png")
    return _captioned(render_settings.load_image(folder / "tile.png"), caption)


def _captioned(tile: np.ndarray, text: str) -> np.ndarray:
    height, width = tile.shape[:2]
    corners, faces = text_triangles(text)
    size = min(CAPTION_PX * 0.5, 0.94 * width / np.ptp(corners[:, 0]))
    points = corners * (size, -size) + (width / 2, height - CAPTION_PX / 2)
    fine = silhouettes.rasterize_triangles(points[np.array(faces)] * FINER, (0, 0), (width * FINER, height * FINER))
    ink = fine.in_frame(width * FINER, height * FINER).reshape(height, FINER, width, FINER).mean(axis=(1, 3))
    tile[-CAPTION_PX:] = 255
    return np.rint(tile * (1 - ink[..., None])).astype(np.uint8)


def run(options: argparse.Namespace) -> None:
    """Run the command `preview` with the options of `blender/__main__.py`.

    Raises:
        CaristeError: a record is wrong or there is nothing to show.
        OSError: the file cannot be written.
    """
    records = (
        scene_records.read_records(options.record)
        if options.index is None
        else [scene_records.read_record(options.record, options.index)]
    )
    sheet = contact_sheet(records, options.threads)
    with replace_file(options.out) as temporary:
        png.write_uint8(temporary, sheet)
