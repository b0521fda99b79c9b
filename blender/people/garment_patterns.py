# SPDX-License-Identifier: GPL-3.0-or-later
"""Patterns of work clothes: where each garment has cloth, and how loose it hangs, on a body at rest.

A field (N,) m is a distance to the borders of a garment: positive where there is cloth, 0 at a hem. The points (V, 3)
of a garment are those of the whole garment mesh; blender/people/clothes.py cuts the garment out of it by the field.
"""

from dataclasses import dataclass

import numpy as np

from blender.people.garment_mesh import ARM, LEG, FittedBody, garment_mesh, widen_limb, with_ease
from blender.people.skeleton import SIDES, Skeleton, body_rig, unit_vector

# All lengths below are for a body with legs of this length; they scale with it.
LEG_LENGTH_M = 0.82
# Hems below the hip joints.
SHIRT_HEM, VEST_HEM, JACKET_HEM = 0.015, 0.045, 0.075
# Hem of shorts above the knee, end of socks below it.
SHORTS_UP, SOCKS_UP = 0.055, 0.13
FAR_M = 9.0  # the distance to a border that does not apply


@dataclass(frozen=True)
class BodyMeasures:
    """Measures of a body at rest, m: base of the neck (3,), z of hip and ankle joints, and the scale of lengths."""

    neck: np.ndarray
    hip_z: float
    ankle_z: float
    scale: float


def body_measures(skeleton: Skeleton) -> BodyMeasures:
    """Return the measures of a body that garments are cut by."""
    joints = skeleton.joints
    scale = skeleton.leg_length_m() / LEG_LENGTH_M
    return BodyMeasures(joints["neck01"], joints["upperleg01.L"][2], joints["foot.L"][2], scale)


def bare_skin_field(skeleton: Skeleton, points: np.ndarray, outfit: dict) -> np.ndarray:
    """Return a field (13380,) m on the skin `points` at rest, positive where it shows: head, hands, bare limbs.

    `outfit` is the JSON dict of `Outfit`. The skin continues 5 cm or more under the clothes.
    """
    arm, leg = (body_rig().bone_weights(*prefixes)[: len(points)] for prefixes in (ARM, LEG))
    sleeves = "long" if outfit["jacket_rgb"] else outfit["sleeves"]
    measures = body_measures(skeleton)
    fields = [0.05 - shirt_neck_field(measures, points, sleeves)]
    fields += [0.05 - sleeve_field(skeleton, points, arm, side, sleeves) for side in SIDES]
    if outfit["legs"] == "shorts":
        knee_z, scale = skeleton.joints["lowerleg01.L"][2], measures.scale
        below_hem = knee_z + (SHORTS_UP + 0.05) * scale - points[:, 2]
        above_socks = points[:, 2] - (knee_z - (SOCKS_UP + 0.13) * scale)
        fields.append(np.where(leg > 0.5, np.minimum(below_hem, above_socks), -FAR_M))
    return np.max(fields, axis=0)


def neckline_field(measures: BodyMeasures, points: np.ndarray) -> np.ndarray:
    """Return a field (N,) that is positive below a plane at the base of the neck, which is lower in front."""
    ahead, _, up = (points - measures.neck).T
    return (0.030 * measures.scale - 0.42 * ahead - up) / 1.08


def neck_opening_field(measures: BodyMeasures, points: np.ndarray, depth_m: float) -> np.ndarray:
    """Return a field (N,) that is positive outside a V in front of the neck, `depth_m` deep."""
    ahead, side, up = (points - measures.neck).T
    slope = 2.1
    outside = (slope * np.abs(side) - up - depth_m * measures.scale) / np.hypot(slope, 1)
    return np.where(ahead > 0.02, outside, FAR_M)


def shirt_neck_field(measures: BodyMeasures, points: np.ndarray, sleeves: str) -> np.ndarray:
    """Return the field (N,) of a round neck (`sleeves` "short") or of a collar with its top button open ("long")."""
    plane = neckline_field(measures, points)
    return np.minimum(plane, neck_opening_field(measures, points, 0.062)) if sleeves == "long" else plane


