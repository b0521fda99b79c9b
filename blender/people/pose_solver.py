# SPDX-License-Identifier: GPL-3.0-or-later
"""Solve the pose of a scene record to the transforms of the bones.

Frame: meters, x ahead, y left, z up, origin on the floor below the middle of the hips. The steps, in this order:

1. `postures` gives the angles of trunk and head, and where the feet belong.
2. The pelvis goes as high as the legs allow, and the feet to their places.
3. The body moves along z until the lowest sole point is at z = 0.
4. If a grip is out of reach, the trunk bends and the knees give way (`_lean_towards_grips`), and 2 and 3 are repeated.
5. The arms are solved last, so that the hands meet their grips in the final frame.

Hands reach all grips in these ranges, for bodies of 1.4 to 2.1 m at any gait phase (test_reach.py checks it). The
second range is the distance to the hand's own side, the third the height:

- push, grip ahead: 0.35 to 0.55 m ahead of the hips, 0 to 0.22 m, 0.75 to 1.1 m;
- pull, grip behind: 0.35 to 0.5 m behind the hips, 0.15 to 0.3 m, 0.75 to 1.1 m;
- walk_beside: 0.35 m behind to 0.4 m ahead of the hips, 0.2 to 0.4 m, 0.75 to 1.1 m;
- carry, hands on the sides of a load: 0.26 to 0.46 m ahead of the hips, 0.14 to 0.28 m, 0.8 to 1.31 m and between 0.57
  and 0.62 of the body height.
"""

from collections.abc import Iterator
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

Soles = tuple[np.ndarray, np.ndarray]  # points (N, 3) at rest in m, their skin weights (N, B)

# Legs stretch to this share of their length. A knee that is quite straight looks locked.
LEG_STRETCH = 0.993
# How many steps there are from the natural posture to the one that leans as far as looks natural (effort 1), and from
# there to the lowest one.
LEAN_STEPS, STOOP_STEPS = 12, 8
# Height of the hip joints above a seat, in leg lengths.
SEAT_TO_HIP = 0.115
# Above this angle, the collarbone rises with the arm, by this share of the rest of the angle.
RAISED_ARM_DEG, COLLARBONE_SHARE = 75.0, 0.3
# From the ankle back to the point where a foot rolls on its heel, as a share of the way from the ankle to the ball.
HEEL_BEHIND_ANKLE = 0.35
SPINE = ("spine05", "spine04", "spine03", "spine02")
HAND_KEYS = {"L": "hand_left_m", "R": "hand_right_m"}


def solve_pose(skeleton: Skeleton, pose: dict, soles: Soles) -> np.ndarray:
    """Return the skinning transforms (B, 4, 4) of a pose.

    `pose` is the JSON dict of the scene record's `Pose`.

    Raises:
        ValueError: the pose is unknown, or a grip is out of reach; the message says by how much.
    """
    if pose["name"] not in POSTURES:
        raise ValueError(f"pose.name = {pose['name']!r} is unknown; use one of {', '.join(POSTURES)}")
    posture = POSTURES[pose["name"]](pose, np.random.default_rng(pose["seed"]))
    grips = {side: np.array(pose[key], float) for side, key in HAND_KEYS.items() if pose[key] is not None}
    rotations, root_offset_m = _reach_grips(skeleton, posture, grips, soles)
    transforms = forward_kinematics(skeleton, rotations, root_offset_m)
    for side, arm in posture.arms.items():
        if side in grips:
            rotations |= grip_arm(skeleton, transforms, side, grips[side], posture.flat_hands)
        else:
            rotations |= hang_arm(skeleton, transforms, side, arm)
    return forward_kinematics(skeleton, rotations, root_offset_m)


def _reach_grips(
    skeleton: Skeleton, posture: BodyPosture, grips: dict[str, np.ndarray], soles: Soles
) -> tuple[Rotations, np.ndarray]:
    """Return the rotations and the root offset (3,) of the first posture, the most natural, that reaches all grips.

    Raises:
        ValueError: no posture does.
    """
    gaps_m: dict[str, float] = {}
    smallest_gap_m = np.inf
    for candidate in _postures_towards(posture, grips):
        rotations, root_offset_m = _solve_lower_body(skeleton, candidate, soles)
        transforms = forward_kinematics(skeleton, rotations, root_offset_m)
        gaps = {side: reach_gap_m(skeleton, transforms, side, grip, posture.flat_hands) for side, grip in grips.items()}
        if all(gap_m <= 0 for gap_m in gaps.values()):
            return rotations, root_offset_m
        if max(gaps.values()) < smallest_gap_m:
            gaps_m, smallest_gap_m = gaps, max(gaps.values())
    side = max(gaps_m, key=gaps_m.get)
    grip = ", ".join(f"{value:.2f}" for value in grips[side])
    raise ValueError(
        f"pose.{HAND_KEYS[side]} = ({grip}) is {smallest_gap_m:.2f} m out of reach; move it closer to the body"
        " (blender/people/pose_solver.py lists what hands reach)"
    )


