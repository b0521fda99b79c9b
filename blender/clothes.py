# SPDX-License-Identifier: GPL-3.0-or-later
"""Work clothes: trousers, a shirt, a hi-vis vest. Each is a cut of the suit with its own ease, edges and fabric.

A garment's lines are distance fields in metres on the body at rest: positive where there is cloth, 0 on the hem.
"""

from dataclasses import dataclass

import bpy
import numpy as np

from blender import fabrics
from blender.sharing import Library
from blender.skeleton import SIDES, Skeleton, rig, unit
from blender.suit import ARM, Fitted, eased, folds, laid, suit, widened
from blender.surfaces import Surface, cut, edged, to_object

# Cloth this far inside the edge of the garment over it is left out.
HIDDEN_M = 0.025
# Edges: steps (outward, up) in m that turn the cloth in.
HEM = [(0.0, -0.003), (-0.025, -0.006)]
VEST_EDGE = [(0.0, -0.002), (-0.004, -0.004)]
CREW_NECK = [(0.004, 0.003), (0.016, 0.002), (0.018, -0.003), (0.0, -0.006)]
COLLAR = [(0.014, 0.001), (0.027, 0.003), (0.031, 0.007), (0.024, 0.013), (0.004, 0.020), (-0.016, 0.022)]
# Hems below the hip joints, for a leg of 0.82 m.
SHIRT_HEM, VEST_HEM = 0.015, 0.045
FAR = 9.0


@dataclass(frozen=True)
class Lines:
    """Measures of a body at rest, m, that the garments are cut by."""

    neck: np.ndarray
    hip_z: float
    ankle_z: float
    scale: float


def _lines(skeleton: Skeleton) -> Lines:
    joints = skeleton.joints
    return Lines(joints["neck01"], joints["upperleg01.L"][2], joints["foot.L"][2], skeleton.leg_length_m() / 0.82)


def dress(fitted: Fitted, outfit: dict, seed: int, library: Library) -> list[bpy.types.Object]:
    """Return trousers, shirt and vest as posed objects; `outfit` is the JSON dict of `pipeline.scene.Outfit`."""
    lines = _lines(fitted.skeleton)
    fields = {"trousers": _trousers_field(fitted, lines), "shirt": _shirt_field(fitted, lines, outfit)}
    if outfit["vest_rgb"] is not None:
        fields["vest"] = _vest_field(fitted, lines)
        fields["shirt"] = np.minimum(fields["shirt"], HIDDEN_M - fields["vest"])
    trousers = laid(fitted, _trousers(fitted, lines), fitted.posed, folds(fitted, (seed, 0), 0.0035))
    shirt = laid(fitted, _shirt(fitted, lines, outfit), trousers, folds(fitted, (seed, 1), 0.003))
    made = [
        _trousers_object(fitted, trousers, fields["trousers"], outfit, library),
        _shirt_object(fitted, shirt, fields["shirt"], lines, outfit, library),
    ]
    if outfit["vest_rgb"] is not None:
        vest = laid(fitted, _vest(fitted, lines), shirt, folds(fitted, (seed, 2), 0.002))
        made.append(_vest_object(fitted, vest, fields["vest"], lines, outfit, library))
    return made


def bare_field(skeleton: Skeleton, points: np.ndarray, sleeves: str) -> np.ndarray:
    """Return a field (13380,) m on the skin at rest, positive where it can be seen: head and neck, hands, bare arms."""
    arm = rig().share(*ARM)[: len(points)]
    fields = [0.05 - _shirt_neck(_lines(skeleton), points, sleeves)]
    fields += [0.05 - _sleeve(skeleton, points, arm, side, sleeves) for side in SIDES]
    return np.max(fields, axis=0)


def _neckline(lines: Lines, points: np.ndarray) -> np.ndarray:
    """A plane round the base of the neck, lower in front: positive below."""
    ahead, _, up = (points - lines.neck).T
    return (0.030 * lines.scale - 0.42 * ahead - up) / 1.08


def _opening(lines: Lines, points: np.ndarray, depth_m: float) -> np.ndarray:
    """A V in front of the neck, `depth_m` deep: positive outside of it."""
    ahead, aside, up = (points - lines.neck).T
    slope = 2.1
    return np.where(ahead > 0.02, (slope * np.abs(aside) - up - depth_m * lines.scale) / np.hypot(slope, 1), FAR)


