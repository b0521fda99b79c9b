# SPDX-License-Identifier: GPL-3.0-or-later
"""Patterns of work clothes: where each garment has cloth, and how loose it hangs, on a body at rest.

A garment's lines are distance fields in metres: positive where there is cloth, 0 on the hem. Its form is the whole
suit blown up, of which blender/clothes.py cuts the field out.
"""

from dataclasses import dataclass

import numpy as np

from blender.people.garment_mesh import ARM, LEG, FittedBody, garment_mesh, widen_limb, with_ease
from blender.people.skeleton import SIDES, Skeleton, body_rig, unit_vector

# Hems below the hip joints, for a leg of 0.82 m.
SHIRT_HEM, VEST_HEM, JACKET_HEM = 0.015, 0.045, 0.075
# Shorts end above the knee, socks below it.
SHORTS_UP, SOCKS_UP = 0.055, 0.13
FAR_M = 9.0


@dataclass(frozen=True)
class BodyMeasures:
    """Measures of a body at rest, m, that the garments are cut by."""

    neck: np.ndarray
    hip_z: float
    ankle_z: float
    scale: float


def body_measures(skeleton: Skeleton) -> BodyMeasures:
    joints = skeleton.joints
    return BodyMeasures(
        joints["neck01"], joints["upperleg01.L"][2], joints["foot.L"][2], skeleton.leg_length_m() / 0.82
    )


def bare_skin_field(skeleton: Skeleton, points: np.ndarray, outfit: dict) -> np.ndarray:
    """Return a field (13380,) m on the skin at rest, positive where it can be seen: head, hands, bare arms and legs."""
    arm, leg = (body_rig().share(*parts)[: len(points)] for parts in (ARM, LEG))
    sleeves = "long" if outfit["jacket_rgb"] else outfit["sleeves"]
    fields = [0.05 - shirt_neck_field(body_measures(skeleton), points, sleeves)]
    fields += [0.05 - sleeve_field(skeleton, points, arm, side, sleeves) for side in SIDES]
    if outfit["legs"] == "shorts":
        knee_z, s = skeleton.joints["lowerleg01.L"][2], body_measures(skeleton).scale
        above, below = knee_z + (SHORTS_UP + 0.05) * s - points[:, 2], points[:, 2] - (knee_z - (SOCKS_UP + 0.13) * s)
        fields.append(np.where(leg > 0.5, np.minimum(above, below), -FAR_M))
    return np.max(fields, axis=0)


def neckline_field(lines: BodyMeasures, points: np.ndarray) -> np.ndarray:
    """A plane round the base of the neck, lower in front: positive below."""
    ahead, _, up = (points - lines.neck).T
    return (0.030 * lines.scale - 0.42 * ahead - up) / 1.08


def neck_opening_field(lines: BodyMeasures, points: np.ndarray, depth_m: float) -> np.ndarray:
    """A V in front of the neck, `depth_m` deep: positive outside of it."""
    ahead, aside, up = (points - lines.neck).T
    slope = 2.1
    return np.where(ahead > 0.02, (slope * np.abs(aside) - up - depth_m * lines.scale) / np.hypot(slope, 1), FAR_M)


def shirt_neck_field(lines: BodyMeasures, points: np.ndarray, sleeves: str) -> np.ndarray:
    """A T-shirt has a round neck, a long-sleeved shirt is open at the top button."""
    plane = neckline_field(lines, points)
    return np.minimum(plane, neck_opening_field(lines, points, 0.062)) if sleeves == "long" else plane


def sleeve_field(skeleton: Skeleton, points: np.ndarray, arm: np.ndarray, side: str, sleeves: str) -> np.ndarray:
    """Positive above the end of a sleeve and away from that arm; `arm` (N,) is the share of the arms."""
    shoulder, elbow, wrist = (skeleton.joints[f"{bone}.{side}"] for bone in ("upperarm01", "lowerarm01", "wrist"))
    if sleeves == "long":
        end, along = wrist, unit_vector(wrist - elbow)
    else:
        end, along = elbow - 0.07 * unit_vector(elbow - shoulder), unit_vector(elbow - shoulder)
    ours = (points[:, 1] * SIDES[side] > 0) & (arm > 0.5)
    return np.where(ours, (end - points) @ along, FAR_M)


