# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory of a render job, in a process of its own: bpy reads its settings when it is imported."""

import json
import subprocess
import sys

from tests import records
from tests.road import ROOT

SAVE_MANY = """
import json, os, sys
from pathlib import Path
from blender import cycles, scene
import bpy, psutil
record, folder = json.loads(sys.argv[1]), Path(sys.argv[2])
scene.build(record)
cycles.configure(record["render"], "cpu", 1)
cycles.render(folder / "passes.exr")
held = []
for number in range(40):
    bpy.context.scene.view_settings.exposure = -1 + 0.05 * number
    cycles.save_picture(folder / "picture.png")
    held.append(psutil.Process().memory_info().rss / 2**20)
print(json.dumps(held), flush=True)
os._exit(0)
"""


def test_pictures_of_many_exposures_take_no_more_memory(tmp_path):
    record = records.record(0, width=32, height=24).model_dump_json()
    done = subprocess.run(
        [sys.executable, "-c", SAVE_MANY, record, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    held = json.loads(done.stdout.splitlines()[-1])
    assert held[-1] - held[5] < 40  # with OpenColorIO's cache: 4 MB more for every exposure