def _shirt_neck(lines: Lines, points: np.ndarray, sleeves: str) -> np.ndarray:
    """A T-shirt has a round neck, a long-sleeved shirt is open at the top button."""
    plane = _neckline(lines, points)
    return np.minimum(plane, _opening(lines, points, 0.062)) if sleeves == "long" else plane


def _sleeve(skeleton: Skeleton, points: np.ndarray, arm: np.ndarray, side: str, sleeves: str) -> np.ndarray:
    """Positive above the end of a sleeve and away from that arm; `arm` (N,) is the share of the arms."""
    shoulder, elbow, wrist = (skeleton.joints[f"{bone}.{side}"] for bone in ("upperarm01", "lowerarm01", "wrist"))
    if sleeves == "long":
        end, along = wrist, unit(wrist - elbow)
    else:
        end, along = elbow - 0.07 * unit(elbow - shoulder), unit(elbow - shoulder)
    ours = (points[:, 1] * SIDES[side] > 0) & (arm > 0.5)
    return np.where(ours, (end - points) @ along, FAR)


def _trousers_field(fitted: Fitted, lines: Lines) -> np.ndarray:
    """From under the shirt down to the shoes, the hem rising in front over the instep."""
    ahead = fitted.rest[:, 0] - fitted.skeleton.joints["foot.L"][0]
    hem = lines.ankle_z - 0.035 * lines.scale + 0.25 * np.clip(ahead, -0.08, 0.12)
    field = np.minimum(lines.hip_z + 0.05 - fitted.rest[:, 2], fitted.rest[:, 2] - hem)
    return field - FAR * np.clip(suit().arm - 0.1, 0, 1)


def _shirt_field(fitted: Fitted, lines: Lines, outfit: dict) -> np.ndarray:
    hem = fitted.rest[:, 2] - (lines.hip_z - SHIRT_HEM * lines.scale) + FAR * np.clip(suit().arm - 0.1, 0, 1)
    sleeves = [_sleeve(fitted.skeleton, fitted.rest, suit().arm, side, outfit["sleeves"]) for side in SIDES]
    return np.min([hem, _shirt_neck(lines, fitted.rest, outfit["sleeves"]), *sleeves], axis=0)


def _vest_field(fitted: Fitted, lines: Lines) -> np.ndarray:
    """Hem below the hips, V-neck, deep armholes."""
    hem = fitted.rest[:, 2] - (lines.hip_z - VEST_HEM * lines.scale) + FAR * np.clip(suit().arm - 0.1, 0, 1)
    neck = np.minimum(_neckline(lines, fitted.rest) - 0.022, _opening(lines, fitted.rest, 0.13))
    holes = [_armhole(fitted, side) for side in SIDES]
    return np.min([hem, neck, *holes, FAR * (0.9 - suit().arm)], axis=0)


def _armhole(fitted: Fitted, side: str) -> np.ndarray:
    """Positive outside a capsule round the upper arm, a little out from the shoulder joint."""
    shoulder, elbow = (fitted.skeleton.joints[f"{bone}.{side}"] for bone in ("upperarm01", "lowerarm01"))
    start = shoulder + np.array([0, SIDES[side] * 0.03, 0])
    along = elbow - start
    t = np.clip((fitted.rest - start) @ along / (along @ along), 0, 3)
    distance = np.linalg.norm(fitted.rest - start - t[:, None] * along, axis=1)
    return distance - 0.098 * np.linalg.norm(along) / 0.27


def _trousers(fitted: Fitted, lines: Lines) -> np.ndarray:
    """Straight legs that hide knees and calves."""
    joints, rest = fitted.skeleton.joints, fitted.rest
    cloth = eased(fitted, 0.010 + 0.004 * suit().leg, rounds=4)
    for side, sign in SIDES.items():
        hip, knee, ankle = (joints[f"{bone}.{side}"] for bone in ("upperleg01", "lowerleg01", "foot"))
        ours = (rest[:, 1] * sign > 0) & (suit().leg > 0.5)
        thigh, shin = ours & (rest[:, 2] >= knee[2]), ours & (rest[:, 2] < knee[2])
        s = lines.scale
        cloth = widened(cloth, thigh & (rest[:, 2] < knee[2] + 0.2 * s), (hip, knee), (0.09 * s, 0.082 * s))
        cloth = widened(cloth, shin, (knee, ankle + np.array([0.018, 0, 0])), (0.082 * s, 0.079 * s))
    return cloth


