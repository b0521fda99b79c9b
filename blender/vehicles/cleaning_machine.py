# SPDX-License-Identifier: GPL-3.0-or-later
"""Cleaning machines (scrubber dryers): brushes, two tanks, a curved squeegee with its hose; walk-behind or ride-on."""

import bpy
import numpy as np

from blender.mesh.asset_cache import AssetCache
from blender.mesh.prop_object import pick_form
from blender.mesh.shapes import bent_tube, box_between, lathe, rod
from blender.mesh.solids import Solid, bevelled, box, prism, round_corners, tube, with_mirror_image
from blender.vehicles.vehicle_object import VehicleMaterial, build_vehicle_object
from blender.vehicles.vehicle_parts import beacon, castor, maker_name, seat, steering_wheel, wheel

CLEANING_MACHINES = ("small", "large", "ride_on")  # small and large differ in their size only


def build_cleaning_machine(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a cleaning machine from `PropParameters` that drives towards +x: small, large or ride-on."""
    return build_vehicle_object("cleaning_machine", parameters, cache, lambda: cleaning_machine_solids(parameters))


def cleaning_machine_solids(parameters: dict) -> list[Solid]:
    length, width, height = parameters["size_m"]
    form = pick_form(parameters["variant"], CLEANING_MACHINES)
    rear, half = -length / 2, width / 2
    make_machine = _ride_on if form == "ride_on" else _walk_behind
    return [*make_machine(rear, length, half, height, parameters["seed"]), *_squeegee(rear, half)]


def _squeegee(rear: float, half: float) -> list[Solid]:
    """Return a bar as wide as the machine, bent backwards, with a rubber lip on the floor."""
    y = np.linspace(-1, 1, 9)
    x = rear + 0.16 * y**2
    outline = np.concatenate([np.c_[x + 0.06, y * half], np.c_[x, y * half][::-1]])
    bars = []
    for low, high, inset, slot in ((0.045, 0.085, 0.0, VehicleMaterial.MAST), (0.0, 0.045, 0.02, VehicleMaterial.DARK)):
        points = outline * (1, 1 - inset) + (inset * 0.5, 0)
        bars.append(_extrude_up(points, low, high, slot))
    wheels = [
        part.moved((rear + 0.16, half - 0.1, 0.12))
        for part in (box((0.05, 0.02, 0.06), (0, 0, 0), VehicleMaterial.MAST),)
    ]
    return [*bars, *with_mirror_image(wheels)]


def _extrude_up(outline_m: np.ndarray, low: float, high: float, slot: int) -> Solid:
    """Return an outline (N, 2) in x and y, counterclockwise seen from above, extruded between two heights."""
    upright = prism(outline_m[::-1] * (1, -1), high - low, slot).turned("x", 90)
    return upright.moved((0, 0, (low + high) / 2))


def _hose(points: list) -> Solid:
    path = round_corners(np.array(points, float), 0.12, 5)
    return tube(path, 0.024, 8, VehicleMaterial.DARK)


def _walk_behind(rear: float, length: float, half: float, height: float, seed: int) -> list[Solid]:
    """Return tanks above a brush deck, with a bar for an operator who walks behind."""
    body = min(half - 0.06, 0.34)
    tail, nose = rear + 0.3, rear + length
    tank = [(tail, 0.26), (nose - 0.12, 0.26), (nose - 0.06, 0.5), (nose - 0.12, 0.7), (tail - 0.06, 0.74)]
    lid = [(tail - 0.06, 0.72), (nose - 0.14, 0.68), (nose - 0.2, 0.86), (nose - 0.5, 0.93), (tail - 0.06, 0.93)]
    panel = [(tail - 0.1, 0.86), (tail + 0.12, 0.9), (tail + 0.1, 1.0), (tail - 0.06, 1.02)]
    axle = tail + 0.24
    bar_x, bar_z = rear + 0.05, height - 0.02
    handle = [(tail + 0.02, 0.22, 0.92), (bar_x, 0.24, bar_z), (bar_x, -0.24, bar_z), (tail + 0.02, -0.22, 0.92)]
    return [
        bevelled(prism(round_corners(tank, 0.06, 3, closed=True), 2 * body, VehicleMaterial.PAINT), 0.035, 2),
        bevelled(prism(round_corners(lid, 0.06, 3, closed=True), 2 * body - 0.03, VehicleMaterial.ACCENT), 0.035, 2),
        bevelled(prism(round_corners(panel, 0.03, 2, closed=True), 1.4 * body, VehicleMaterial.DARK), 0.015, 1),
        *_brush_deck(nose - 0.26, min(half - 0.01, 0.27), nose),
        *with_mirror_image([part.moved((axle, body - 0.02, 0.125)) for part in wheel(0.125, 0.06)]),
        *with_mirror_image([part.moved((tail + 0.04, body - 0.12, 0)) for part in castor(0.045, 0.03, 0.28, 0)]),
        box_between((tail - 0.02, nose - 0.3), (0.04 - body, body - 0.04), (0.12, 0.28), VehicleMaterial.DARK),
        bent_tube(handle, 0.016, 0.06, VehicleMaterial.DARK),
        _hose(
            [
                (rear + 0.08, 0, 0.07),
                (rear + 0.06, 0, 0.42),
                (tail - 0.02, body - 0.12, 0.66),
                (tail + 0.02, body - 0.1, 0.8),
            ]
        ),
        *maker_name(seed, (tail + nose) / 2 - 0.04, body + 0.002, 0.56, 0.1),
    ]


def _brush_deck(x: float, radius: float, nose: float) -> list[Solid]:
    """Return a round cover with a skirt of bristles."""
    reach = min(radius, nose - x - 0.005)
    cover = lathe([(reach, 0.1), (reach, 0.15), (0.8 * reach, 0.2), (0.5 * reach, 0.22)], VehicleMaterial.MAST, 20)
    skirt = lathe([(reach - 0.012, 0.0), (reach - 0.01, 0.11)], VehicleMaterial.DARK, 20)
    return [cover.moved((x, 0, 0)), skirt.moved((x, 0, 0))]


def _ride_on(rear: float, length: float, half: float, height: float, seed: int) -> list[Solid]:
    """Return a machine with a seat on the tank and a steering wheel on a column at the front."""
    nose, body = rear + length, half - 0.05
    tail = rear + 0.24
    seat_x, low = tail + 0.36, 0.86
    tank = [
        (tail, 0.3),
        (nose - 0.72, 0.3),
        (nose - 0.7, 0.6),
        (nose - 0.8, low),
        (tail + 0.02, low + 0.1),
        (tail, 0.8),
    ]
    column = [(nose - 0.4, 0.22), (nose - 0.06, 0.22), (nose - 0.03, 0.5), (nose - 0.16, 0.98), (nose - 0.32, 1.0)]
    floor = [(tail, 0.2), (nose - 0.05, 0.2), (nose, 0.28), (nose - 0.05, 0.36), (tail, 0.36)]
    mast = rod((tail + 0.05, body - 0.08, 0.8), (tail + 0.05, body - 0.08, height - 0.115), 0.012, VehicleMaterial.DARK)
    chair = [part.moved((seat_x, 0, low - 0.04)) for part in seat()]
    deck_r = min(half - 0.03, 0.36)
    return [
        bevelled(prism(round_corners(tank, 0.07, 3, closed=True), 2 * body, VehicleMaterial.PAINT), 0.04, 2),
        bevelled(prism(round_corners(column, 0.06, 3, closed=True), 1.1 * body, VehicleMaterial.PAINT), 0.04, 2),
        bevelled(prism(round_corners(floor, 0.03, 2, closed=True), 2 * body, VehicleMaterial.ACCENT), 0.02, 1),
        *chair,
        *steering_wheel((nose - 0.38, 0, 1.06), 30),
        *_brush_deck(nose - 0.3 - deck_r, deck_r, nose),
        *with_mirror_image([part.moved((tail + 0.3, body, 0.15)) for part in wheel(0.15, 0.08)]),
        *(part.moved((nose - 0.2, 0, 0.13)) for part in wheel(0.13, 0.08)),
        *with_mirror_image([box((0.02, 0.1, 0.06), (nose - 0.055, 0.14, 0.56), VehicleMaterial.LAMP)]),
        mast, *beacon((tail + 0.05, body - 0.08, height - 0.12)),
        _hose([(rear + 0.08, 0, 0.07), (rear + 0.07, 0, 0.5), (tail - 0.02, 0.14, 0.78), (tail + 0.06, 0.14, 0.84)]),
        *maker_name(seed, tail + 0.45, body + 0.002, 0.62, 0.11),
    ]  # fmt: skip
