# SPDX-License-Identifier: GPL-3.0-or-later
"""The command `preview`: a sheet of small images that shows objects or scenes from several sides and from above.

A scene is shown as its own camera sees it, then from four corners and from above; an object from eight sides and from
above. With many records there are fewer views of each, at least one. Except in the camera's own view, walls, ceiling
and everything that hangs from it are hidden, and the light is uniform. A bar on the floor is 1 m long; an arrow points
forward (+x).
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
CAPTION_SUPERSAMPLING = 4  # captions are drawn larger by this factor, then averaged
VIEWS_PER_RECORD = 9  # eight from the sides and one from above; of a scene its own, four from corners, one from above
MAX_TILES = 32  # two processor threads render them in less than a minute
MAX_TILES_PER_ROW = 7
MAX_GROUP_OBJECTS = 6  # a record with more objects on the floor is shown as a scene
SAMPLES = 6
UNIFORM_LIGHT = 0.7  # W / (m2 sr)
FOV_DEG = 30.0
FRAME_FILL = 0.86  # share of an image's width or height that its content fills
FIRST_AZIMUTH_DEG, ELEVATION_DEG = 40.0, 18.0  # the first view: from the front left, a little from above
SCENE_ELEVATION_DEG = 42.0
TOP_VIEW_DEG = (0.0, 89.9)
KEPT_HALL_OBJECTS = ("floor", "litter")  # object names of the hall that stay visible
NO_LENS_EFFECTS = {
    "distortion": [0.0] * 5,
    "motion_m": [0.0] * 3,
    "motion_deg": [0.0] * 3,
    "aperture_f": None,
    "focus_m": 3.0,
}


def contact_sheet(records: list[dict], threads: int) -> np.ndarray:
    """Return the sheet (H, W, 3) uint8 of scene records.

    Raises:
        SceneError: a scene cannot be built, or there is no object in it.
    """
    views = max(1, min(VIEWS_PER_RECORD, MAX_TILES // len(records)))
    tiles = [tile for record in records for tile in _render_tiles(record, views, threads)]
    columns = 3 if len(records) == 1 else views if views > 1 else min(len(tiles), MAX_TILES_PER_ROW)
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    return np.concatenate([np.concatenate(tiles[at : at + columns], axis=1) for at in range(0, len(tiles), columns)])


def _render_tiles(record: dict, views: int, threads: int) -> list[np.ndarray]:
    """Build the scene of a record once and render its images."""
    if all(scene_object["stands_on"] == "ceiling" for scene_object in record["objects"]):
        raise build_scene.SceneError(f"image {record['index']} is an empty hall: there is nothing to show")
    whole_scene = shows_whole_scene(record) and views == VIEWS_PER_RECORD
    size_px = SCENE_TILE_PX if whole_scene else TILE_PX
    scene_camera = _undistorted_camera(record, size_px)
    settings = record["render"] | {"width": size_px[0], "height": size_px[1], "samples": SAMPLES, "denoise": True}
    settings |= {"depth": None, "normals": None}
    build_scene.build_scene(record | {"render": settings, "camera": scene_camera})
    render_settings.configure(settings, "cpu", threads)
    name = f"image {record['index']}" if shows_whole_scene(record) else record["objects"][0]["name"]
    with tempfile.TemporaryDirectory() as folder:
        tiles = [_render_tile(Path(folder), scene_camera, f"{name}, as its camera sees it")] if whole_scene else []
        low, high = _prepare_overview(record)
        sides = _scene_view_angles(views) if shows_whole_scene(record) else _object_view_angles(views)
        return tiles + [_render_tile(Path(folder), _orbit_camera(low, high, *side, size_px), name) for side in sides]


def _scene_view_angles(views: int) -> list[tuple[float, float]]:
    """Return (azimuth, elevation) of each view of a scene, in degrees."""
    corners = [(FIRST_AZIMUTH_DEG + 90 * number, SCENE_ELEVATION_DEG) for number in range(4)]
    return [*corners, TOP_VIEW_DEG] if views == VIEWS_PER_RECORD else corners[:1]


def _object_view_angles(views: int) -> list[tuple[float, float]]:
    """Return (azimuth, elevation) of each view of an object, in degrees."""
    around = views - 1 if views > 2 else views
    from_sides = [(FIRST_AZIMUTH_DEG + 360 * number / around, ELEVATION_DEG) for number in range(around)]
    return from_sides + [TOP_VIEW_DEG] * (views - around)


def _prepare_overview(record: dict) -> tuple[np.ndarray, np.ndarray]:
    """Hide the hall, add uniform light and scale marks; return the lower and upper corner (3,) around all objects."""
    hanging = {item["name"] for item in record["objects"] if item["stands_on"] == "ceiling"}
    visible_parts = []
    for part in [part for part in bpy.context.scene.objects if part.type == "MESH"]:
        if part.parent is None:
            part.hide_render = not part.name.startswith(KEPT_HALL_OBJECTS)
        elif _root(part).name in hanging:
            part.hide_render = True
        else:
            visible_parts.append(part)
    corners = np.array([part.matrix_world @ Vector(corner) for part in visible_parts for corner in part.bound_box])
    low, high = corners.min(axis=0), corners.max(axis=0)
    _set_uniform_light()
    _add_scale_marks(low, high)
    return low, high


def _root(part: bpy.types.Object) -> bpy.types.Object:
    return _root(part.parent) if part.parent else part


def shows_whole_scene(record: dict) -> bool:
    """Return whether a record is shown as a scene, not as one object with those that belong to it."""
    return len([item for item in record["objects"] if item["stands_on"] == "floor"]) > MAX_GROUP_OBJECTS


def _undistorted_camera(record: dict, size_px: tuple[int, int]) -> dict:
    """Return the record's camera without distortion and blur, for an image of this size that includes its caption."""
    width, height = size_px[0], size_px[1] - CAPTION_PX
    scale = min(width / record["render"]["width"], height / record["render"]["height"])
    focal = record["camera"]["fx_px"] * scale
    return (
        record["camera"] | NO_LENS_EFFECTS | {"fx_px": focal, "fy_px": focal, "cx_px": width / 2, "cy_px": height / 2}
    )


