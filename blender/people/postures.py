# SPDX-License-Identifier: GPL-3.0-or-later
"""What people do, as postures: where feet, pelvis, trunk and arms are. blender/poses.py solves them to bones."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from blender.people.arms import ArmPose
from blender.people.skeleton import SIDES


@dataclass(frozen=True)
class FootPose:
    """A foot: where its ankle would stand if it were flat, in leg lengths from below the hips' centre.

    `pitch_deg` > 0 lifts the heel about the ball, < 0 the toes about the heel; `toe_deg` bends the toes up against the
    foot, `yaw_deg` turns them out; `lift` is how high the foot hovers, in leg lengths.
    """

    ahead: float
    aside: float
    pitch_deg: float = 0.0
    toe_deg: float = 0.0
    yaw_deg: float = 7.0
    lift: float = 0.0


@dataclass(frozen=True)
class BodyPosture:
    """Feet and arms by side ("L", "R"), trunk and head angles in degrees.

    Positive is: lean, tilt and head pitch forward, bend and roll to the left, twist and yaw counter-clockwise from
    above. `drop` lowers the pelvis below what straight legs allow, in leg lengths; `seat_m` puts it on a seat of that
    height instead. `flat_hands`: hands with a given place lie flat on the sides of a load instead of round a bar.
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
    """Return a walking foot, phase 0 = its heel strike, 0.62 = its toe-off; `stride` in leg lengths.

    Foot angle against the floor after Winter, Biomechanics and Motor Control of Human Movement, natural cadence.
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
    """A walking body: right heel strike at phase 0; the arms swing against the legs, shoulders against the pelvis."""
    feet = {"R": _gait_foot(phase, stride), "L": _gait_foot(phase + 0.5, stride)}
    wave = float(np.cos(2 * np.pi * phase))
    arms = {}
    for side, way in SIDES.items():
        ahead = swing_deg * wave * way - 2
        arms[side] = ArmPose(ahead, elbow_deg=14 + 0.8 * max(ahead, 0.0))
    yaw = 12 * wave * stride / 3
    roll = 3 * float(np.sin(2 * np.pi * phase))
    return BodyPosture(
        feet, arms, pelvis_yaw_deg=yaw, twist_deg=-2 * yaw, pelvis_roll_deg=roll, bend_deg=-roll, head_yaw_deg=yaw
    )


def _walk(pose: dict, rng: np.random.Generator) -> BodyPosture:
    posture = _walking(pose["phase"], stride=rng.uniform(1.3, 1.6), swing_deg=rng.uniform(14, 26))
    return replace(
        posture,
        lean_deg=rng.uniform(1, 6),
        head_pitch_deg=rng.uniform(-4, 14),
        head_yaw_deg=posture.head_yaw_deg + rng.normal(0, 14),
    )


def _push(pose: dict, rng: np.random.Generator) -> BodyPosture:
    posture = _walking(pose["phase"], stride=rng.uniform(0.9, 1.25), swing_deg=12)
    return replace(
        posture, twist_deg=-posture.pelvis_yaw_deg, lean_deg=rng.uniform(8, 16), head_pitch_deg=rng.uniform(-8, 4)
    )


def _pull(pose: dict, rng: np.random.Generator) -> BodyPosture:
    posture = _walking(pose["phase"], stride=rng.uniform(0.9, 1.25), swing_deg=14)
    return replace(
        posture, twist_deg=-posture.pelvis_yaw_deg, lean_deg=rng.uniform(2, 8), head_yaw_deg=rng.normal(0, 12)
    )


def _stand(pose: dict, rng: np.random.Generator) -> BodyPosture:
    """Weight on one leg or both; arms hang, or the hands are busy in front of the body."""
    shift, width = rng.uniform(-0.06, 0.06), rng.uniform(0.1, 0.19)
    feet = {
        side: FootPose(rng.uniform(-0.08, 0.1), width - SIDES[side] * shift, yaw_deg=rng.uniform(3, 20))
        for side in SIDES
    }
    busy = rng.random() < 0.35
    arms = {}
    for side in SIDES:
        if busy:
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
        head_pitch_deg=rng.uniform(-8, 25 if not busy else 35),
        head_yaw_deg=rng.uniform(-40, 40),
    )


def _crouch(pose: dict, rng: np.random.Generator) -> BodyPosture:
    """One foot flat ahead, the other on its ball behind with the knee near the floor, as one looks at a wheel."""
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
    """Walk at a truck's pace with one hand on its tiller, looking where it goes."""
    posture = _walking(pose["phase"], stride=rng.uniform(0.95, 1.3), swing_deg=rng.uniform(10, 18))
    side = "L" if pose["hand_left_m"] else "R"
    return replace(
        posture,
        lean_deg=rng.uniform(1, 5),
        head_pitch_deg=rng.uniform(-2, 12),
        head_yaw_deg=posture.head_yaw_deg + SIDES[side] * rng.uniform(-5, 35),
    )


