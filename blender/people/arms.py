# SPDX-License-Identifier: GPL-3.0-or-later
"""Arms and hands: hanging free, a closed fist round a bar whose centre is given, or a flat hand on the side of a load.

A fist holds a bar that runs from side to side (a tiller's loop, a handrail): the palm lies on it from above when it is
ahead, from the front when it is behind, and the fingers close round it.
"""

from dataclasses import dataclass

import numpy as np

from blender.mesh.rotation import rotation_about_vector, rotation_matrix
from blender.people.skeleton import (
    FINGERS,
    SIDES,
    Rotations,
    Skeleton,
    joint_position,
    limb_rotations,
    orthonormal_frame,
    parent_rotation,
    solve_middle_joint,
    unit_vector,
)

# A wrist this near to the arm's full length still bends the elbow a little.
ARM_STRETCH = 0.985
# Finger joints of a fist round a bar of 30 mm, from the knuckle outwards; degrees.
FIST_DEG = (38.0, 58.0, 55.0)
# The bar's centre in the fist: share of the way from wrist to knuckles, and depth below it in hand lengths.
GRIP_ALONG, GRIP_DEPTH = 0.885, 0.365
# Fingers of a hand that lies flat, and the middle of its palm's skin, measured like the grip.
FLAT_DEG = (6.0, 8.0, 6.0)
PALM_ALONG, PALM_DEPTH = 0.72, 0.2
# How much of the fingers' spread at rest is closed.
SPREAD_CLOSED = 0.8


@dataclass(frozen=True)
class ArmPose:
    """A free arm: the upper arm's angle ahead of and away from the vertical, the elbow's bend, the fingers' curl."""

    ahead_deg: float = 0.0
    aside_deg: float = 9.0
    elbow_deg: float = 12.0
    inward_deg: float = 0.0
    curl_deg: float = 28.0


@dataclass(frozen=True)
class RestHand:
    """A hand at rest: unit vectors `along`, from the wrist square to the row of knuckles, and `palm`, out of the palm;
    `grip` (3,) m from the wrist to the middle of a bar in the closed fist, `touch` (3,) m to the palm's skin."""

    along: np.ndarray
    palm: np.ndarray
    grip: np.ndarray
    touch: np.ndarray


def hand_at_rest(skeleton: Skeleton, side: str) -> RestHand:
    wrist, index, little = (skeleton.joints[f"{bone}.{side}"] for bone in ("wrist", "finger2-1", "finger5-1"))
    knuckles = unit_vector(index - little)
    middle = skeleton.joints[f"finger3-1.{side}"] - wrist
    along = middle - knuckles * (middle @ knuckles)
    length_m, along = float(np.linalg.norm(along)), unit_vector(along)
    palm = np.cross(along, knuckles)
    # In the A-pose the palms look down.
    palm = palm * -np.sign(palm[2])
    aside = knuckles * (((index + little) / 2 - wrist) @ knuckles)
    grip, touch = (
        aside + length_m * (ahead * along + depth * palm)
        for ahead, depth in ((GRIP_ALONG, GRIP_DEPTH), (PALM_ALONG, PALM_DEPTH))
    )
    return RestHand(along, palm, grip, touch)


def hang_arm(skeleton: Skeleton, transforms: np.ndarray, side: str, arm: ArmPose) -> Rotations:
    """Let an arm hang (angles from the vertical, in the chest's heading)."""
    sign, shoulder = SIDES[side], joint_position(skeleton, transforms, f"upperarm01.{side}")
    above = parent_rotation(transforms, f"upperarm01.{side}")
    chest = rotation_matrix("z", np.degrees(np.arctan2(above[1, 0], above[0, 0])))
    upper_turn = chest @ rotation_matrix("y", -arm.ahead_deg) @ rotation_matrix("x", sign * arm.aside_deg)
    lower_turn = upper_turn @ rotation_matrix("z", -sign * arm.inward_deg) @ rotation_matrix("y", -arm.elbow_deg)
    upper_m, lower_m = _lengths_m(skeleton, side)
    elbow = shoulder + upper_turn @ [0, 0, -upper_m]
    wrist = elbow + lower_turn @ [0, 0, -lower_m]
    bones = _bones(side)
    bend = upper_turn @ rotation_matrix("z", -sign * arm.inward_deg) @ [-1.0, 0, 0]
    rotations = limb_rotations(skeleton, bones, np.array([shoulder, elbow, wrist]), bend, above)
    curl = (arm.curl_deg, arm.curl_deg * 1.2, arm.curl_deg * 0.8)
    return rotations | _curled(skeleton, side, curl)


