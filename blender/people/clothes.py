# SPDX-License-Identifier: GPL-3.0-or-later
"""Work clothes: each garment is a pattern (blender/garments.py) cut out of the suit, with its own edges and fabric."""

import bpy
import numpy as np

from blender.materials import person_materials
from blender.materials.common_materials import Rgb
from blender.mesh.asset_cache import AssetCache
from blender.mesh.surfaces import SkinSurface, cut_mesh, surface_object, vertex_normals, with_border_strips
from blender.people.garment_mesh import FittedBody, drape, fold_heights, garment_mesh
from blender.people.garment_patterns import (
    FAR_M,
    JACKET_HEM,
    VEST_HEM,
    BodyMeasures,
    body_measures,
    height_above_wrist,
    neckline_field,
    shirt_field,
    shirt_points,
    socks_field,
    trousers_field,
    trousers_points,
    vest_field,
    vest_points,
)

# Cloth this far inside the edge of the garment over it is left out.
HIDDEN_M = 0.025
# How much looser than a shirt.
HOODIE_M, JACKET_M = 0.012, 0.02
# Edges: steps (outward, up) in m that turn the cloth in.
HEM = [(0.0, -0.003), (-0.025, -0.006)]
THIN_EDGE = [(0.0, -0.002), (-0.004, -0.004)]
CREW_NECK = [(0.004, 0.003), (0.016, 0.002), (0.018, -0.003), (0.0, -0.006)]
COLLAR = [(0.014, 0.001), (0.027, 0.003), (0.031, 0.007), (0.024, 0.013), (0.004, 0.020), (-0.016, 0.022)]
STANDING_COLLAR = [(0.016, 0.001), (0.036, 0.000), (0.052, -0.004), (0.052, -0.010), (0.02, -0.012)]
SOCKS_M, SOCKS_RGB = 0.004, (0.035, 0.035, 0.04)


def build_clothes(
    fitted: FittedBody, outfit: dict, seed: int, library: AssetCache
) -> tuple[list[bpy.types.Object], np.ndarray]:
    """Return the garments as posed objects, and the outermost layer (V, 3) m, posed, that bags lie on.

    `outfit` is the JSON dict of `pipeline.scene.Outfit`.
    """
    lines = body_measures(fitted.skeleton)
    # Under a jacket nobody sees a bib, nor the shirt.
    legs = "trousers" if outfit["jacket_rgb"] and outfit["legs"] == "dungarees" else outfit["legs"]
    outfit = outfit | {"legs": legs}
    made = []
    bottom_field = trousers_field(fitted, lines, outfit)
    form = trousers_points(fitted, lines, legs)
    if outfit["jacket_rgb"]:
        bottom = drape(fitted, form, fitted.posed, fold_heights(fitted, (seed, 0), 0.0035))
        outer = drape(
            fitted, shirt_points(fitted, lines, "long", JACKET_M), bottom, fold_heights(fitted, (seed, 1), 0.004)
        )
        made.append(_jacket_object(fitted, outer, lines, outfit, library))
    else:
        top, bottom, outer = _layers(fitted, lines, form, outfit, seed)
        field = shirt_field(fitted, lines, outfit["sleeves"])
        if legs == "dungarees":
            field = np.minimum(field, HIDDEN_M - bottom_field)
        if outfit["vest_rgb"]:
            over = vest_field(fitted, lines)
            field = np.minimum(field, HIDDEN_M - over)
            outer = drape(fitted, vest_points(fitted, lines), outer, fold_heights(fitted, (seed, 2), 0.002))
            made.append(_vest_object(fitted, outer, over, lines, outfit, library))
        made.append(_shirt_object(fitted, top, field, lines, outfit, library))
    made.append(_plain_object("trousers", fitted, bottom, bottom_field, outfit["trousers_rgb"], library))
    if legs == "shorts":
        socks = fitted.posed + SOCKS_M * vertex_normals(fitted.posed, garment_mesh().faces)
        made.append(_plain_object("socks", fitted, socks, socks_field(fitted, lines), SOCKS_RGB, library))
    return made, outer


