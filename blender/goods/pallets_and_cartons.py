# SPDX-License-Identifier: GPL-3.0-or-later
"""What is stored and moved: EUR pallets, cartons and stacks of cartons, bare or in stretch film.

Every builder returns one object on a shared mesh, resting on z = 0 of its own frame (frames: pipeline/scene.py).
"""

from dataclasses import dataclass

import bpy
import numpy as np

from blender.materials.common_materials import barcode, cardboard, opaque_film, paper_label, plain_material, wood
from blender.materials.markings import BRANDS, DECAL_LIFT_M, FacePlane, side_faces, top_face
from blender.materials.printed_labels import (
    LOCATION_CODES,
    PRINT_LIFT_M,
    WARNINGS,
    LabelSlots,
    handling_marks,
    shipping_label,
)
from blender.mesh.asset_cache import AssetCache
from blender.mesh.solids import Solid, bevelled, box, solids_to_mesh

# EUR pallet after UIC 435-2, in metres: (y centre, width) of the boards along x; x centres of stringers and blocks.
BOARD_M = 0.022
BLOCK_HEIGHT_M = 0.078
DECK_BOARDS = ((-0.3275, 0.145), (-0.16375, 0.1), (0.0, 0.145), (0.16375, 0.1), (0.3275, 0.145))
SKIDS = ((-0.35, 0.1), (0.0, 0.145), (0.35, 0.1))
CROSSWISE_X = (-0.5275, 0.0, 0.5275)
LENGTH_M, WIDTH_M = 1.2, 0.8
PALLET_VARIANTS = 8
STAMP = 2  # slot of the marks burnt into corner blocks

CARTON_VARIANTS = 8
PRINT_COLORS = ((0.02, 0.05, 0.25), (0.35, 0.02, 0.02), (0.015, 0.015, 0.015), (0.02, 0.15, 0.05))
LABEL_COLORS = ((0.75, 0.75, 0.73), (0.75, 0.75, 0.73), (0.75, 0.75, 0.73), (0.28, 0.7, 0.12), (0.8, 0.6, 0.05))
# Cartons in a stack; more bands, more words would be too many triangles for their few pixels.
MOST_BANDED, MOST_PRINTED = 60, 24
BOARD, TAPE, LABEL, PRINT, BARCODE = range(5)
INKS = LabelSlots(LABEL, BARCODE, PRINT)
FILMS = {"black": (0.012, 0.012, 0.014), "milky": (0.6, 0.62, 0.65)}