def _shirt(fitted: Fitted, lines: Lines, outfit: dict) -> np.ndarray:
    joints, rest = fitted.skeleton.joints, fitted.rest
    chest = joints["spine01"][2]
    low = np.clip((chest - rest[:, 2]) / (chest - lines.hip_z), 0, 1)
    cloth = eased(fitted, 0.010 + 0.020 * low * (1 - suit().arm), rounds=7)
    for side, sign in SIDES.items():
        shoulder, elbow, wrist = (joints[f"{bone}.{side}"] for bone in ("upperarm01", "lowerarm01", "wrist"))
        ours = (rest[:, 1] * sign > 0) & (suit().arm > 0.6)
        upper = (rest - elbow) @ unit(elbow - shoulder) < 0
        s = lines.scale
        end = 0.056 if outfit["sleeves"] == "long" else 0.076
        cloth = widened(cloth, ours & upper, (shoulder, elbow), (0.062 * s, end * s))
        cloth = widened(cloth, ours & ~upper, (elbow, wrist), (end * s, 0.043 * s))
    return cloth


def _vest(fitted: Fitted, lines: Lines) -> np.ndarray:
    chest = fitted.skeleton.joints["spine01"][2]
    low = np.clip((chest - fitted.rest[:, 2]) / (chest - lines.hip_z), 0, 1.3)
    return eased(fitted, 0.022 + 0.026 * low * (1 - suit().arm), rounds=9)


def _piece(fitted: Fitted, points: np.ndarray, field: np.ndarray) -> Surface:
    """Cut a posed layer along its field and note what fabrics need: rest position, distance to the edge, creases."""
    kept = cut(suit().faces, field)
    values = {"rest": fitted.rest, "edge": field, "crease": fitted.crease}
    return Surface(kept.carry(points), kept.faces, {name: kept.carry(value) for name, value in values.items()})


def _trousers_object(
    fitted: Fitted, points: np.ndarray, field: np.ndarray, outfit: dict, library: Library
) -> bpy.types.Object:
    color = tuple(outfit["trousers_rgb"])
    fabric = library.material(("trousers", color), lambda: fabrics.cloth("trousers", color, weave=900.0))
    return to_object("trousers", edged(_piece(fitted, points, field), HEM), [fabric])


def _shirt_object(
    fitted: Fitted, points: np.ndarray, field: np.ndarray, lines: Lines, outfit: dict, library: Library
) -> bpy.types.Object:
    piece = _piece(fitted, points, field)
    long, rest = outfit["sleeves"] == "long", piece.values["rest"]
    at_neck = (np.abs(_neckline(lines, rest)) < 0.012) & (np.abs(rest[:, 1]) < 0.13 * lines.scale)
    if long:
        # The button band is a pair of seams down the front.
        band = np.where(rest[:, 0] > lines.neck[0], np.abs(rest[:, 1]) + 0.003, FAR)
        piece.values["edge"] = np.minimum(piece.values["edge"], band)
    piece = edged(piece, COLLAR if long else CREW_NECK, at_neck)
    color = tuple(outfit["top_rgb"])
    fabric = library.material(("shirt", color), lambda: fabrics.cloth("shirt", color, weave=1200.0))
    return to_object("shirt", piece, [fabric])


def _vest_object(
    fitted: Fitted, points: np.ndarray, field: np.ndarray, lines: Lines, outfit: dict, library: Library
) -> bpy.types.Object:
    piece = edged(_piece(fitted, points, field), VEST_EDGE)
    # The bands are drawn by height above the hem and by distance from the middle.
    rest = piece.values["rest"]
    bands = np.c_[rest[:, 1], rest[:, 2] - (lines.hip_z - VEST_HEM * lines.scale), rest[:, 0] - lines.neck[0]]
    piece.values["bands"] = bands
    color = tuple(outfit["vest_rgb"])
    fabric = library.material(("vest", color), lambda: fabrics.hi_vis("vest", color))
    return to_object("vest", piece, [fabric])
