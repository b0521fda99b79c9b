# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure mesh files whose paths come on standard input, one a line, and print an outcome in JSON for each.

A process of its own, because damaged files can make Blender crash. `memory_mb` is what a file takes beyond what the
process had before it.
"""

import json
import re
import sys
import time
import traceback
from pathlib import Path

from blender import measure
from blender.mesh.importing.errors import CustomMeshError
from tests.helpers.mesh_loading import asked_for


def main() -> None:
    for line in sys.stdin:
        path, started, memory_before_mb = Path(line.strip()), time.monotonic(), reset_peak_memory()
        try:
            outcome = {
                "size_m": measure.measure_asset(asked_for(path, category=None), path.parent)["parameters"]["size_m"]
            }
        except CustomMeshError as error:
            outcome = {"refused": str(error)}
        except Exception:
            outcome = {"bug": traceback.format_exc()}
        used = {"seconds": time.monotonic() - started, "memory_mb": resident_mb("VmHWM") - memory_before_mb}
        print(json.dumps(outcome | used), flush=True)


def reset_peak_memory() -> float:
    """Let the peak begin at the memory that is used now, and return that, in MB."""
    Path("/proc/self/clear_refs").write_text("5")
    return resident_mb("VmRSS")


def resident_mb(key: str) -> float:
    """Return the resident memory of this process in MB: now (`VmRSS`), or at its peak (`VmHWM`)."""
    return int(re.search(rf"^{key}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)[1]) / 1024


if __name__ == "__main__":
    main()
