# SPDX-License-Identifier: Apache-2.0
"""Goods that are no cartons: crates, drums, stillages, IBCs, cable reels, bins; on pallets, stacked, on the floor.

Rules: nothing is stacked on drums and reels; IBCs stand two high, crates three, stillages four, pallet boxes two. Small
boxes come as stacks already. What has feet for forks (stillages, IBCs, large crates and boxes) needs no pallet.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pipeline.common.randomness import choose_weighted
from pipeline.record.base_types import Vec3
from pipeline.record.objects import Prop, PropParameters, SceneObject
from pipeline.scenes.assets.prop_shapes import draw_prop
from pipeline.scenes.geometry.collision_boxes import PALLET_SIZE_M

VARIANTS_PER_KIND = 2  # of each kind in one image
MAX_STACK_LEVELS = {"crate": 3, "drum": 1, "stillage": 4, "ibc": 2, "cable_reel": 1, "bin": 2}
ON_PALLET_KINDS = ("crate", "drum", "bin")
WITHOUT_PALLET_KINDS = ("stillage", "ibc", "crate", "bin")
MIN_UNIT_LOAD_LENGTH_M = 1.1  # from this length on, a thing has feet and is handled like a pallet
MAX_ROWS = 2  # along and across a pallet: every thing is an object of its own to be built
PALLET_OVERHANG_M = 0.02  # over the edge of a pallet


@dataclass(frozen=True)
class NonCartonGoods:
    """What one image has besides cartons: forms of each kind, shares of the kinds, their `share` of all loads."""

    variants: Mapping[str, tuple[PropParameters, ...]] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    share: float = 0.0

    def draw(self, random: np.random.Generator, kinds: tuple[str, ...]) -> tuple[str, PropParameters] | None:
        """Return one of these kinds and one of its forms; None if the image has none of them."""
        shares = {kind: self.shares[kind] for kind in kinds if self.shares.get(kind, 0) > 0}
        if not shares:
            return None
        kind = choose_weighted(random, shares)
        return kind, self.variants[kind][random.integers(VARIANTS_PER_KIND)]


def draw_non_carton_goods(random: np.random.Generator, share: float, shares: Mapping[str, float]) -> NonCartonGoods:
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
    """`count` equal things on each other, set down by hand: some millimetres off."""
    objects: list[SceneObject] = []
    for level in range(count):
        shift = random.uniform(-0.005, 0.005, 2) if level else (0.0, 0.0)
        position = (base_m[0] + float(shift[0]), base_m[1] + float(shift[1]), base_m[2] + level * parameters.size_m[2])
        below = f"{name}-{level - 1}" if level else stands_on
        objects.append(make_prop(kind, parameters, f"{name}-{level}", position, 180.0 * random.integers(2), below))
    return objects


def max_levels(kind: str, parameters: PropParameters, max_height_m: float) -> int:
    """Return how many may stand on each other below `room_m`."""
    level_limit = MAX_STACK_LEVELS[kind]
    if kind == "bin" and parameters.size_m[0] < MIN_UNIT_LOAD_LENGTH_M:
        level_limit = 1
    return min(level_limit, int(max_height_m / parameters.size_m[2]))


def goods_on_pallet(random: np.random.Generator, goods: NonCartonGoods, max_height_m: float) -> list[SceneObject]:
    """Crates, drums or boxes in rows on a pallet named "pallet", `room_m` high at most; nothing if none fits."""
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
    """A stack of what is handled without a pallet, at most `widest_m` (length, width) large; nothing if none fits."""
    drawn = goods.draw(random, WITHOUT_PALLET_KINDS)
    if drawn is None:
        return []
    kind, parameters = drawn
    level_limit = max_levels(kind, parameters, max_height_m)
    if (
        not MIN_UNIT_LOAD_LENGTH_M <= parameters.size_m[0] <= max_size_m[0]
        or parameters.size_m[1] > max_size_m[1]
        or level_limit < 1
    ):
        return []
    return make_stack(random, kind, parameters, int(random.integers(1, level_limit + 1)))


def goods_on_floor(random: np.random.Generator, goods: NonCartonGoods) -> list[SceneObject]:
    """Something that stands on the floor by itself: a drum, a reel, a wheeled bin, a stack of boxes or stillages."""
    drawn = goods.draw(random, tuple(MAX_STACK_LEVELS))
    if drawn is None:
        return []
    kind, parameters = drawn
    return make_stack(random, kind, parameters, int(random.integers(1, max_levels(kind, parameters, 3.2) + 1)))
