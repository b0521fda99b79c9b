# SPDX-License-Identifier: GPL-3.0-or-later
"""The postures of people. A pose is a name in the scene record; its posture is the position of all parts of the body.

`POSTURES` maps the name of a pose to the function that draws its posture. `pose_solver` turns a posture into the
rotations of all bones. Lengths are in leg lengths (from hip joint to ankle), angles in degrees. The order of the random
draws decides what images show, so it must not change.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from blender.people.arms import ArmPose
from blender.people.skeleton import SIDES


@dataclass(frozen=True)
class FootPose:
    """The position and the rotation of a foot.

    `ahead` and `aside` lead from the point below the middle of the hips to the ankle, if the foot were flat. `aside`
    goes to the foot's own side. A positive `pitch_deg` lifts the heel about the ball of the foot, a negative one lifts
    the toes about the heel. `toe_deg` bends the toes up against the foot, `yaw_deg` turns the foot outward, `lift` is
    its height above the floor.
    """

    ahead: float
    aside: float
    pitch_deg: float = 0.0
    toe_deg: float = 0.0
    yaw_deg: float = 7.0
    lift: float = 0.0


@dataclass(frozen=True)
class BodyPosture:
    """A whole body. Feet and arms are keyed by side ("L", "R").

    Positive angles: lean, pelvis tilt and head pitch go forward; bend and roll go to the left; twist and yaw go
    counterclockwise seen from above. `drop` lowers the pelvis below its height with straight legs. `seat_m` instead
    puts it on a seat of that height in meters. With `flat_hands`, hands with a grip lie flat on the sides of a load;
    otherwise they hold a bar.
    """

    feet: dict[str, FootPose]
    arms: dict[str, ArmPose]
    lean_deg: float = 2.0
    bend_deg: float = 0.0
    twist_deg: float = 0.0
    pelvis_tilt_deg: float = 0.0
    pelvis_roll_deg: float = 0.0
    pelvis_yaw_deg: float = 0.0
    head_pitch_deg: float = 0.0
    head_yaw_deg: float = 0.0
    drop: float = 0.0
    seat_m: float | None = None
    flat_hands: bool = False


def _gait_foot(phase: float, stride: float) -> FootPose:
    """Return a walking foot. Phase 0 is its heel strike, phase 0.62 its toe-off.

    Source of the angle between foot and floor: Winter, Biomechanics and Motor Control of Human Movement, natural
    cadence.
    """
    phase = phase % 1.0
    pitch = np.interp(
        phase, [0, 0.06, 0.12, 0.38, 0.5, 0.62, 0.7, 0.8, 0.88, 0.95, 1], [-20, -6, 0, 0, 20, 54, 60, 28, -2, -17, -20]
    )
    toe = np.interp(phase, [0, 0.38, 0.5, 0.62, 0.72, 1], [8, 0, 20, 42, 5, 8])
    swing = np.clip((phase - 0.62) / 0.38, 0, 1)
    ahead = stride * (0.31 - phase) if phase < 0.62 else stride * 0.31 * -np.cos(np.pi * swing)
    return FootPose(ahead, 0.095, float(pitch), float(toe), lift=0.035 * float(np.sin(np.pi * swing)))


def _walking(phase: float, stride: float, swing_deg: float) -> BodyPosture:
    """Return a walking body; phase 0 is the right heel strike.

    Each arm swings opposite to the leg on its side, and the shoulders turn opposite to the pelvis.
    """
    feet = {"R": _gait_foot(phase, stride), "L": _gait_foot(phase + 0.5, stride)}
    wave = float(np.cos(2 * np.pi * phase))
    arms = {}
    for side, sign in SIDES.items():
        ahead = swing_deg * wave * sign - 2
        arms[side] = ArmPose(ahead, elbow_deg=14 + 0.8 * max(ahead, 0.0))
    yaw = 12 * wave * stride / 3
    roll = 3 * float(np.sin(2 * np.pi * phase))
    return BodyPosture(
        feet, arms, pelvis_yaw_deg=yaw, twist_deg=-2 * yaw, pelvis_roll_deg=roll, bend_deg=-roll, head_yaw_deg=yaw
    )


def _walk(pose: dict, rng: np.random.Generator) -> BodyPosture:
    """Walk with swinging arms."""
    posture = _walking(pose["phase"], stride=rng.uniform(1.3, 1.6), swing_deg=rng.uniform(14, 26))
    return replace(
        posture,
        lean_deg=rng.uniform(1, 6),
        head_pitch_deg=rng.uniform(-4, 14),
        head_yaw_deg=posture.head_yaw_deg + rng.normal(0, 14),
    )


def _push(pose: dict, rng: np.random.Generator) -> BodyPosture:
    """Walk, lean forward and push with both hands."""
    posture = _walking(pose["phase"], stride=rng.uniform(0.9, 1.25), swing_deg=12)
    return replace(
        posture, twist_deg=-posture.pelvis_yaw_deg, lean_deg=rng.uniform(8, 16), head_pitch_deg=rng.uniform(-8, 4)
    )


def _pull(pose: dict, rng: np.random.Generator) -> BodyPosture:
    """Walk and pull with one hand behind the body."""
    posture = _walking(pose["phase"], stride=rng.uniform(0.9, 1.25), swing_deg=14)
    return replace(
        posture, twist_deg=-posture.pelvis_yaw_deg, lean_deg=rng.uniform(2, 8), head_yaw_deg=rng.normal(0, 12)
    )


def _stand(pose: dict, rng: np.random.Generator) -> BodyPosture:
    """Stand on one leg or both. The arms hang, or both hands work in front of the body."""
    shift, width = rng.uniform(-0.06, 0.06), rng.uniform(0.1, 0.19)
    feet = {
        side: FootPose(rng.uniform(-0.08, 0.1), width - SIDES[side] * shift, yaw_deg=rng.uniform(3, 20))
        for side in SIDES
    }
    hands_work = rng.random() < 0.35
    arms = {}
    for side in SIDES:
        if hands_work:
            arms[side] = ArmPose(rng.uniform(8, 24), rng.uniform(8, 14), rng.uniform(62, 92), rng.uniform(15, 40), 45)
        else:
            arms[side] = ArmPose(rng.uniform(-6, 10), rng.uniform(8, 13), rng.uniform(6, 28))
    roll = 40 * shift
    return BodyPosture(
        feet,
        arms,
        lean_deg=rng.uniform(-1, 5),
        twist_deg=rng.uniform(-12, 12),
        pelvis_roll_deg=roll,
        bend_deg=-1.5 * roll,
        head_pitch_deg=rng.uniform(-8, 35 if hands_work else 25),
        head_yaw_deg=rng.uniform(-40, 40),
    )


def _crouch(pose: dict, rng: np.random.Generator) -> BodyPosture:
    """Crouch as if to look at a wheel: one foot flat ahead, the other on its ball behind, its knee near the floor."""
    front = "L" if rng.random() < 0.5 else "R"
    rear = "R" if front == "L" else "L"
    feet = {
        front: FootPose(rng.uniform(0.3, 0.4), rng.uniform(0.12, 0.17), yaw_deg=8),
        rear: FootPose(rng.uniform(-0.57, -0.46), rng.uniform(0.12, 0.17), pitch_deg=66, toe_deg=60, yaw_deg=8),
    }
    arms = {
        front: ArmPose(rng.uniform(20, 36), rng.uniform(10, 16), rng.uniform(30, 62), 15),
        rear: ArmPose(rng.uniform(2, 40), rng.uniform(8, 14), rng.uniform(8, 40), 15, 30),
    }
    return BodyPosture(
        feet,
        arms,
        lean_deg=rng.uniform(10, 26),
        twist_deg=rng.uniform(-10, 10),
        pelvis_tilt_deg=rng.uniform(4, 12),
        head_pitch_deg=rng.uniform(-5, 15),
        head_yaw_deg=rng.uniform(-20, 20),
        drop=0.5,
    )


def _walk_beside(pose: dict, rng: np.random.Generator) -> BodyPosture:
    """Walk slowly with one hand on the tiller of a truck, looking ahead or at the truck."""
    posture = _walking(pose["phase"], stride=rng.uniform(0.95, 1.3), swing_deg=rng.uniform(10, 18))
    side = "L" if pose["hand_left_m"] else "R"
    return replace(
        posture,
        lean_deg=rng.uniform(1, 5),
        head_pitch_deg=rng.uniform(-2, 12),
        head_yaw_deg=posture.head_yaw_deg + SIDES[side] * rng.uniform(-5, 35),
    )


def _carry(pose: dict, rng: np.random.Generator) -> BodyPosture:
    """Walk with a load in front of the belly and lean back against its weight."""
    posture = _walking(pose["phase"], stride=rng.uniform(0.8, 1.2), swing_deg=0)
    return replace(
        posture,
        twist_deg=-posture.pelvis_yaw_deg,
        lean_deg=rng.uniform(-6, 1),
        head_pitch_deg=rng.uniform(-2, 16),
        head_yaw_deg=posture.head_yaw_deg + rng.normal(0, 10),
        flat_hands=True,
    )


def _standing_feet(rng: np.random.Generator) -> dict[str, FootPose]:
    """Return two flat feet side by side."""
    width = rng.uniform(0.11, 0.18)
    return {side: FootPose(rng.uniform(-0.08, 0.1), width, yaw_deg=rng.uniform(3, 20)) for side in SIDES}


def _reach(pose: dict, rng: np.random.Generator) -> BodyPosture:
    """Reach up to a shelf with one or both hands and look at them, sometimes on tiptoe."""
    heel_deg = rng.uniform(12, 28) if rng.random() < 0.4 else 0.0
    feet = {side: replace(foot, pitch_deg=heel_deg, toe_deg=heel_deg) for side, foot in _standing_feet(rng).items()}
    raised_deg = rng.uniform(118, 158)
    arms = {
        side: ArmPose(raised_deg + rng.uniform(-8, 8), rng.uniform(4, 12), rng.uniform(8, 35), 8, 16) for side in SIDES
    }
    twist_deg = 0.0
    if rng.random() < 0.5:
        free = "L" if rng.random() < 0.5 else "R"
        arms[free] = ArmPose(rng.uniform(-8, 25), rng.uniform(9, 15), rng.uniform(8, 40))
        twist_deg = -SIDES[free] * rng.uniform(2, 7)
    return BodyPosture(
        feet,
        arms,
        lean_deg=rng.uniform(-5, 4),
        bend_deg=-twist_deg,
        twist_deg=twist_deg,
        head_pitch_deg=rng.uniform(-38, -18),
    )


def _bend(pose: dict, rng: np.random.Generator) -> BodyPosture:
    """Bend down to the floor or to the lower part of a pallet: back and knees bent, hips behind the feet."""
    depth = rng.uniform(0.25, 1)
    feet = {side: FootPose(rng.uniform(0.1, 0.2) + 0.08 * depth, rng.uniform(0.13, 0.2), yaw_deg=10) for side in SIDES}
    arms = {side: ArmPose(rng.uniform(8, 30), rng.uniform(3, 9), rng.uniform(6, 26), 12, 34) for side in SIDES}
    return BodyPosture(
        feet,
        arms,
        lean_deg=24 + 20 * depth,
        twist_deg=rng.uniform(-12, 12),
        pelvis_tilt_deg=18 + 30 * depth,
        head_pitch_deg=rng.uniform(-25, 5),
        head_yaw_deg=rng.uniform(-12, 12),
        drop=0.03 + 0.16 * depth * rng.random(),
    )


def _sit(pose: dict, rng: np.random.Generator) -> BodyPosture:
    """Sit on a seat `seat_m` high, with the forearms on the thighs or the hands in the lap."""
    # From hip to ankle it is 0.64 to 0.78 leg lengths in a straight line, so the feet are farther ahead if the seat is
    # low. `rise`: the height of the hip above the ankle, which is 0.02 m less than the seat's height; a leg is 0.82 m.
    rise = (pose["seat_m"] - 0.02) / 0.82
    feet = {}
    for side in SIDES:
        ahead = np.sqrt(max(rng.uniform(0.64, 0.78) ** 2 - rise**2, 0.42**2))
        feet[side] = FootPose(float(ahead), rng.uniform(0.12, 0.2), yaw_deg=rng.uniform(4, 16))
    lean = rng.uniform(4, 26)
    arms = {
        side: ArmPose(lean + rng.uniform(4, 14), rng.uniform(9, 14), rng.uniform(48, 66), rng.uniform(8, 24), 34)
        for side in SIDES
    }
    return BodyPosture(
        feet,
        arms,
        lean_deg=lean,
        twist_deg=rng.uniform(-8, 8),
        pelvis_tilt_deg=rng.uniform(-14, -4),
        head_pitch_deg=rng.uniform(-8, 24),
        head_yaw_deg=rng.uniform(-35, 35),
        seat_m=pose["seat_m"],
    )


def _scan(pose: dict, rng: np.random.Generator) -> BodyPosture:
    """Stand and point a scanner in the right hand at a label. The left hand hangs or holds a list."""
    hanging = ArmPose(rng.uniform(-4, 8), rng.uniform(8, 13), rng.uniform(8, 25))
    holding_list = ArmPose(rng.uniform(8, 20), rng.uniform(8, 13), rng.uniform(70, 92), rng.uniform(20, 40), 30)
    arms = {
        "R": ArmPose(rng.uniform(14, 48), rng.uniform(6, 14), rng.uniform(45, 82), rng.uniform(-4, 14), 62),
        "L": holding_list if rng.random() < 0.4 else hanging,
    }
    return BodyPosture(
        _standing_feet(rng),
        arms,
        lean_deg=rng.uniform(0, 10),
        twist_deg=rng.uniform(-4, 16),
        head_pitch_deg=rng.uniform(4, 28),
        head_yaw_deg=rng.uniform(-14, 8),
    )


def _talk(pose: dict, rng: np.random.Generator) -> BodyPosture:
    """Stand and talk to somebody ahead: both hands or one hand gesture, one hand points, or one is on the hip."""
    hanging = ArmPose(rng.uniform(-6, 8), rng.uniform(8, 13), rng.uniform(6, 24))
    gesturing = ArmPose(rng.uniform(6, 26), rng.uniform(8, 20), rng.uniform(70, 105), rng.uniform(-12, 18), 16)
    pointing = ArmPose(rng.uniform(58, 88), rng.uniform(6, 34), rng.uniform(4, 22), -10, 20)
    on_hip = ArmPose(rng.uniform(-34, -26), rng.uniform(40, 46), rng.uniform(82, 90), rng.uniform(66, 74), 40)
    pairs = ((gesturing, gesturing), (gesturing, hanging), (pointing, hanging), (on_hip, gesturing))
    first_arm, second_arm = pairs[rng.integers(len(pairs))]
    first_side = "L" if rng.random() < 0.5 else "R"
    arms = {side: first_arm if side == first_side else second_arm for side in SIDES}
    roll = rng.uniform(-2.5, 2.5)
    return BodyPosture(
        _standing_feet(rng),
        arms,
        lean_deg=rng.uniform(-2, 6),
        twist_deg=rng.uniform(-8, 8),
        pelvis_roll_deg=roll,
        bend_deg=-1.5 * roll,
        head_pitch_deg=rng.uniform(-6, 8),
        head_yaw_deg=rng.uniform(-14, 14),
    )


POSTURES: dict[str, Callable[[dict, np.random.Generator], BodyPosture]] = {
    "walk": _walk,
    "stand": _stand,
    "push": _push,
    "pull": _pull,
    "crouch": _crouch,
    "walk_beside": _walk_beside,
    "carry": _carry,
    "reach": _reach,
    "bend": _bend,
    "sit": _sit,
    "scan": _scan,
    "talk": _talk,
}