def _set_uniform_light() -> None:
    """Set uniform ambient light and an exposure for it, because the record's own light may be dark."""
    background = bpy.context.scene.world.node_tree.nodes["Background"]
    for link in list(background.inputs["Color"].links):
        bpy.context.scene.world.node_tree.links.remove(link)
    background.inputs["Color"].default_value = (1.0, 1.0, 1.0, 1.0)
    background.inputs["Strength"].default_value = UNIFORM_LIGHT
    bpy.context.scene.view_settings.exposure = 0.0


def _add_scale_marks(low: np.ndarray, high: np.ndarray) -> None:
    """Put a bar of 1 m in ten pieces on the floor, left of all objects, and an arrow in front of them, towards +x."""
    dark, light = plain_material("dark mark", (0.02, 0.02, 0.02)), plain_material("light mark", (0.8, 0.8, 0.8))
    (x, y), middle = (low[:2] + high[:2]) / 2 + (0, 0.2), (low[1] + high[1]) / 2
    y += (high[1] - low[1]) / 2
    pieces = [box((0.1, 0.05, 0.004), (x + 0.1 * n - 0.45, y, 0.004), slot=n % 2) for n in range(10)]
    arrow = np.array([(0.4, 0, 0), (0.1, 0.15, 0), (0.1, -0.15, 0)]) * min(1.0, max(high - low) / 1.5)
    corners, faces = text_triangles("1 m")
    # The text is rotated so that it can be read from the left, where the first view is.
    words = np.c_[corners * -0.16 + (x, y + 0.16), np.full(len(corners), 0.006)]
    arrow, word = Solid(arrow, [(0, 1, 2)]).moved((high[0], middle, 0.006)), Solid(words, list(faces))
    marks = bpy.data.objects.new("floor marks", solids_to_mesh("marks", [*pieces, arrow, word], [dark, light]))
    bpy.context.scene.collection.objects.link(marks)


def _orbit_camera(
    low: np.ndarray, high: np.ndarray, azimuth_deg: float, elevation_deg: float, size_px: tuple[int, int] = TILE_PX
) -> dict:
    """Return a record's camera that sees the whole bounding box; an azimuth of 0 is in front of it, 90 at its left."""
    width, height = size_px[0], size_px[1] - CAPTION_PX
    focal = height / 2 / np.tan(np.radians(FOV_DEG / 2))
    heading, up = np.radians([azimuth_deg, elevation_deg])
    back = np.array([np.cos(up) * np.cos(heading), np.cos(up) * np.sin(heading), np.sin(up)])
    right = np.array([-np.sin(heading), np.cos(heading), 0.0])
    rotation = np.column_stack([right, np.cross(-back, right), -back])
    middle, half = (low + high) / 2, (high - low) / 2
    corners = (np.array(np.meshgrid(*[(-1, 1)] * 3)).reshape(3, -1).T * half) @ rotation
    # A corner (a, b, c), in camera axes about the middle, is projected to focal * a / (distance + c): this must fit.
    room = np.array([width, height]) / 2 * FRAME_FILL
    distance = float((np.abs(corners[:, :2]) * focal / room - corners[:, 2:]).max())
    return NO_LENS_EFFECTS | {
        "fx_px": focal, "fy_px": focal, "cx_px": width / 2, "cy_px": height / 2,
        "position_m": (middle + distance * back).tolist(), "rotation": rotation.tolist(),
    }  # fmt: skip


def _render_tile(folder: Path, view: dict, caption: str) -> np.ndarray:
    """Render one image and write its caption below it."""
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
    fine = silhouettes.rasterize_triangles(
        points[np.array(faces)] * CAPTION_SUPERSAMPLING,
        (0, 0),
        (width * CAPTION_SUPERSAMPLING, height * CAPTION_SUPERSAMPLING),
    )
    ink = (
        fine.in_frame(width * CAPTION_SUPERSAMPLING, height * CAPTION_SUPERSAMPLING)
        .reshape(height, CAPTION_SUPERSAMPLING, width, CAPTION_SUPERSAMPLING)
        .mean(axis=(1, 3))
    )
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