def _layers(
    fitted: FittedBody, lines: BodyMeasures, form: np.ndarray, outfit: dict, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the posed shirt, trousers and the outer one of both (V, 3): dungarees lie over the shirt, trousers under
    it."""
    blouse = shirt_points(fitted, lines, outfit["sleeves"], HOODIE_M if outfit["hood"] else 0.0)
    waves = fold_heights(fitted, (seed, 0), 0.0035), fold_heights(fitted, (seed, 1), 0.003)
    if outfit["legs"] != "dungarees":
        bottom = drape(fitted, form, fitted.posed, waves[0])
        top = drape(fitted, blouse, bottom, waves[1])
        return top, bottom, top
    top = drape(fitted, blouse, fitted.posed, waves[1])
    tucked = np.clip((fitted.rest[:, 2] - lines.hip_z) / 0.08, 0, 1)[:, None]
    bottom = drape(fitted, form, fitted.posed + tucked * (top - fitted.posed), waves[0])
    return top, bottom, bottom


def cut_garment(fitted: FittedBody, points: np.ndarray, field: np.ndarray) -> SkinSurface:
    """Cut a posed layer along its field and note what fabrics need: rest position, distance to the edge, creases."""
    kept = cut_mesh(garment_mesh().faces, field)
    values = {"rest": fitted.rest, "edge": field, "crease": fitted.crease}
    return SkinSurface(kept.carry(points), kept.faces, {name: kept.carry(value) for name, value in values.items()})


def _plain_object(
    name: str, fitted: FittedBody, points: np.ndarray, field: np.ndarray, color: Rgb, library: AssetCache
) -> bpy.types.Object:
    color = tuple(color)
    fabric = library.material((name, color), lambda: person_materials.cloth_material(name, color, weave=900.0))
    return surface_object(name, with_border_strips(cut_garment(fitted, points, field), HEM), [fabric])


def _shirt_object(
    fitted: FittedBody, points: np.ndarray, field: np.ndarray, lines: BodyMeasures, outfit: dict, library: AssetCache
) -> bpy.types.Object:
    made = cut_garment(fitted, points, field)
    long, rest = outfit["sleeves"] == "long" and not outfit["hood"], made.values["rest"]
    at_neck = (np.abs(neckline_field(lines, rest)) < 0.012) & (np.abs(rest[:, 1]) < 0.13 * lines.scale)
    if long:
        # The button band is a pair of seams down the front.
        band = np.where(rest[:, 0] > lines.neck[0], np.abs(rest[:, 1]) + 0.003, FAR_M)
        made.values["edge"] = np.minimum(made.values["edge"], band)
    made = with_border_strips(made, COLLAR if long else CREW_NECK, at_neck)
    color = tuple(outfit["top_rgb"])
    fabric = library.material(("shirt", color), lambda: person_materials.cloth_material("shirt", color, weave=1200.0))
    return surface_object("shirt", made, [fabric])


def _vest_object(
    fitted: FittedBody, points: np.ndarray, field: np.ndarray, lines: BodyMeasures, outfit: dict, library: AssetCache
) -> bpy.types.Object:
    made = with_border_strips(cut_garment(fitted, points, field), THIN_EDGE)
    made.values["bands"] = _bands(made.values["rest"], lines, VEST_HEM)
    color = tuple(outfit["vest_rgb"])
    fabric = library.material(("vest", color), lambda: person_materials.hi_vis_material("vest", color))
    return surface_object("vest", made, [fabric])


def _jacket_object(
    fitted: FittedBody, points: np.ndarray, lines: BodyMeasures, outfit: dict, library: AssetCache
) -> bpy.types.Object:
    """A jacket has its bands round the sleeves too, a standing collar, and a dark hem that dirt does not show on."""
    field = shirt_field(fitted, lines, "long", JACKET_HEM)
    kept = cut_mesh(garment_mesh().faces, field)
    bands = _bands(fitted.rest, lines, JACKET_HEM)
    # Sleeves hang as low as the hem: the bands of the trunk are not for them.
    bands[:, 1] = np.where(garment_mesh().arm > 0.5, np.maximum(bands[:, 1], 0.45), bands[:, 1])
    made = cut_garment(fitted, points, field)
    made.values["bands"], made.values["sleeve"] = kept.carry(bands), kept.carry(height_above_wrist(fitted))
    rest = made.values["rest"]
    at_neck = (np.abs(neckline_field(lines, rest)) < 0.012) & (np.abs(rest[:, 1]) < 0.13 * lines.scale)
    made = with_border_strips(made, STANDING_COLLAR, at_neck)
    color = tuple(outfit["jacket_rgb"])
    fabric = library.material(
        ("jacket", color), lambda: person_materials.hi_vis_material("jacket", color, sleeves=True)
    )
    return surface_object("jacket", made, [fabric])


def _bands(rest: np.ndarray, lines: BodyMeasures, hem_m: float) -> np.ndarray:
    """Return (N, 3) m: from the middle, above the hem, ahead of the neck; the bands are drawn by them."""
    return np.c_[rest[:, 1], rest[:, 2] - (lines.hip_z - hem_m * lines.scale), rest[:, 0] - lines.neck[0]]
