# SPDX-License-Identifier: GPL-3.0-or-later
"""Save an image with 40 exposures and print the memory in MB after each, as a JSON list.

Arguments: a scene record in JSON and a folder for the images. A process of its own, because bpy reads the settings that
keep its memory small when it is imported.
"""

import json
import sys
from pathlib import Path

import blender  # noqa: F401  before bpy: sets what bpy reads when it is imported

# isort: split
import bpy
import numpy as np
import psutil

from blender.common.process_exit import exit_process
from blender.cycles import render_settings
from blender.shards import build_scene


def main() -> None:
    record, folder = json.loads(sys.argv[1]), Path(sys.argv[2])
    build_scene.build_scene(record)
    render_settings.configure(record["render"], "cpu", 1)
    render_settings.render(folder / "passes.exr")
    memory_mb = []
    for number in range(40):
        bpy.context.scene.view_settings.exposure = -1 + 0.05 * number
        render_settings.balance_white(np.full((4, 4, 3), (0.6, 0.5, 0.1 + 0.01 * number)), 1.0)
        render_settings.save_image(folder / "image.png")
        memory_mb.append(psutil.Process().memory_info().rss / 2**20)
    print(json.dumps(memory_mb), flush=True)
    exit_process(0)


if __name__ == "__main__":
    main()
