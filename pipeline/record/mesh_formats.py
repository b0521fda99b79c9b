# SPDX-License-Identifier: Apache-2.0
"""The formats of custom meshes: which axis points up in each, and what to do with formats that cannot be read."""

from pathlib import PurePosixPath
from typing import Literal

# The axis that points up in a file. FBX and USD files name their up axis, and Blender turns it to z.
UP_AXIS_BY_FORMAT: dict[str, Literal["y", "z"]] = {".glb": "y", ".gltf": "y", ".obj": "y", ".blend": "z", ".fbx": "z"}
UP_AXIS_BY_FORMAT |= dict.fromkeys((".usd", ".usda", ".usdc", ".usdz", ".stl", ".ply"), "z")

FROM_CAD = "a CAD model without triangles: export it from your CAD program, or with FreeCAD, as .glb or .stl"
FROM_POINTS = "points without triangles: make a mesh of them, and export it as .glb"
ARCHIVE = "an archive: unpack it into a folder of its own in assets/"
FROM_MODELER = "open it in Blender or in the program that made it, and export it as .glb"
ADVICE_BY_FORMAT = {
    **dict.fromkeys((".step", ".stp", ".iges", ".igs", ".sldprt", ".sldasm", ".ipt", ".iam"), FROM_CAD),
    **dict.fromkeys((".catpart", ".x_t", ".x_b", ".jt", ".dwg", ".dxf", ".ifc", ".3dm", ".prt", ".fcstd"), FROM_CAD),
    **dict.fromkeys((".dae", ".3ds", ".max", ".ma", ".mb", ".c4d", ".lwo", ".x3d", ".wrl", ".abc"), FROM_MODELER),
    **dict.fromkeys((".skp", ".3mf", ".amf", ".off", ".vox", ".pmx", ".vrm", ".x", ".bgeo", ".vdb"), FROM_MODELER),
    **dict.fromkeys((".las", ".laz", ".e57", ".pts", ".xyz", ".pcd", ".splat", ".spz", ".ksplat"), FROM_POINTS),
    **dict.fromkeys((".urdf", ".xacro", ".sdf"), "a robot: name one of its mesh files, or export all of it as .glb"),
    **dict.fromkeys((".reality", ".unitypackage", ".prefab", ".uasset", ".f3d", ".rvt"), FROM_MODELER),
    **dict.fromkeys((".zip", ".rar", ".7z", ".gz", ".tar"), ARCHIVE),
    ".mtl": "the materials of an .obj file: name the .obj file",
    ".bin": "the data of a .gltf file: name the .gltf file",
}  # fmt: skip


def format_problem(file: str) -> str | None:
    """Return why a file cannot be read, from its suffix; None if its format is supported."""
    suffix = PurePosixPath(file).suffix.lower()
    if suffix in UP_AXIS_BY_FORMAT:
        return None
    supported = f"supported formats: {', '.join(UP_AXIS_BY_FORMAT)}"
    if suffix.startswith(".blend") and suffix[6:].isdigit():
        return f"cannot read {suffix}, a backup of Blender: rename it to .blend; {supported}"
    if advice := ADVICE_BY_FORMAT.get(suffix):
        return f"cannot read {suffix}, {advice}; {supported}"
    return f"cannot read {suffix or 'a file without a suffix'}; {supported}"