def grip_arm(
    skeleton: Skeleton, transforms: np.ndarray, side: str, grip_m: np.ndarray, flat: bool = False
) -> Rotations:
    """Put the fist of an arm round a bar at `grip_m` (3,), exactly if it is within reach.

    `flat`: lay the open hand on the side of a load there instead, the palm towards the other hand.
    """
    shoulder = joint_position(skeleton, transforms, f"upperarm01.{side}")
    hand, above, bones = hand_at_rest(skeleton, side), parent_rotation(transforms, f"upperarm01.{side}"), _bones(side)
    forearm = grip_m - shoulder
    # The hand follows the forearm, which follows the hand: three rounds settle it.
    for _ in range(3):
        turn = _hand_turn(hand, forearm, side, flat)
        wrist = grip_m - turn @ (hand.touch if flat else hand.grip)
        bend = _elbow_side(side, wrist - shoulder)
        elbow = solve_middle_joint(shoulder, wrist, _lengths_m(skeleton, side), bend)
        forearm = wrist - elbow
    rotations = limb_rotations(skeleton, bones, np.array([shoulder, elbow, wrist]), bend, above)
    lower = above @ rotations[bones[0]] @ rotations[bones[1]]
    fingers = _curled(skeleton, side, FLAT_DEG if flat else FIST_DEG)
    return rotations | _turned_hand(skeleton, side, lower.T @ turn) | fingers


def reach_gap_m(skeleton: Skeleton, transforms: np.ndarray, side: str, grip_m: np.ndarray, flat: bool = False) -> float:
    """Return how far beyond the reach of an arm a grip is (negative: within reach)."""
    hand, shoulder = hand_at_rest(skeleton, side), joint_position(skeleton, transforms, f"upperarm01.{side}")
    turn = _hand_turn(hand, grip_m - shoulder, side, flat)
    wrist = grip_m - turn @ (hand.touch if flat else hand.grip)
    return float(np.linalg.norm(wrist - shoulder) - ARM_STRETCH * sum(_lengths_m(skeleton, side)))


def _bones(side: str) -> tuple[str, str, str]:
    return f"upperarm01.{side}", f"lowerarm01.{side}", f"wrist.{side}"


def _lengths_m(skeleton: Skeleton, side: str) -> tuple[float, float]:
    shoulder, elbow, wrist = (skeleton.joints[bone] for bone in _bones(side))
    return float(np.linalg.norm(elbow - shoulder)), float(np.linalg.norm(wrist - elbow))


def _elbow_side(side: str, reach: np.ndarray) -> np.ndarray:
    """Return where the elbow points: out, and down or (hand behind the body) up the way a shoulder can turn."""
    if reach[0] >= 0:
        return np.array([-0.6, SIDES[side] * 0.6, -1.0])
    return np.array([-0.3, SIDES[side], 0.2])


def _hand_turn(hand: RestHand, forearm: np.ndarray, side: str, flat: bool) -> np.ndarray:
    """Return the rotation (3, 3) of a hand in line with its forearm: its knuckles in line with a bar along y, or flat
    with the palm looking inward."""
    along = np.array([forearm[0], 0.0, forearm[2]])
    palm = np.array([0.0, -SIDES[side], 0.0]) if flat else np.cross([0.0, 1.0, 0.0], unit_vector(along))
    return orthonormal_frame(along, palm) @ orthonormal_frame(hand.along, hand.palm).T


def _turned_hand(skeleton: Skeleton, side: str, turn: np.ndarray) -> Rotations:
    """Share a hand's turn: half of the part about the forearm goes into the forearm, as radius and ulna do."""
    axis = unit_vector(skeleton.joints[f"wrist.{side}"] - skeleton.joints[f"lowerarm01.{side}"])
    # Swing-twist: the quaternion's part along the axis, from the skew part of the matrix and its trace.
    skew = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
    twist = 2 * np.arctan2(skew @ axis, 1 + np.trace(turn))
    half = rotation_about_vector(axis, np.degrees(twist) / 2)
    return {f"lowerarm02.{side}": half, f"wrist.{side}": half.T @ turn}


def _curled(skeleton: Skeleton, side: str, joints_deg: tuple[float, float, float]) -> Rotations:
    """Bend the fingers towards the palm side by side; at rest the thumb already lies across from them."""
    hand = hand_at_rest(skeleton, side)
    axis = np.cross(hand.along, hand.palm)
    middle_deg = _spread_deg(skeleton, hand, f"finger3-1.{side}", f"finger3-2.{side}")
    rotations = {}
    for finger in FINGERS:
        first, *others = (f"finger{finger}-{joint}.{side}" for joint in (1, 2, 3))
        # At rest the fingers are spread: close most of the gap to the middle one.
        closing = SPREAD_CLOSED * (_spread_deg(skeleton, hand, first, others[0]) - middle_deg)
        # The little finger is too short for the bend of the others.
        bend = joints_deg[0] * (0.55 if finger == 5 else 1.0)
        rotations[first] = rotation_about_vector(axis, bend) @ rotation_about_vector(hand.palm, closing)
        for bone, angle in zip(others, joints_deg[1:], strict=True):
            rotations[bone] = rotation_about_vector(axis, angle)
    return rotations


def _spread_deg(skeleton: Skeleton, hand: RestHand, bone: str, following: str) -> float:
    """Return the angle of a finger at rest in the plane of the palm."""
    points = skeleton.joints[following] - skeleton.joints[bone]
    return float(np.degrees(np.arctan2(points @ np.cross(hand.along, hand.palm), points @ hand.along)))
