# SPDX-License-Identifier: Apache-2.0
"""The lights of a hall: lamps under the ceiling, daylight, sunbeams, a headlight, and ambient light."""

from dataclasses import dataclass
from typing import get_args

import numpy as np

from pipeline.common.color import REC709_LUMINANCE
from pipeline.config.world import LightSection
from pipeline.record.base_types import Rgb, Vec2, Vec3
from pipeline.record.scene import AmbientLight, Camera, Hall, HdriName, Lamp, Opening
from pipeline.scenes.assets.palettes import LAMP_TINTS, linear, rgb

# Power of white lamps per floor area that gives furnished halls the brightness of real images at 0 EV: a mean pixel
# value of about 100 of 255.
POWER_W_PER_M2 = 8.5
AMBIENT_STRENGTH = (0.06, 0.6)
# Shares of the brightness (in stops) and of the color of the lamps that a camera compensates.
AUTO_EXPOSURE, WHITE_BALANCE = 0.65, 0.75
DARK_LIGHT_SCENES = ("dusk", "torch")
# A floor lit by lamps receives 1.5 to 2 W/m2.
SUN_W_PER_M2 = (6.0, 20.0)
TORCH_W = 500.0  # lights a wall at a distance of 4 m as brightly as lamps do
# Color factors of old tubes: warmer, greener or colder than the other tubes.
FLICKER_TINTS = np.array([(1.0, 0.75, 0.5), (0.9, 1.0, 0.8), (0.7, 0.85, 1.0)])
HDRIS = get_args(HdriName)


@dataclass(frozen=True)
class LightLevels:
    """Power of a light scene relative to a fully lit hall: ranges for lamps and daylight, a factor for ambient."""

    lamps: tuple[float, float]
    daylight: tuple[float, float]
    ambient: float


LIGHT_LEVELS = {
    "high_bay": LightLevels((0.9, 1.0), (0.0, 0.25), 1.0),
    "neon": LightLevels((0.9, 1.0), (0.0, 0.25), 1.0),
    "daylight": LightLevels((0.05, 0.6), (0.5, 1.0), 1.0),
    "dusk": LightLevels((0.03, 0.25), (0.02, 0.1), 0.35),
    "torch": LightLevels((0.01, 0.05), (0.0, 0.02), 0.2),
}


def blackbody(temperature_k: float) -> Rgb:
    """Return the color of a black body, linear Rec. 709, scaled to a largest channel of 1.

    The chromaticity follows Kim et al. 2002 (US patent 7024034), which is valid from 1667 K to 25000 K.
    """
    inverse_kk = 1000.0 / temperature_k
    if temperature_k <= 4000:
        x = np.polyval([-0.2661239, -0.2343589, 0.8776956, 0.179910], inverse_kk)
        cubic = [-1.1063814, -1.34811020, 2.18555832, -0.20219683]
        if temperature_k > 2222:
            cubic = [-0.9549476, -1.37418593, 2.09137015, -0.16748867]
    else:
        x = np.polyval([-3.0258469, 2.1070379, 0.2226347, 0.240390], inverse_kk)
        cubic = [3.0817580, -5.87338670, 3.75112997, -0.37001483]
    y = np.polyval(cubic, x)
    xyz = np.array([x / y, 1.0, (1 - x - y) / y])
    to_rec709 = np.array(
        [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]]
    )
    color = np.maximum(to_rec709 @ xyz, 0)
    return rgb(color / color.max())


def lamp_height_m(hall_height_m: float) -> float:
    """Return the height of the lower faces of the ceiling lamps."""
    return hall_height_m - 0.3


def draw_power_factor(random: np.random.Generator, config: LightSection) -> float:
    """Draw the factor on the power of all lamps, log-uniformly."""
    return float(np.exp(random.uniform(*np.log(config.power))))


def draw_exposure_ev(random: np.random.Generator, config: LightSection, power_factor: float) -> float:
    """Draw the exposure in stops. Automatic exposure compensates most of `power_factor`."""
    return round(float(random.uniform(*config.exposure_ev) - AUTO_EXPOSURE * np.log2(power_factor)), 3)


