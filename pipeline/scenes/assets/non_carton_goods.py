# SPDX-License-Identifier: Apache-2.0
"""Goods other than cartons: crates, drums, stillages, IBCs, cable reels and bins, on pallets or on the floor.

Rules: drums and reels are not stacked. IBCs and pallet boxes are stacked two high, crates three, stillages four. A prop
of small boxes is already a stack. Goods with feet for forks (stillages, IBCs, large crates and boxes) need no pallet.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pipeline.common.randomness import choose_weighted
from pipeline.record.base_types import Vec3
from pipeline.record.objects import Prop, PropParameters, SceneObject
from pipeline.scenes.assets.prop_shapes import draw_prop
from pipeline.scenes.geometry.collision_boxes import PALLET_SIZE_M

VARIANTS_PER_KIND = 2  # in one image
MAX_STACK_LEVELS = {"crate": 3, "drum": 1, "stillage": 4, "ibc": 2, "cable_reel": 1, "bin": 2}
ON_PALLET_KINDS = ("crate", "drum", "bin")
WITHOUT_PALLET_KINDS = ("stillage", "ibc", "crate", "bin")
MIN_UNIT_LOAD_LENGTH_M = 1.1  # longer goods have feet for forks and are handled like a pallet
MAX_ROWS = 2  # along and across a pallet; more rows would need too many objects
PALLET_OVERHANG_M = 0.02  # of goods over the edge of a pallet


@dataclass(frozen=True)
class NonCartonGoods:
    """The goods of one image other than cartons.

    `variants` are the appearances of each kind, `shares` the shares of the kinds, `share` the share among all loads.
    """

    variants: Mapping[str, tuple[PropParameters, ...]] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    share: float = 0.0

    def draw(self, random: np.random.Generator, kinds: tuple[str, ...]) -> tuple[str, PropParameters] | None:
        """Draw one of these kinds and one of its variants; None if the image has none of these kinds."""
        shares = {kind: self.shares[kind] for kind in kinds if self.shares.get(kind, 0) > 0}
        if not shares:
            return None
        kind = choose_weighted(random, shares)
        return kind, self.variants[kind][random.integers(VARIANTS_PER_KIND)]


def draw_non_carton_goods(random: np.random.Generator, share: float, shares: Mapping[str, float]) -> NonCartonGoods:
    """Draw the variants of each kind; see NonCartonGoods for `share` and `shares`."""
    variants = {kind: tuple(draw_prop(random, kind) for _ in range(VARIANTS_PER_KIND)) for kind in MAX_STACK_LEVELS}
    return NonCartonGoods(variants, shares, share)


def make_prop(
    kind: str,
    parameters: PropParameters,
    name: str = "prop",
    position_m: Vec3 = (0, 0, 0),
    yaw_deg: float = 0.0,
    stands_on: str = "floor",
) -> Prop:
    """Return a prop of a kind of `PROP_KINDS`, by default at the origin of its group."""
    return Prop(
        asset=kind, name=name, position_m=position_m, yaw_deg=yaw_deg, stands_on=stands_on, instance_id=0,
        parameters=parameters,
    )  # fmt: skip


def make_stack(
    random: np.random.Generator,
    kind: str,
    parameters: PropParameters,
    count: int,
    base_m: Vec3 = (0, 0, 0),
    stands_on: str = "floor",
    name: str = "good",
) -> list[SceneObject]:
    """Return a stack of `count` equal props, each shifted by a few millimeters."""
    objects: list[SceneObject] = []
    for level in range(count):
        shift = random.uniform(-0.005, 0.005, 2) if level else (0.0, 0.0)
        position = (base_m[0] + float(shift[0]), base_m[1] + float(shift[1]), base_m[2] + level * parameters.size_m[2])
        below = f"{name}-{level - 1}" if level else stands_on
        objects.append(make_prop(kind, parameters, f"{name}-{level}", position, 180.0 * random.integers(2), below))
    return objects


def max_levels(kind: str, parameters: PropParameters, max_height_m: float) -> int:
    """Return how many of these props may be stacked within a height."""
    level_limit = MAX_STACK_LEVELS[kind]
    if kind == "bin" and parameters.size_m[0] < MIN_UNIT_LOAD_LENGTH_M:
        level_limit = 1
    return min(level_limit, int(max_height_m / parameters.size_m[2]))


def goods_on_pallet(random: np.random.Generator, goods: NonCartonGoods, max_height_m: float) -> list[SceneObject]:
    """Return rows of crates, drums or boxes for a pallet named "pallet", without the pallet; empty if none fit."""
    drawn = goods.draw(random, ON_PALLET_KINDS)
    if drawn is None or drawn[1].size_m[0] >= MIN_UNIT_LOAD_LENGTH_M:
        return []
    kind, parameters = drawn
    length, width, _ = parameters.size_m
    rows = np.floor((np.array(PALLET_SIZE_M[:2]) + PALLET_OVERHANG_M) / (length, width)).astype(int).clip(max=MAX_ROWS)
    level_limit = max_levels(kind, parameters, max_height_m)
    if rows.min() < 1 or level_limit < 1:
        return []
    levels = int(random.integers(1, level_limit + 1))
    full = random.random() < 0.6
    objects: list[SceneObject] = []
    pitch = np.maximum(np.array(PALLET_SIZE_M[:2]) / rows, (length + 0.011, width + 0.011))
    for number, (along, across) in enumerate(np.ndindex(*rows)):
        if number == 0 or full or random.random() < 0.6:
            x, y = (np.array([along, across]) - (rows - 1) / 2) * pitch
            count = levels if full else int(random.integers(1, levels + 1))
            objects += make_stack(
                random, kind, parameters, count, (float(x), float(y), PALLET_SIZE_M[2]), "pallet", f"good{number}"
            )
    return objects


def goods_without_pallet(
    random: np.random.Generator,
    goods: NonCartonGoods,
    max_height_m: float,
    max_size_m: tuple[float, float] = (1.25, 1.05),
) -> list[SceneObject]:
    """Return a stack of goods that need no pallet; `max_size_m` is (length, width). Empty if none fit."""
    drawn = goods.draw(random, WITHOUT_PALLET_KINDS)
    if drawn is None:
        return []
    kind, parameters = drawn
    level_limit = max_levels(kind, parameters, max_height_m)
    length, width, _ = parameters.size_m
    if not MIN_UNIT_LOAD_LENGTH_M <= length <= max_size_m[0] or width > max_size_m[1] or level_limit < 1:
        return []
    return make_stack(random, kind, parameters, int(random.integers(1, level_limit + 1)))


def goods_on_floor(random: np.random.Generator, goods: NonCartonGoods) -> list[SceneObject]:
    """Return goods that stand on the floor: a drum, a reel, a wheeled bin, a stack of boxes or stillages."""
    drawn = goods.draw(random, tuple(MAX_STACK_LEVELS))
    if drawn is None:
        return []
    kind, parameters = drawn
    return make_stack(random, kind, parameters, int(random.integers(1, max_levels(kind, parameters, 3.2) + 1)))
