# SPDX-License-Identifier: Apache-2.0
"""Sample scene records, one line of JSON per image, without Blender.

`python -m pipeline.scenes.sample --config configs/quickstart.yaml --first 0 --count 10 --out scenes/00000.jsonl
--provenance scenes/00000.json`
"""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from pipeline.common import json_files
from pipeline.common.progress import track
from pipeline.common.randomness import choose_weighted, draw_seed, rng
from pipeline.config.config import Config
from pipeline.record import provenance
from pipeline.record.objects import SceneObject
from pipeline.record.scene import GENERATOR_VERSION, RenderSettings, Scene, read_scenes
from pipeline.scenes.actors.lookalikes import add_lookalikes
from pipeline.scenes.actors.placement import NoRoomError, add_actors, draw_counts
from pipeline.scenes.actors.visible_placement import View
from pipeline.scenes.assets import custom_meshes
from pipeline.scenes.assets.custom_meshes import CustomMesh
from pipeline.scenes.cameras.aimed_camera import draw_aimed_camera, draw_subject_category
from pipeline.scenes.cameras.rigs import camera_clearance_boxes, draw_camera, draw_exposure_error_ev, draw_lens_effects
from pipeline.scenes.hall.hall import draw_hall, draw_openings
from pipeline.scenes.hall.lighting import (
    DARK_LIGHT_SCENES,
    draw_exposure_ev,
    draw_lights,
    draw_outside_light,
    draw_power_factor,
    lamp_height_m,
)
from pipeline.scenes.layouts.furnish import furnish_hall
from pipeline.scenes.layouts.furniture import add_furniture


def sample_scene(config: Config, index: int, own: Sequence[CustomMesh] = ()) -> Scene:
    """Return the record of image `index`; it depends on the seed and the sections of `config.WORLD` and `render`.

    `own` are the user's meshes, some of which stand in the hall.

    Every stage has its own generator, so a new stage or more images change nothing that was there.

    Raises:
        NoRoomError: the config asks for more people and trucks than the hall of this image holds.
    """

    def random(stage: str) -> np.random.Generator:
        return rng(config.data.seed, index, stage)

    layout = choose_weighted(random("layout"), config.layout.kinds)
    plan = furnish_hall(random("furniture"), layout, config.goods)
    plan.custom_meshes = own
    add_furniture(random("props"), plan)
    space = plan.space
    lamps_m = lamp_height_m(space.size_m[2])
    counts = draw_counts(random("counts"), config)
    category = draw_subject_category(random("subject"), config.camera, counts.people, counts.trucks)
    where = (config.camera, space, plan.walkways, lamps_m)
    aimed = draw_aimed_camera(random("aim"), *where, category) if category else None
    camera, subject = aimed or (draw_camera(random("camera"), *where), None)
    camera = draw_lens_effects(random("lens"), config.camera, camera)
    space.reserve(camera_clearance_boxes(camera.position_m))
    view = View(plan, camera, subject)
    add_lookalikes(random("lookalikes"), config.goods, view)
    try:
        add_actors(random("actors"), config, view, counts)
    except NoRoomError as error:
        raise NoRoomError(f"image {index}: {error}") from None
    factor = draw_power_factor(random("power"), config.light)
    light = choose_weighted(random("light"), config.light.scenes)
    doors = [((door.x_m, door.y_m), door.yaw_deg, (door.width_m, door.height_m)) for door in plan.doors]
    openings = draw_openings(random("openings"), space.size_m, doors, light == "daylight", space.is_free)
    hall = draw_hall(
        random("surfaces"), space.size_m, plan.floor_lines, openings, draw_outside_light(random("outside"), light)
    )
    lamps, ambient = draw_lights(random("lamps"), config.light, light, hall, camera, factor)
    return Scene(
        generator_version=GENERATOR_VERSION,
        index=index,
        dataset_seed=config.data.seed,
        layout=layout,
        light=light,
        render=_render_settings(random, config, light, factor),
        camera=camera,
        hall=hall,
        lamps=lamps,
        ambient=ambient,
        objects=tuple(_numbered(space.objects)),
    )


def _render_settings(
    random: Callable[[str], np.random.Generator], config: Config, light: str, power_factor: float
) -> RenderSettings:
    # In the dark, more contrast or less exposure would leave nothing to see.
    dark = light in DARK_LIGHT_SCENES
    contrast = "base" if dark else choose_weighted(random("contrast"), config.camera.contrast)
    wrong_ev = 0.0 if dark else draw_exposure_error_ev(random("exposure_error"), config.camera)
    draws = random("render")
    return RenderSettings(
        width=config.camera.width,
        height=config.camera.height,
        samples=config.render.samples,
        denoise=config.render.denoise,
        view_transform=config.render.view_transform,
        contrast=contrast,
        exposure_ev=round(draw_exposure_ev(draws, config.light, power_factor) + wrong_ev, 3),
        seed=draw_seed(draws),
        white_balance=round(float(random("white_balance").uniform(*config.camera.white_balance)), 3),
        depth=config.render.depth,
        normals=config.render.normals,
        verify=bool(draws.random() < config.render.verify_share),
    )


def _numbered(objects: Iterable[SceneObject]) -> Iterable[SceneObject]:
    """Give people and trucks instance ids 1, 2, 3, ... and leave 0 to all else."""
    last = 0
    for scene_object in objects:
        last += scene_object.category is not None
        yield (
            scene_object.model_copy(update={"instance_id": last}) if scene_object.category is not None else scene_object
        )


def write_scenes(scenes: Iterable[Scene], out: Path) -> None:
    """Write records as JSON lines; the file appears whole or not at all.

    Two processes may be at it, for jobs live on when Snakemake is killed: the last to begin wins, the other one fails.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    for left in out.parent.glob(f".{out.name}.*"):
        left.unlink(missing_ok=True)
    aside = out.with_name(f".{out.name}.{os.getpid()}")
    with aside.open("w", encoding="utf-8", newline="\n") as file:
        for scene in scenes:
            file.write(scene.model_dump_json() + "\n")
    os.replace(aside, out)


def sample_to_file(
    config: Config, indices: range, custom_meshes_json: Sequence[Path], out: Path, provenance_out: Path | None = None
) -> None:
    """Write the scene records of the images with these indices, and what they were made from.

    `custom_meshes_json`: what `python -m blender measure` wrote, one file for each mesh.

    Raises:
        NoRoomError: see `sample_scene`.
        CatalogueError: a file of a mesh that cannot be used.
    """
    meshes = custom_meshes.read_measured_meshes(custom_meshes_json)
    scenes = (sample_scene(config, index, meshes) for index in indices)
    write_scenes(track(scenes, len(indices), "sample"), out)
    if provenance_out:
        json_files.write_json(provenance_out, provenance.describe_scenes(config, read_scenes(out)))