def draw_lights(
    random: np.random.Generator, config: LightSection, light_scene: str, hall: Hall, camera: Camera, power_factor: float
) -> tuple[tuple[Lamp, ...], AmbientLight]:
    """Draw the lamps and the ambient light of a light scene, with `power_factor` on all of their power."""
    levels = LIGHT_LEVELS[light_scene]
    color = _draw_light_color(random, config)
    total_power = POWER_W_PER_M2 * hall.size_m[0] * hall.size_m[1] * power_factor
    lamp_power = total_power * random.uniform(*levels.lamps)
    lamps = _draw_ceiling_lamps(random, config, light_scene, hall, color, lamp_power)
    daylight_power = total_power * random.uniform(*levels.daylight)
    lamps += _draw_daylight(random, hall, daylight_power, sunny=light_scene == "daylight")
    if light_scene == "torch":
        lamps.append(_draw_headlight(random, camera, power_factor))
    strength = power_factor * np.exp(random.uniform(*np.log(AMBIENT_STRENGTH))) * levels.ambient
    ambient = AmbientLight(
        color_rgb=rgb((np.array(color) + 1) / 2),
        strength=round(float(strength), 4),
        hdri=str(random.choice(HDRIS)) if random.random() < config.hdri else None,
        yaw_deg=round(float(random.uniform(0, 360)), 2),
    )
    return tuple(lamps), ambient


def _draw_ceiling_lamps(
    random: np.random.Generator, config: LightSection, light_scene: str, hall: Hall, color: Rgb, power_w: float
) -> list[Lamp]:
    """Return a grid of equal lamps with a total of `power_w`, some of them dead or flickering."""
    kind = {"high_bay": "high_bay", "neon": "strip"}.get(light_scene) or str(random.choice(["high_bay", "strip"]))
    size, yaw = _draw_lamp_size(random, kind)
    positions = _lamp_grid(random, hall.size_m)
    # At least one lamp is lit.
    lit = random.random(len(positions)) >= random.uniform(*config.dead) * random.choice([0, 1])
    lit[random.integers(len(positions))] = True
    power_per_lamp = power_w / len(positions) / (REC709_LUMINANCE @ color)
    lamps = []
    for (x, y), is_lit in zip(positions, lit, strict=True):
        lamp_color, dim = color, 1.0
        if kind == "strip" and random.random() < config.flickering:
            tint = FLICKER_TINTS[random.integers(len(FLICKER_TINTS))]
            lamp_color, dim = rgb(np.array(color) * tint), random.uniform(0.1, 0.6)
        lamps.append(
            Lamp(
                kind=kind,
                position_m=(round(float(x), 3), round(float(y), 3), round(lamp_height_m(hall.size_m[2]), 3)),
                size_m=size,
                yaw_deg=yaw,
                power_w=round(float(power_per_lamp * dim * random.uniform(0.85, 1.1)) if is_lit else 0.0, 2),
                color_rgb=lamp_color,
            )
        )
    return lamps


def _draw_daylight(random: np.random.Generator, hall: Hall, power_w: float, sunny: bool) -> list[Lamp]:
    """Return a light in every open opening, with power by area, and on sunny days up to two sunbeams."""
    faces = [face for opening in hall.openings if (face := _lit_face(opening)) is not None]
    if not faces or power_w <= 0:
        return []
    area = sum(width * height for _, (width, height), _, _ in faces)
    lamps = []
    for position, size, yaw, direction in faces:
        shared = {"position_m": position, "yaw_deg": yaw, "color_rgb": hall.outside_rgb}
        power = round(power_w * size[0] * size[1] / area, 2)
        lamps.append(Lamp(kind="daylight", size_m=size, power_w=power, direction=direction, **shared))
    if sunny and random.random() < 0.5:
        lamps += [_draw_sunbeam(random, faces[i]) for i in random.permutation(len(faces))[:2]]
    return lamps


def _lit_face(opening: Opening) -> tuple[Vec3, Vec2, float, Vec3] | None:
    """Return position, size, yaw and direction of the light in the open part of an opening; None if it is closed."""
    width, height = opening.size_m
    if opening.open <= 0:
        return None
    x, y, z = opening.center_m
    if opening.kind == "skylight":
        return (x, y, round(z - 0.05, 3)), (width, height), 0.0, (0.0, 0.0, -1.0)
    inwards = np.array([np.cos(np.radians(opening.yaw_deg)), np.sin(np.radians(opening.yaw_deg))])
    open_height = height * opening.open
    point = np.array([x, y]) + 0.05 * inwards
    position = tuple(round(float(value), 3) for value in (*point, z - (height - open_height) / 2))
    across, down = (round(float(value), 4) for value in inwards)
    return position, (width, round(open_height, 3)), 0.0, (across, down, 0.0)


