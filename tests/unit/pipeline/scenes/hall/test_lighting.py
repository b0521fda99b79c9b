# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from pipeline.common.randomness import rng
from pipeline.config.world import LightSection
from pipeline.scenes.hall import hall as hall_module
from pipeline.scenes.hall import lighting
from tests.helpers.records import record

SIZE = (20.0, 14.0, 6.0)


def lights_of(light_scene: str, index: int, config: LightSection | None = None):
    openings = hall_module.draw_openings(
        rng(1, index, "openings"), SIZE, [], light_scene == "daylight", lambda boxes: True
    )
    outside_light = lighting.draw_outside_light(rng(1, index, "outside"), light_scene)
    hall = hall_module.draw_hall(rng(1, index, "surfaces"), SIZE, [], openings, outside_light)
    config = config or LightSection(colored=0)
    return hall, *lighting.draw_lights(rng(1, index, "lamps"), config, light_scene, hall, record().camera, 1.0)


def total_power(lamps, *kinds) -> float:
    return sum(lamp.power_w for lamp in lamps if lamp.kind in kinds)


@pytest.mark.parametrize("index", range(8))
def test_daylight_enters_through_openings(index):
    hall, lamps, _ = lights_of("daylight", index)
    assert any(opening.open > 0 for opening in hall.openings)
    lit_by_lamps, usual = total_power(lamps, "high_bay", "strip"), lighting.POWER_W_PER_M2 * SIZE[0] * SIZE[1]
    assert total_power(lamps, "daylight") >= 0.49 * usual
    assert lit_by_lamps <= 0.9 * usual


@pytest.mark.parametrize("index", range(8))
def test_daylight_shines_from_the_walls_and_the_roof_into_the_hall(index):
    _, lamps, _ = lights_of("daylight", index)
    half = np.array(SIZE) / 2
    for lamp in lamps:
        if lamp.kind in ("daylight", "sunbeam"):
            inwards = np.array([0, 0, 3.0]) - lamp.position_m
            from_roof = lamp.position_m[2] > SIZE[2] - 0.1
            assert lamp.direction[2] < 0 if from_roof else inwards @ np.array(lamp.direction) > 0
            assert np.linalg.norm(lamp.direction) == pytest.approx(1, abs=1e-3)
            assert (np.abs(lamp.position_m[:2]) <= half[:2]).all()


def test_a_torch_is_at_the_camera_and_the_other_lights_are_dim():
    _, lamps, ambient = lights_of("torch", 0)
    (torch,) = [lamp for lamp in lamps if lamp.kind == "torch"]
    camera = record().camera
    assert np.linalg.norm(np.array(torch.position_m) - camera.position_m) < 0.6
    assert np.array(torch.direction) @ np.array(camera.rotation)[:, 2] > 0.8
    _, usual, usual_ambient = lights_of("neon", 0)
    assert total_power(lamps, "high_bay", "strip", "daylight") < 0.1 * total_power(usual, "high_bay", "strip")
    assert ambient.strength < 0.3 * usual_ambient.strength


def test_light_scenes_have_the_lamps_of_their_kind():
    assert {lamp.kind for lamp in lights_of("high_bay", 3)[1]} <= {"high_bay", "daylight"}
    assert {lamp.kind for lamp in lights_of("neon", 3)[1]} <= {"strip", "daylight"}


def test_at_least_one_tube_is_lit_and_flickering_tubes_have_other_colors():
    _, lamps, _ = lights_of("neon", 5, LightSection(colored=0, dead=(0.9, 0.95), flickering=0))
    assert total_power(lamps, "strip") > 0
    _, lamps, _ = lights_of("neon", 5, LightSection(colored=0, dead=(0, 0), flickering=1))
    assert len({lamp.color_rgb for lamp in lamps if lamp.kind == "strip"}) > 1
