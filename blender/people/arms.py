# SPDX-License-Identifier: GPL-3.0-or-later
"""Arms and hands in three states: hanging free, a fist around a bar, a flat hand on the side of a load.

Frame: the body frame (meters, x ahead, y left, z up). A fist holds a bar that runs along y, such as the loop of a
tiller or a handrail. If the bar is ahead, the palm lies on it from above. If it is behind, the palm lies on it from the
front. The fingers close around it. "Bar centre" means the point on the bar's axis in the middle of the fist.
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

# A grip is within reach up to this share of the arm's length. The elbow is then still slightly bent.
ARM_STRETCH = 0.985
# Bend of the finger joints, from the knuckle to the tip: of a fist around a bar 30 mm thick, of a flat hand.
FIST_DEG = (38.0, 58.0, 55.0)
FLAT_DEG = (6.0, 8.0, 6.0)
# The bar centre in the fist: along the hand and out of the palm, both as shares of the distance from wrist to knuckles.
GRIP_ALONG, GRIP_DEPTH = 0.885, 0.365
# The middle of the palm's skin, in the same measures.
PALM_ALONG, PALM_DEPTH = 0.72, 0.2
# At rest the fingers are spread. This share of the spread is removed.
SPREAD_CLOSED = 0.8
# The little finger is short: its knuckle bends this share of what the knuckles of the other fingers bend.
LITTLE_FINGER_BEND = 0.55
# The hand is in line with the forearm, and the forearm depends on the hand. So many iterations converge.
GRIP_ITERATIONS = 3


@dataclass(frozen=True)
class ArmPose:
    """A free arm, in degrees.

    `ahead_deg` and `aside_deg` turn the upper arm forward and outward from the vertical. `elbow_deg` bends the elbow,
    `inward_deg` turns the forearm inward, `curl_deg` curls the fingers.
    """

    ahead_deg: float = 0.0
    aside_deg: float = 9.0
    elbow_deg: float = 12.0
    inward_deg: float = 0.0
    curl_deg: float = 28.0


@dataclass(frozen=True)
class RestHand:
    """A hand at rest; all vectors (3,).

    `along`: unit vector from the wrist, perpendicular to the row of knuckles. `palm`: unit vector out of the palm.
    `grip`: from the wrist to the bar centre in the closed fist, m. `touch`: from the wrist to the palm's skin, m.
    """

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
    # At rest (the A-pose) the palms face down.
    palm = palm * -np.sign(palm[2])
    aside = knuckles * (((index + little) / 2 - wrist) @ knuckles)
    grip, touch = (
        aside + length_m * (ahead * along + depth * palm)
        for ahead, depth in ((GRIP_ALONG, GRIP_DEPTH), (PALM_ALONG, PALM_DEPTH))
    )
    return RestHand(along, palm, grip, touch)


def hang_arm(skeleton: Skeleton, transforms: np.ndarray, side: str, arm: ArmPose) -> Rotations:
    """Return the rotations of a free arm; its angles are measured in the vertical planes of the chest's heading."""
    sign, shoulder = SIDES[side], joint_position(skeleton, transforms, f"upperarm01.{side}")
    chest_rotation = parent_rotation(transforms, f"upperarm01.{side}")
    heading = rotation_matrix("z", np.degrees(np.arctan2(chest_rotation[1, 0], chest_rotation[0, 0])))
    upper = heading @ rotation_matrix("y", -arm.ahead_deg) @ rotation_matrix("x", sign * arm.aside_deg)
    inward = rotation_matrix("z", -sign * arm.inward_deg)
    lower = upper @ inward @ rotation_matrix("y", -arm.elbow_deg)
    bones = _arm_bones(side)
    upper_m, lower_m = skeleton.limb_lengths_m(bones)
    elbow = shoulder + upper @ [0, 0, -upper_m]
    wrist = elbow + lower @ [0, 0, -lower_m]
    bend_direction = upper @ inward @ [-1.0, 0, 0]
    joints = np.array([shoulder, elbow, wrist])
    rotations = limb_rotations(skeleton, bones, joints, bend_direction, chest_rotation)
    curl = (arm.curl_deg, arm.curl_deg * 1.2, arm.curl_deg * 0.8)
    return rotations | _finger_rotations(skeleton, side, curl)


def grip_arm(
    skeleton: Skeleton, transforms: np.ndarray, side: str, grip_m: np.ndarray, flat: bool = False
) -> Rotations:
    """Return the rotations of an arm whose fist holds a bar with its centre at `grip_m` (3,).

    With `flat`, the open hand lies on the side of a load at `grip_m`, its palm towards the other hand. If the point is
    out of reach (`reach_gap_m` > 0), the arm is straight towards it and the hand stays short of it.
    """
    shoulder = joint_position(skeleton, transforms, f"upperarm01.{side}")
    chest_rotation = parent_rotation(transforms, f"upperarm01.{side}")
    hand, bones = hand_at_rest(skeleton, side), _arm_bones(side)
    forearm = grip_m - shoulder
    for _ in range(GRIP_ITERATIONS):
        hand_rotation = _hand_rotation(hand, forearm, side, flat)
        wrist = _wrist_position(hand, hand_rotation, grip_m, flat)
        bend_direction = _elbow_direction(side, wrist - shoulder)
        elbow = solve_middle_joint(shoulder, wrist, skeleton.limb_lengths_m(bones), bend_direction)
        forearm = wrist - elbow
    joints = np.array([shoulder, elbow, wrist])
    rotations = limb_rotations(skeleton, bones, joints, bend_direction, chest_rotation)
    forearm_rotation = chest_rotation @ rotations[bones[0]] @ rotations[bones[1]]
    fingers = _finger_rotations(skeleton, side, FLAT_DEG if flat else FIST_DEG)
    return rotations | _share_hand_rotation(skeleton, side, forearm_rotation.T @ hand_rotation) | fingers