def _draw_sunbeam(random: np.random.Generator, face: tuple[Vec3, Vec2, float, Vec3]) -> Lamp:
    """Return a sunbeam through an opening; the sun is 25 to 55 degrees above the horizon."""
    position, size, _, direction = face
    elevation, turn = np.radians(random.uniform(25, 55)), np.radians(random.uniform(-40, 40))
    if direction[2] < 0:
        turn = random.uniform(0, 2 * np.pi)
        direction = (1.0, 0.0, 0.0)
    cos, sin = np.cos(turn), np.sin(turn)
    horizontal = np.array([direction[0] * cos - direction[1] * sin, direction[0] * sin + direction[1] * cos])
    beam = (*(horizontal * np.cos(elevation)), -np.sin(elevation))
    projected_size = (round(size[0] * abs(cos), 3), round(size[1] * float(np.cos(elevation)), 3))
    return Lamp(
        kind="sunbeam",
        position_m=position,
        size_m=projected_size,
        yaw_deg=0.0,
        power_w=round(float(random.uniform(*SUN_W_PER_M2)) * projected_size[0] * projected_size[1], 2),
        color_rgb=rgb(np.array(blackbody(5200)) ** (1 - WHITE_BALANCE)),
        direction=tuple(round(float(value), 4) for value in beam),
        angle_deg=2.0,
    )


def _draw_headlight(random: np.random.Generator, camera: Camera, power_factor: float) -> Lamp:
    """Return the headlight of the vehicle that carries the camera: above and beside the camera, in its direction."""
    axes = np.array(camera.rotation).T  # rows: right, down, forward
    position = np.array(camera.position_m) + random.uniform(-0.4, 0.4) * axes[0] - random.uniform(0.05, 0.3) * axes[1]
    direction = axes[2] + random.normal(0, 0.08, 3)
    return Lamp(
        kind="torch",
        position_m=tuple(round(float(value), 3) for value in position),
        size_m=(0.08, 0.08),
        yaw_deg=0.0,
        power_w=round(float(TORCH_W * power_factor * np.exp(random.normal(0, 0.4))), 2),
        color_rgb=rgb(np.array(blackbody(random.uniform(3500, 6500))) ** (1 - WHITE_BALANCE)),
        direction=tuple(round(float(value), 4) for value in direction / np.linalg.norm(direction)),
        angle_deg=round(float(random.uniform(50, 100)), 1),
    )


def draw_outside_light(random: np.random.Generator, light_scene: str) -> tuple[Rgb, float]:
    """Draw color and radiance of the view through doors and windows; by day, it is overexposed in the image."""
    dark = light_scene in DARK_LIGHT_SCENES or (light_scene != "daylight" and random.random() < 0.25)
    color = rgb(np.array(blackbody(random.uniform(6000, 11000))) ** (1 - WHITE_BALANCE))
    return color, round(float(random.uniform(0.01, 0.25) if dark else random.uniform(1.5, 6.0)), 3)


def _draw_light_color(random: np.random.Generator, config: LightSection) -> Rgb:
    """Draw the color of all lamps: white after the white balance of the camera, or strongly tinted."""
    # The eye sees equal steps in mired (1e6 / K) as equal.
    temperature = 1e6 / random.uniform(1e6 / config.temperature_k[1], 1e6 / config.temperature_k[0])
    white = np.array(blackbody(temperature)) ** (1 - WHITE_BALANCE)
    tint = linear(LAMP_TINTS[random.integers(len(LAMP_TINTS))])
    strength = random.uniform(0.4, 0.9) if random.random() < config.colored else 0.0
    return rgb(white * (1 - strength) + tint * strength)


def _draw_lamp_size(random: np.random.Generator, kind: str) -> tuple[Vec2, float]:
    """Draw the size and the yaw in degrees that all lamps of a hall share."""
    if kind == "high_bay":
        diameter = round(float(random.uniform(0.3, 0.6)), 3)
        return (diameter, diameter), 0.0
    # One batten, or two or three in a row; bare tubes or troughs.
    length = random.uniform(1.2, 1.8) * random.choice([1, 1, 2, 3])
    size = (round(float(length), 3), round(float(random.uniform(0.05, 0.22)), 3))
    return size, float(random.choice([0.0, 90.0]))


def _lamp_grid(random: np.random.Generator, hall_m: Vec3) -> np.ndarray:
    """Return positions (n, 2) on an even grid, half a pitch from the walls; about 20 at most."""
    pitch = max(random.uniform(4.5, 8.0), float(np.sqrt(hall_m[0] * hall_m[1] / 20)))
    counts = np.maximum(np.round(np.array(hall_m[:2]) / pitch), 1).astype(int)
    axes = [(np.arange(count) + 0.5) / count * side - side / 2 for count, side in zip(counts, hall_m[:2], strict=True)]
    return np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
