# SPDX-License-Identifier: GPL-3.0-or-later
"""The command `measure`: measure a mesh file of the user before scenes are sampled, and refuse one in a wrong scale.

The option `--asset` is pipeline's `CustomMesh` in JSON, still without a size.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import bpy

from blender.common.atomic_file import replace_file
from blender.mesh import custom_mesh
from blender.mesh.importing import decimation

# Limits of the length (the longer side of the footprint) and of the height, in meters, for each category.
PLAUSIBLE_SIZES_M = {
    "pallet_truck": ((0.3, 3.0), (0.1, 2.5)),
    "pedestrian": ((0.2, 2.2), (1.2, 2.2)),
    None: ((0.02, 12.0), (0.02, 12.0)),
}
# Possible units of a file in meters, the most usual first. The last ones are those of files that a program has made
# too small.
CANDIDATE_UNITS_M = {
    1.0: "meters", 0.001: "millimeters", 0.01: "centimeters", 0.0254: "inches", 0.3048: "feet", 0.1: "decimeters",
    10.0: "meters, but 10 times too small", 100.0: "meters, but 100 times too small",
    1000.0: "meters, but 1000 times too small",
}  # fmt: skip
MAX_UNITS_NAMED = 3

# On one busy CPU thread, an image of 640 x 480 pixels with 16 samples took 53 s with a simple truck, 61 s with one of
# 100,000 triangles and 69 s with one of 500,000.
MANY_TRIANGLES = 300_000
SUGGESTED_TRIANGLES = 50_000
PARAMETERS = {"file", "sha256", "metres_per_unit", "up", "forward", "opaque"}


def measure_asset(asset: dict, folder: Path, log: Callable[[str], None] = lambda line: None) -> dict:
    """Return `asset`, a dict of pipeline's `CustomMesh`, with the size and the number of triangles of its mesh.

    `log` receives one line for each thing that was assumed, or that the user should know.

    Raises:
        CustomMeshError: the file cannot be used, or its size is not plausible for its category.
    """
    parameters = asset["parameters"]
    if missing := sorted(PARAMETERS - set(parameters)):
        raise custom_mesh.CustomMeshError(f"--asset: its parameters lack {', '.join(missing)}")
    name = f"custom.{asset['asset']}"
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    try:
        meshes = custom_mesh.load_meshes(parameters, folder, lambda line: log(f"{name}: {line}"))
        size_m = custom_mesh.bounding_size_m(meshes).tolist()
        _check_size(asset["category"], size_m, parameters["metres_per_unit"])
    except custom_mesh.CustomMeshError as error:
        raise custom_mesh.CustomMeshError("\n".join(f"{name}: {line}" for line in str(error).splitlines())) from None
    triangles = decimation.count_triangles(meshes)
    if triangles > MANY_TRIANGLES:
        log(
            f"{name}: {triangles:,} triangles make each image slower and need more memory: set max_triangles: "
            f"{SUGGESTED_TRIANGLES} in its entry, which keeps its size"
        )
    size_m = [round(side, 4) for side in size_m]
    return asset | {"parameters": parameters | {"size_m": size_m}, "triangles": triangles}


def _check_size(category: str | None, size_m: list[float], metres_per_unit: float) -> None:
    if _is_plausible(category, size_m):
        return
    (short, long), (low, high) = PLAUSIBLE_SIZES_M[category]
    name = (category or "prop").replace("_", " ")
    raise custom_mesh.CustomMeshError(
        f"it is {_shown(size_m)} (length, width, height), but a {name} is {short:g} to {long:g} m long and {low:g} to "
        f"{high:g} m high; {_unit_advice(category, [side / metres_per_unit for side in size_m])}, or check up and "
        "forward, or remove what else the file shows, such as a floor"
    )


def _unit_advice(category: str | None, size_in_units: list[float]) -> str:
    """Return which units would give a plausible size, each with this size."""
    sizes = {unit: [side * unit for side in size_in_units] for unit in CANDIDATE_UNITS_M}
    advice = [
        f"{unit:g}, if it is in {CANDIDATE_UNITS_M[unit]} ({_shown(size)})"
        for unit, size in sizes.items()
        if _is_plausible(category, size)
    ]
    return f"set metres_per_unit: {'; or '.join(advice[:MAX_UNITS_NAMED])}" if advice else "look at it in Blender"


def _shown(size_m: list[float]) -> str:
    rounded = [float(f"{round(side, 6):.4g}") for side in size_m]
    return f"{' x '.join(f'{side:g}' for side in rounded)} m"


def _is_plausible(category: str | None, size_m: list[float]) -> bool:
    (short, long), (low, high) = PLAUSIBLE_SIZES_M[category]
    return short <= max(size_m[:2]) <= long and low <= size_m[2] <= high


def run(options: argparse.Namespace) -> None:
    """Run the command `measure` with the options of `blender/__main__.py`.

    Raises:
        CaristeError: the mesh cannot be read or cannot be right.
        OSError: the file cannot be written.
    """

    def log(line: str) -> None:
        print(f"measure: {line}", file=sys.stderr, flush=True)

    measured = measure_asset(options.asset, options.assets or custom_mesh.ASSETS_FOLDER, log)
    with replace_file(options.out) as temporary:
        temporary.write_text(json.dumps(measured, indent=1) + "\n")
    length, width, height = measured["parameters"]["size_m"]
    print(f"measure {measured['asset']}: {length} x {width} x {height} m, {measured['triangles']} triangles")