def reach_gap_m(skeleton: Skeleton, transforms: np.ndarray, side: str, grip_m: np.ndarray, flat: bool = False) -> float:
    """Return how far a grip is beyond the reach of an arm; 0 or less means within reach."""
    hand, shoulder = hand_at_rest(skeleton, side), joint_position(skeleton, transforms, f"upperarm01.{side}")
    hand_rotation = _hand_rotation(hand, grip_m - shoulder, side, flat)
    wrist = _wrist_position(hand, hand_rotation, grip_m, flat)
    arm_m = sum(skeleton.limb_lengths_m(_arm_bones(side)))
    return float(np.linalg.norm(wrist - shoulder) - ARM_STRETCH * arm_m)


def _arm_bones(side: str) -> tuple[str, str, str]:
    return f"upperarm01.{side}", f"lowerarm01.{side}", f"wrist.{side}"


def _wrist_position(hand: RestHand, hand_rotation: np.ndarray, grip_m: np.ndarray, flat: bool) -> np.ndarray:
    return grip_m - hand_rotation @ (hand.touch if flat else hand.grip)


def _elbow_direction(side: str, shoulder_to_wrist: np.ndarray) -> np.ndarray:
    """Return where the elbow points.

    With the hand ahead, it points outward and down. With the hand behind, it points outward and slightly up, which is
    how a shoulder can turn.
    """
    if shoulder_to_wrist[0] >= 0:
        return np.array([-0.6, SIDES[side] * 0.6, -1.0])
    return np.array([-0.3, SIDES[side], 0.2])


def _hand_rotation(hand: RestHand, forearm: np.ndarray, side: str, flat: bool) -> np.ndarray:
    """Return the rotation (3, 3), against the body frame, of a hand in line with its forearm.

    The knuckles lie along y, like the bar. With `flat`, the palm faces the other hand instead.
    """
    along = np.array([forearm[0], 0.0, forearm[2]])
    palm = np.array([0.0, -SIDES[side], 0.0]) if flat else np.cross([0.0, 1.0, 0.0], unit_vector(along))
    return orthonormal_frame(along, palm) @ orthonormal_frame(hand.along, hand.palm).T


def _share_hand_rotation(skeleton: Skeleton, side: str, rotation: np.ndarray) -> Rotations:
    """Split a hand's rotation (3, 3) against its forearm between forearm and wrist.

    The forearm takes half of the part about its own axis, as radius and ulna do. The split is the swing-twist
    decomposition: the twist angle follows from the rotation's quaternion, i.e. from the skew part and the trace.
    """
    axis = unit_vector(skeleton.joints[f"wrist.{side}"] - skeleton.joints[f"lowerarm01.{side}"])
    skew = np.array([rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]])
    twist = 2 * np.arctan2(skew @ axis, 1 + np.trace(rotation))
    half = rotation_about_vector(axis, np.degrees(twist) / 2)
    return {f"lowerarm02.{side}": half, f"wrist.{side}": half.T @ rotation}


def _finger_rotations(skeleton: Skeleton, side: str, joints_deg: tuple[float, float, float]) -> Rotations:
    """Return the rotations that bend the fingers towards the palm, side by side.

    `joints_deg` run from the knuckle to the tip. The thumb stays as it is: at rest it already lies across from them.
    """
    hand = hand_at_rest(skeleton, side)
    axis = np.cross(hand.along, hand.palm)
    middle_deg = _spread_deg(skeleton, hand, f"finger3-1.{side}", f"finger3-2.{side}")
    rotations = {}
    for finger in FINGERS:
        first, *others = (f"finger{finger}-{joint}.{side}" for joint in (1, 2, 3))
        closing_deg = SPREAD_CLOSED * (_spread_deg(skeleton, hand, first, others[0]) - middle_deg)
        bend_deg = joints_deg[0] * (LITTLE_FINGER_BEND if finger == 5 else 1.0)
        rotations[first] = rotation_about_vector(axis, bend_deg) @ rotation_about_vector(hand.palm, closing_deg)
        rotations |= {
            bone: rotation_about_vector(axis, angle) for bone, angle in zip(others, joints_deg[1:], strict=True)
        }
    return rotations


def _spread_deg(skeleton: Skeleton, hand: RestHand, bone: str, next_bone: str) -> float:
    """Return the direction of a finger at rest, as an angle in the plane of the palm."""
    points = skeleton.joints[next_bone] - skeleton.joints[bone]
    return float(np.degrees(np.arctan2(points @ np.cross(hand.along, hand.palm), points @ hand.along)))
