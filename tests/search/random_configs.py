# SPDX-License-Identifier: Apache-2.0
"""Random valid configs that visit the limits of every key of the scene sections (`pipeline/config/world.py`)."""

from typing import Any

import numpy as np
from pydantic import BaseModel

from pipeline.config import config

# Limits of the ranges [low, high] and of the single numbers whose limits the fields do not publish.
RANGE_LIMITS = {
    "people.age_years": (18, 90),
    "people.height_m": (1.4, 2.1),
    "camera.fov_deg.robot": (10, 150),
    "camera.fov_deg.handheld": (10, 150),
    "camera.fov_deg.ceiling": (10, 150),
    "camera.fov_deg.forklift_mast": (10, 150),
    "camera.subject_height": (0.05, 1),
    "camera.distortion": (-0.4, 0.2),
    "camera.motion_m": (0, 0.5),
    "camera.motion_deg": (0, 10),
    "camera.aperture_f": (0.7, 64),
    "camera.focus_m": (0.1, 1000),
    "camera.exposure_error_ev": (-10, 10),
    "light.temperature_k": (1700, 25000),
    "light.dead": (0, 0.95),
    "light.power": (0.01, 100),
    "light.exposure_ev": (-10, 10),
}
NUMBER_LIMITS = {"camera.width": (32, 8192), "camera.height": (32, 8192)}
NUMBER_LIMITS |= {"camera.roll_deg": (0, 45), "camera.aim_deg": (0, 45)}
# Counts have no upper limit. Most draws stay near the defaults, a few ask for more than a hall can hold.
MAX_COUNTS, CROWDED_COUNT, CROWDED_SHARE = (0, 1, 2, 4, 8), 30, 0.03
DEFAULT_SHARE, LIMIT_SHARE = 0.4, 0.6  # of keys that keep their default; of the drawn numbers that are a limit


def draw_config(random: np.random.Generator) -> config.Config:
    """Return a valid config: every key of the scene sections has its default, a limit or a random value."""
    values = {
        name: _draw_section(random, name, getattr(config.Config(), name))
        for name in ("layout", "people", "trucks", "goods", "camera", "light")
    }
    return config.validate({"data": {"seed": int(random.integers(2**31))}, **values})


def _draw_section(random: np.random.Generator, path: str, section: BaseModel) -> dict[str, Any]:
    values = {}
    for name, default in section:
        key = f"{path}.{name}"
        if isinstance(default, BaseModel):
            values[name] = _draw_section(random, key, default)
        elif random.random() >= DEFAULT_SHARE:
            values[name] = _draw_value(random, key, default)
    return values


def _draw_value(random: np.random.Generator, key: str, default: Any) -> Any:
    """Return a value of the same kind as `default`: a pair is a range, a dict holds shares, a number is a number."""
    if isinstance(default, dict):
        return _draw_shares(random, list(default))
    if isinstance(default, tuple) and all(isinstance(end, int) for end in default) and key not in RANGE_LIMITS:
        return _draw_counts(random)
    if isinstance(default, tuple):
        return sorted(_draw_number(random, *RANGE_LIMITS.get(key, (0, 1))) for _ in range(2))
    number = _draw_number(random, *NUMBER_LIMITS.get(key, (0, 1)))
    return int(number) if isinstance(default, int) else number


def _draw_number(random: np.random.Generator, low: float, high: float) -> float:
    return float(random.choice([low, high]) if random.random() < LIMIT_SHARE else random.uniform(low, high))


def _draw_counts(random: np.random.Generator) -> list[int]:
    if random.random() < CROWDED_SHARE:
        return [CROWDED_COUNT, CROWDED_COUNT]
    return sorted(int(random.choice(MAX_COUNTS)) for _ in range(2))


def _draw_shares(random: np.random.Generator, names: list[str]) -> dict[str, float]:
    """Return shares of all names, of some of them, or of one alone."""
    if random.random() < 0.4:
        return {str(random.choice(names)): 1.0}
    shares = random.dirichlet(np.ones(len(names))) * (random.random(len(names)) < 0.7)
    return dict(zip(names, shares.tolist(), strict=True)) if shares.sum() else {names[0]: 1.0}
