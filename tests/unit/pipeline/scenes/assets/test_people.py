# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from pipeline.config.world import PeopleSection
from pipeline.scenes.actors.person_groups import draw_pose
from pipeline.scenes.assets.people import draw_person


def draw_people(count=600, **values):
    config = PeopleSection(**values)
    random = np.random.default_rng(3)
    return [draw_person(random, config, draw_pose(random, config)) for _ in range(count)]


def test_heights_and_ages_follow_the_population():
    people = draw_people()
    men, women = ([p.height_m for p in people if (p.gender > 0.5) == sex] for sex in (False, True))
    assert len(women) / len(people) == pytest.approx(0.25, abs=0.06)
    assert 1.67 < np.mean(men) < 1.77
    assert 0.06 < np.std(men) < 0.1
    assert 1.56 < np.mean(women) < 1.66
    years = np.array([25 + (p.age - 2 / 3) * 3 * 65 for p in people])
    assert 17.9 < years.min() < 25
    assert 60 < years.max() < 68.1
    assert 38 < np.median(years) < 47


def test_all_clothes_and_poses_occur():
    outfits = [p.outfit for p in draw_people()]
    assert {o.legs for o in outfits} == {"trousers", "dungarees", "shorts"}
    assert {o.head for o in outfits} == {"helmet", "cap", "bump_cap", "hair"}
    assert {o.hair for o in outfits} == {"shaved", "short", "full", "long"}
    assert {o.bag for o in outfits} == {None, "backpack", "shoulder_bag"}
    assert any(o.hood for o in outfits)
    assert any(o.jacket_rgb for o in outfits)
    assert any(o.vest_rgb for o in outfits)
    assert not any(o.jacket_rgb and (o.vest_rgb or o.legs == "shorts") for o in outfits)
    assert not any(o.hood and o.sleeves == "short" for o in outfits)
    assert {p.pose.name for p in draw_people()} == set(PeopleSection().poses_alone)


def test_a_config_can_fix_every_choice():
    clothing = {"hi_vis": {"vest": 1}, "office": 0, "head": {"cap": 1}}
    for person in draw_people(30, women=1, age_years=70, height_m=1.6, poses_alone={"stand": 1}, clothing=clothing):
        assert person.gender > 0.5
        assert person.age == pytest.approx(2 / 3 + 45 / 65 / 3, abs=1e-3)
        assert (person.height_m, person.pose.name, person.outfit.head) == (1.6, "stand", "cap")
        assert person.outfit.vest_rgb
        assert not person.outfit.jacket_rgb
