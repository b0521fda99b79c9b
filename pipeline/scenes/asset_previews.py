# SPDX-License-Identifier: Apache-2.0
"""Scene records that show one asset each, in one of its variants, on an empty floor, for `python -m blender preview`.

The command is `cariste preview-records`. The name of the first object of a record is the caption of the image: the
asset and its variant.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline.common.randomness import draw_seed, rng
from pipeline.config.world import ClothingSection, PeopleSection, TrucksSection
from pipeline.record.asset_catalogue import CatalogueError
from pipeline.record.objects import PROP_KINDS, EurPalletParameters, PropParameters, SceneObject
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
from pipeline.scenes.assets.custom_meshes import CustomMesh, make_custom_object, read_measured_meshes
from pipeline.scenes.assets.non_carton_goods import make_prop
from pipeline.scenes.assets.pallet_trucks import (
    draw_fleet,
    electric_grip_m,
    make_truck,
    row_of_trucks,
    truck_with_pallet,
)
from pipeline.scenes.assets.pallets_and_cartons import (
    draw_carton_pile,
    draw_carton_stock,
    loaded_pallet,
    make_pallet,
    pallet_pile,
)
from pipeline.scenes.assets.prop_shapes import PROP_VARIANTS, draw_prop
from pipeline.scenes.assets.racks import draw_rack, filled_rack, make_rack
from pipeline.scenes.assets.vehicle_shapes import VEHICLE_VARIANTS, draw_vehicle
from pipeline.scenes.geometry.free_space import moved
from pipeline.scenes.layouts.hall_plan import draw_column_parameters, make_column
from pipeline.scenes.sample import write_scenes

AssetPreview = tuple[str, list[SceneObject]]  # name of the variant; objects, with the asset first

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
WORK_CLOTHES = {"office": 0, "bag": {"none": 1}}
CLOTHES: dict[str, dict] = {
    "yellow vest, helmet": WORK_CLOTHES
    | {"hi_vis": {"vest": 1}, "hi_vis_colors": {"yellow": 1}, "head": {"helmet": 1}},
    "orange jacket, bump cap": WORK_CLOTHES
    | {"hi_vis": {"jacket": 1}, "hi_vis_colors": {"orange": 1}, "head": {"bump_cap": 1}},
    "red vest, cap": WORK_CLOTHES | {"hi_vis": {"vest": 1}, "hi_vis_colors": {"red": 1}, "head": {"cap": 1}},
    "shorts, T-shirt": WORK_CLOTHES | {"hi_vis": {"none": 1}, "legs": {"shorts": 1}, "short_sleeves": 1},
    "dungarees": WORK_CLOTHES | {"hi_vis": {"none": 1}, "legs": {"dungarees": 1}},
    "hoodie, backpack": WORK_CLOTHES | {"hi_vis": {"none": 1}, "short_sleeves": 0, "hoods": 1, "bag": {"backpack": 1}},
    "office, shoulder bag": {"hi_vis": {"none": 1}, "office": 1, "bag": {"shoulder_bag": 1}},
}


def _hand_trucks(random: np.random.Generator) -> Iterator[AssetPreview]:
    """Yield each variant, then trucks in groups and at racks."""
    for variant_name, changes in HAND_TRUCKS.items():
        parameters = draw_fleet(random, TrucksSection(electric=0))[0]
        defaults = {"fork_length_m": 1.15, "width_m": 0.54, "wheel_covers": False}
        yield variant_name, [make_truck(parameters.model_copy(update=defaults | changes))]
    fleet, stock = draw_fleet(random, TrucksSection(electric=0)), draw_carton_stock(random)
    yield "loaded", truck_with_pallet(random, fleet[0], stock, raised=True)
    yield "under a pallet", truck_with_pallet(random, fleet[0], stock, raised=False)
    yield "in a row", row_of_trucks(random, fleet, 4)
    _, (rack,) = next(_racks(random))
    yield "under the lowest beam", [make_truck(fleet[0]), moved(rack, (0.8, 0.0, 0.0), 90.0)]


def _electric_trucks(random: np.random.Generator) -> Iterator[AssetPreview]:
    for variant_name, changes in ELECTRIC_TRUCKS.items():
        parameters = draw_fleet(random, TrucksSection(electric=1))[0]
        yield variant_name, [make_truck(parameters.model_copy(update={"backrest": False} | changes))]


def _people(random: np.random.Generator) -> Iterator[AssetPreview]:
    """Yield every pose, then every kind of clothes, each with another person."""
    section, stock = PeopleSection(), draw_carton_stock(random)
    for name in POSES:
        config = PeopleSection(activities={"alone": 1}, poses_alone={name: 1})
        yield name, draw_people_group(random, config, stock, 1).objects
    for name in ("sit", "carry", "talk"):
        yield name, draw_people_group(random, PeopleSection(activities={name: 1}), stock, 2).objects
    for name in ("push", "pull"):
        truck, person = truck_and_person(random, section, draw_fleet(random, TrucksSection(electric=0))[0], name)
        yield name, [person, make_truck(truck)]
    truck = draw_fleet(random, TrucksSection(electric=1))[0].model_copy(update={"tiller_tilt_deg": 45.0})
    person = person_beside_truck(random, section, electric_grip_m(truck, GRIP_OFFSET_M), 180.0)
    yield "walk beside", [person, make_truck(truck)]
    for variant_name, clothing in CLOTHES.items():
        config = PeopleSection(activities={"alone": 1}, poses_alone={"stand": 1}, clothing=ClothingSection(**clothing))
        yield variant_name, draw_people_group(random, config, stock, 1).objects


def _racks(random: np.random.Generator) -> Iterator[AssetPreview]:
    for guards in (False, True):
        parameters = draw_rack(random, 5.0).model_copy(update={"bays": 1 + guards, "guards": guards})
        yield "guards" if guards else "", [make_rack(parameters)]
    yield "filled", filled_rack(random, draw_carton_stock(random), parameters, 5.0, 0.6)[0]


def _pallets(random: np.random.Generator) -> Iterator[AssetPreview]:
    for variant_name, age in (("new", 0.0), ("used", 0.5), ("gray and broken", 1.0)):
        parameters = EurPalletParameters(age=age, seed=draw_seed(random))
        yield variant_name, [make_pallet(parameters)]
    for count in (2, 15):
        yield f"pile of {count}", pallet_pile(random, draw_carton_stock(random), count)


def _stacks(random: np.random.Generator) -> Iterator[AssetPreview]:
    """Yield two carton stacks on their pallets, the second one wrapped in film."""
    by_wrapped: dict[bool, list[SceneObject]] = {}
    while len(by_wrapped) < 2:
        load = loaded_pallet(random, draw_carton_stock(random))
        stacks = [scene_object for scene_object in load if scene_object.asset == "carton_stack"]
        for stack in stacks:
            others = [scene_object for scene_object in load if scene_object not in stacks]
            by_wrapped.setdefault(stack.parameters.wrapped, [*stacks, *others])
    yield "", by_wrapped[False]
    yield "wrapped", by_wrapped[True]


def _cartons(random: np.random.Generator) -> Iterator[AssetPreview]:
    for _ in range(2):
        yield "", draw_carton_pile(random, draw_carton_stock(random))[:1]


def _columns(random: np.random.Generator) -> Iterator[AssetPreview]:
    for guard in (False, True):
        parameters = draw_column_parameters(random, 4.0).model_copy(update={"guard": guard})
        yield "guard" if guard else "", [make_column(parameters)]


def _props(kind: str) -> Callable[[np.random.Generator], Iterator[AssetPreview]]:
    """Return a function that yields all variants of a prop; it draws props until it has one of each variant."""
    draw = draw_prop if kind in PROP_VARIANTS else draw_vehicle
    variants = PROP_VARIANTS.get(kind) or VEHICLE_VARIANTS[kind]

    def previews(random: np.random.Generator) -> Iterator[AssetPreview]:
        by_variant: dict[int, PropParameters] = {}
        while len(by_variant) < len(variants):
            parameters = draw(random, kind)
            by_variant.setdefault(int(parameters.variant * len(variants) * 0.9999), parameters)
        for number, parameters in sorted(by_variant.items()):
            name = getattr(variants[number], "name", f"variant {number + 1}")
            yield name.replace("_", " "), [make_prop(kind, parameters)]

    return previews


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


def previews_of_asset(name: str, meshes: Sequence[CustomMesh] = ()) -> list[AssetPreview]:
    """Return the previews of an asset: all variants of a built-in asset, or the only one of a custom mesh.

    Raises:
        CatalogueError: no built-in asset and none of `meshes` has this name.
    """
    mesh_by_name = {mesh.asset: mesh for mesh in meshes}
    if mesh := mesh_by_name.get(name):
        size = " x ".join(f"{side:.2f}" for side in mesh.parameters.size_m)
        return [(f"{size} m", [make_custom_object(mesh)])]
    if name not in PREVIEW_SAMPLERS:
        raise CatalogueError(f"no asset {name!r}; available: {', '.join([*PREVIEW_SAMPLERS, *mesh_by_name])}")
    # The text seeds the generator: another text would change all previews.
    return list(PREVIEW_SAMPLERS[name](rng(0, 0, f"specimens of {name}")))


def make_record(index: int, name: str, preview: AssetPreview) -> Scene:
    """Return a record of the asset on the floor of an empty hall under one lamp.

    `python -m blender preview` moves the camera.
    """
    variant_name, (first, *other_objects) = preview
    caption = f"{name}: {variant_name}" if variant_name else name
    first = first.model_copy(update={"name": caption})
    gray = SurfaceMaterial(kind="painted", color_rgb=(0.32, 0.33, 0.34), roughness=0.8, wear=0.0, seed=1)
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
        hall=Hall(size_m=(40, 40, 8), floor=gray, walls=gray, ceiling=gray, lines=()),
        lamps=(
            Lamp(kind="high_bay", position_m=(4, 5, 7), size_m=(2, 2), yaw_deg=0, power_w=500, color_rgb=(1, 1, 1)),
        ),
        ambient=AmbientLight(color_rgb=(1, 1, 1), strength=0.5),
        objects=(first, *other_objects),
    )  # fmt: skip


def preview_records(names: Iterable[str], meshes: Sequence[CustomMesh] = ()) -> list[Scene]:
    """Return the records of all previews of these assets."""
    previews = [(name, preview) for name in names for preview in previews_of_asset(name, meshes)]
    return [make_record(index, name, preview) for index, (name, preview) in enumerate(previews)]


def write_preview_records(asset: str, custom_meshes_json: Sequence[Path], out: Path) -> None:
    """Write the scene records that show one asset, or all assets if `asset` is "catalogue".

    `custom_meshes_json` are files of `python -m blender measure`, one per custom mesh.

    Raises:
        CatalogueError: there is no asset of this name, or one of `custom_meshes_json` cannot be read.
    """
    meshes = read_measured_meshes(custom_meshes_json)
    all_names = [*PREVIEW_SAMPLERS, *(mesh.asset for mesh in meshes)]
    write_scenes(preview_records(all_names if asset == "catalogue" else [asset], meshes), out)
