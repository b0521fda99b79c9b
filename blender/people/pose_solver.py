# SPDX-License-Identifier: GPL-3.0-or-later
"""Postures (feet, pelvis, trunk; blender/postures.py) are solved to bone transforms.

Order of work: pelvis as high as the legs allow, feet where they belong, soles down to z = 0 exactly, trunk, and the
arms last; so a grip is met in the final frame. Where a grip is far, the trunk gives way step by step (`_reaching`).

Safe reach for bodies of 1.5 to 1.95 m at any gait phase (tests/blender/test_poses.py proves it):
- ahead (push): grips 0.35 to 0.55 m ahead of the pelvis, 0 to 0.22 m to the hand's own side, 0.75 to 1.1 m high;
- behind (pull): grips 0.35 to 0.5 m behind the pelvis, 0.15 to 0.3 m to the hand's own side, 0.75 to 1.1 m high;
- beside (walk_beside): grips 0.35 m behind to 0.4 m ahead, 0.2 to 0.4 m to the hand's own side, 0.75 to 1.1 m high;
- a load (carry): hands on its sides, 0.32 to 0.46 m ahead, 0.14 to 0.28 m to their own side, 0.85 to 1.15 m high.
"""

from dataclasses import replace

import numpy as np

from blender.mesh.rotation import rotation_matrix
from blender.people.arms import grip_arm, hang_arm, reach_gap_m
from blender.people.postures import POSTURES, BodyPosture, FootPose
from blender.people.skeleton import (
    SIDES,
    TOES,
    Rotations,
    Skeleton,
    apply_skinning,
    forward_kinematics,
    joint_position,
    limb_rotations,
    parent_rotation,
    solve_middle_joint,
)

# How far legs stretch, as a share of their length: a knee that is quite straight looks locked.
LEG_STRETCH = 0.993
# Postures tried between the natural one and the one that reaches farthest.
REACHING_STEPS = 13
# Hip joints above a seat, in leg lengths; and how far collarbones rise with an arm above this angle, as a share of it.
SEAT_FLESH = 0.115
RAISED_DEG, COLLARBONE = 75.0, 0.3
SPINE = ("spine05", "spine04", "spine03", "spine02")