def trousers_field(fitted: FittedBody, lines: BodyMeasures, outfit: dict) -> np.ndarray:
    """From under the shirt down to the shoes, the hem rising in front over the instep, or down to above the knees."""
    rest = fitted.rest
    ahead = rest[:, 0] - fitted.skeleton.joints["foot.L"][0]
    hem = lines.ankle_z - 0.035 * lines.scale + 0.25 * np.clip(ahead, -0.08, 0.12)
    if outfit["legs"] == "shorts":
        hem = np.full(len(rest), fitted.skeleton.joints["lowerleg01.L"][2] + SHORTS_UP * lines.scale)
    top = lines.hip_z + 0.05 - rest[:, 2]
    if outfit["legs"] == "dungarees":
        top = np.maximum(lines.hip_z + 0.13 * lines.scale - rest[:, 2], _bib(lines, rest))
    return np.minimum(top, rest[:, 2] - hem) - FAR_M * np.clip(garment_mesh().arm - 0.1, 0, 1)


def _bib(lines: BodyMeasures, rest: np.ndarray) -> np.ndarray:
    """A bib on the chest and two straps over the shoulders that meet low on the back."""
    ahead, aside, up = (rest - lines.neck).T / lines.scale
    aside, front = np.abs(aside), ahead > -0.02
    bib = np.minimum(np.where(front, 0.125 + 0.12 * np.clip(-up - 0.2, -0.1, 0.3) - aside, -FAR_M), -0.15 - up)
    middle = np.where(front, 0.095, 0.095 - 0.28 * np.clip(-up - 0.06, 0, 0.25))
    return np.maximum(bib, 0.021 - np.abs(aside - middle))


def socks_field(fitted: FittedBody, lines: BodyMeasures) -> np.ndarray:
    knee_z = fitted.skeleton.joints["lowerleg01.L"][2]
    top = knee_z - SOCKS_UP * lines.scale - fitted.rest[:, 2]
    return np.minimum(top, fitted.rest[:, 2] - lines.ankle_z + 0.02) - FAR_M * np.clip(garment_mesh().arm - 0.1, 0, 1)


def shirt_field(fitted: FittedBody, lines: BodyMeasures, sleeves: str, hem_m: float = SHIRT_HEM) -> np.ndarray:
    """A shirt, or with another hem a jacket."""
    hem = fitted.rest[:, 2] - (lines.hip_z - hem_m * lines.scale) + FAR_M * np.clip(garment_mesh().arm - 0.1, 0, 1)
    ends = [sleeve_field(fitted.skeleton, fitted.rest, garment_mesh().arm, side, sleeves) for side in SIDES]
    return np.min([hem, shirt_neck_field(lines, fitted.rest, sleeves), *ends], axis=0)


def vest_field(fitted: FittedBody, lines: BodyMeasures) -> np.ndarray:
    """Hem below the hips, V-neck, deep armholes."""
    hem = fitted.rest[:, 2] - (lines.hip_z - VEST_HEM * lines.scale) + FAR_M * np.clip(garment_mesh().arm - 0.1, 0, 1)
    neck = np.minimum(neckline_field(lines, fitted.rest) - 0.022, neck_opening_field(lines, fitted.rest, 0.13))
    holes = [_armhole(fitted, side) for side in SIDES]
    return np.min([hem, neck, *holes, FAR_M * (0.9 - garment_mesh().arm)], axis=0)


