# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands reach every grip that scene sampling can ask for, whatever the body; in `make test-all` also in between.

The ranges of grips are those of the docstring of blender/people/pose_solver.py.
"""

from functools import lru_cache
from itertools import product

import numpy as np
import pytest

from blender.people import body_shape, pose_solver, shoes
from blender.people.skeleton import SIDES, Skeleton, find_skeleton, joint_position
from tests.helpers.search import THOROUGH
from tests.unit.blender.people.test_body_shape import AVERAGE
from tests.unit.blender.people.test_pose_solver import pose

# Limits of people.height_m, and of the body proportions and ages that scene sampling draws.
HEIGHTS_M = (1.4, 1.75, 2.1)
BODIES = [
    {"height_m": height_m, "gender": gender, "proportions": proportions, "age": age}
    for height_m, gender, (proportions, age) in product(HEIGHTS_M, (0.0, 1.0), ((0.3, 0.65), (0.8, 1.0)))
]
PHASES = np.arange(8) / 8
# Ends of the ranges of grips: ahead of the hips, to the hand's own side, height.
GRIP_CORNERS = {
    "push": ((0.35, 0.55), (0.0, 0.22), (0.75, 1.1)),
    "pull": ((-0.5, -0.35), (0.15, 0.3), (0.75, 1.1)),
    "walk_beside": ((-0.35, -0.01, 0.0, 0.4), (0.2, 0.4), (0.75, 1.1)),
}
# A load is carried at a share of the body height.
CARRY_CORNERS = ((0.26, 0.46), (0.14, 0.28), (0.57, 0.62))
MAX_HAND_ERROR_M = 0.02


@lru_cache(maxsize=len(BODIES))
def body(height_m: float, gender: float, proportions: float, age: float) -> tuple[Skeleton, pose_solver.Soles]:
    parameters = {"height_m": height_m, "gender": gender, "proportions": proportions, "age": age}
    vertices = body_shape.shape_vertices(AVERAGE | parameters)
    bones = find_skeleton(vertices)
    pair = shoes.fit_shoes(bones, vertices)
    return bones, (pair.points, pair.weights)


def check_hands(parameters: dict, wanted: dict) -> None:
    """Solve a pose, which raises ValueError out of reach, and check that each fist is around its bar."""
    bones, soles = body(**parameters)
    transforms = pose_solver.solve_pose(bones, wanted, soles)
    for side, key in pose_solver.HAND_KEYS.items():
        if wanted[key] is None or wanted["name"] == "carry":
            continue
        fist = [joint_position(bones, transforms, f"finger{j}.{side}") for j in ("3-1", "3-2", "3-3", "1-3", "1-3")]
        error_m = (np.mean(fist, axis=0) - wanted[key])[[0, 2]]
        assert np.linalg.norm(error_m) < MAX_HAND_ERROR_M, (parameters, wanted)


def hands_at(name: str, ahead: float, aside: float, up: float) -> list[dict]:
    """Return the hands of the pose: both, or the left one and the right one alone."""
    left, right = ((ahead, sign * aside, up) for sign in SIDES.values())
    if name in ("push", "carry"):
        return [{"left": left, "right": right}]
    return [{"left": left}, {"right": right}]


def test_a_tall_woman_beside_a_truck_reaches_a_low_bar():
    """This case was 5 mm out of reach: `make test` found it by chance."""
    parameters = {"height_m": 1.9375, "gender": 1.0, "proportions": 0.5, "age": 0.7}
    check_hands(parameters, pose("walk_beside", 0.5, 0, left=(0.0, 0.25, 0.75)))


@pytest.mark.parametrize("parameters", BODIES, ids=lambda body: "-".join(map(str, body.values())))
@pytest.mark.parametrize("name", [*GRIP_CORNERS, "carry"])
def test_hands_reach_all_grips_of_the_sampled_ranges(name, parameters):
    corners = list(product(*GRIP_CORNERS.get(name, CARRY_CORNERS)))
    for number, (ahead, aside, up) in enumerate(corners):
        height = up * parameters["height_m"] if name == "carry" else up
        for hands in hands_at(name, ahead, aside, height):
            # In `make test` each corner has one gait phase, so that all phases occur.
            for phase in PHASES if THOROUGH else [PHASES[number % len(PHASES)]]:
                check_hands(parameters, pose(name, float(phase), number, **hands))


@pytest.mark.parametrize("height_m", HEIGHTS_M)
def test_knees_and_trunk_bend_only_as_far_as_a_grip_needs(height_m):
    """The lower the bar, the lower the head; a bar in easy reach leaves the posture as it is."""
    bones, soles = body(height_m, 0.0, 0.3, 0.65)

    def head_height_m(hand: tuple[float, float, float] | None) -> float:
        transforms = pose_solver.solve_pose(bones, pose("walk_beside", 0.25, 0, left=hand), soles)
        return joint_position(bones, transforms, "head")[2]

    upright, slightly_bent, stooped = (head_height_m((0.1, 0.25, share * height_m)) for share in (0.48, 0.4, 0.34))
    assert upright == pytest.approx(head_height_m(None), abs=0.01)
    assert upright > slightly_bent > stooped
