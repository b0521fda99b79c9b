# SPDX-License-Identifier: GPL-3.0-or-later
"""Search for exceptions in random scenes of random valid configs: sampling, posing people, building people and trucks.

`python -m tests.search.random_scenes --count 20000 --build-every 10 --out failures.jsonl`

Nothing is rendered. A number always gives the same scene, so `--first N --count 1` repeats a failure of scene N.
"""

import argparse
import json
import sys
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path

import bpy
import numpy as np

from blender.mesh.asset_cache import AssetCache
from blender.people import body_shape, pose_solver, shoes, skeleton
from blender.shards.build_scene import OBJECT_BUILDERS
from pipeline.config.stages import SampleConfig
from pipeline.scenes.sample import sample_scene
from tests.search.random_configs import draw_config

MAX_IMAGE_INDEX = 100_000


@dataclass(frozen=True)
class Failure:
    """An exception. `stage`: "sample", "pose" or "build"; `config`: JSON of the config that led to it."""

    number: int
    stage: str
    error: str
    trace: str
    image_index: int
    config: str


@dataclass
class Counts:
    """How much was checked without an exception."""

    sampled: int = 0
    posed_people: int = 0
    built_scenes: int = 0


def check_scene(number: int, build: bool, counts: Counts) -> list[Failure]:
    """Sample scene `number`, pose its people and, if `build`, build the meshes of its people and trucks.

    Adds to `counts` and returns the exceptions, the first one of each stage.
    """
    random = np.random.default_rng([number, 14])
    config, index = draw_config(random), int(random.integers(MAX_IMAGE_INDEX))
    failures = []

    def fail(stage: str) -> None:
        error = traceback.format_exc().splitlines()[-1]
        failures.append(Failure(number, stage, error, traceback.format_exc(), index, config.model_dump_json()))

    try:
        scene = sample_scene(SampleConfig.from_config(config), index).model_dump(mode="json")
        counts.sampled += 1
    except Exception:  # the search reports whatever is raised
        fail("sample")
        return failures
    actors = [item for item in scene["objects"] if item["instance_id"]]
    try:
        for actor in actors:
            if actor["asset"] == "person":
                pose_person(actor["parameters"])
                counts.posed_people += 1
    except Exception:
        fail("pose")
    if build and not failures:
        try:
            bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
            cache = AssetCache()
            for actor in actors:
                OBJECT_BUILDERS[actor["asset"]](actor["parameters"], cache)
            counts.built_scenes += 1
        except Exception:
            fail("build")
    return failures


def pose_person(parameters: dict) -> np.ndarray:
    """Return the skinning transforms (B, 4, 4) of the person with these record parameters."""
    vertices = body_shape.shape_vertices(parameters)
    bones = skeleton.find_skeleton(vertices)
    pair = shoes.fit_shoes(bones, vertices)
    return pose_solver.solve_pose(bones, parameters["pose"], (pair.points, pair.weights))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.search.random_scenes", description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="number of the first scene")
    parser.add_argument("--count", type=int, required=True, help="how many scenes to sample")
    parser.add_argument("--build-every", type=int, default=10, help="build the meshes of every n-th scene; 0: of none")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines file for the failures")
    arguments = parser.parse_args()
    counts, failed, start = Counts(), 0, time.monotonic()
    with arguments.out.open("w", encoding="utf-8") as out:
        for done, number in enumerate(range(arguments.first, arguments.first + arguments.count), start=1):
            build = arguments.build_every > 0 and number % arguments.build_every == 0
            for failure in check_scene(number, build, counts):
                failed += 1
                out.write(json.dumps(asdict(failure)) + "\n")
                out.flush()
            if done % 100 == 0 or done == arguments.count:
                seconds = time.monotonic() - start
                print(f"{done} scenes, {failed} failures, {counts}, {seconds:.0f} s", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
