# SPDX-License-Identifier: GPL-3.0-or-later
"""Litter on the floor: scraps of paper and cardboard, crumpled film, splinters of wood."""

import numpy as np

from blender.hall.fittings import MATERIAL_SLOTS
from blender.materials.markings import level_face
from blender.mesh.rotation import rotate_in_plane
from blender.mesh.solids import Solid, box

LITTER_LIFT_M = 0.001  # above the floor
KIND_SHARES = {"paper": 0.4, "board": 0.2, "film": 0.2, "wood": 0.2}


def litter_solids(size: tuple[float, float, float], floor: dict) -> list[Solid]:
    """Return the litter of a hall of this size, with the slots of `fittings`; a more worn floor has more of it."""
    rng = np.random.default_rng([floor["seed"], 1])
    count = int(floor["wear"] * 0.07 * size[0] * size[1])
    spread = np.array(size[:2]) / 2 - 0.4
    makers = {"paper": _sheet, "board": _sheet, "film": _film, "wood": _splinter}
    kinds = rng.choice(list(KIND_SHARES), count, p=list(KIND_SHARES.values()))
    return [makers[kind](str(kind), tuple(rng.uniform(-spread, spread)), rng) for kind in kinds]


def _sheet(kind: str, position_m: tuple[float, float], rng: np.random.Generator) -> Solid:
    """Return a torn sheet of paper or board."""
    large = 0.12 if kind == "paper" else 0.2
    corners = np.array([(-1, -0.7), (1, -0.7), (1, 0.7), (-1, 0.7)]) * rng.uniform(0.03, large)
    corners += rng.normal(0, 0.012, corners.shape)
    slot = MATERIAL_SLOTS["white"] if kind == "paper" else MATERIAL_SLOTS["cardboard"]
    return level_face((0, 0, LITTER_LIFT_M)).polygon(_randomly_rotated(corners, rng) + position_m, slot, 0.0)


def _film(_: str, position_m: tuple[float, float], rng: np.random.Generator) -> Solid:
    """Return a crumpled piece of film: a gray star with uneven points."""
    angle = np.linspace(0, 2 * np.pi, 9, endpoint=False)
    radius = rng.uniform(0.03, 0.16, 9)
    corners = np.c_[radius * np.cos(angle), 0.6 * radius * np.sin(angle)]
    return level_face((0, 0, LITTER_LIFT_M)).polygon(
        _randomly_rotated(corners, rng) + position_m, MATERIAL_SLOTS["film"], 0.0
    )


def _splinter(_: str, position_m: tuple[float, float], rng: np.random.Generator) -> Solid:
    """Return a piece of a broken pallet board."""
    piece = box((rng.uniform(0.08, 0.5), rng.uniform(0.02, 0.09), 0.018), (0, 0, 0.009), MATERIAL_SLOTS["wood"])
    return piece.turned("z", rng.uniform(0, 360)).moved((*position_m, 0))


def _randomly_rotated(corners: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rotate_in_plane(corners, rng.uniform(0, 2 * np.pi))