def sleeve_field(skeleton: Skeleton, points: np.ndarray, arm: np.ndarray, side: str, sleeves: str) -> np.ndarray:
    """Return a field (N,) that is positive above the end of one sleeve and away from that arm.

    `arm` (N,) is the weight of the arms' bones, `side` is "L" or "R".
    """
    shoulder, elbow, wrist = (skeleton.joints[f"{bone}.{side}"] for bone in ("upperarm01", "lowerarm01", "wrist"))
    if sleeves == "long":
        end, along = wrist, unit_vector(wrist - elbow)
    else:
        end, along = elbow - 0.07 * unit_vector(elbow - shoulder), unit_vector(elbow - shoulder)
    this_arm = (points[:, 1] * SIDES[side] > 0) & (arm > 0.5)
    return np.where(this_arm, (end - points) @ along, FAR_M)


def _off_arms() -> np.ndarray:
    """Return 0 (V,) on the trunk, up to 0.9 * FAR_M on the arms: garments add or subtract it there."""
    return FAR_M * np.clip(garment_mesh().arm - 0.1, 0, 1)


def trousers_field(fitted: FittedBody, measures: BodyMeasures, outfit: dict) -> np.ndarray:
    """Return the field (V,) of trousers, shorts or dungarees, by `outfit["legs"]`.

    They begin under the shirt, or with a bib. Trousers end above the shoes, higher in front; shorts above the knees.
    """
    rest = fitted.rest
    ahead = rest[:, 0] - fitted.skeleton.joints["foot.L"][0]
    hem_z = measures.ankle_z - 0.035 * measures.scale + 0.25 * np.clip(ahead, -0.08, 0.12)
    if outfit["legs"] == "shorts":
        hem_z = np.full(len(rest), fitted.skeleton.joints["lowerleg01.L"][2] + SHORTS_UP * measures.scale)
    below_top = measures.hip_z + 0.05 - rest[:, 2]
    if outfit["legs"] == "dungarees":
        waist = measures.hip_z + 0.13 * measures.scale - rest[:, 2]
        below_top = np.maximum(waist, _bib_field(measures, rest))
    return np.minimum(below_top, rest[:, 2] - hem_z) - _off_arms()


def _bib_field(measures: BodyMeasures, rest: np.ndarray) -> np.ndarray:
    """Return the field (V,) of a bib on the chest and of two shoulder straps, which meet low on the back."""
    ahead, side, up = (rest - measures.neck).T / measures.scale
    from_middle, front = np.abs(side), ahead > -0.02
    half_width = 0.125 + 0.12 * np.clip(-up - 0.2, -0.1, 0.3)
    bib = np.minimum(np.where(front, half_width - from_middle, -FAR_M), -0.15 - up)
    strap_middle = np.where(front, 0.095, 0.095 - 0.28 * np.clip(-up - 0.06, 0, 0.25))
    return np.maximum(bib, 0.021 - np.abs(from_middle - strap_middle))


def socks_field(fitted: FittedBody, measures: BodyMeasures) -> np.ndarray:
    """Return the field (V,) of socks that end below the knees and continue into the shoes."""
    knee_z = fitted.skeleton.joints["lowerleg01.L"][2]
    below_top = knee_z - SOCKS_UP * measures.scale - fitted.rest[:, 2]
    return np.minimum(below_top, fitted.rest[:, 2] - measures.ankle_z + 0.02) - _off_arms()


def shirt_field(fitted: FittedBody, measures: BodyMeasures, sleeves: str, hem: float = SHIRT_HEM) -> np.ndarray:
    """Return the field (V,) of a shirt, or of a jacket with another `hem` (below the hip joints)."""
    above_hem = fitted.rest[:, 2] - (measures.hip_z - hem * measures.scale) + _off_arms()
    ends = [sleeve_field(fitted.skeleton, fitted.rest, garment_mesh().arm, side, sleeves) for side in SIDES]
    return np.min([above_hem, shirt_neck_field(measures, fitted.rest, sleeves), *ends], axis=0)


def vest_field(fitted: FittedBody, measures: BodyMeasures) -> np.ndarray:
    """Return the field (V,) of a vest with its hem below the hips, a V-neck and deep armholes."""
    above_hem = fitted.rest[:, 2] - (measures.hip_z - VEST_HEM * measures.scale) + _off_arms()
    opening = neck_opening_field(measures, fitted.rest, 0.13)
    neck = np.minimum(neckline_field(measures, fitted.rest) - 0.022, opening)
    armholes = [_armhole_field(fitted, side) for side in SIDES]
    return np.min([above_hem, neck, *armholes, FAR_M * (0.9 - garment_mesh().arm)], axis=0)


