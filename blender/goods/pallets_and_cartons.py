# SPDX-License-Identifier: GPL-3.0-or-later
"""EUR pallets, cartons and stacks of cartons, bare or in stretch film.

Each builder returns one object on a shared mesh that stands on z = 0 of its own frame (x forward, z up, meters).
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
from blender.mesh.rotation import rotate_in_plane
from blender.mesh.solids import Solid, bevelled, box, solids_to_mesh

# EUR pallet after UIC 435-2, in meters: (y center, width) of the boards along x; x centers of stringers and blocks.
BOARD_THICKNESS_M = 0.022
BLOCK_HEIGHT_M = 0.078
DECK_BOARDS = ((-0.3275, 0.145), (-0.16375, 0.1), (0.0, 0.145), (0.16375, 0.1), (0.3275, 0.145))
SKIDS = ((-0.35, 0.1), (0.0, 0.145), (0.35, 0.1))
STRINGER_X_M = (-0.5275, 0.0, 0.5275)
LENGTH_M, WIDTH_M = 1.2, 0.8
PALLET_VARIANTS = 8
STAMP_SLOT = 2  # of the marks burned into corner blocks

CARTON_VARIANTS = 8
PRINT_COLORS = ((0.02, 0.05, 0.25), (0.35, 0.02, 0.02), (0.015, 0.015, 0.015), (0.02, 0.15, 0.05))
LABEL_COLORS = ((0.75, 0.75, 0.73), (0.75, 0.75, 0.73), (0.75, 0.75, 0.73), (0.28, 0.7, 0.12), (0.8, 0.6, 0.05))
# In larger stacks, bands and texts would be too many triangles for their few pixels.
MAX_BANDED_CARTONS, MAX_PRINTED_CARTONS = 60, 24
BOARD_SLOT, TAPE_SLOT, LABEL_SLOT, PRINT_SLOT, BARCODE_SLOT = range(5)
LABEL_SLOTS = LabelSlots(LABEL_SLOT, BARCODE_SLOT, PRINT_SLOT)
FILMS = {"black": (0.012, 0.012, 0.014), "milky": (0.6, 0.62, 0.65)}


def build_eur_pallet(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a EUR pallet from `EurPalletParameters`; the age is rounded to a tenth, the seed gives eight variants."""
    age, variant = round(parameters["age"], 1), parameters["seed"] % PALLET_VARIANTS
    grains = [cache.material((wood, grain, age), lambda grain=grain: wood("wood", grain, age)) for grain in "xy"]
    burnt = cache.material("burnt", lambda: plain_material("burnt", (0.06, 0.04, 0.03), 0.9))
    mesh = cache.mesh(
        ("eur_pallet", age, variant),
        lambda: solids_to_mesh("eur_pallet", pallet_solids(age, variant) + _stamps(), [*grains, burnt]),
    )
    return [bpy.data.objects.new("eur_pallet", mesh)]


def _stamps() -> list[Solid]:
    """Return the marks EPAL and EUR on the corner blocks of the long sides."""
    solids = []
    for face in side_faces((LENGTH_M, WIDTH_M, 2 * BOARD_THICKNESS_M + BLOCK_HEIGHT_M))[2:]:
        for text, x in (("EPAL", STRINGER_X_M[0]), ("EUR", STRINGER_X_M[2])):
            solids += face.text(text, (x, 0.0), 0.038, STAMP_SLOT, lift_m=0.0005)
    return solids


def pallet_solids(age: float, seed: int) -> list[Solid]:
    """Return boards and blocks: slot 0 has the grain along x, slot 1 along y.

    Up to two deck boards of old pallets are missing or broken.
    """
    rng = np.random.default_rng(seed)
    skids = [box((LENGTH_M, width, BOARD_THICKNESS_M), (0, y, BOARD_THICKNESS_M / 2)) for y, width in SKIDS]
    blocks = [
        box((0.145, width, BLOCK_HEIGHT_M), (x, y, BOARD_THICKNESS_M + BLOCK_HEIGHT_M / 2))
        for x in STRINGER_X_M
        for y, width in SKIDS
    ]
    under_deck = BOARD_THICKNESS_M + BLOCK_HEIGHT_M
    stringers = [
        box((0.145, WIDTH_M, BOARD_THICKNESS_M), (x, 0, under_deck + BOARD_THICKNESS_M / 2), slot=1)
        for x in STRINGER_X_M
    ]
    damaged_count = int((rng.random(2) < (age - 0.3, age - 0.55)).sum()) if age >= 0.6 else 0
    damaged = rng.permutation(5)[:damaged_count]
    deck = [_deck_board(y, width, age, rng, i in damaged) for i, (y, width) in enumerate(DECK_BOARDS)]
    return [*skids, *blocks, *stringers, *(board for board in deck if board is not None)]