def solve_pose(skeleton: Skeleton, pose: dict, soles: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Return the skinning transforms (B, 4, 4) of a pose: hips above the origin, the lowest sole point at z = 0.

    `pose` is the JSON dict of `pipeline.scene.Pose`; `soles` are points (N, 3) at rest in m and their weights (N, B).

    Raises:
        ValueError: no such pose, or a grip that is out of reach (the message says how far).
    """
    if pose["name"] not in POSTURES:
        raise ValueError(f"pose.name = {pose['name']!r}: not one of {', '.join(POSTURES)}")
    posture = POSTURES[pose["name"]](pose, np.random.default_rng(pose["seed"]))
    hands = {"L": pose["hand_left_m"], "R": pose["hand_right_m"]}
    grips = {side: np.array(place, float) for side, place in hands.items() if place is not None}
    rotations, offset = _reaching(skeleton, posture, grips, soles)
    transforms = forward_kinematics(skeleton, rotations, offset)
    for side, arm in posture.arms.items():
        if side in grips:
            rotations |= grip_arm(skeleton, transforms, side, grips[side], posture.flat_hands)
        else:
            rotations |= hang_arm(skeleton, transforms, side, arm)
    return forward_kinematics(skeleton, rotations, offset)


def _reaching(
    skeleton: Skeleton, posture: BodyPosture, grips: dict[str, np.ndarray], soles: tuple[np.ndarray, np.ndarray]
) -> tuple[Rotations, np.ndarray]:
    """Return the rotations and the offset of the first posture, from natural to strained, whose hands reach the grips.

    Raises:
        ValueError: even the last one does not reach.
    """
    worst: dict[str, float] = {}
    for effort in np.linspace(0, 1, REACHING_STEPS if grips else 1):
        rotations, offset = _grounded(skeleton, _strained(posture, grips, effort), soles)
        transforms = forward_kinematics(skeleton, rotations, offset)
        worst = {
            side: reach_gap_m(skeleton, transforms, side, grip, posture.flat_hands) for side, grip in grips.items()
        }
        if all(missing <= 0 for missing in worst.values()):
            return rotations, offset
    side = max(worst, key=worst.get)
    name = {"L": "pose.hand_left_m", "R": "pose.hand_right_m"}[side]
    place = ", ".join(f"{value:.2f}" for value in grips[side])
    raise ValueError(f"{name} = ({place}): {worst[side]:.2f} m out of reach; bring it nearer (safe reach: poses.py)")


def _strained(posture: BodyPosture, grips: dict[str, np.ndarray], effort: float) -> BodyPosture:
    """Bend knees and trunk towards the grips; `effort` 0 changes nothing, 1 is as far as it looks natural."""
    if not grips or effort == 0:
        return posture
    if np.mean([grip[0] for grip in grips.values()]) >= 0:
        return replace(
            posture,
            lean_deg=posture.lean_deg + 30 * effort,
            pelvis_tilt_deg=posture.pelvis_tilt_deg + 16 * effort,
            head_pitch_deg=posture.head_pitch_deg - 22 * effort,
            drop=posture.drop + 0.12 * effort,
        )
    sign = sum(SIDES[side] for side in grips)
    return replace(
        posture,
        lean_deg=posture.lean_deg - 10 * effort,
        bend_deg=posture.bend_deg + sign * 26 * effort,
        twist_deg=posture.twist_deg + sign * 34 * effort,
        pelvis_yaw_deg=posture.pelvis_yaw_deg + sign * 14 * effort,
        head_pitch_deg=posture.head_pitch_deg + 14 * effort,
        head_yaw_deg=posture.head_yaw_deg - sign * 28 * effort,
        drop=posture.drop + 0.2 * effort,
    )


def _grounded(
    skeleton: Skeleton, posture: BodyPosture, soles: tuple[np.ndarray, np.ndarray]
) -> tuple[Rotations, np.ndarray]:
    """Return all rotations but the arms', and the offset that brings the lowest sole point to z = 0."""
    rotations = _trunk(posture)
    turned = forward_kinematics(skeleton, rotations)
    hips = {side: joint_position(skeleton, turned, f"upperleg01.{side}") for side in SIDES}
    center = (hips["L"] + hips["R"]) / 2
    feet = {side: _foot(skeleton, side, foot) for side, foot in posture.feet.items()}
    ankles = _ankles(skeleton, posture, feet, soles)
    leg_m = skeleton.leg_length_m()
    heights = []
    for side, ankle in ankles.items():
        level = np.linalg.norm((ankle - hips[side] + center)[:2])
        rise = np.sqrt(max((LEG_STRETCH * leg_m) ** 2 - level**2, 0.0))
        heights.append(ankle[2] + rise - (hips[side] - center)[2])
    height = min(heights) - posture.drop * leg_m
    if posture.seat_m is not None:
        height = posture.seat_m + SEAT_FLESH * leg_m
    offset = np.array([0, 0, height]) - center
    transforms = forward_kinematics(skeleton, rotations, offset)
    for side, foot in feet.items():
        rotations |= _leg(skeleton, transforms, side, ankles[side], foot)
    lowest = apply_skinning(*soles, forward_kinematics(skeleton, rotations, offset))[:, 2].min()
    return rotations, offset - [0, 0, lowest]


def _trunk(posture: BodyPosture) -> Rotations:
    share = 1 / len(SPINE)
    part = (
        rotation_matrix("z", posture.twist_deg * share)
        @ rotation_matrix("x", -posture.bend_deg * share)
        @ rotation_matrix("y", posture.lean_deg * share)
    )
    pelvis = (
        rotation_matrix("z", posture.pelvis_yaw_deg)
        @ rotation_matrix("x", -posture.pelvis_roll_deg)
        @ rotation_matrix("y", posture.pelvis_tilt_deg)
    )
    head = rotation_matrix("z", posture.head_yaw_deg / 2) @ rotation_matrix("y", posture.head_pitch_deg / 2)
    raised = {side: COLLARBONE * max(arm.ahead_deg - RAISED_DEG, 0) for side, arm in posture.arms.items()}
    collarbones = {f"clavicle.{side}": rotation_matrix("x", SIDES[side] * angle) for side, angle in raised.items()}
    return {"root": pelvis} | dict.fromkeys(SPINE, part) | {"neck01": head, "head": head} | collarbones


def _foot(skeleton: Skeleton, side: str, foot: FootPose) -> Rotations:
    """Return the rotations of a foot against the world at rest, and of its toes against the foot."""
    turn = rotation_matrix("z", SIDES[side] * foot.yaw_deg - _foot_yaw_deg(skeleton, side))
    toes = _about_foot(skeleton, side, -foot.toe_deg)
    bones = {f"foot.{side}": turn @ _about_foot(skeleton, side, foot.pitch_deg)}
    return bones | {f"toe{toe}-1.{side}": toes for toe in TOES}


def _ankles(
    skeleton: Skeleton, posture: BodyPosture, feet: dict[str, Rotations], soles: tuple[np.ndarray, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return where the ankles (3,) go: the floor at z = 0, x and y from below the hips' centre."""
    leg_m, points = skeleton.leg_length_m(), apply_skinning(*soles, forward_kinematics(skeleton, feet["L"] | feet["R"]))
    places = {}
    for side, foot in posture.feet.items():
        ankle, ball = skeleton.joints[f"foot.{side}"], skeleton.joints[f"toe2-1.{side}"]
        # The foot rolls about the ball or about the heel, on the spot where that stood when the foot was flat.
        pivot = (ball - ankle if foot.pitch_deg > 0 else -0.35 * (ball - ankle)) * [1, 1, 0] - [0, 0, ankle[2]]
        flat = rotation_matrix("z", SIDES[side] * foot.yaw_deg - _foot_yaw_deg(skeleton, side))
        rolled = flat @ pivot - feet[side][f"foot.{side}"] @ pivot
        lowest = points[soles[0][:, 1] * SIDES[side] > 0, 2].min()
        places[side] = np.array([foot.ahead * leg_m, SIDES[side] * foot.aside * leg_m, 0]) + rolled * [1, 1, 0]
        places[side][2] = ankle[2] - lowest + foot.lift * leg_m
    return places


def _foot_yaw_deg(skeleton: Skeleton, side: str) -> float:
    along = skeleton.joints[f"toe2-1.{side}"] - skeleton.joints[f"foot.{side}"]
    return float(np.degrees(np.arctan2(along[1], along[0])))


def _about_foot(skeleton: Skeleton, side: str, angle_deg: float) -> np.ndarray:
    """Turn about the foot's own side-to-side axis at rest; positive presses the toes down."""
    yaw = rotation_matrix("z", _foot_yaw_deg(skeleton, side))
    return yaw @ rotation_matrix("y", angle_deg) @ yaw.T


def _leg(skeleton: Skeleton, transforms: np.ndarray, side: str, ankle: np.ndarray, foot: Rotations) -> Rotations:
    """Return the rotations of a leg with its ankle (3,) in place; `foot` as `_foot` returns it."""
    bones = (f"upperleg01.{side}", f"lowerleg01.{side}", f"foot.{side}")
    rest = [skeleton.joints[bone] for bone in bones]
    lengths = (float(np.linalg.norm(rest[1] - rest[0])), float(np.linalg.norm(rest[2] - rest[1])))
    hip, above, turn = (
        joint_position(skeleton, transforms, bones[0]),
        parent_rotation(transforms, bones[0]),
        foot[bones[2]],
    )
    # Knees point where the feet do, between the hips' heading and the toes'.
    bend = turn @ [1.0, 0, 0] * [1, 1, 0] + above @ [1.0, 0, 0] * [1, 1, 0] + [0, SIDES[side] * 0.05, 0.2]
    knee = solve_middle_joint(hip, ankle, lengths, bend)
    rotations = limb_rotations(skeleton, bones, np.array([hip, knee, ankle]), bend, above)
    lower = above @ rotations[bones[0]] @ rotations[bones[1]]
    return rotations | foot | {bones[2]: lower.T @ turn}
