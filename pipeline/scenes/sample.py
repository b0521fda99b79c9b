# SPDX-License-Identifier: Apache-2.0
"""Sample scene records, one line of JSON per image, without Blender.

`python -m pipeline.scenes.sample --config configs/quickstart.yaml --first 0 --count 10 --out scenes/00000.jsonl
--provenance scenes/00000.json`
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from pipeline.coco import reader
from pipeline.common.progress import track
from pipeline.common.randomness import choose_weighted, rng
from pipeline.config.config import GENERATOR_VERSION, Config, ConfigError, read_config
from pipeline.record import provenance
from pipeline.record.asset_catalogue import CatalogueError
from pipeline.record.objects import SceneObject
from pipeline.record.scene import RenderSettings, Scene, read_scenes
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
    setting = furnish_hall(random("furniture"), layout, config.goods)
    setting.own = own
    add_furniture(random("props"), setting)
    space = setting.space
    lamps_m = lamp_height_m(space.size_m[2])
    counts = draw_counts(random("counts"), config)
    category = draw_subject_category(random("subject"), config.camera, counts.people, counts.trucks)
    where = (config.camera, space, setting.walkways, lamps_m)
    aimed = draw_aimed_camera(random("aim"), *where, category) if category else None
    camera, subject = aimed or (draw_camera(random("camera"), *where), None)
    camera = draw_lens_effects(random("lens"), config.camera, camera)
    space.keep_free(camera_clearance_boxes(camera.position_m))
    view = View(setting, camera, subject)
    add_lookalikes(random("lookalikes"), config.goods, view)
    try:
        add_actors(random("actors"), config, view, counts)
    except NoRoomError as error:
        raise NoRoomError(f"image {index}: {error}") from None
    factor = draw_power_factor(random("power"), config.light)
    light = choose_weighted(random("light"), config.light.scenes)
    doors = [((door.x_m, door.y_m), door.yaw_deg, (door.width_m, door.height_m)) for door in setting.doors]
    openings = draw_openings(random("openings"), space.size_m, doors, light == "daylight", space.is_free)
    hall = draw_hall(
        random("surfaces"), space.size_m, setting.lines, openings, draw_outside_light(random("outside"), light)
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
        objects=tuple(_numbered(space.things)),
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
        seed=int(draws.integers(2**31)),
        white_balance=round(float(random("white_balance").uniform(*config.camera.white_balance)), 3),
        depth=config.render.depth,
        normals=config.render.normals,
        verify=bool(draws.random() < config.render.verify_share),
    )


def _numbered(things: Iterable[SceneObject]) -> Iterable[SceneObject]:
    """Give people and trucks instance ids 1, 2, 3, ... and leave 0 to all else."""
    last = 0
    for thing in things:
        last += thing.category is not None
        yield thing.model_copy(update={"instance_id": last}) if thing.category is not None else thing


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


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline.scenes.sample", description=__doc__)
    parser.add_argument("--config", required=True, help="YAML file, or its content as inline JSON or YAML: {...}")
    parser.add_argument("--first", type=int, default=0, help="index of the first image")
    parser.add_argument("--count", type=int, required=True, help="how many images")
    parser.add_argument("--own", type=Path, nargs="*", default=[], help="JSON of blender.measure_asset, one an asset")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines file to write")
    parser.add_argument("--provenance", type=Path, help="also write what made the records to this JSON file")
    arguments = parser.parse_args()
    if arguments.first < 0 or arguments.count < 1:
        parser.error("--first must be 0 or more, --count 1 or more")
    try:
        config = read_config(arguments.config)
        indices = range(arguments.first, arguments.first + arguments.count)
        own = custom_meshes.read_measured_meshes(arguments.own)
        scenes = (sample_scene(config, index, own) for index in indices)
        write_scenes(track(scenes, arguments.count, "sample"), arguments.out)
        if arguments.provenance:
            reader.write_json(arguments.provenance, provenance.describe_scenes(config, read_scenes(arguments.out)))
    except (ConfigError, NoRoomError, CatalogueError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"cannot write {arguments.out}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