def _armhole_field(fitted: FittedBody, side: str) -> np.ndarray:
    """Return a field (V,) that is positive outside a capsule around the upper arm, 3 cm out from the shoulder joint."""
    shoulder, elbow = (fitted.skeleton.joints[f"{bone}.{side}"] for bone in ("upperarm01", "lowerarm01"))
    start = shoulder + np.array([0, SIDES[side] * 0.03, 0])
    along = elbow - start
    share = np.clip((fitted.rest - start) @ along / (along @ along), 0, 3)
    distance = np.linalg.norm(fitted.rest - start - share[:, None] * along, axis=1)
    return distance - 0.098 * np.linalg.norm(along) / 0.27


def trousers_points(fitted: FittedBody, measures: BodyMeasures, legs: str) -> np.ndarray:
    """Return points (V, 3) of straight trouser legs, which hide knees and calves; those of shorts are wider."""
    joints, rest, scale = fitted.skeleton.joints, fitted.rest, measures.scale
    points = with_ease(fitted, 0.010 + (0.014 if legs == "shorts" else 0.004) * garment_mesh().leg, rounds=4)
    for side, sign in SIDES.items():
        hip, knee, ankle = (joints[f"{bone}.{side}"] for bone in ("upperleg01", "lowerleg01", "foot"))
        this_leg = (rest[:, 1] * sign > 0) & (garment_mesh().leg > 0.5)
        thigh, shin = this_leg & (rest[:, 2] >= knee[2]), this_leg & (rest[:, 2] < knee[2])
        near_knee = thigh & (rest[:, 2] < knee[2] + 0.2 * scale)
        points = widen_limb(points, near_knee, (hip, knee), (0.09 * scale, 0.082 * scale))
        leg_end = ankle + np.array([0.018, 0, 0])
        points = widen_limb(points, shin, (knee, leg_end), (0.082 * scale, 0.079 * scale))
    return points


def shirt_points(fitted: FittedBody, measures: BodyMeasures, sleeves: str, extra_room_m: float = 0.0) -> np.ndarray:
    """Return points (V, 3) of a shirt, or with `extra_room_m` of a hoodie or a jacket."""
    joints, rest, scale = fitted.skeleton.joints, fitted.rest, measures.scale
    chest_z = joints["spine01"][2]
    low = np.clip((chest_z - rest[:, 2]) / (chest_z - measures.hip_z), 0, 1)
    points = with_ease(fitted, 0.010 + 0.7 * extra_room_m + 0.020 * low * (1 - garment_mesh().arm), rounds=7)
    elbow_radius = (0.056 if sleeves == "long" else 0.076) + 0.4 * extra_room_m
    for side, sign in SIDES.items():
        shoulder, elbow, wrist = (joints[f"{bone}.{side}"] for bone in ("upperarm01", "lowerarm01", "wrist"))
        this_arm = (rest[:, 1] * sign > 0) & (garment_mesh().arm > 0.6)
        upper = (rest - elbow) @ unit_vector(elbow - shoulder) < 0
        radii = (0.062 * scale + 0.5 * extra_room_m, elbow_radius * scale)
        points = widen_limb(points, this_arm & upper, (shoulder, elbow), radii)
        radii = (elbow_radius * scale, 0.043 * scale + 0.3 * extra_room_m)
        points = widen_limb(points, this_arm & ~upper, (elbow, wrist), radii)
    return points


def vest_points(fitted: FittedBody, measures: BodyMeasures) -> np.ndarray:
    """Return points (V, 3) of a vest, which gets looser towards its hem."""
    chest_z = fitted.skeleton.joints["spine01"][2]
    low = np.clip((chest_z - fitted.rest[:, 2]) / (chest_z - measures.hip_z), 0, 1.3)
    return with_ease(fitted, 0.022 + 0.026 * low * (1 - garment_mesh().arm), rounds=9)


def height_above_wrist(fitted: FittedBody) -> np.ndarray:
    """Return (V,) m: how far a point of a sleeve is above the wrist, along the forearm; `FAR_M` away from the arms."""
    height = np.full(len(fitted.rest), FAR_M)
    for side, sign in SIDES.items():
        elbow, wrist = (fitted.skeleton.joints[f"{bone}.{side}"] for bone in ("lowerarm01", "wrist"))
        this_arm = (fitted.rest[:, 1] * sign > 0) & (garment_mesh().arm > 0.85)
        height = np.where(this_arm, (wrist - fitted.rest) @ unit_vector(wrist - elbow), height)
    return height
