# SPDX-License-Identifier: Apache-2.0
"""The plan of a hall while it is furnished, and the steps that layouts share: add racks, columns and goods."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.record.base_types import Vec3
from pipeline.record.objects import Column, ColumnParameters, Rack, RackParameters, SceneObject
from pipeline.record.scene import FloorLine
from pipeline.scenes.assets.custom_meshes import CustomMesh
from pipeline.scenes.assets.non_carton_goods import goods_on_floor
from pipeline.scenes.assets.palettes import COLUMNS, draw_color
from pipeline.scenes.assets.pallets_and_cartons import Stock, draw_carton_pile, loaded_pallet, pallet_pile, unit_load
from pipeline.scenes.assets.racks import RackSlot, filled_rack
from pipeline.scenes.geometry.boxes import Boxes, concatenate_boxes
from pipeline.scenes.geometry.collision_boxes import rack_length_m, world_boxes
from pipeline.scenes.geometry.floor_area import FloorArea
from pipeline.scenes.geometry.free_space import HallSpace, Place, overlaps
from pipeline.scenes.geometry.transform import to_parent_frame
from pipeline.scenes.geometry.walls import Door

RACK_LOAD_OVERHANG_M = 0.1  # pallets are 1.2 m long, racks 1.1 m deep, and pallets stand slightly off center
WALL_GAP_M = 0.2


@dataclass
class HallPlan:
    """A hall that is being furnished.

    - `space`: the hall and the objects in it; `stock`: the goods that it uses.
    - `walkways`: floor for people, trucks and cameras; `rack_slots`: free places for trucks at racks.
    - `orderly`: objects stand parallel to the walls.
    - `goods_density`, `furniture_density`: the amount of goods and of furniture, in 0..1.
    - `lookalike_names`: names of the look-alikes of pallet trucks; `custom_meshes`: the meshes of the user.
    - `no_goods_boxes`: space without goods, where people and trucks may stand.
    """

    space: HallSpace
    stock: Stock
    walkways: list[FloorArea] = field(default_factory=list)
    rack_slots: list[RackSlot] = field(default_factory=list)
    floor_lines: list[FloorLine] = field(default_factory=list)
    orderly: bool = True
    goods_density: float = 0.7
    furniture_density: float = 0.0
    doors: list[Door] = field(default_factory=list)
    lookalike_names: list[str] = field(default_factory=list)
    custom_meshes: Sequence[CustomMesh] = ()
    no_goods_boxes: Boxes = field(default_factory=lambda: Boxes(np.empty((0, 7))))

    def racks(self) -> list[Rack]:
        return [scene_object for scene_object in self.space.objects if isinstance(scene_object, Rack)]

    def forbid_goods(self, area: FloorArea) -> None:
        """Keep goods off this floor."""
        middle, size = np.add(area.low_m, area.high_m) / 2, np.subtract(area.high_m, area.low_m)
        self.no_goods_boxes = concatenate_boxes([self.no_goods_boxes, Boxes(np.array([(*middle, 0, *size, 0, 3.0)]))])

    def try_put(self, group: list[SceneObject], places: Iterable[Place], gap_m: float) -> Place | None:
        """Add the group at the first place where it fits and goods are allowed; return the place, or None."""
        boxes = world_boxes(group)
        for place in places:
            placed_boxes = boxes.moved(*place)
            if not overlaps(placed_boxes, self.no_goods_boxes, 0.0) and self.space.fits(placed_boxes, gap_m):
                self.space.put(group, *place)
                return place
        return None


def put_rack(
    random: np.random.Generator,
    plan: HallPlan,
    parameters: RackParameters,
    position_m: Vec3,
    yaw_deg: float,
    fill: float,
) -> None:
    """Add a filled rack and its free slots to the plan, if it fits at the position."""
    depth = parameters.depth_m + 2 * RACK_LOAD_OVERHANG_M
    outline = Boxes(np.array([(0, 0, 0, rack_length_m(parameters), depth, 0, parameters.height_m)]))
    placed_boxes = outline.moved(position_m, yaw_deg)
    if overlaps(placed_boxes, plan.no_goods_boxes, 0.0) or not plan.space.fits(placed_boxes, gap_m=0.01):
        return
    group, local_slots = filled_rack(random, plan.stock, parameters, plan.space.size_m[2], fill)
    plan.space.put(group, position_m, yaw_deg)
    for slot in local_slots:
        x, y = to_parent_frame(slot.x_m, slot.y_m, yaw_deg, position_m)
        plan.rack_slots.append(RackSlot(float(x), float(y), slot.yaw_deg + yaw_deg))


def rack_y_at_wall(area: FloorArea, side: int, parameters: RackParameters) -> float:
    """Return y of a rack along x whose back is at the wall at low y (`side` -1) or at high y (`side` 1) of the area."""
    wall_y = area.low_m[1] if side < 0 else area.high_m[1]
    return wall_y - side * (WALL_GAP_M + RACK_LOAD_OVERHANG_M + parameters.depth_m / 2)


def draw_column_parameters(random: np.random.Generator, height_m: float) -> ColumnParameters:
    """Draw the kind of column that a hall uses."""
    return ColumnParameters(
        width_m=round(float(random.uniform(0.2, 0.45)), 3),
        height_m=height_m,
        color_rgb=draw_color(random, COLUMNS),
        guard=bool(random.random() < 0.5),
    )


def make_column(parameters: ColumnParameters) -> Column:
    """Return a column at the origin."""
    return Column(
        name="column", position_m=(0, 0, 0), yaw_deg=0, stands_on="floor", instance_id=0, parameters=parameters
    )


def add_columns(random: np.random.Generator, plan: HallPlan, area: FloorArea) -> None:
    """Add a grid of equal columns, wherever there is room."""
    parameters = draw_column_parameters(random, plan.space.size_m[2])
    pitch = random.uniform(5, 8)
    for x in np.arange(area.low_m[0] + pitch, area.high_m[0] - 1, pitch):
        for y in np.arange(area.low_m[1] + pitch, area.high_m[1] - 1, pitch):
            plan.try_put([make_column(parameters)], [((float(x), float(y), 0.0), 0.0)], 0.1)


def draw_pallet_pile(random: np.random.Generator, stock: Stock) -> list[SceneObject]:
    """Return a pile of two to fifteen empty pallets."""
    return pallet_pile(random, stock, int(random.integers(2, 16)))


def scatter(random: np.random.Generator, plan: HallPlan, floor: FloorArea, count: int, gap_m: float) -> None:
    """Add up to `count` groups of goods at random free places; parallel to the walls if the plan is orderly."""

    def heading() -> float:
        return float(90 * random.integers(4) + random.normal(0, 3) if plan.orderly else random.uniform(-180, 180))

    for _ in range(count):
        group = _draw_goods_group(random, plan.stock)
        plan.try_put(group, draw_places(random, floor, 8, heading), gap_m)


def _draw_goods_group(random: np.random.Generator, stock: Stock) -> list[SceneObject]:
    """Return a loaded pallet, a pile of pallets, a pile of cartons, or other goods."""
    if random.random() < 0.6 * stock.other_goods.share and (group := goods_on_floor(random, stock.other_goods)):
        return group
    match random.choice(["load", "pallet", "pile", "cartons"], p=[0.3, 0.3, 0.22, 0.18]):
        case "load":
            return unit_load(random, stock, max_size_m=(1.25, 1.05))
        case "pallet":
            return loaded_pallet(random, stock)
        case "pile":
            return draw_pallet_pile(random, stock)
        case _:
            return draw_carton_pile(random, stock)


def draw_places(
    random: np.random.Generator, floor: FloorArea, tries: int, heading: Callable[[], float]
) -> Iterator[Place]:
    """Yield `tries` random places on the floor."""
    for _ in range(tries):
        x, y = floor.draw(random)
        yield (float(x), float(y), 0.0), heading()
