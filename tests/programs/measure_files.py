# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure mesh files whose paths come on standard input, one a line, and print an outcome in JSON for each.

A process of its own, because damaged files can make Blender crash.
"""

import json
import resource
import sys
import time
import traceback
from pathlib import Path

from blender import measure
from blender.mesh.importing.errors import CustomMeshError
from tests.helpers.mesh_loading import asked_for


def main() -> None:
    for line in sys.stdin:
        path, started = Path(line.strip()), time.monotonic()
        try:
            outcome = {
                "size_m": measure.measure_asset(asked_for(path, category=None), path.parent)["parameters"]["size_m"]
            }
        except CustomMeshError as error:
            outcome = {"refused": str(error)}
        except Exception:
            outcome = {"bug": traceback.format_exc()}
        memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(outcome | {"seconds": time.monotonic() - started, "memory_mb": memory_mb}), flush=True)


if __name__ == "__main__":
    main()
