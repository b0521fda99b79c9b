# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from pipeline.common.randomness import rng
from pipeline.config.world import LightSection
from pipeline.scenes.hall import hall as halls
from pipeline.scenes.hall import lighting
from tests.helpers.records import record

SIZE = (20.0, 14.0, 6.0)


def lit(light: str, index: int, config: LightSection | None = None):
    openings = halls.draw_openings(rng(1, index, "openings"), SIZE, [], light == "daylight", lambda boxes: True)
    seen = lighting.draw_outside_light(rng(1, index, "outside"), light)
    hall = halls.draw_hall(rng(1, index, "surfaces"), SIZE, [], openings, seen)
    config = config or LightSection(colored=0)
    return hall, *lighting.draw_lights(rng(1, index, "lamps"), config, light, hall, record().camera, 1.0)


def power(lamps, *kinds) -> float:
    return sum(lamp.power_w for lamp in lamps if lamp.kind in kinds)


@pytest.mark.parametrize("index", range(8))
def test_by_day_light_comes_in_through_openings(index):
    hall, lamps, _ = lit("daylight", index)
    assert any(opening.open > 0 for opening in hall.openings)
    lit_by_lamps, usual = power(lamps, "high_bay", "strip"), lighting.POWER_W_PER_M2 * SIZE[0] * SIZE[1]
    assert power(lamps, "daylight") >= 0.49 * usual
    assert lit_by_lamps <= 0.9 * usual


@pytest.mark.parametrize("index", range(8))
def test_daylight_shines_into_the_hall_from_its_shell(index):
    _, lamps, _ = lit("daylight", index)
    half = np.array(SIZE) / 2
    for lamp in lamps:
        if lamp.kind in ("daylight", "sunbeam"):
            inwards = np.array([0, 0, 3.0]) - lamp.position_m
            from_roof = lamp.position_m[2] > SIZE[2] - 0.1
            assert lamp.direction[2] < 0 if from_roof else inwards @ np.array(lamp.direction) > 0
            assert np.linalg.norm(lamp.direction) == pytest.approx(1, abs=1e-3)
            assert (np.abs(lamp.position_m[:2]) <= half[:2]).all()


def test_a_torch_is_where_the_camera_is_and_all_else_is_dark():
    _, lamps, ambient = lit("torch", 0)
    (torch,) = [lamp for lamp in lamps if lamp.kind == "torch"]
    camera = record().camera
    assert np.linalg.norm(np.array(torch.position_m) - camera.position_m) < 0.6
    assert np.array(torch.direction) @ np.array(camera.rotation)[:, 2] > 0.8
    _, usual, fill = lit("neon", 0)
    assert power(lamps, "high_bay", "strip", "daylight") < 0.1 * power(usual, "high_bay", "strip")
    assert ambient.strength < 0.3 * fill.strength


def test_a_light_scene_has_its_lamps():
    assert {lamp.kind for lamp in lit("high_bay", 3)[1]} <= {"high_bay", "daylight"}
    assert {lamp.kind for lamp in lit("neon", 3)[1]} <= {"strip", "daylight"}


def test_dead_and_flickering_tubes():
    _, lamps, _ = lit("neon", 5, LightSection(colored=0, dead=(0.9, 0.95), flickering=0))
    assert power(lamps, "strip") > 0
    _, lamps, _ = lit("neon", 5, LightSection(colored=0, dead=(0, 0), flickering=1))
    assert len({lamp.color_rgb for lamp in lamps if lamp.kind == "strip"}) > 1