def _carry(pose: dict, rng: np.random.Generator) -> BodyPosture:
    """Walk with a load before the belly, leaning back against its weight."""
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
    width = rng.uniform(0.11, 0.18)
    return {side: FootPose(rng.uniform(-0.08, 0.1), width, yaw_deg=rng.uniform(3, 20)) for side in SIDES}


def _reach(pose: dict, rng: np.random.Generator) -> BodyPosture:
    """Reach up to a shelf with one hand or both, sometimes on tiptoe, looking at the hands."""
    tiptoe = rng.uniform(12, 28) if rng.random() < 0.4 else 0.0
    feet = {side: replace(foot, pitch_deg=tiptoe, toe_deg=tiptoe) for side, foot in _standing_feet(rng).items()}
    high = rng.uniform(118, 158)
    arms = {side: ArmPose(high + rng.uniform(-8, 8), rng.uniform(4, 12), rng.uniform(8, 35), 8, 16) for side in SIDES}
    way = 0.0
    if rng.random() < 0.5:
        free = "L" if rng.random() < 0.5 else "R"
        arms[free] = ArmPose(rng.uniform(-8, 25), rng.uniform(9, 15), rng.uniform(8, 40))
        way = -SIDES[free] * rng.uniform(2, 7)
    return BodyPosture(
        feet, arms, lean_deg=rng.uniform(-5, 4), bend_deg=-way, twist_deg=way, head_pitch_deg=rng.uniform(-38, -18)
    )


def _bend(pose: dict, rng: np.random.Generator) -> BodyPosture:
    """Bow down to something on the floor or low on a pallet: back and knees bent, hips behind the feet."""
    deep = rng.uniform(0.25, 1)
    feet = {side: FootPose(rng.uniform(0.1, 0.2) + 0.08 * deep, rng.uniform(0.13, 0.2), yaw_deg=10) for side in SIDES}
    arms = {side: ArmPose(rng.uniform(8, 30), rng.uniform(3, 9), rng.uniform(6, 26), 12, 34) for side in SIDES}
    return BodyPosture(
        feet,
        arms,
        lean_deg=24 + 20 * deep,
        twist_deg=rng.uniform(-12, 12),
        pelvis_tilt_deg=18 + 30 * deep,
        head_pitch_deg=rng.uniform(-25, 5),
        head_yaw_deg=rng.uniform(-12, 12),
        drop=0.03 + 0.16 * deep * rng.random(),
    )


def _sit(pose: dict, rng: np.random.Generator) -> BodyPosture:
    """Sit on something `seat_m` high, forearms on the thighs or hands in the lap."""
    # The lower the seat, the farther the feet: from hip to ankle it is 0.64 to 0.78 of the leg's length.
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
    """Stand and point a scanner in the right hand at a label; the other hand hangs or holds a list."""
    free = ArmPose(rng.uniform(-4, 8), rng.uniform(8, 13), rng.uniform(8, 25))
    listing = ArmPose(rng.uniform(8, 20), rng.uniform(8, 13), rng.uniform(70, 92), rng.uniform(20, 40), 30)
    arms = {
        "R": ArmPose(rng.uniform(14, 48), rng.uniform(6, 14), rng.uniform(45, 82), rng.uniform(-4, 14), 62),
        "L": listing if rng.random() < 0.4 else free,
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
    """Stand and talk to somebody ahead: both hands explain, one hand points, or one is on the hip."""
    hanging = ArmPose(rng.uniform(-6, 8), rng.uniform(8, 13), rng.uniform(6, 24))
    explaining = ArmPose(rng.uniform(6, 26), rng.uniform(8, 20), rng.uniform(70, 105), rng.uniform(-12, 18), 16)
    pointing = ArmPose(rng.uniform(58, 88), rng.uniform(6, 34), rng.uniform(4, 22), -10, 20)
    on_hip = ArmPose(rng.uniform(-34, -26), rng.uniform(40, 46), rng.uniform(82, 90), rng.uniform(66, 74), 40)
    pairs = ((explaining, explaining), (explaining, hanging), (pointing, hanging), (on_hip, explaining))
    one, other = pairs[rng.integers(len(pairs))]
    first = "L" if rng.random() < 0.5 else "R"
    arms = {side: one if side == first else other for side in SIDES}
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