def _armhole(fitted: FittedBody, side: str) -> np.ndarray:
    """Positive outside a capsule round the upper arm, a little out from the shoulder joint."""
    shoulder, elbow = (fitted.skeleton.joints[f"{bone}.{side}"] for bone in ("upperarm01", "lowerarm01"))
    start = shoulder + np.array([0, SIDES[side] * 0.03, 0])
    along = elbow - start
    t = np.clip((fitted.rest - start) @ along / (along @ along), 0, 3)
    distance = np.linalg.norm(fitted.rest - start - t[:, None] * along, axis=1)
    return distance - 0.098 * np.linalg.norm(along) / 0.27


def trousers_points(fitted: FittedBody, lines: BodyMeasures, legs: str) -> np.ndarray:
    """Straight legs that hide knees and calves; shorts are wider."""
    joints, rest = fitted.skeleton.joints, fitted.rest
    cloth = with_ease(fitted, 0.010 + (0.014 if legs == "shorts" else 0.004) * garment_mesh().leg, rounds=4)
    for side, sign in SIDES.items():
        hip, knee, ankle = (joints[f"{bone}.{side}"] for bone in ("upperleg01", "lowerleg01", "foot"))
        ours = (rest[:, 1] * sign > 0) & (garment_mesh().leg > 0.5)
        thigh, shin = ours & (rest[:, 2] >= knee[2]), ours & (rest[:, 2] < knee[2])
        s = lines.scale
        cloth = widen_limb(cloth, thigh & (rest[:, 2] < knee[2] + 0.2 * s), (hip, knee), (0.09 * s, 0.082 * s))
        cloth = widen_limb(cloth, shin, (knee, ankle + np.array([0.018, 0, 0])), (0.082 * s, 0.079 * s))
    return cloth


def shirt_points(fitted: FittedBody, lines: BodyMeasures, sleeves: str, looser_m: float = 0.0) -> np.ndarray:
    """A shirt; `looser_m` more room makes a hoodie or a jacket of it."""
    joints, rest = fitted.skeleton.joints, fitted.rest
    chest = joints["spine01"][2]
    low = np.clip((chest - rest[:, 2]) / (chest - lines.hip_z), 0, 1)
    cloth = with_ease(fitted, 0.010 + 0.7 * looser_m + 0.020 * low * (1 - garment_mesh().arm), rounds=7)
    for side, sign in SIDES.items():
        shoulder, elbow, wrist = (joints[f"{bone}.{side}"] for bone in ("upperarm01", "lowerarm01", "wrist"))
        ours = (rest[:, 1] * sign > 0) & (garment_mesh().arm > 0.6)
        upper = (rest - elbow) @ unit_vector(elbow - shoulder) < 0
        s = lines.scale
        end = (0.056 if sleeves == "long" else 0.076) + 0.4 * looser_m
        cloth = widen_limb(cloth, ours & upper, (shoulder, elbow), (0.062 * s + 0.5 * looser_m, end * s))
        cloth = widen_limb(cloth, ours & ~upper, (elbow, wrist), (end * s, 0.043 * s + 0.3 * looser_m))
    return cloth


def vest_points(fitted: FittedBody, lines: BodyMeasures) -> np.ndarray:
    chest = fitted.skeleton.joints["spine01"][2]
    low = np.clip((chest - fitted.rest[:, 2]) / (chest - lines.hip_z), 0, 1.3)
    return with_ease(fitted, 0.022 + 0.026 * low * (1 - garment_mesh().arm), rounds=9)


def height_above_wrist(fitted: FittedBody) -> np.ndarray:
    """Return (V,) m: how far a point of a sleeve is above the wrist, along the arm; FAR away from the arms."""
    result = np.full(len(fitted.rest), FAR_M)
    for side, sign in SIDES.items():
        elbow, wrist = (fitted.skeleton.joints[f"{bone}.{side}"] for bone in ("lowerarm01", "wrist"))
        ours = (fitted.rest[:, 1] * sign > 0) & (garment_mesh().arm > 0.85)
        result = np.where(ours, (wrist - fitted.rest) @ unit_vector(wrist - elbow), result)
    return result
