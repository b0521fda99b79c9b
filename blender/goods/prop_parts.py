# SPDX-License-Identifier: GPL-3.0-or-later
"""What the builders of goods and furniture share: their materials, their forms, and shapes that come up again.

A builder's function makes solids with a `PropMaterial` as slot from `PropParameters`; `prop_object` gives them materials.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import IntEnum, auto

import bpy
import numpy as np

from blender.materials import common_materials
from blender.materials.markings import FacePlane, side_faces
from blender.mesh.asset_cache import AssetCache
from blender.mesh.solids import Solid, loft, round_corners, solids_to_mesh, tube

VARIANTS = 16  # seeds are taken modulo this, so that copies in a hall share meshes


class PropMaterial(IntEnum):
    """What a part is made of; the first two are what `loads.pallet_solids` returns."""

    WOOD_X = 0
    WOOD_Y = auto()
    WOOD_Z = auto()
    PAINT = auto()
    PAINT_2 = auto()
    PLASTIC = auto()
    PLASTIC_2 = auto()
    STEEL = auto()
    BLACK = auto()
    STRIPES = auto()
    PAPER = auto()
    BARCODE = auto()
    INK = auto()
    INK_2 = auto()
    BOARD = auto()
    TANK = auto()


# The key of each material and how it is made, from (colour, second colour, wear rounded to a tenth).
MAKERS: dict[PropMaterial, Callable] = {
    PropMaterial.WOOD_X: lambda color, accent, wear: (
        ("wood", "x", wear),
        lambda: common_materials.wood("wood", "x", wear),
    ),
    PropMaterial.WOOD_Y: lambda color, accent, wear: (
        ("wood", "y", wear),
        lambda: common_materials.wood("wood", "y", wear),
    ),
    PropMaterial.WOOD_Z: lambda color, accent, wear: (
        ("wood", "z", wear),
        lambda: common_materials.wood("wood", "z", wear),
    ),
    PropMaterial.PAINT: lambda color, accent, wear: _painted(color, wear),
    PropMaterial.PAINT_2: lambda color, accent, wear: _painted(accent, wear),
    PropMaterial.PLASTIC: lambda color, accent, wear: _plastic(color, wear),
    PropMaterial.PLASTIC_2: lambda color, accent, wear: _plastic(accent, wear),
    PropMaterial.STEEL: lambda color, accent, wear: _plain("zinc", (0.45, 0.46, 0.47), 0.42, 0.7),
    PropMaterial.BLACK: lambda color, accent, wear: _plain("black", (0.02, 0.02, 0.022), 0.6),
    PropMaterial.STRIPES: lambda color, accent, wear: ("hazard stripes", common_materials.hazard_stripes),
    PropMaterial.PAPER: lambda color, accent, wear: (
        ("label", (0.75,) * 3),
        lambda: common_materials.paper_label("label"),
    ),
    PropMaterial.BARCODE: lambda color, accent, wear: ("barcode", lambda: common_materials.barcode("barcode")),
    PropMaterial.INK: lambda color, accent, wear: _plain("ink", accent, 0.6),
    PropMaterial.INK_2: lambda color, accent, wear: _plain("ink", (0.02, 0.02, 0.022), 0.6),
    PropMaterial.BOARD: lambda color, accent, wear: (
        "kraft",
        lambda: common_materials.plain_material("kraft", (0.36, 0.22, 0.1), 0.85),
    ),
    PropMaterial.TANK: lambda color, accent, wear: (
        ("tank", color),
        lambda: common_materials.milky_tank("tank", color),
    ),
}


def _painted(color: common_materials.Rgb, wear: float) -> tuple:
    return ("painted", color, wear), lambda: common_materials.painted_metal("paint", color, wear)


def _plastic(color: common_materials.Rgb, wear: float) -> tuple:
    return ("plastic", color, wear), lambda: common_materials.scuffed_plastic("plastic", color, wear)


def _plain(name: str, color: common_materials.Rgb, roughness: float, metallic: float = 0.0) -> tuple:
    return ("plain", name, color), lambda: common_materials.plain_material(name, color, roughness, metallic)


def prop_object(
    kind: str, parameters: dict, library: AssetCache, solids: Callable[[dict, np.random.Generator], list[Solid]]
) -> list[bpy.types.Object]:
    """One object on a shared mesh: `solids(parameters, rng)` is called only for parameters that are new."""
    wear = round(parameters["wear"], 1)
    color, accent = (tuple(parameters[key]) for key in ("color_rgb", "accent_rgb"))
    variant = parameters["seed"] % VARIANTS
    key = (kind, tuple(parameters["size_m"]), color, accent, wear, parameters["variant"], variant)

    def make() -> bpy.types.Mesh:
        parts = solids({**parameters, "wear": wear}, np.random.default_rng(variant))
        used = sorted({PropMaterial(solid.slot) for solid in parts})
        parts = [replace(solid, slot=used.index(solid.slot)) for solid in parts]
        return solids_to_mesh(kind, parts, [library.material(*MAKERS[stuff](color, accent, wear)) for stuff in used])

    return [bpy.data.objects.new(kind, library.mesh(key, make))]


def pick_form(variant: float, forms: Sequence[str]) -> str:
    """Return which of the forms `variant` in 0..1 picks, all equally wide."""
    return forms[min(int(variant * len(forms)), len(forms) - 1)]


def lathe(rings_m: Sequence[tuple[float, float]], slot: int, segments: int = 24) -> Solid:
    """A round body about the z axis from (radius, height) of its rings, bottom to top, with flat ends."""
    circle = np.linspace(0, 2 * np.pi, segments, endpoint=False)
    rings = [np.c_[r * np.cos(circle), r * np.sin(circle), np.full(segments, z)] for r, z in rings_m]
    return replace(loft(np.array(rings), slot), smooth=True)


def curved_patch(radius_m: float, z_m: tuple[float, float], angles: tuple[float, float], slot: int) -> Solid:
    """A label on a round body: from one height and angle (radians) to the other."""
    turn = np.linspace(*angles, 9)
    lines = [np.c_[radius_m * np.cos(turn), radius_m * np.sin(turn), np.full(9, z)] for z in z_m]
    return Solid(np.concatenate(lines), [(i, i + 1, i + 10, i + 9) for i in range(8)], slot, smooth=True)


def rounded_rectangle(length_m: float, width_m: float, radius_m: float, segments: int = 3) -> np.ndarray:
    """Return an outline (N, 2), counter-clockwise, centred."""
    corners = np.array([(1, -1), (1, 1), (-1, 1), (-1, -1)]) * (length_m / 2, width_m / 2)
    return round_corners(corners, radius_m, segments, closed=True)


def scaled_loft(outline_m: np.ndarray, levels: Sequence[tuple[float, float]], slot: int) -> Solid:
    """A body over one outline (N, 2), at each (scale, height) bottom to top, with flat ends."""
    return loft(np.array([np.c_[outline_m * scale, np.full(len(outline_m), z)] for scale, z in levels]), slot)


def rod(start_m: Sequence[float], end_m: Sequence[float], radius_m: float, slot: int, segments: int = 6) -> Solid:
    """A straight round bar."""
    return tube(np.array([start_m, end_m], float), radius_m, segments, slot)


def wire_grid(face: FacePlane, pitch_m: float, wire_m: float, slot: int) -> list[Solid]:
    """Wires across a face both ways, with square section: their middles lie in the face."""
    solids = []
    for length, across, along, other in (
        (face.size_m[0], face.size_m[1], face.right, face.up),
        (face.size_m[1], face.size_m[0], face.up, face.right),
    ):
        profile = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * wire_m / 2
        section = profile[:, :1] * other + profile[:, 1:] * np.cross(along, other)
        count = max(round(across / pitch_m), 1)
        for place in (np.arange(count) + 0.5) * across / count - across / 2:
            ends = [face.center + place * other + sign * length / 2 * along + section for sign in (-1, 1)]
            solids.append(loft(np.array(ends), slot))
    return solids


def wall_faces(size_m: tuple[float, float, float], low_m: float = 0.0) -> list[FacePlane]:
    """The faces at +x, -x, +y, -y of a box of this size that stands on `low_m`."""
    return [replace(face, center=face.center + np.array([0, 0, low_m])) for face in side_faces(size_m)]
