# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes one hand pallet truck differ from the next: makers' details drawn from its seed, and its materials."""

from dataclasses import dataclass
from enum import IntEnum, auto

import bpy
import numpy as np

from blender.materials import common_materials
from blender.materials.common_materials import Rgb
from blender.mesh.asset_cache import AssetCache

BLACK = (0.018, 0.018, 0.02)
GREY = (0.16, 0.17, 0.18)
STEEL = (0.42, 0.41, 0.39)
WHITE, YELLOW, RED = (0.75, 0.75, 0.72), (0.8, 0.55, 0.02), (0.55, 0.03, 0.02)
LABEL_AND_INK = ((WHITE, BLACK), (BLACK, WHITE), (YELLOW, BLACK), (BLACK, YELLOW), (RED, WHITE), (WHITE, RED))


class TruckMaterial(IntEnum):
    """Place of each material in every mesh of a truck."""

    PAINT = 0
    FORK = auto()
    PUMP = auto()
    TILLER = auto()
    RUBBER = auto()
    TYRE = auto()
    HUB = auto()
    CHROME = auto()
    LABEL = auto()
    INK = auto()
    PAPER = auto()


@dataclass(frozen=True)
class HandTruckStyle:
    """Makers' details.

    `frame_top_m`: height of the A-frame with lowered forks; `shaft_flatness`: width by depth of the tiller's shaft.
    """

    frame_top_m: float
    wheel_radius_m: float
    wheel_spacing_m: float
    spoked_wheels: bool
    loop_width_m: float
    loop_height_m: float
    shaft_radius_m: float
    shaft_flatness: float
    painted_rocker: bool
    lettering: bool
    lettered_leg: bool
    pump_rgb: Rgb
    tiller_rgb: Rgb
    hub_rgb: Rgb
    label_rgb: Rgb
    ink_rgb: Rgb


def draw_hand_style(seed: int, body_rgb: Rgb) -> HandTruckStyle:
    """Draw a maker's details; most trucks have a black pump and a black tiller, some the body's colour."""
    rng = np.random.default_rng(seed)
    body = tuple(body_rgb)
    label, ink = LABEL_AND_INK[rng.integers(len(LABEL_AND_INK))]
    return HandTruckStyle(
        frame_top_m=rng.uniform(0.42, 0.46),
        wheel_radius_m=rng.uniform(0.09, 0.1),
        wheel_spacing_m=rng.uniform(0.12, 0.145),
        spoked_wheels=bool(rng.random() < 0.5),
        loop_width_m=rng.uniform(0.37, 0.42),
        loop_height_m=rng.uniform(0.19, 0.24),
        shaft_radius_m=rng.uniform(0.019, 0.022),
        shaft_flatness=rng.uniform(1.0, 1.35),
        painted_rocker=bool(rng.random() < 0.5),
        lettering=bool(rng.random() < 0.5),
        lettered_leg=bool(rng.random() < 0.5),
        pump_rgb=(BLACK, GREY, body)[rng.choice(3, p=(0.6, 0.2, 0.2))],
        tiller_rgb=(BLACK, GREY, body)[rng.choice(3, p=(0.6, 0.1, 0.3))],
        hub_rgb=(STEEL, BLACK, body)[rng.choice(3, p=(0.55, 0.3, 0.15))],
        label_rgb=label,
        ink_rgb=ink,
    )


def hand_truck_materials(style: HandTruckStyle, parameters: dict, library: AssetCache) -> list[bpy.types.Material]:
    """Return the materials of a truck, in the order of `TruckMaterial`."""
    body, wheel = tuple(parameters["body_rgb"]), tuple(parameters["wheel_rgb"])
    wear = parameters["wear"]
    return [
        _paint(library, body, wear),
        library.material(("fork paint", body, wear), lambda: fork_paint_material("fork paint", body, wear)),
        _paint(library, style.pump_rgb, wear),
        _paint(library, style.tiller_rgb, 0.8 * wear),
        _plain(library, "rubber", BLACK, 0.75),
        library.material(("tread", wheel, wear), lambda: tyre_material("tread", wheel, wear)),
        _plain(library, "hub", style.hub_rgb, 0.45, 0.7 if style.hub_rgb == STEEL else 0.0),
        _plain(library, "chrome", (0.7, 0.7, 0.72), 0.12, 1.0),
        _plain(library, "label", style.label_rgb, 0.4),
        _plain(library, "ink", style.ink_rgb, 0.4),
        _plain(library, "paper", (0.72, 0.72, 0.68), 0.5),
    ]


def _paint(library: AssetCache, color: Rgb, wear: float) -> bpy.types.Material:
    """Forks lose their paint, all else gets dirty and keeps most of it: bare patches all over look like camouflage."""
    wear = 0.5 * wear
    return library.material(
        ("truck paint", color, wear), lambda: common_materials.painted_metal("truck paint", color, wear, 0.38)
    )


def _plain(library: AssetCache, name: str, color: Rgb, roughness: float, metallic: float = 0.0) -> bpy.types.Material:
    key = ("truck", name, color, roughness, metallic)
    return library.material(key, lambda: common_materials.plain_material(name, color, roughness, metallic))


def fork_paint_material(name: str, color: Rgb, wear: float) -> bpy.types.Material:
    """Paint that pallets have dragged off the upper side: bare steel in long streaks, at `wear` 1 nearly all of it."""
    builder = common_materials.new_material_builder(name)
    coordinates = builder.node("ShaderNodeTexCoord")
    stretched = builder.node(
        "ShaderNodeMapping", {"Vector": coordinates.outputs["Object"], "Scale": (1.5, 22.0, 22.0)}
    ).outputs["Vector"]
    streaks = builder.math(
        "ADD", builder.noise(1.0, 5.0, stretched), builder.math("MULTIPLY", builder.noise(12.0), 0.35)
    )
    upward = builder.node("ShaderNodeSeparateXYZ", {"Vector": coordinates.outputs["Normal"]}).outputs["Z"]
    chance = builder.math(
        "ADD", streaks, builder.math("MULTIPLY", builder.smoothstep(upward, 0.3, 0.9), 0.1 + 0.35 * wear)
    )
    worn = builder.smoothstep(chance, 0.95 - 0.12 * wear, 1.03 - 0.12 * wear)
    dirt = builder.math("MULTIPLY", builder.noise(4.0), 0.6 * wear)
    steel = builder.mix_colors(builder.noise(40.0), (0.2, 0.16, 0.12), (0.38, 0.37, 0.36))
    builder.set_principled(
        Base_Color=builder.mix_colors(worn, builder.mix_colors(dirt, color, (0.05, 0.045, 0.04)), steel),
        Metallic=builder.math("MULTIPLY", worn, 0.85),
        Roughness=builder.math("ADD", builder.math("MULTIPLY", dirt, 0.4), 0.36),
    )
    return builder.material


def tyre_material(name: str, color: Rgb, wear: float) -> bpy.types.Material:
    """Rubber, nylon or polyurethane that picks up the floor's dust."""
    builder = common_materials.new_material_builder(name)
    dust = builder.math("MULTIPLY", builder.noise(30.0), 0.25 + 0.5 * wear)
    builder.set_principled(Base_Color=builder.mix_colors(dust, color, (0.16, 0.15, 0.135)), Roughness=0.65)
    return builder.material
