# SPDX-License-Identifier: Apache-2.0
"""Pallets with their loads, cartons, and the stock of goods of an image.

An image has a small stock of pallets, cartons and other goods that it repeats, as in a real warehouse. So Blender
builds few meshes and uses them many times.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from pipeline.common.randomness import draw_seed
from pipeline.config.world import GoodsSection
from pipeline.record.base_types import Rgb, Vec3
from pipeline.record.objects import (
    Carton,
    CartonParameters,
    CartonStack,
    CartonStackParameters,
    EurPallet,
    EurPalletParameters,
    SceneObject,
)
from pipeline.scenes.assets.non_carton_goods import (
    NonCartonGoods,
    draw_non_carton_goods,
    goods_on_pallet,
    goods_without_pallet,
)
from pipeline.scenes.assets.palettes import CARTONS, PRINTED_CARTONS, draw_color
from pipeline.scenes.geometry.collision_boxes import PALLET_SIZE_M

PALLET_HEIGHT_M = PALLET_SIZE_M[2]
# Shares of pallets with a stack of cartons, and with single cartons; the others are empty.
STACKED_SHARE, LOOSE_SHARE = 0.78, 0.12


@dataclass(frozen=True)
class Stock:
    """The kinds of pallets, carton stacks (each as one layer), single cartons and other goods of one image."""

    pallets: tuple[EurPalletParameters, ...]
    stacks: tuple[CartonStackParameters, ...]
    cartons: tuple[CartonParameters, ...]
    other_goods: NonCartonGoods = field(default_factory=NonCartonGoods)


def draw_goods_stock(random: np.random.Generator, config: GoodsSection) -> Stock:
    """Draw a stock of pallets, cartons and other goods."""
    share = float(random.uniform(*config.other))
    return replace(draw_carton_stock(random), other_goods=draw_non_carton_goods(random, share, config.other_kinds))


def draw_carton_stock(random: np.random.Generator) -> Stock:
    """Draw a stock of pallets and cartons only."""
    age = random.beta(1.5, 1.8)
    pallets = tuple(
        EurPalletParameters(age=round(float(np.clip(age + random.normal(0, 0.2), 0, 1)), 3), seed=draw_seed(random))
        for _ in range(4)
    )
    stacks = tuple(_draw_stack_parameters(random) for _ in range(6))
    return Stock(pallets, stacks, tuple(_draw_carton_parameters(random) for _ in range(4)))


def _draw_stack_parameters(random: np.random.Generator) -> CartonStackParameters:
    """Draw one layer of cartons that cover a pallet: one to four along it, one to three across, with small gaps."""
    along, across = int(random.integers(1, 5)), int(random.integers(1, 4))
    shrink = random.uniform(0.9, 0.985)
    height = random.uniform(0.5, 0.95) if along * across == 1 else random.uniform(0.18, 0.42)
    size = (PALLET_SIZE_M[0] / along * shrink, PALLET_SIZE_M[1] / across * shrink, height)
    return CartonStackParameters(
        count=(along, across, 1),
        carton_m=tuple(round(float(value), 3) for value in size),
        missing=0,
        color_rgb=_draw_carton_color(random),
        wrapped=bool(random.random() < 0.3),
        seed=draw_seed(random),
    )


def _draw_carton_parameters(random: np.random.Generator) -> CartonParameters:
    size = tuple(round(float(value), 3) for value in random.uniform((0.25, 0.2, 0.15), (0.58, 0.38, 0.45)))
    return CartonParameters(
        size_m=size,
        color_rgb=_draw_carton_color(random),
        seed=draw_seed(random),
    )


def _draw_carton_color(random: np.random.Generator) -> Rgb:
    return draw_color(random, CARTONS if random.random() < 0.8 else PRINTED_CARTONS)


def draw_pallet(random: np.random.Generator, stock: Stock, name: str = "pallet") -> EurPallet:
    """Return an empty pallet of the stock at the origin."""
    parameters = stock.pallets[random.integers(len(stock.pallets))]
    return make_pallet(parameters, name, yaw_deg=180.0 * random.integers(2))


def make_pallet(parameters: EurPalletParameters, name: str = "pallet", yaw_deg: float = 0.0) -> EurPallet:
    """Return an empty pallet at the origin."""
    return EurPallet(
        name=name, position_m=(0, 0, 0), yaw_deg=yaw_deg, stands_on="floor", instance_id=0, parameters=parameters
    )


def loaded_pallet(random: np.random.Generator, stock: Stock, max_height_m: float = 1.9) -> list[SceneObject]:
    """Return a pallet with cartons, with other goods, or empty; at most `max_height_m` high."""
    pallet = draw_pallet(random, stock)
    load_height = max_height_m - PALLET_HEIGHT_M
    if random.random() < stock.other_goods.share and (load := goods_on_pallet(random, stock.other_goods, load_height)):
        return [pallet, *load]
    draw = random.random()
    if draw < STACKED_SHARE:
        return [pallet, *_carton_stack_on_pallet(random, stock, load_height)]
    if draw < STACKED_SHARE + LOOSE_SHARE:
        return [pallet, *_cartons_on_pallet(random, stock, load_height)]
    return [pallet]


def unit_load(
    random: np.random.Generator, stock: Stock, max_height_m: float = 1.9, max_size_m: tuple[float, float] = (1.25, 0.85)
) -> list[SceneObject]:
    """Return what a forklift lifts at once: a loaded pallet, or goods without a pallet within `max_size_m`."""
    if random.random() < 0.6 * stock.other_goods.share and (
        load := goods_without_pallet(random, stock.other_goods, max_height_m, max_size_m)
    ):
        return load
    return loaded_pallet(random, stock, max_height_m)


def stacked_pallets(random: np.random.Generator, stock: Stock, count: int, max_height_m: float) -> list[SceneObject]:
    """Return a stack of up to `count` pallets with equal loads, at most `max_height_m` high."""
    layer = stock.stacks[random.integers(len(stock.stacks))]
    layers = max(1, int(random.uniform(0.8, 1.4) / layer.carton_m[2]))
    load = layer.model_copy(update={"count": (*layer.count[:2], layers)})
    pitch = PALLET_HEIGHT_M + layers * layer.carton_m[2]
    objects: list[SceneObject] = []
    for level in range(max(1, min(count, int(max_height_m / pitch)))):
        shift = random.uniform(-0.01, 0.01, 2) if level else (0.0, 0.0)
        position = (float(shift[0]), float(shift[1]), level * pitch)
        below = f"load{level - 1}" if level else "floor"
        pallet = draw_pallet(random, stock, f"pallet{level}")
        objects.append(pallet.model_copy(update={"position_m": position, "stands_on": below}))
        load_position = (*position[:2], position[2] + PALLET_HEIGHT_M)
        objects.append(_make_carton_stack(load, f"load{level}", load_position, f"pallet{level}"))
    return objects


def _make_carton_stack(parameters: CartonStackParameters, name: str, position_m: Vec3, stands_on: str) -> CartonStack:
    return CartonStack(
        name=name, position_m=position_m, yaw_deg=0, stands_on=stands_on, instance_id=0, parameters=parameters
    )  # fmt: skip


def _carton_stack_on_pallet(random: np.random.Generator, stock: Stock, max_height_m: float) -> list[SceneObject]:
    """Return a carton stack with a random number of layers, for a pallet named "pallet"; empty if no layer fits."""
    layer = stock.stacks[random.integers(len(stock.stacks))]
    along, across, _ = layer.count
    max_layers = int(min(max_height_m, 1.75) / layer.carton_m[2])
    if max_layers < 1:
        return []
    layers = int(random.integers(max(1, max_layers // 2), max_layers + 1))
    full = layer.wrapped or along * across == 1 or layers == 1 or random.random() < 0.6
    missing = 0 if full else int(random.integers(1, along * across))
    parameters = layer.model_copy(update={"count": (along, across, layers), "missing": missing})
    return [_make_carton_stack(parameters, "load", (0, 0, PALLET_HEIGHT_M), "pallet")]


def _cartons_on_pallet(random: np.random.Generator, stock: Stock, max_height_m: float) -> list[SceneObject]:
    """Return up to four single cartons for a pallet named "pallet", at most one per quarter."""
    quarters = [(x, y) for x in (-0.3, 0.3) for y in (-0.2, 0.2)]
    objects: list[SceneObject] = []
    for number in random.permutation(4)[: random.integers(1, 5)]:
        carton = stock.cartons[random.integers(len(stock.cartons))]
        if carton.size_m[2] <= max_height_m:
            position = (*quarters[number], PALLET_HEIGHT_M)
            objects.append(_make_carton(carton, f"carton{number}", position, 180.0 * random.integers(2), "pallet"))
    return objects


def _make_carton(parameters: CartonParameters, name: str, position_m: Vec3, yaw_deg: float, stands_on: str) -> Carton:
    return Carton(
        name=name, position_m=position_m, yaw_deg=yaw_deg, stands_on=stands_on, instance_id=0, parameters=parameters
    )


def pallet_pile(random: np.random.Generator, stock: Stock, count: int) -> list[SceneObject]:
    """Return a pile of empty pallets, each slightly shifted and turned."""
    objects: list[SceneObject] = [draw_pallet(random, stock, "pallet0")]
    for level in range(1, count):
        shift, yaw_jitter = random.uniform(-0.012, 0.012, 2), random.uniform(-0.8, 0.8)
        position = (float(shift[0]), float(shift[1]), level * PALLET_HEIGHT_M)
        changes = {"position_m": position, "stands_on": f"pallet{level - 1}"}
        upper = draw_pallet(random, stock, f"pallet{level}")
        objects.append(upper.model_copy(update={**changes, "yaw_deg": upper.yaw_deg + yaw_jitter}))
    return objects


def draw_carton_pile(random: np.random.Generator, stock: Stock) -> list[SceneObject]:
    """Return a pile of one to three equal cartons."""
    carton = stock.cartons[random.integers(len(stock.cartons))]
    objects: list[SceneObject] = []
    for level in range(int(random.integers(1, 4))):
        below = f"carton{level - 1}" if level else "floor"
        position = (0, 0, level * carton.size_m[2])
        objects.append(_make_carton(carton, f"carton{level}", position, 180.0 * (level % 2), below))
    return objects