def build_eur_pallet(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """A EUR pallet from `EurPalletParameters`; ages are rounded to a tenth, seeds to eight variants."""
    age, variant = round(parameters["age"], 1), parameters["seed"] % PALLET_VARIANTS
    grains = [cache.material((wood, grain, age), lambda grain=grain: wood("wood", grain, age)) for grain in "xy"]
    burnt = cache.material("burnt", lambda: plain_material("burnt", (0.06, 0.04, 0.03), 0.9))
    mesh = cache.mesh(
        ("eur_pallet", age, variant),
        lambda: solids_to_mesh("eur_pallet", pallet_solids(age, variant) + _stamps(), [*grains, burnt]),
    )
    return [bpy.data.objects.new("eur_pallet", mesh)]


def _stamps() -> list[Solid]:
    """EPAL and EUR on the corner blocks of the long sides."""
    solids = []
    for face in side_faces((LENGTH_M, WIDTH_M, 2 * BOARD_M + BLOCK_HEIGHT_M))[2:]:
        for text, x in (("EPAL", CROSSWISE_X[0]), ("EUR", CROSSWISE_X[2])):
            solids += face.text(text, (x, 0.0), 0.038, STAMP, lift_m=0.0005)
    return solids


def pallet_solids(age: float, seed: int) -> list[Solid]:
    """Boards and blocks, slot 0 with grain along x, 1 along y. Old pallets have one or two boards missing or broken."""
    rng = np.random.default_rng(seed)
    skids = [box((LENGTH_M, width, BOARD_M), (0, y, BOARD_M / 2)) for y, width in SKIDS]
    blocks = [
        box((0.145, width, BLOCK_HEIGHT_M), (x, y, BOARD_M + BLOCK_HEIGHT_M / 2))
        for x in CROSSWISE_X
        for y, width in SKIDS
    ]
    under_deck = BOARD_M + BLOCK_HEIGHT_M
    stringers = [box((0.145, WIDTH_M, BOARD_M), (x, 0, under_deck + BOARD_M / 2), slot=1) for x in CROSSWISE_X]
    faults = int((rng.random(2) < (age - 0.3, age - 0.55)).sum()) if age >= 0.6 else 0
    damaged = rng.permutation(5)[:faults]
    deck = [_deck_board(y, width, age, rng, i in damaged) for i, (y, width) in enumerate(DECK_BOARDS)]
    return [*skids, *blocks, *stringers, *(board for board in deck if board is not None)]


def _deck_board(y: float, width: float, age: float, rng: np.random.Generator, damaged: bool) -> Solid | None:
    """A top board; only the inner ones shift, and only lengthwise shorter, so that the pallet keeps its outline."""
    z = 2 * BOARD_M + BLOCK_HEIGHT_M + BOARD_M / 2
    inner = abs(y) < 0.3
    length = LENGTH_M - (age * rng.uniform(0, 0.012) if inner else 0)
    shift = age * rng.uniform(-0.012, 0.012) if inner else 0
    if damaged and inner and rng.random() < 0.5:
        return None
    if damaged:  # broken off beyond the middle stringer or the last one
        broken = rng.uniform(0.25, 0.55)
        side = rng.choice((-1, 1))
        board = box((length - broken, width, BOARD_M), (side * broken / 2, y + shift, z))
        splintered = side * board.vertices[:, 0] < broken - length / 2 + 1e-6
        splinters = rng.uniform(0, 0.12, 4) * side
        board.vertices[splintered, 0] += splinters
        return board
    return box((length, width, BOARD_M), (0, y + shift, z))


def build_carton(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """A single carton from `CartonParameters`, in one of eight variants of tape, labels and print."""
    size, variant = _rounded(parameters["size_m"]), parameters["seed"] % CARTON_VARIANTS
    materials = _carton_materials(cache, variant)
    mesh = cache.mesh(
        ("carton", size, variant), lambda: solids_to_mesh("carton", carton_solids(size, variant), materials)
    )
    return [_colored("carton", mesh, parameters["color_rgb"])]


def _rounded(size_m: list[float]) -> tuple[float, float, float]:
    return tuple(round(length, 3) for length in size_m)


def _colored(name: str, mesh: bpy.types.Mesh, rgb: list[float]) -> bpy.types.Object:
    """An object whose colour the cardboard material reads, so that cartons of all colours share it."""
    thing = bpy.data.objects.new(name, mesh)
    thing.color = (*rgb, 1.0)
    return thing


def _carton_materials(cache: AssetCache, seed: int, wrapped: bool = False) -> list[bpy.types.Material]:
    ink, paper = PRINT_COLORS[seed % len(PRINT_COLORS)], LABEL_COLORS[seed % len(LABEL_COLORS)]
    return [
        cache.material(("cardboard", wrapped), lambda: cardboard("cardboard", wrapped)),
        cache.material("tape", lambda: plain_material("tape", (0.36, 0.22, 0.1), 0.25)),
        cache.material(("label", paper), lambda: paper_label("label", paper)),
        cache.material(("print", ink), lambda: plain_material("print", ink, 0.7)),
        cache.material("barcode", lambda: barcode("barcode")),
    ]


def carton_solids(size: tuple[float, float, float], seed: int) -> list[Solid]:
    """A carton with soft edges, a tape along x over its top, one or two labels, perhaps print. Up to 500 triangles."""
    rng = np.random.default_rng(seed)
    solids = [
        _soft_box(size, min(0.006, 0.05 * min(size))),
        top_face(size).rectangle((0, 0), (size[0] * 0.99, 0.05), TAPE),
    ]
    faces = side_faces(size)
    for face in faces[:2]:
        drop = min(0.07, size[2] / 3)
        solids.append(face.rectangle((0, (size[2] - drop) / 2 - 0.006), (0.05, drop), TAPE))
    for face in rng.permutation(4)[: rng.integers(1, 3)]:
        solids += _label(faces[face], rng)
    if rng.random() < 0.5:
        brand = BRANDS[rng.integers(len(BRANDS))]
        warning = WARNINGS[rng.integers(len(WARNINGS))]
        solids += [solid for face in faces[2:] for solid in _printed(face, brand, warning)]
    return solids


def _label(face: FacePlane, rng: np.random.Generator) -> list[Solid]:
    """A label of A5 to A4 size, smaller on small cartons, anywhere on the face, a little askew."""
    size = np.minimum(rng.uniform((0.14, 0.09), (0.29, 0.21)), np.array(face.size_m) * 0.4)
    reach = (np.array(face.size_m) - size) / 2 * 0.85
    place, title = tuple(rng.uniform(-reach, reach)), LOCATION_CODES[rng.integers(len(LOCATION_CODES))]
    return shipping_label(face, place, tuple(size), INKS, title, rng.normal(0, 0.04))


def _printed(face: FacePlane, brand: str, warning: str) -> list[Solid]:
    """A brand name over the marks for handling and a warning."""
    width, height = face.size_m
    letter = min(0.3 * height, 0.6 * width / (0.8 * len(brand)))
    mark = min(0.2 * height, 0.2 * width)
    small = min(0.09 * height, 0.45 * width / (0.8 * len(warning)))
    return [
        *face.text(brand, (0.05 * width, 0.2 * height), letter, PRINT),
        *face.text(warning, (0.18 * width, -0.28 * height), small, PRINT),
        *handling_marks(face, (-0.27 * width, -0.28 * height), mark, PRINT),
    ]


def _soft_box(size: tuple[float, float, float], edge_m: float) -> Solid:
    """A cuboid on z = 0 with chamfered edges."""
    return bevelled(box(size, (0, 0, size[2] / 2), BOARD), edge_m, segments=1)


def build_carton_stack(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Cartons in layers from `CartonStackParameters`, inside their nominal footprint.

    Wrapped stacks show the cartons under clear film, or black or milky film all round.
    """
    seed, count, size = parameters["seed"], tuple(parameters["count"]), _rounded(parameters["carton_m"])
    rng = np.random.default_rng([seed, 1])
    style = str(rng.choice(["clear", "black", "milky"], p=[0.7, 0.12, 0.18])) if parameters["wrapped"] else "bare"
    key = ("carton_stack", count, size, parameters["missing"], style, seed)
    if style in FILMS:
        materials = [
            cache.material(style, lambda: opaque_film(f"{style} film", FILMS[style])),
            *_carton_materials(cache, seed)[1:],
        ]
        mesh = cache.mesh(key, lambda: solids_to_mesh("carton_stack", _bundle(count, size, rng), materials))
    else:
        materials = _carton_materials(cache, seed, wrapped=style == "clear")
        mesh = cache.mesh(
            key,
            lambda: solids_to_mesh("carton_stack", stack_solids(count, size, parameters["missing"], seed), materials),
        )
    return [_colored("carton_stack", mesh, parameters["color_rgb"])]


def _bundle(count: tuple[int, int, int], size: tuple[float, float, float], rng: np.random.Generator) -> list[Solid]:
    """A stack that the film hides: a softened block that draws in towards its top, with a label or two."""
    whole = tuple(n * length for n, length in zip(count, size, strict=True))
    block = _soft_box(whole, min(0.05, 0.1 * min(whole)))
    taper = 1 - rng.uniform(0.0, 0.06) * (block.vertices[:, 2:] / whole[2]) ** 2
    block = Solid(block.vertices * np.c_[taper, taper, np.ones_like(taper)], block.faces, BOARD)
    faces = side_faces((0.98 * whole[0], 0.98 * whole[1], 0.6 * whole[2]))
    return [block, *(part for face in rng.permutation(4)[:2] for part in _label(faces[face], rng))]


def stack_solids(count: tuple[int, int, int], size: tuple[float, float, float], missing: int, seed: int) -> list[Solid]:
    """The visible cartons of a stack: hidden ones and hidden faces are left out, 1000 triangles at usual counts.

    Every second layer below the top is laid crosswise where that fills the footprint, as packers do for strength.
    """
    rng = np.random.default_rng(seed)
    look = _draw_look(rng, int(np.prod(count)))
    corners, faces, patches = [], [], []
    for layer in range(count[2]):
        below_top = count[2] - 1 - layer
        turned = below_top % 2 == 1
        centers, cell, shown = _layer(count, size, turned, every_side=missing > 0 and below_top < 2)
        kept = np.flatnonzero(shown.any(axis=1) | (below_top == 0))
        if below_top == 0:
            kept = rng.permutation(kept)[min(missing, len(kept) - 1) :]
        places = np.c_[centers[kept], np.full(len(kept), layer * size[2])]
        # A hair lower than its cell: the dark seam between layers is what makes a wall of board a stack.
        height = cell[2] * (1.0 if below_top == 0 else 0.986)
        corners.append(places[:, None] + _jittered(len(kept), (*cell[:2], height), rng))
        faces.append(np.c_[shown[kept], np.full(len(kept), layer == 0), np.full(len(kept), True)])
        patches += _layer_patches(places, cell, shown[kept], look, turned, below_top == 0)
    return [_boxes(np.concatenate(corners), np.concatenate(faces)), *patches]


@dataclass(frozen=True)
class CartonPrint:
    """What all cartons of a stack have in common.

    `sides`: the sides (0 -x, 1 +x, 2 -y, 3 +y) with a label; `label`: its (width, height, right, up) as shares of the
    side; `banded`: with a printed band below it; `brand`: printed on the sides without labels, "" for none.
    """

    sides: tuple[int, ...]
    label: np.ndarray
    banded: bool
    brand: str


def _draw_look(rng: np.random.Generator, cartons: int) -> CartonPrint:
    sides = ((2, 3), (0, 1), (0, 1, 2, 3))[rng.integers(3)]
    label = np.array((rng.uniform(0.25, 0.45), rng.uniform(0.25, 0.5), *rng.uniform(-0.2, 0.2, 2)))
    banded = bool(cartons <= MOST_BANDED and rng.random() < 0.3)
    printed = cartons <= MOST_PRINTED and rng.random() < 0.5
    return CartonPrint(sides, label, banded, BRANDS[rng.integers(len(BRANDS))] if printed else "")


def _layer(
    count: tuple[int, int, int], size: tuple[float, float, float], turned: bool, every_side: bool
) -> tuple[np.ndarray, tuple[float, float, float], np.ndarray]:
    """Return carton centres (N, 2), a carton's cell size and which of its sides -x, +x, -y, +y can be seen (N, 4)."""
    length, width = count[0] * size[0], count[1] * size[1]
    nx, ny = count[:2]
    across = int(length / size[1] + 1e-6), int(width / size[0] + 1e-6)
    if turned and across[0] * size[1] > 0.94 * length and across[1] * size[0] > 0.94 * width:
        nx, ny = across
    cell = (length / nx, width / ny, size[2])
    i, j = (axis.ravel() for axis in np.meshgrid(np.arange(nx), np.arange(ny), indexing="ij"))
    centers = np.c_[(i + 0.5) * cell[0] - length / 2, (j + 0.5) * cell[1] - width / 2]
    shown = np.c_[i == 0, i == nx - 1, j == 0, j == ny - 1] | every_side
    return centers, cell, shown


def _jittered(number: int, cell: tuple[float, float, float], rng: np.random.Generator) -> np.ndarray:
    """The corners (number, 8, 3) of cartons a little smaller than their cell, turned and shifted inside it."""
    plan_cell = np.array(cell[:2])
    yaw = rng.uniform(-0.012, 0.012, number) * plan_cell.min() / plan_cell.max()
    turn = np.array([[np.cos(yaw), np.sin(yaw)], [-np.sin(yaw), np.cos(yaw)]]).transpose(2, 0, 1)
    plan = np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)]) * plan_cell * 0.488 @ turn
    play = np.maximum(0, plan_cell / 2 - np.abs(plan).max(axis=1))
    plan = plan + (rng.uniform(-1, 1, (number, 2)) * play)[:, None]
    heights = np.broadcast_to(np.tile((0.0, cell[2]), 4), (number, 8))
    return np.concatenate([np.repeat(plan, 2, axis=1), heights[:, :, None]], axis=2)


