# SPDX-License-Identifier: Apache-2.0
"""Records that each show one asset in one of its variants, on an empty floor, for `blender preview` to look at.

    python -m pipeline.scenes.asset_previews --asset hand_pallet_truck --out results/preview/hand_pallet_truck.jsonl
    python -m pipeline.scenes.asset_previews --asset catalogue --out results/preview/catalogue.jsonl

The name of a record's first thing says which variant it is.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline.common.randomness import draw_seed, rng
from pipeline.config.world import ClothingSection, PeopleSection, TrucksSection
from pipeline.record.asset_catalogue import CatalogueError
from pipeline.record.objects import PROP_KINDS, EurPallet, EurPalletParameters, PropParameters, Rack, SceneObject
from pipeline.record.scene import (
    GENERATOR_VERSION,
    AmbientLight,
    Camera,
    Hall,
    Lamp,
    RenderSettings,
    Scene,
    SurfaceMaterial,
)
from pipeline.scenes.actors.activities import GRIP_OFFSET_M, draw_people_group
from pipeline.scenes.actors.person_groups import person_beside_truck, truck_and_person
from pipeline.scenes.assets import custom_meshes
from pipeline.scenes.assets.custom_meshes import CustomMesh
from pipeline.scenes.assets.non_carton_goods import make_prop
from pipeline.scenes.assets.pallet_trucks import (
    draw_fleet,
    electric_grip_m,
    make_truck,
    row_of_trucks,
    truck_with_pallet,
)
from pipeline.scenes.assets.pallets_and_cartons import draw_carton_pile, draw_carton_stock, loaded_pallet, pallet_pile
from pipeline.scenes.assets.prop_shapes import PROP_VARIANTS as GOODS
from pipeline.scenes.assets.prop_shapes import draw_prop
from pipeline.scenes.assets.racks import draw_rack, filled_rack
from pipeline.scenes.assets.vehicle_shapes import VEHICLE_VARIANTS as ON_WHEELS
from pipeline.scenes.assets.vehicle_shapes import draw_vehicle
from pipeline.scenes.geometry.free_space import moved
from pipeline.scenes.layouts.hall_plan import draw_column_parameters, make_column
from pipeline.scenes.sample import write_scenes

AssetPreview = tuple[str, list[SceneObject]]  # what it shows; things, the first of them the asset

HAND_TRUCKS = {
    "D grip, single rollers, new": {"grip": "d_loop", "tandem_rollers": False, "wear": 0.0},
    "triangle grip, tandem rollers": {"grip": "triangle", "tandem_rollers": True, "wear": 0.4},
    "rounded grip, wheel covers, worn": {"grip": "rounded", "wheel_covers": True, "wear": 1.0},
    "raised": {"lift_m": 0.2},
    "tiller turned": {"tiller_turn_deg": 70.0},
    "tiller tilted": {"tiller_tilt_deg": 45.0},
    "wide": {"width_m": 0.685},
    "short": {"fork_length_m": 0.95},
}
ELECTRIC_TRUCKS = {
    "lithium": {"battery": "lithium", "heel_to_rear_m": 0.41},
    "lead acid": {"battery": "lead_acid", "heel_to_rear_m": 0.58},
    "backrest": {"backrest": True},
    "raised": {"lift_m": 0.2},
    "tiller tilted and turned": {"tiller_tilt_deg": 45.0, "tiller_turn_deg": 30.0},
    "worn": {"wear": 1.0},
}
POSES = ("walk", "stand", "scan", "bend", "crouch", "reach")
WORK = {"office": 0, "bag": {"none": 1}}
CLOTHES: dict[str, dict] = {
    "yellow vest, helmet": WORK | {"hi_vis": {"vest": 1}, "hi_vis_colors": {"yellow": 1}, "head": {"helmet": 1}},
    "orange jacket, bump cap": WORK
    | {"hi_vis": {"jacket": 1}, "hi_vis_colors": {"orange": 1}, "head": {"bump_cap": 1}},
    "red vest, cap": WORK | {"hi_vis": {"vest": 1}, "hi_vis_colors": {"red": 1}, "head": {"cap": 1}},
    "shorts, T-shirt": WORK | {"hi_vis": {"none": 1}, "legs": {"shorts": 1}, "short_sleeves": 1},
    "dungarees": WORK | {"hi_vis": {"none": 1}, "legs": {"dungarees": 1}},
    "hoodie, backpack": WORK | {"hi_vis": {"none": 1}, "short_sleeves": 0, "hoods": 1, "bag": {"backpack": 1}},
    "office, shoulder bag": {"hi_vis": {"none": 1}, "office": 1, "bag": {"shoulder_bag": 1}},
}


def _hand_trucks(random: np.random.Generator) -> Iterator[AssetPreview]:
    """Each variant, then what trucks stand in."""
    for what, changes in HAND_TRUCKS.items():
        kind = draw_fleet(random, TrucksSection(electric=0))[0]
        plain = {"fork_length_m": 1.15, "width_m": 0.54, "wheel_covers": False}
        yield what, [make_truck(kind.model_copy(update=plain | changes))]
    fleet, stock = draw_fleet(random, TrucksSection(electric=0)), draw_carton_stock(random)
    yield "loaded", truck_with_pallet(random, fleet[0], stock, raised=True)
    yield "under a pallet", truck_with_pallet(random, fleet[0], stock, raised=False)
    yield "in a row", row_of_trucks(random, fleet, 4)
    _, (rack,) = next(_racks(random))
    yield "under the lowest beam", [make_truck(fleet[0]), moved(rack, (0.8, 0.0, 0.0), 90.0)]


def _electric_trucks(random: np.random.Generator) -> Iterator[AssetPreview]:
    for what, changes in ELECTRIC_TRUCKS.items():
        kind = draw_fleet(random, TrucksSection(electric=1))[0]
        yield what, [make_truck(kind.model_copy(update={"backrest": False} | changes))]


def _people(random: np.random.Generator) -> Iterator[AssetPreview]:
    """Every pose, then clothes, each on somebody else."""
    section, stock = PeopleSection(), draw_carton_stock(random)
    for name in POSES:
        yield (
            name,
            draw_people_group(random, PeopleSection(activities={"alone": 1}, poses_alone={name: 1}), stock, 1).objects,
        )
    for name in ("sit", "carry", "talk"):
        yield name, draw_people_group(random, PeopleSection(activities={name: 1}), stock, 2).objects
    for name in ("push", "pull"):
        truck, person = truck_and_person(random, section, draw_fleet(random, TrucksSection(electric=0))[0], name)
        yield name, [person, make_truck(truck)]
    truck = draw_fleet(random, TrucksSection(electric=1))[0].model_copy(update={"tiller_tilt_deg": 45.0})
    yield (
        "walk beside",
        [person_beside_truck(random, section, electric_grip_m(truck, GRIP_OFFSET_M), 180.0), make_truck(truck)],
    )
    for what, clothing in CLOTHES.items():
        dressed = PeopleSection(activities={"alone": 1}, poses_alone={"stand": 1}, clothing=ClothingSection(**clothing))
        yield what, draw_people_group(random, dressed, stock, 1).objects


def _racks(random: np.random.Generator) -> Iterator[AssetPreview]:
    for guards in (False, True):
        kind = draw_rack(random, 5.0).model_copy(update={"bays": 1 + guards, "guards": guards})
        rack = Rack(name="rack", position_m=(0, 0, 0), yaw_deg=0, stands_on="floor", instance_id=0, parameters=kind)
        yield "guards" if guards else "", [rack]
    yield "filled", filled_rack(random, draw_carton_stock(random), kind, 5.0, 0.6)[0]


def _pallets(random: np.random.Generator) -> Iterator[AssetPreview]:
    for what, age in (("new", 0.0), ("used", 0.5), ("grey and broken", 1.0)):
        kind = EurPalletParameters(age=age, seed=draw_seed(random))
        yield what, [EurPallet(name="pallet", position_m=(0, 0, 0), yaw_deg=0, stands_on="floor", instance_id=0,
                               parameters=kind)]  # fmt: skip
    for count in (2, 15):
        yield f"{count} of them", pallet_pile(random, draw_carton_stock(random), count)


def _stacks(random: np.random.Generator) -> Iterator[AssetPreview]:
    """Carton stacks on their pallets, one of them in film."""
    found: dict[bool, list[SceneObject]] = {}
    while len(found) < 2:
        load = loaded_pallet(random, draw_carton_stock(random))
        for scene_object in load:
            if scene_object.asset == "carton_stack":
                found.setdefault(
                    scene_object.parameters.wrapped, sorted(load, key=lambda each: each.asset != "carton_stack")
                )
    yield "", found[False]
    yield "wrapped", found[True]


def _cartons(random: np.random.Generator) -> Iterator[AssetPreview]:
    for _ in range(2):
        yield "", draw_carton_pile(random, draw_carton_stock(random))[:1]


def _columns(random: np.random.Generator) -> Iterator[AssetPreview]:
    for guard in (False, True):
        yield (
            "guard" if guard else "",
            [make_column(draw_column_parameters(random, 4.0).model_copy(update={"guard": guard}))],
        )


def _props(kind: str) -> Callable[[np.random.Generator], Iterator[AssetPreview]]:
    """All forms of a prop: draw until there is one of each."""

    def draw(random: np.random.Generator) -> Iterator[AssetPreview]:
        forms = GOODS[kind] if kind in GOODS else ON_WHEELS[kind]
        found: dict[int, PropParameters] = {}
        while len(found) < len(forms):
            parameters = draw_prop(random, kind) if kind in GOODS else draw_vehicle(random, kind)
            found.setdefault(int(parameters.variant * len(forms) * 0.9999), parameters)
        for number, parameters in sorted(found.items()):
            name = getattr(forms[number], "name", f"form {number + 1}")
            yield name.replace("_", " "), [make_prop(kind, parameters)]

    return draw


PREVIEW_SAMPLERS: dict[str, Callable[[np.random.Generator], Iterator[AssetPreview]]] = {
    "person": _people,
    "hand_pallet_truck": _hand_trucks,
    "electric_pallet_truck": _electric_trucks,
    "rack": _racks,
    "eur_pallet": _pallets,
    "carton_stack": _stacks,
    "carton": _cartons,
    "column": _columns,
    **{kind: _props(kind) for kind in PROP_KINDS},
}


def previews_of_asset(name: str, own: Sequence[CustomMesh] = ()) -> list[AssetPreview]:
    """Return an asset in its variants; one of the user's own has only one.

    Raises:
        CatalogueError: neither built in nor among `own`.
    """
    mine = {each.asset: each for each in own}
    if name in mine:
        return [
            (
                " x ".join(f"{side:.2f}" for side in mine[name].parameters.size_m) + " m",
                [custom_meshes.make_custom_object(mine[name])],
            )
        ]
    if name not in PREVIEW_SAMPLERS:
        raise CatalogueError(f"no asset {name!r}; there are {', '.join([*PREVIEW_SAMPLERS, *mine])}")
    return list(PREVIEW_SAMPLERS[name](rng(0, 0, f"specimens of {name}")))


def make_record(index: int, name: str, specimen: AssetPreview) -> Scene:
    """Put a specimen on the floor of an empty hall under one lamp; the camera is for `blender preview` to choose."""
    what, (first, *others) = specimen
    caption = f"{name}: {what}" if what else name
    first = first.model_copy(update={"name": caption})
    grey = SurfaceMaterial(kind="painted", color_rgb=(0.32, 0.33, 0.34), roughness=0.8, wear=0.0, seed=1)
    return Scene(
        generator_version=GENERATOR_VERSION,
        index=index,
        dataset_seed=0,
        layout="staging",
        render=RenderSettings(
            width=300, height=240, samples=8, denoise=True, seed=0, exposure_ev=0.0, view_transform="AgX",
            contrast="base", white_balance=0.0, depth=None, normals=None, verify=False,
        ),
        camera=Camera(
            rig="handheld", fx_px=450, fy_px=450, cx_px=150, cy_px=120, position_m=(6, 0, 1.2),
            rotation=((0, 0, -1), (1, 0, 0), (0, -1, 0)),
        ),
        hall=Hall(size_m=(40, 40, 8), floor=grey, walls=grey, ceiling=grey, lines=()),
        lamps=(
            Lamp(kind="high_bay", position_m=(4, 5, 7), size_m=(2, 2), yaw_deg=0, power_w=500, color_rgb=(1, 1, 1)),
        ),
        ambient=AmbientLight(color_rgb=(1, 1, 1), strength=0.5),
        objects=(first, *others),
    )  # fmt: skip


def preview_records(names: Iterable[str], own: Sequence[CustomMesh] = ()) -> list[Scene]:
    """Return the records of all specimens of these assets."""
    shown = [(name, specimen) for name in names for specimen in previews_of_asset(name, own)]
    return [make_record(index, name, specimen) for index, (name, specimen) in enumerate(shown)]


def write_preview_records(asset: str, custom_meshes_json: Sequence[Path], out: Path) -> None:
    """Write the scene records that show one asset, or all assets if `asset` is "catalogue".

    Raises:
        CatalogueError: no asset of this name, or a file of a mesh that cannot be used.
    """
    meshes = custom_meshes.read_measured_meshes(custom_meshes_json)
    everything = [*PREVIEW_SAMPLERS, *(mesh.asset for mesh in meshes)]
    write_scenes(preview_records(everything if asset == "catalogue" else [asset], meshes), out)