def scaled_pallet_solids(length_m: float, width_m: float, age: float, seed: int) -> list[Solid]:
    """Return the solids of a pallet that is stretched to another footprint."""
    scale = np.array([length_m / LENGTH_M, width_m / WIDTH_M, 1])
    return [Solid(part.vertices * scale, part.faces, part.slot) for part in pallet_solids(age, seed)]


def _deck_board(y: float, width: float, age: float, rng: np.random.Generator, damaged: bool) -> Solid | None:
    """Return a deck board, or None if it is missing.

    Only inner boards are shifted or shorter, so that the pallet keeps its outline.
    """
    z = 2 * BOARD_THICKNESS_M + BLOCK_HEIGHT_M + BOARD_THICKNESS_M / 2
    inner = abs(y) < 0.3
    length = LENGTH_M - (age * rng.uniform(0, 0.012) if inner else 0)
    shift = age * rng.uniform(-0.012, 0.012) if inner else 0
    if damaged and inner and rng.random() < 0.5:
        return None
    if damaged:  # broken off beyond the middle stringer or the last one
        broken = rng.uniform(0.25, 0.55)
        side = rng.choice((-1, 1))
        board = box((length - broken, width, BOARD_THICKNESS_M), (side * broken / 2, y + shift, z))
        splintered = side * board.vertices[:, 0] < broken - length / 2 + 1e-6
        splinters = rng.uniform(0, 0.12, 4) * side
        board.vertices[splintered, 0] += splinters
        return board
    return box((length, width, BOARD_THICKNESS_M), (0, y + shift, z))