def _postures_towards(posture: BodyPosture, grips: dict[str, np.ndarray]) -> Iterator[BodyPosture]:
    """Yield the posture itself, then postures that come closer and closer to the grips.

    First the body leans more and more. `effort` is how far: 0 is the natural posture, 1 the farthest lean. For most
    bodies this is enough, but not for tall ones with a low grip. If only one hand grips, the body then bends to its
    side and into the knees. The last postures are deep knee bends.
    """
    yield posture
    if not grips:
        return
    for effort in np.linspace(0, 1, LEAN_STEPS + 1)[1:]:
        yield _lean_towards_grips(posture, grips, effort)
    efforts = np.linspace(0, 1, STOOP_STEPS + 1)[1:]
    if len(grips) == 1:
        (side,) = grips
        for effort in efforts:
            yield _stoop_to_side(posture, SIDES[side], effort)
    leaning = _lean_towards_grips(posture, grips, 1.0)
    for effort in efforts:
        yield replace(leaning, drop=leaning.drop + 0.2 * effort)


def _lean_towards_grips(posture: BodyPosture, grips: dict[str, np.ndarray], effort: float) -> BodyPosture:
    """Bend knees and trunk towards the grips; effort 1 is as far as it looks natural.

    Grips behind the hips also turn pelvis, trunk and head to their side.
    """
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


def _stoop_to_side(posture: BodyPosture, sign: float, effort: float) -> BodyPosture:
    """Lower the shoulder of one side (`sign` as in SIDES): lean a little, bend to the side and bend the knees."""
    return replace(
        posture,
        lean_deg=posture.lean_deg + 15,
        pelvis_tilt_deg=posture.pelvis_tilt_deg + 8,
        head_pitch_deg=posture.head_pitch_deg - 11,
        bend_deg=posture.bend_deg + sign * (10 + 10 * effort),
        pelvis_roll_deg=posture.pelvis_roll_deg - sign * 4 * effort,
        drop=posture.drop + 0.1 + 0.2 * effort,
    )


def _solve_lower_body(skeleton: Skeleton, posture: BodyPosture, soles: Soles) -> tuple[Rotations, np.ndarray]:
    """Return the rotations of all bones but the arms', and the root offset (3,) that puts the soles on the floor."""
    rotations = _trunk_rotations(posture)
    transforms = forward_kinematics(skeleton, rotations)
    hips = {side: joint_position(skeleton, transforms, f"upperleg01.{side}") for side in SIDES}
    center = (hips["L"] + hips["R"]) / 2
    feet = {side: _foot_rotations(skeleton, side, foot) for side, foot in posture.feet.items()}
    ankles = _ankle_positions(skeleton, posture, feet, soles)
    leg_m = skeleton.leg_length_m()
    heights = []
    for side, ankle in ankles.items():
        level_m = np.linalg.norm((ankle - hips[side] + center)[:2])
        rise_m = np.sqrt(max((LEG_STRETCH * leg_m) ** 2 - level_m**2, 0.0))
        heights.append(ankle[2] + rise_m - (hips[side] - center)[2])
    height = min(heights) - posture.drop * leg_m
    if posture.seat_m is not None:
        height = posture.seat_m + SEAT_TO_HIP * leg_m
    root_offset_m = np.array([0, 0, height]) - center
    transforms = forward_kinematics(skeleton, rotations, root_offset_m)
    for side, foot in feet.items():
        rotations |= _leg_rotations(skeleton, transforms, side, ankles[side], foot)
    lowest = apply_skinning(*soles, forward_kinematics(skeleton, rotations, root_offset_m))[:, 2].min()
    return rotations, root_offset_m - [0, 0, lowest]