def _layer_patches(
    places: np.ndarray, cell: tuple[float, float, float], shown: np.ndarray, look: CartonPrint, turned: bool, top: bool
) -> list[Solid]:
    """The same label, and perhaps band, at the same place on every carton of a layer; tape on the top layer."""
    solids = []
    faces = side_faces((0.992 * cell[0], 0.992 * cell[1], cell[2]))
    for side in range(4):
        # The long sides of a carton laid crosswise look along the other axis.
        face, seen = faces[side ^ 3 if turned else side ^ 1], places[shown[:, side ^ 2 if turned else side]]
        if len(seen):
            solids += [_copies(patch, seen) for patch in _side_patches(face, look, side in look.sides)]
    if top:
        tape = top_face((*cell[:2], cell[2] - DECAL_LIFT_M / 2)).rectangle((0, 0), (cell[0] * 0.97, 0.05), TAPE)
        solids.append(_copies(tape, places))
    return solids


def _side_patches(face: FacePlane, look: CartonPrint, labelled: bool) -> list[Solid]:
    """What one side of each carton of a stack shows."""
    size = np.array(face.size_m)
    patches = []
    if labelled:
        place, extent = look.label[2:] * size, look.label[:2] * size
        bars = (0.8 * extent[0], 0.3 * extent[1])
        patches.append(face.rectangle(place, extent, LABEL))
        patches.append(face.rectangle(place - np.array([0, 0.27 * extent[1]]), bars, BARCODE, 0, PRINT_LIFT_M))
        if look.banded:
            patches.append(face.rectangle((0, -0.38 * size[1]), (0.96 * size[0], 0.12 * size[1]), PRINT))
    elif look.brand:
        letter = min(0.3 * size[1], 0.7 * size[0] / (0.8 * len(look.brand)))
        patches += face.text(look.brand, (0, 0.18 * size[1]), letter, PRINT)
        patches += handling_marks(face, (-0.22 * size[0], -0.27 * size[1]), min(0.22 * size[1], 0.2 * size[0]), PRINT)
    return patches


def _copies(solid: Solid, places: np.ndarray) -> Solid:
    """The same solid at each of `places` (N, 3), as one."""
    vertices = places[:, None] + solid.vertices
    starts = range(0, vertices.shape[0] * vertices.shape[1], vertices.shape[1])
    faces = [tuple(start + i for i in face) for start in starts for face in solid.faces]
    return Solid(vertices.reshape(-1, 3), faces, solid.slot)


def _boxes(corners: np.ndarray, shown: np.ndarray) -> Solid:
    """Cuboids (N, 8, 3) with those of their faces -x, +x, -y, +y, -z, +z that are shown (N, 6)."""
    loops = np.array([(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)])
    carton, face = np.nonzero(shown)
    return Solid(corners.reshape(-1, 3), [tuple(loop) for loop in (loops[face] + 8 * carton[:, None]).tolist()], BOARD)