def build_carton(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return a single carton from `CartonParameters`; the seed gives eight variants of tape, labels and print."""
    size, variant = _rounded_size(parameters["size_m"]), parameters["seed"] % CARTON_VARIANTS
    materials = _carton_materials(cache, variant)
    mesh = cache.mesh(
        ("carton", size, variant), lambda: solids_to_mesh("carton", carton_solids(size, variant), materials)
    )
    return [_colored_object("carton", mesh, parameters["color_rgb"])]


def _rounded_size(size_m: list[float]) -> tuple[float, float, float]:
    return tuple(round(length, 3) for length in size_m)


def _colored_object(name: str, mesh: bpy.types.Mesh, rgb: list[float]) -> bpy.types.Object:
    """Return an object with a color, which the material of cardboard reads: cartons of all colors share it."""
    carton_object = bpy.data.objects.new(name, mesh)
    carton_object.color = (*rgb, 1.0)
    return carton_object


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
    """Return a carton with chamfered edges, tape along x, one or two labels, perhaps print; up to 500 triangles."""
    rng = np.random.default_rng(seed)
    solids = [
        _soft_box(size, min(0.006, 0.05 * min(size))),
        top_face(size).rectangle((0, 0), (size[0] * 0.99, 0.05), TAPE_SLOT),
    ]
    faces = side_faces(size)
    for face in faces[:2]:
        drop = min(0.07, size[2] / 3)
        solids.append(face.rectangle((0, (size[2] - drop) / 2 - 0.006), (0.05, drop), TAPE_SLOT))
    for face in rng.permutation(4)[: rng.integers(1, 3)]:
        solids += _label(faces[face], rng)
    if rng.random() < 0.5:
        brand = BRANDS[rng.integers(len(BRANDS))]
        warning = WARNINGS[rng.integers(len(WARNINGS))]
        solids += [solid for face in faces[2:] for solid in _carton_text(face, brand, warning)]
    return solids


def _label(face: FacePlane, rng: np.random.Generator) -> list[Solid]:
    """Return a label at a random position of a face, slightly rotated: A5 to A4, smaller on small cartons."""
    size = np.minimum(rng.uniform((0.14, 0.09), (0.29, 0.21)), np.array(face.size_m) * 0.4)
    reach = (np.array(face.size_m) - size) / 2 * 0.85
    position, title = tuple(rng.uniform(-reach, reach)), LOCATION_CODES[rng.integers(len(LOCATION_CODES))]
    return shipping_label(face, position, tuple(size), LABEL_SLOTS, title, rng.normal(0, 0.04))


def _carton_text(face: FacePlane, brand: str, warning: str) -> list[Solid]:
    """Return a brand name above handling marks and a warning."""
    width, height = face.size_m
    letter = min(0.3 * height, 0.6 * width / (0.8 * len(brand)))
    mark = min(0.2 * height, 0.2 * width)
    small = min(0.09 * height, 0.45 * width / (0.8 * len(warning)))
    return [
        *face.text(brand, (0.05 * width, 0.2 * height), letter, PRINT_SLOT),
        *face.text(warning, (0.18 * width, -0.28 * height), small, PRINT_SLOT),
        *handling_marks(face, (-0.27 * width, -0.28 * height), mark, PRINT_SLOT),
    ]


def _soft_box(size: tuple[float, float, float], edge_m: float) -> Solid:
    """Return a cuboid on z = 0 with chamfered edges."""
    return bevelled(box(size, (0, 0, size[2] / 2), BOARD_SLOT), edge_m, segments=1)


def build_carton_stack(parameters: dict, cache: AssetCache) -> list[bpy.types.Object]:
    """Return cartons in layers from `CartonStackParameters`, inside their nominal footprint.

    Wrapped stacks have clear film that shows the cartons, or black or milky film that hides them.
    """
    seed, count, size = parameters["seed"], tuple(parameters["count"]), _rounded_size(parameters["carton_m"])
    rng = np.random.default_rng([seed, 1])
    style = str(rng.choice(["clear", "black", "milky"], p=[0.7, 0.12, 0.18])) if parameters["wrapped"] else "bare"
    key = ("carton_stack", count, size, parameters["missing"], style, seed)
    if style in FILMS:
        materials = [
            cache.material(style, lambda: opaque_film(f"{style} film", FILMS[style])),
            *_carton_materials(cache, seed)[1:],
        ]
        mesh = cache.mesh(key, lambda: solids_to_mesh("carton_stack", _wrapped_block(count, size, rng), materials))
    else:
        materials = _carton_materials(cache, seed, wrapped=style == "clear")
        mesh = cache.mesh(
            key,
            lambda: solids_to_mesh("carton_stack", stack_solids(count, size, parameters["missing"], seed), materials),
        )
    return [_colored_object("carton_stack", mesh, parameters["color_rgb"])]


def _wrapped_block(
    count: tuple[int, int, int], size: tuple[float, float, float], rng: np.random.Generator
) -> list[Solid]:
    """Return a stack that film hides: a rounded block, narrower towards its top, with two labels."""
    stack_size = tuple(n * length for n, length in zip(count, size, strict=True))
    block = _soft_box(stack_size, min(0.05, 0.1 * min(stack_size)))
    taper = 1 - rng.uniform(0.0, 0.06) * (block.vertices[:, 2:] / stack_size[2]) ** 2
    block = Solid(block.vertices * np.c_[taper, taper, np.ones_like(taper)], block.faces, BOARD_SLOT)
    faces = side_faces((0.98 * stack_size[0], 0.98 * stack_size[1], 0.6 * stack_size[2]))
    return [block, *(part for face in rng.permutation(4)[:2] for part in _label(faces[face], rng))]


def stack_solids(count: tuple[int, int, int], size: tuple[float, float, float], missing: int, seed: int) -> list[Solid]:
    """Return the visible cartons of a stack, without hidden cartons and faces; about 1000 triangles.

    Every second layer below the top is laid crosswise if that fills the footprint: this makes real stacks stable.
    """
    rng = np.random.default_rng(seed)
    carton_print = _draw_carton_print(rng, int(np.prod(count)))
    corners, faces, patches = [], [], []
    for layer in range(count[2]):
        below_top = count[2] - 1 - layer
        turned = below_top % 2 == 1
        centers, cell, shown = _layer_grid(count, size, turned, every_side=missing > 0 and below_top < 2)
        kept = np.flatnonzero(shown.any(axis=1) | (below_top == 0))
        if below_top == 0:
            kept = rng.permutation(kept)[min(missing, len(kept) - 1) :]
        positions = np.c_[centers[kept], np.full(len(kept), layer * size[2])]
        # Slightly lower than its cell: the dark gaps between layers show that these are separate cartons.
        height = cell[2] * (1.0 if below_top == 0 else 0.986)
        corners.append(positions[:, None] + _jittered_corners(len(kept), (*cell[:2], height), rng))
        faces.append(np.c_[shown[kept], np.full(len(kept), layer == 0), np.full(len(kept), True)])
        patches += _layer_patches(positions, cell, shown[kept], carton_print, turned, below_top == 0)
    return [_visible_boxes(np.concatenate(corners), np.concatenate(faces)), *patches]


@dataclass(frozen=True)
class CartonPrint:
    """The print that all cartons of a stack have in common.

    Attributes:
        sides: the sides with a label (0 -x, 1 +x, 2 -y, 3 +y).
        label: (width, height, right, up) of the label as shares of the side.
        banded: whether a printed band is below the label.
        brand: text on the sides without a label, or "".
    """

    sides: tuple[int, ...]
    label: np.ndarray
    banded: bool
    brand: str


def _draw_carton_print(rng: np.random.Generator, cartons: int) -> CartonPrint:
    sides = ((2, 3), (0, 1), (0, 1, 2, 3))[rng.integers(3)]
    label = np.array((rng.uniform(0.25, 0.45), rng.uniform(0.25, 0.5), *rng.uniform(-0.2, 0.2, 2)))
    banded = bool(cartons <= MAX_BANDED_CARTONS and rng.random() < 0.3)
    printed = cartons <= MAX_PRINTED_CARTONS and rng.random() < 0.5
    return CartonPrint(sides, label, banded, BRANDS[rng.integers(len(BRANDS))] if printed else "")


def _layer_grid(
    count: tuple[int, int, int], size: tuple[float, float, float], turned: bool, every_side: bool
) -> tuple[np.ndarray, tuple[float, float, float], np.ndarray]:
    """Return a layer's carton centers (N, 2), the size of a cell, and whether -x, +x, -y, +y are visible (N, 4)."""
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


def _jittered_corners(number: int, cell: tuple[float, float, float], rng: np.random.Generator) -> np.ndarray:
    """Return the corners (number, 8, 3) of cartons slightly smaller than their cell, rotated and shifted inside it."""
    plan_cell = np.array(cell[:2])
    yaw = rng.uniform(-0.012, 0.012, number) * plan_cell.min() / plan_cell.max()
    plan = rotate_in_plane(np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)]) * plan_cell * 0.488, yaw)
    free_space = np.maximum(0, plan_cell / 2 - np.abs(plan).max(axis=1))
    plan = plan + (rng.uniform(-1, 1, (number, 2)) * free_space)[:, None]
    heights = np.broadcast_to(np.tile((0.0, cell[2]), 4), (number, 8))
    return np.concatenate([np.repeat(plan, 2, axis=1), heights[:, :, None]], axis=2)


