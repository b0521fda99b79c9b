# SPDX-License-Identifier: Apache-2.0
"""Mesh files that are written byte by byte, to make them as other programs write them, or wrong.

All show a box of 1.5 x 0.5 x 1.2 m (length, width, height).
"""

import base64
import json
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

SIZE_M = (1.5, 0.5, 1.2)
# With y up.
POINTS = [(x, y, z) for x in (-0.75, 0.75) for y in (0, 1.2) for z in (-0.25, 0.25)]
FACES = ((1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4))
TRIANGLES = [triangle for a, b, c, d in FACES for triangle in ((a, b, c), (a, c, d))]
RED = {"name": "paint", "pbrMetallicRoughness": {"baseColorFactor": [1, 0, 0, 1]}}


def obj_text(
    head: str = "", vertex: Callable[[tuple], str] = lambda point: "v {:g} {:g} {:g}".format(*point), line: str = "\n"
) -> str:
    """Return an .obj file that begins with `head`; `vertex` writes a vertex."""
    faces = ["f " + " ".join(f"{corner}/1" for corner in face) for face in FACES]
    lines = [*head.splitlines(), *map(vertex, POINTS), "vt 0 0", "usemtl paint", *faces]
    return line.join(lines) + line


def gltf_document(points: Sequence[tuple] = POINTS) -> tuple[dict, bytes]:
    """Return the JSON of a glTF file without its buffer, and the bytes of the buffer."""
    positions, corners = np.array(points, "<f4"), np.array(TRIANGLES, "<u2").ravel() - 1
    content = positions.tobytes() + corners.tobytes()
    return {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "material": 0}]}],
        "materials": [json.loads(json.dumps(RED))],
        "buffers": [{"byteLength": len(content)}],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": positions.nbytes},
            {"buffer": 0, "byteOffset": positions.nbytes, "byteLength": corners.nbytes},
        ],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 8, "type": "VEC3", "min": [-1] * 3, "max": [2] * 3},
            {"bufferView": 1, "componentType": 5123, "count": len(corners), "type": "SCALAR"},
        ],
    }, content


def write_glb(path: Path, document: dict, content: bytes) -> Path:
    """Write a .glb file. Return `path`."""
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    content += b"\0" * (-len(content) % 4)
    header = struct.pack("<4sII", b"glTF", 2, 28 + len(text) + len(content))
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(content), b"BIN\0") + content
    path.write_bytes(header + chunks)
    return path


def write_gltf(path: Path, document: dict, content: bytes, uri: str | None = None) -> Path:
    """Write a .gltf file whose buffer is at `uri`, by default in the file itself. Return `path`."""
    uri = uri or "data:application/octet-stream;base64," + base64.b64encode(content).decode()
    buffers = [document["buffers"][0] | {"uri": uri}]
    path.write_text(json.dumps(document | {"buffers": buffers}))
    return path


def stl_bytes(points: Sequence[tuple] = POINTS) -> bytes:
    """Return a binary .stl file, z up."""
    turned = [(x, -z, y) for x, y, z in points]
    triangles = [
        struct.pack("<12fH", 0, 0, 0, *(value for corner in triangle for value in turned[corner - 1]), 0)
        for triangle in TRIANGLES
    ]
    return b"\0" * 80 + struct.pack("<I", len(triangles)) + b"".join(triangles)


def ply_bytes(points: Sequence[tuple] = POINTS, kind: str = "ascii", color: str = "") -> bytes:
    """Return a .ply file, z up: `kind` is ascii, binary_little_endian or binary_big_endian; `color` as "255 0 0"."""
    properties = ["float x", "float y", "float z", *(f"uchar {name}" for name in ("red", "green", "blue") if color)]
    header = [f"ply\nformat {kind} 1.0\nelement vertex 8", *(f"property {text}" for text in properties)]
    header += ["element face 6", "property list uchar int vertex_indices", "end_header\n"]
    turned = [(x, -z, y) for x, y, z in points]
    faces = [[corner - 1 for corner in face] for face in FACES]
    if kind == "ascii":
        lines = [" ".join(map(repr, point)) + f" {color}" for point in turned]
        lines += [f"4 {' '.join(map(str, face))}" for face in faces]
        return "\n".join([*header[:-1], header[-1] + "\n".join(lines), ""]).encode()
    order = ">" if "big" in kind else "<"
    body = [struct.pack(f"{order}3f", *point) for point in turned]
    body += [struct.pack(f"{order}B4i", 4, *face) for face in faces]
    return "\n".join(header).encode() + b"".join(body)


def usda_text(body: str = "", head: str = "", scale: float = 1.0) -> str:
    """Return a .usda file with the box and more prims in `body`; `head` is added to the metadata of the layer."""
    return (
        f'#usda 1.0\n(\n defaultPrim = "root"\n upAxis = "Y"\n metersPerUnit = 1\n{head})\ndef Xform "root"\n{{\n'
        f"{usd_box('box', scale=scale)}{body}\n}}\n"
    )


def usd_box(name: str, more: str = "", scale: float = 1.0) -> str:
    """Return the box as a prim of USD."""
    points = ", ".join(f"({scale * x:g}, {scale * y:g}, {scale * z:g})" for x, y, z in POINTS)
    corners = ", ".join(str(corner - 1) for face in FACES for corner in face)
    return (
        f'def Mesh "{name}"\n{{\n point3f[] points = [{points}]\n int[] faceVertexCounts = [4, 4, 4, 4, 4, 4]\n'
        f" int[] faceVertexIndices = [{corners}]\n {more}\n}}\n"
    )
