# SPDX-License-Identifier: Apache-2.0
"""Lamps under the ceiling and the even light around."""

import numpy as np

from pipeline.config import LightSection
from pipeline.palettes import LAMP_TINTS, linear, rgb
from pipeline.parts import Rgb, Vec3
from pipeline.scene import Ambient, Lamp

# Lamp power per floor area (white light) that gives furnished halls of `blender/` the brightness of real pictures at
# 0 EV: a mean of about 100 of 255. A bare floor needs half of it (blender/lights.py).
POWER_W_PER_M2 = 6.0
AMBIENT_STRENGTH = (0.06, 0.6)
# What cameras make up for: this share of the lamps' brightness in stops and of their colour.
AUTO_EXPOSURE, WHITE_BALANCE = 0.5, 0.55
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def blackbody(temperature_k: float) -> Rgb:
    """Return the colour of a black body, linear Rec. 709, its largest channel 1.

    Chromaticity after Kim et al. 2002 (US patent 7024034), good from 1667 to 25000 K.
    """
    t = 1000.0 / temperature_k
    if temperature_k <= 4000:
        x = np.polyval([-0.2661239, -0.2343589, 0.8776956, 0.179910], t)
        cubic = [-1.1063814, -1.34811020, 2.18555832, -0.20219683]
        if temperature_k > 2222:
            cubic = [-0.9549476, -1.37418593, 2.09137015, -0.16748867]
    else:
        x = np.polyval([-3.0258469, 2.1070379, 0.2226347, 0.240390], t)
        cubic = [3.0817580, -5.87338670, 3.75112997, -0.37001483]
    y = np.polyval(cubic, x)
    xyz = np.array([x / y, 1.0, (1 - x - y) / y])
    to_rec709 = np.array(
        [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]]
    )
    color = np.maximum(to_rec709 @ xyz, 0)
    return rgb(color / color.max())


def lamp_height_m(hall_height_m: float) -> float:
    """Return how high the lamps' lower faces hang."""
    return hall_height_m - 0.3


def draw_power_factor(random: np.random.Generator, config: LightSection) -> float:
    return float(np.exp(random.uniform(*np.log(config.power))))


def exposure_ev(random: np.random.Generator, config: LightSection, factor: float) -> float:
    """Draw the exposure in stops; automatic exposure makes up for half of lamps `factor` times as bright as usual."""
    return round(float(random.uniform(*config.exposure_ev) - AUTO_EXPOSURE * np.log2(factor)), 3)


def draw_lamps(
    random: np.random.Generator, config: LightSection, hall_m: Vec3, factor: float
) -> tuple[tuple[Lamp, ...], Ambient]:
    """Draw a grid of equal lamps, some of them dead, and the ambient light, all `factor` times as bright as usual."""
    color = _draw_light_color(random, config)
    kind = "high_bay" if random.random() < 0.5 else "strip"
    size, yaw = _draw_size(random, kind)
    places = _grid(random, hall_m)
    power = POWER_W_PER_M2 * hall_m[0] * hall_m[1] / len(places) * factor / (LUMINANCE @ color)
    # At least one lamp burns.
    burns = random.random(len(places)) > random.choice([0, 0.08, 0.3], p=[0.55, 0.3, 0.15])
    burns[random.integers(len(places))] = True
    lamps = tuple(
        Lamp(
            kind=kind,
            position_m=(round(float(x), 3), round(float(y), 3), round(lamp_height_m(hall_m[2]), 3)),
            size_m=size,
            yaw_deg=yaw,
            power_w=round(float(power * random.uniform(0.85, 1.1)) if on else 0.0, 2),
            color_rgb=color,
        )
        for (x, y), on in zip(places, burns, strict=True)
    )
    strength = factor * np.exp(random.uniform(*np.log(AMBIENT_STRENGTH)))
    return lamps, Ambient(color_rgb=rgb((np.array(color) + 1) / 2), strength=round(float(strength), 4))


def _draw_light_color(random: np.random.Generator, config: LightSection) -> Rgb:
    # Even steps in mired (1e6 / K) look even.
    temperature = 1e6 / random.uniform(1e6 / config.temperature_k[1], 1e6 / config.temperature_k[0])
    white = np.array(blackbody(temperature)) ** (1 - WHITE_BALANCE)
    tint = linear(LAMP_TINTS[random.integers(len(LAMP_TINTS))])
    strength = random.uniform(0.4, 0.9) if random.random() < config.colored else 0.0
    return rgb(white * (1 - strength) + tint * strength)


def _draw_size(random: np.random.Generator, kind: str) -> tuple[tuple[float, float], float]:
    if kind == "high_bay":
        diameter = round(float(random.uniform(0.3, 0.6)), 3)
        return (diameter, diameter), 0.0
    size = (round(float(random.uniform(1.2, 2.4)), 3), round(float(random.uniform(0.08, 0.25)), 3))
    return size, float(random.choice([0.0, 90.0]))


def _grid(random: np.random.Generator, hall_m: Vec3) -> np.ndarray:
    """Return (n, 2) places, the same distance apart along each wall and half of it from the wall; 24 at most."""
    pitch = max(random.uniform(4.5, 8.0), float(np.sqrt(hall_m[0] * hall_m[1] / 20)))
    counts = np.maximum(np.round(np.array(hall_m[:2]) / pitch), 1).astype(int)
    axes = [(np.arange(count) + 0.5) / count * side - side / 2 for count, side in zip(counts, hall_m[:2], strict=True)]
    return np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