def _layer_patches(
    positions: np.ndarray,
    cell: tuple[float, float, float],
    shown: np.ndarray,
    carton_print: CartonPrint,
    turned: bool,
    top: bool,
) -> list[Solid]:
    """Return the print of all cartons of a layer, the same on each; and tape on the top layer."""
    solids = []
    faces = side_faces((0.992 * cell[0], 0.992 * cell[1], cell[2]))
    for side in range(4):
        # The sides of a carton laid crosswise face the other axis.
        face, seen = faces[side ^ 3 if turned else side ^ 1], positions[shown[:, side ^ 2 if turned else side]]
        if len(seen):
            solids += [
                _repeat_solid(patch, seen) for patch in _side_patches(face, carton_print, side in carton_print.sides)
            ]
    if top:
        tape = top_face((*cell[:2], cell[2] - DECAL_LIFT_M / 2)).rectangle((0, 0), (cell[0] * 0.97, 0.05), TAPE_SLOT)
        solids.append(_repeat_solid(tape, positions))
    return solids


def _side_patches(face: FacePlane, carton_print: CartonPrint, labeled: bool) -> list[Solid]:
    """Return the print on one side of a carton of a stack."""
    size = np.array(face.size_m)
    patches = []
    if labeled:
        position, extent = carton_print.label[2:] * size, carton_print.label[:2] * size
        bars = (0.8 * extent[0], 0.3 * extent[1])
        patches.append(face.rectangle(position, extent, LABEL_SLOT))
        patches.append(face.rectangle(position - np.array([0, 0.27 * extent[1]]), bars, BARCODE_SLOT, 0, PRINT_LIFT_M))
        if carton_print.banded:
            patches.append(face.rectangle((0, -0.38 * size[1]), (0.96 * size[0], 0.12 * size[1]), PRINT_SLOT))
    elif carton_print.brand:
        letter = min(0.3 * size[1], 0.7 * size[0] / (0.8 * len(carton_print.brand)))
        patches += face.text(carton_print.brand, (0, 0.18 * size[1]), letter, PRINT_SLOT)
        patches += handling_marks(
            face, (-0.22 * size[0], -0.27 * size[1]), min(0.22 * size[1], 0.2 * size[0]), PRINT_SLOT
        )
    return patches


def _repeat_solid(solid: Solid, positions: np.ndarray) -> Solid:
    """Return copies of a solid at positions (N, 3), joined to one solid."""
    vertices = positions[:, None] + solid.vertices
    starts = range(0, vertices.shape[0] * vertices.shape[1], vertices.shape[1])
    faces = [tuple(start + i for i in face) for start in starts for face in solid.faces]
    return Solid(vertices.reshape(-1, 3), faces, solid.slot)


def _visible_boxes(corners: np.ndarray, shown: np.ndarray) -> Solid:
    """Return cuboids from their corners (N, 8, 3), with only the faces -x, +x, -y, +y, -z, +z that are shown (N, 6)."""
    loops = np.array([(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)])
    carton, face = np.nonzero(shown)
    return Solid(
        corners.reshape(-1, 3), [tuple(loop) for loop in (loops[face] + 8 * carton[:, None]).tolist()], BOARD_SLOT
    )