def _trunk_rotations(posture: BodyPosture) -> Rotations:
    """Return the rotations of pelvis, spine, neck, head and collarbones; the bones of the spine share its angles."""
    share = 1 / len(SPINE)
    spine = (
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
    rises_deg = {side: COLLARBONE_SHARE * max(arm.ahead_deg - RAISED_ARM_DEG, 0) for side, arm in posture.arms.items()}
    collarbones = {
        f"clavicle.{side}": rotation_matrix("x", SIDES[side] * rise_deg) for side, rise_deg in rises_deg.items()
    }
    return {"root": pelvis} | dict.fromkeys(SPINE, spine) | {"neck01": head, "head": head} | collarbones


def _foot_rotations(skeleton: Skeleton, side: str, foot: FootPose) -> Rotations:
    """Return the rotation of a foot against the body frame at rest, and of its toes against the foot."""
    toes = _foot_pitch_rotation(skeleton, side, -foot.toe_deg)
    bones = {f"foot.{side}": _foot_turn(skeleton, side, foot) @ _foot_pitch_rotation(skeleton, side, foot.pitch_deg)}
    return bones | {f"toe{toe}-1.{side}": toes for toe in TOES}


def _foot_turn(skeleton: Skeleton, side: str, foot: FootPose) -> np.ndarray:
    """Return the rotation (3, 3) about z from the foot's heading at rest to its heading in the posture."""
    return rotation_matrix("z", SIDES[side] * foot.yaw_deg - skeleton.foot_yaw_deg(side))


def _foot_pitch_rotation(skeleton: Skeleton, side: str, angle_deg: float) -> np.ndarray:
    """Return the rotation (3, 3) about the foot's own lateral axis at rest; a positive angle lowers the toes."""
    yaw = rotation_matrix("z", skeleton.foot_yaw_deg(side))
    return yaw @ rotation_matrix("y", angle_deg) @ yaw.T


def _ankle_positions(
    skeleton: Skeleton, posture: BodyPosture, feet: dict[str, Rotations], soles: Soles
) -> dict[str, np.ndarray]:
    """Return the positions (3,) of the ankles: z above the floor, x and y from below the middle of the hips."""
    leg_m = skeleton.leg_length_m()
    sole_points = apply_skinning(*soles, forward_kinematics(skeleton, feet["L"] | feet["R"]))
    positions = {}
    for side, foot in posture.feet.items():
        ankle, ball = skeleton.joints[f"foot.{side}"], skeleton.joints[f"toe2-1.{side}"]
        # The foot rolls about its ball or its heel. That point stays where it was when the foot was flat.
        to_pivot = ball - ankle if foot.pitch_deg > 0 else -HEEL_BEHIND_ANKLE * (ball - ankle)
        pivot = to_pivot * [1, 1, 0] - [0, 0, ankle[2]]
        rolled = _foot_turn(skeleton, side, foot) @ pivot - feet[side][f"foot.{side}"] @ pivot
        lowest = sole_points[soles[0][:, 1] * SIDES[side] > 0, 2].min()
        positions[side] = np.array([foot.ahead * leg_m, SIDES[side] * foot.aside * leg_m, 0]) + rolled * [1, 1, 0]
        positions[side][2] = ankle[2] - lowest + foot.lift * leg_m
    return positions


def _leg_rotations(
    skeleton: Skeleton, transforms: np.ndarray, side: str, ankle: np.ndarray, foot: Rotations
) -> Rotations:
    """Return the rotations of a leg whose ankle is at `ankle` (3,); `foot` comes from `_foot_rotations`."""
    bones = (f"upperleg01.{side}", f"lowerleg01.{side}", f"foot.{side}")
    hip, pelvis_rotation = joint_position(skeleton, transforms, bones[0]), parent_rotation(transforms, bones[0])
    foot_rotation = foot[bones[2]]
    # Knees point between the heading of the hips and that of the toes, slightly outward and up.
    bend_direction = (
        foot_rotation @ [1.0, 0, 0] * [1, 1, 0]
        + pelvis_rotation @ [1.0, 0, 0] * [1, 1, 0]
        + [0, SIDES[side] * 0.05, 0.2]
    )
    knee = solve_middle_joint(hip, ankle, skeleton.limb_lengths_m(bones), bend_direction)
    joints = np.array([hip, knee, ankle])
    rotations = limb_rotations(skeleton, bones, joints, bend_direction, pelvis_rotation)
    lower_leg_rotation = pelvis_rotation @ rotations[bones[0]] @ rotations[bones[1]]
    return rotations | foot | {bones[2]: lower_leg_rotation.T @ foot_rotation}
