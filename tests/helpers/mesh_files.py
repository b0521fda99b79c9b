# SPDX-License-Identifier: GPL-3.0-or-later
"""Mesh files of every format that can be imported. Each shows a rough truck with a post at its rear left."""

from pathlib import Path

import bpy

from blender.mesh.solids import box, solids_to_mesh

ENDINGS = ("glb", "gltf", "obj", "fbx", "usda", "usdc", "usdz", "blend")
SIZE_M = (1.6, 0.5, 1.2)


def empty_file() -> None:
    """Open an empty Blender file."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def add_truck() -> bpy.types.Object:
    """Add the truck away from the origin, with its forks towards +x: 1.6 m long, 0.5 m wide, 1.2 m high."""
    paint = bpy.data.materials.new("paint")
    paint.use_nodes = True
    paint.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (0.7, 0.05, 0.03, 1.0)
    bed = box((1.6, 0.5, 0.2), (0.0, 0.0, 0.1))
    post = box((0.2, 0.1, 1.0), (-0.7, 0.2, 0.7))
    truck = bpy.data.objects.new("truck", solids_to_mesh("truck", [bed, post], [paint]))
    truck.location = (3.0, 1.0, 0.4)
    bpy.context.scene.collection.objects.link(truck)
    bpy.context.view_layer.update()
    return truck


def save(path: Path) -> Path:
    """Export all objects in the format of the file's ending, with Blender's default options. Return `path`."""
    name = str(path)
    match path.suffix:
        case ".glb":
            bpy.ops.export_scene.gltf(filepath=name, export_format="GLB")
        case ".gltf":
            bpy.ops.export_scene.gltf(filepath=name, export_format="GLTF_SEPARATE")
        case ".obj":
            bpy.ops.wm.obj_export(filepath=name)
        case ".fbx":
            bpy.ops.export_scene.fbx(filepath=name)
        case ".blend":
            bpy.ops.wm.save_as_mainfile(filepath=name, copy=True)
        case _:
            bpy.ops.wm.usd_export(filepath=name)
    return path


def truck_file(path: Path) -> Path:
    """Write a file that holds only the truck. Return `path`."""
    empty_file()
    add_truck()
    return save(path)
