# SPDX-License-Identifier: Apache-2.0
"""Sample scene records, without Blender: one line of JSON per image. The command is `cariste sample`."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from pipeline.common import atomic_write, json_files
from pipeline.common.progress import track
from pipeline.common.randomness import choose_weighted, draw_seed, rng
from pipeline.config.stages import SampleConfig
from pipeline.record import provenance
from pipeline.record.objects import SceneObject
from pipeline.record.scene import GENERATOR_VERSION, Hall, RenderSettings, Scene, read_scenes
from pipeline.scenes.actors.lookalikes import add_lookalikes
from pipeline.scenes.actors.placement import ActorCounts, add_actors, draw_counts
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
from pipeline.scenes.layouts.hall_plan import HallPlan

LOG = logging.getLogger(__name__)

RandomOfStage = Callable[[str], np.random.Generator]


def sample_scene(config: SampleConfig, index: int, meshes: Sequence[CustomMesh] = ()) -> Scene:
    """Return the record of image `index`.

    Every stage has a random generator of its own. So a record depends only on the seed, the index and the config, and
    more images or a new stage do not change what the other stages draw. `meshes` are the custom meshes of the user.

    If the hall has no room for all people and trucks that were drawn, as many as fit are placed. A warning names the
    image and how many are left out.
    """

    def random(stage: str) -> np.random.Generator:
        return rng(config.data.seed, index, stage)

    layout = choose_weighted(random("layout"), config.layout.kinds)
    plan = furnish_hall(random("furniture"), layout, config.goods)
    plan.custom_meshes = meshes
    add_furniture(random("props"), plan)
    counts = draw_counts(random("counts"), config)
    view = _place_camera(random, config, plan, counts)
    add_lookalikes(random("lookalikes"), config.goods, view)
    add_actors(random("actors"), config, view, counts)
    _warn_of_missing_actors(index, counts, plan.space.objects)
    light_scene = choose_weighted(random("light"), config.light.scenes)
    power_factor = draw_power_factor(random("power"), config.light)
    hall = _draw_hall(random, plan, light_scene)
    lamps, ambient = draw_lights(random("lamps"), config.light, light_scene, hall, view.camera, power_factor)
    return Scene(
        generator_version=GENERATOR_VERSION,
        index=index,
        dataset_seed=config.data.seed,
        layout=layout,
        light=light_scene,
        render=_render_settings(random, config, light_scene, power_factor),
        camera=view.camera,
        hall=hall,
        lamps=lamps,
        ambient=ambient,
        objects=tuple(_assign_instance_ids(plan.space.objects)),
    )


def _warn_of_missing_actors(index: int, counts: ActorCounts, objects: Sequence[SceneObject]) -> None:
    """Log how many of the people and trucks that were drawn found no free place in the hall."""
    placed = Counter(scene_object.category for scene_object in objects)
    people, trucks = counts.people - placed["pedestrian"], counts.trucks - placed["pallet_truck"]
    if people or trucks:
        LOG.warning(
            "image %d: no free place for %d of %d people and %d of %d pallet trucks, so they are left out; "
            "to avoid this, lower people.count, trucks.count or goods.fill",
            *(index, people, counts.people, trucks, counts.trucks),
        )


def _place_camera(random: RandomOfStage, config: SampleConfig, plan: HallPlan, counts: ActorCounts) -> View:
    """Draw a camera, aimed at a subject in some images, and keep the space around it free."""
    category = draw_subject_category(random("subject"), config.camera, counts.people, counts.trucks)
    camera_args = (config.camera, plan.space, plan.walkways, lamp_height_m(plan.space.size_m[2]))
    aimed_camera = draw_aimed_camera(random("aim"), *camera_args, category) if category else None
    camera, subject = aimed_camera or (draw_camera(random("camera"), *camera_args), None)
    camera = draw_lens_effects(random("lens"), config.camera, camera)
    plan.space.reserve(camera_clearance_boxes(camera.position_m))
    return View(plan, camera, subject)


def _draw_hall(random: RandomOfStage, plan: HallPlan, light_scene: str) -> Hall:
    space = plan.space
    daylit = light_scene == "daylight"
    openings = draw_openings(random("openings"), space.size_m, plan.doors, daylit, space.is_free)
    outside_light = draw_outside_light(random("outside"), light_scene)
    return draw_hall(random("surfaces"), space.size_m, plan.floor_lines, openings, outside_light)


def _render_settings(
    random: RandomOfStage, config: SampleConfig, light_scene: str, power_factor: float
) -> RenderSettings:
    # More contrast or less exposure would leave nothing visible in a dark hall.
    is_dark = light_scene in DARK_LIGHT_SCENES
    contrast = "base" if is_dark else choose_weighted(random("contrast"), config.camera.contrast)
    exposure_error_ev = 0.0 if is_dark else draw_exposure_error_ev(random("exposure_error"), config.camera)
    render_rng = random("render")
    return RenderSettings(
        width=config.camera.width,
        height=config.camera.height,
        samples=config.render.samples,
        denoise=config.render.denoise,
        view_transform=config.render.view_transform,
        contrast=contrast,
        exposure_ev=round(draw_exposure_ev(render_rng, config.light, power_factor) + exposure_error_ev, 3),
        seed=draw_seed(render_rng),
        white_balance=round(float(random("white_balance").uniform(*config.camera.white_balance)), 3),
        depth=config.render.depth,
        normals=config.render.normals,
        verify=bool(render_rng.random() < config.render.verify_share),
    )


def _assign_instance_ids(objects: Iterable[SceneObject]) -> Iterable[SceneObject]:
    """Yield the objects; people and trucks get the instance ids 1, 2, 3, ..., all other objects keep 0."""
    last_id = 0
    for scene_object in objects:
        if scene_object.category is None:
            yield scene_object
        else:
            last_id += 1
            yield scene_object.model_copy(update={"instance_id": last_id})


def write_scenes(scenes: Iterable[Scene], out: Path) -> None:
    """Write records as JSON lines; the file appears as a whole or not at all."""
    with atomic_write.atomic_file(out) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for scene in scenes:
            file.write(scene.model_dump_json() + "\n")


def sample_to_file(
    config: SampleConfig,
    indices: range,
    custom_meshes_json: Sequence[Path],
    out: Path,
    provenance_out: Path | None = None,
) -> None:
    """Write the scene records of the images with these indices, and their provenance if `provenance_out` is given.

    `custom_meshes_json` are files of `python -m blender measure`, one per custom mesh.

    Raises:
        CatalogueError: one of `custom_meshes_json` cannot be read.
    """
    meshes = custom_meshes.read_measured_meshes(custom_meshes_json)
    scenes = (sample_scene(config, index, meshes) for index in indices)
    write_scenes(track(scenes, len(indices), "sample"), out)
    if provenance_out:
        json_files.write_json(
            provenance_out, provenance.describe_scenes(config.model_dump(mode="json"), read_scenes(out))
        )
