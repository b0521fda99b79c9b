# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a mesh file of any supported format into a scene."""

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import bpy

from blender.common.quiet_output import capture_output
from blender.common.resource_limits import GIB, limited_resources
from blender.mesh.importing.active_scene import active_scene
from blender.mesh.importing.content_checks import check_content, content_notes
from blender.mesh.importing.errors import CustomMeshError

# How importers name a file that they cannot open.
MISSING_FILE_PATTERNS = (
    re.compile(r"cannot read from MTL file: '(.+?)'"),
    re.compile(r"Could not (?:open asset|load sublayer) @(.+?)@"),
    re.compile(r"Missing resource, '(.+?)'"),
    re.compile(r"Couldn't open image file '(.+?)' for Texture"),
)
# To read a file of 36 MB with two million triangles took 50 bytes a byte and 2 s a megabyte; much more is allowed.
MEMORY_PER_BYTE = 300
CPU_S, CPU_S_PER_BYTE = 20.0, 10e-6
# How the importer of .obj files says that it leaves out a face.
FACE_WITHOUT_POINTS = re.compile(r"Invalid vertex index .*ignoring face")
# How USD says what is wrong with a file.
USD_ERROR = re.compile(r"Runtime Error: in .* -- (.+)")


@dataclass
class ReadFile:
    """A file that was read: its scene, the files that the importer did not find, and its lines for the log."""

    scene: bpy.types.Scene
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_file(path: Path) -> ReadFile:
    """Read a mesh file into a new scene, which becomes the scene of the window.

    Raises:
        CustomMeshError: Blender cannot read the file, or it has no scene.
    """
    problem = ""
    with capture_output() as captured, _limits(path):
        check_content(path)
        try:
            scene, notes = _read_blend(path) if path.suffix.lower() == ".blend" else _import(path)
        except CustomMeshError:
            raise
        except (RuntimeError, OSError, ValueError) as error:
            scene, problem = None, str(error)
        except Exception as error:  # importers of glTF fail in many ways if a file is damaged
            scene, problem = None, f"{type(error).__name__}: {error}"
    output = captured[0] + problem
    missing = list(dict.fromkeys(name for pattern in MISSING_FILE_PATTERNS for name in pattern.findall(output)))
    if scene is None and not missing:
        raise CustomMeshError(f"{path.name}: Blender cannot read it: {_reason(problem, output, path)}")
    if faces := len(FACE_WITHOUT_POINTS.findall(output)):
        raise CustomMeshError(f"{path.name} is damaged: it lacks points of its faces ({faces}); export it again")
    return ReadFile(scene, missing, notes + content_notes(path)) if scene else ReadFile(_new_scene(), missing)


def _limits(path: Path) -> contextlib.AbstractContextManager[None]:
    """Return the limits of memory and time for reading a file: a damaged one can ask for terabytes.

    A .blend file has none, because its modifiers may create much from little.
    """
    if path.suffix.lower() == ".blend":
        return contextlib.nullcontext()
    size = path.stat().st_size
    return limited_resources(int(GIB + MEMORY_PER_BYTE * size), CPU_S + CPU_S_PER_BYTE * size)


def _reason(problem: str, output: str, path: Path) -> str:
    """Return what an importer says in one line, without its traceback and our temporary folder."""
    if (usd_errors := USD_ERROR.findall(output)) and path.suffix.lower().startswith(".usd"):
        problem = usd_errors[0]
    lines = [line.strip().removeprefix("Error: ") for line in problem.splitlines()]
    lines = [line for line in lines if line and not line.startswith("Location: ")]
    reason = lines[-1].replace(str(path), path.name).replace(f"{path.parent}/", "") if lines else "it is empty"
    return f"it is damaged ({reason})" if "Traceback" in problem else reason


def _new_scene() -> bpy.types.Scene:
    bpy.context.window.scene = scene = bpy.data.scenes.new("import")
    return scene


def _read_blend(path: Path) -> tuple[bpy.types.Scene, list[str]]:
    """Append the active scene of a .blend file. Its scripts are not run."""
    with bpy.data.libraries.load(str(path)) as (content, to_load):
        names = sorted(content.scenes)
        active = names[0] if len(names) == 1 else active_scene(path)
        to_load.scenes = [active] if active in names else []
    if not names:
        raise CustomMeshError(f"{path.name} has no scene: save it again with its objects in a scene")
    if not to_load.scenes:
        raise CustomMeshError(
            f"{path.name} has {len(names)} scenes ({', '.join(names)}): save it with only one of them"
        )
    bpy.context.window.scene = scene = to_load.scenes[0]
    others = f"it has {len(names)} scenes; only its active scene {active!r} is read"
    return scene, [others] if len(names) > 1 else []


def _import(path: Path) -> tuple[bpy.types.Scene, list[str]]:
    """Run the importer of the format. What the file animates stays as it is without its animation."""
    gltf = partial(bpy.ops.import_scene.gltf, disable_bone_shape=True, import_webp_texture=True)
    importers: dict[str, Callable] = {
        ".glb": gltf,
        ".gltf": gltf,
        # Meshes are validated later: Blender moves points at NaN to 0.
        ".obj": partial(bpy.ops.wm.obj_import, forward_axis="Y", up_axis="Z", validate_meshes=False),
        ".fbx": partial(bpy.ops.wm.fbx_import, use_anim=False, validate_meshes=False),
        ".stl": partial(bpy.ops.wm.stl_import, use_mesh_validate=False),
        ".ply": bpy.ops.wm.ply_import,
    }
    from_usd = partial(bpy.ops.wm.usd_import, import_cameras=False, import_lights=False, create_world_material=False)
    scene = _new_scene()
    importers.get(path.suffix.lower(), from_usd)(filepath=str(path))
    for scene_object in scene.objects:
        scene_object.animation_data_clear()
        shape_keys = getattr(scene_object.data, "shape_keys", None)
        if shape_keys:
            shape_keys.animation_data_clear()
    return scene, []
