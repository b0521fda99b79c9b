# SPDX-License-Identifier: GPL-3.0-or-later
"""Work clothes: each garment is cut out of the garment mesh by its pattern (blender/people/garment_patterns.py).

Each garment gets its own edges and fabric. A field (V,) is the distance in meters to the border of a garment, positive
where there is cloth. V is the number of vertices of the garment mesh.
"""

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

# A garment continues this far under the garment over it; what is farther inside is left out.
OVERLAP_M = 0.025
# Extra room compared with a shirt.
HOODIE_ROOM_M, JACKET_ROOM_M = 0.012, 0.02
# Profiles of edges: steps (outward, up) in m that fold the cloth over.
HEM = [(0.0, -0.003), (-0.025, -0.006)]
THIN_EDGE = [(0.0, -0.002), (-0.004, -0.004)]
CREW_NECK = [(0.004, 0.003), (0.016, 0.002), (0.018, -0.003), (0.0, -0.006)]
COLLAR = [(0.014, 0.001), (0.027, 0.003), (0.031, 0.007), (0.024, 0.013), (0.004, 0.020), (-0.016, 0.022)]
STANDING_COLLAR = [(0.016, 0.001), (0.036, 0.000), (0.052, -0.004), (0.052, -0.010), (0.02, -0.012)]
SOCKS_THICKNESS_M, SOCKS_RGB = 0.004, (0.035, 0.035, 0.04)


def build_clothes(
    fitted: FittedBody, outfit: dict, seed: int, cache: AssetCache
) -> tuple[list[bpy.types.Object], np.ndarray]:
    """Return the garments as posed objects, and the points (V, 3) m of the outermost layer, on which bags lie.

    `outfit` is the JSON dict of `Outfit`; `seed` is that of the folds.
    """
    measures = body_measures(fitted.skeleton)
    # A jacket hides the bib of dungarees, so they are modeled as trousers.
    legs = "trousers" if outfit["jacket_rgb"] and outfit["legs"] == "dungarees" else outfit["legs"]
    outfit = outfit | {"legs": legs}
    garments = []
    bottom_field = trousers_field(fitted, measures, outfit)
    trousers_rest = trousers_points(fitted, measures, legs)
    if outfit["jacket_rgb"]:
        bottom = drape(fitted, trousers_rest, fitted.posed, fold_heights(fitted, (seed, 0), 0.0035))
        jacket_rest = shirt_points(fitted, measures, "long", JACKET_ROOM_M)
        outer = drape(fitted, jacket_rest, bottom, fold_heights(fitted, (seed, 1), 0.004))
        garments.append(_jacket_object(fitted, outer, measures, outfit, cache))
    else:
        shirt, bottom, outer = _drape_shirt_and_trousers(fitted, measures, trousers_rest, outfit, seed)
        field = shirt_field(fitted, measures, outfit["sleeves"])
        if legs == "dungarees":
            field = np.minimum(field, OVERLAP_M - bottom_field)
        if outfit["vest_rgb"]:
            over_shirt = vest_field(fitted, measures)
            field = np.minimum(field, OVERLAP_M - over_shirt)
            outer = drape(fitted, vest_points(fitted, measures), outer, fold_heights(fitted, (seed, 2), 0.002))
            garments.append(_vest_object(fitted, outer, over_shirt, measures, outfit, cache))
        garments.append(_shirt_object(fitted, shirt, field, measures, outfit, cache))
    garments.append(_plain_object("trousers", fitted, bottom, bottom_field, outfit["trousers_rgb"], cache))
    if legs == "shorts":
        socks = fitted.posed + SOCKS_THICKNESS_M * vertex_normals(fitted.posed, garment_mesh().faces)
        garments.append(_plain_object("socks", fitted, socks, socks_field(fitted, measures), SOCKS_RGB, cache))
    return garments, outer


def _drape_shirt_and_trousers(
    fitted: FittedBody, measures: BodyMeasures, trousers_rest: np.ndarray, outfit: dict, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return shirt, trousers and the outer one of both, posed (V, 3) m: dungarees are over the shirt, others under."""
    shirt_rest = shirt_points(fitted, measures, outfit["sleeves"], HOODIE_ROOM_M if outfit["hood"] else 0.0)
    trousers_folds = fold_heights(fitted, (seed, 0), 0.0035)
    shirt_folds = fold_heights(fitted, (seed, 1), 0.003)
    if outfit["legs"] != "dungarees":
        trousers = drape(fitted, trousers_rest, fitted.posed, trousers_folds)
        shirt = drape(fitted, shirt_rest, trousers, shirt_folds)
        return shirt, trousers, shirt
    shirt = drape(fitted, shirt_rest, fitted.posed, shirt_folds)
    # Below the hips, dungarees lie on the skin.
    over_shirt = np.clip((fitted.rest[:, 2] - measures.hip_z) / 0.08, 0, 1)[:, None]
    trousers = drape(fitted, trousers_rest, fitted.posed + over_shirt * (shirt - fitted.posed), trousers_folds)
    return shirt, trousers, trousers


def cut_garment(fitted: FittedBody, points: np.ndarray, field: np.ndarray) -> SkinSurface:
    """Cut a posed layer (V, 3) along its field (V,); the result has the values that cloth materials read."""
    values = {"rest": fitted.rest, "edge": field, "crease": fitted.crease}
    return _cut(points, field, values)


def _cut(points: np.ndarray, field: np.ndarray, values: dict[str, np.ndarray]) -> SkinSurface:
    cut = cut_mesh(garment_mesh().faces, field)
    return SkinSurface(
        cut.interpolate(points), cut.faces, {name: cut.interpolate(value) for name, value in values.items()}
    )


def _plain_object(
    name: str, fitted: FittedBody, points: np.ndarray, field: np.ndarray, color: Rgb, cache: AssetCache
) -> bpy.types.Object:
    color = tuple(color)
    fabric = cache.material((name, color), lambda: person_materials.cloth_material(name, color, weave=900.0))
    return surface_object(name, with_border_strips(cut_garment(fitted, points, field), HEM), [fabric])


def _shirt_object(
    fitted: FittedBody, points: np.ndarray, field: np.ndarray, measures: BodyMeasures, outfit: dict, cache: AssetCache
) -> bpy.types.Object:
    """Return the shirt: with a collar and buttons if it has long sleeves, else with a round neck."""
    surface = cut_garment(fitted, points, field)
    rest, has_collar = surface.values["rest"], outfit["sleeves"] == "long" and not outfit["hood"]
    at_neck = _collar_mask(measures, rest)
    if has_collar:
        # The button band is a pair of seams down the front.
        band = np.where(rest[:, 0] > measures.neck[0], np.abs(rest[:, 1]) + 0.003, FAR_M)
        surface.values["edge"] = np.minimum(surface.values["edge"], band)
    surface = with_border_strips(surface, COLLAR if has_collar else CREW_NECK, at_neck)
    color = tuple(outfit["top_rgb"])
    return surface_object("shirt", surface, [shirt_fabric(color, cache)])


def shirt_fabric(color: Rgb, cache: AssetCache) -> bpy.types.Material:
    """Return the cloth of shirts and hoods."""
    return cache.material(("shirt", color), lambda: person_materials.cloth_material("shirt", color, weave=1200.0))


def _vest_object(
    fitted: FittedBody, points: np.ndarray, field: np.ndarray, measures: BodyMeasures, outfit: dict, cache: AssetCache
) -> bpy.types.Object:
    surface = with_border_strips(cut_garment(fitted, points, field), THIN_EDGE)
    surface.values["bands"] = _band_coordinates(surface.values["rest"], measures, VEST_HEM)
    color = tuple(outfit["vest_rgb"])
    fabric = cache.material(("vest", color), lambda: person_materials.hi_vis_material("vest", color))
    return surface_object("vest", surface, [fabric])


def _jacket_object(
    fitted: FittedBody, points: np.ndarray, measures: BodyMeasures, outfit: dict, cache: AssetCache
) -> bpy.types.Object:
    """Return the jacket: it has bands around its sleeves, too, and a standing collar."""
    field = shirt_field(fitted, measures, "long", JACKET_HEM)
    bands = _band_coordinates(fitted.rest, measures, JACKET_HEM)
    # Sleeves hang as low as the hem. A large height above the hem keeps the bands of the trunk off them.
    bands[:, 1] = np.where(garment_mesh().arm > 0.5, np.maximum(bands[:, 1], 0.45), bands[:, 1])
    values = {"rest": fitted.rest, "edge": field, "crease": fitted.crease}
    surface = _cut(points, field, values | {"bands": bands, "sleeve": height_above_wrist(fitted)})
    at_neck = _collar_mask(measures, surface.values["rest"])
    surface = with_border_strips(surface, STANDING_COLLAR, at_neck)
    color = tuple(outfit["jacket_rgb"])
    fabric = cache.material(("jacket", color), lambda: person_materials.hi_vis_material("jacket", color, sleeves=True))
    return surface_object("jacket", surface, [fabric])


def _collar_mask(measures: BodyMeasures, rest: np.ndarray) -> np.ndarray:
    """Return which points (N, 3) at rest are at the neckline, as bool (N,)."""
    near_middle = np.abs(rest[:, 1]) < 0.13 * measures.scale
    return (np.abs(neckline_field(measures, rest)) < 0.012) & near_middle


def _band_coordinates(rest: np.ndarray, measures: BodyMeasures, hem: float) -> np.ndarray:
    """Return the value `bands` (N, 3) m of a hi-vis material: to the left, above the hem, ahead of the neck."""
    hem_z = measures.hip_z - hem * measures.scale
    return np.c_[rest[:, 1], rest[:, 2] - hem_z, rest[:, 0] - measures.neck[0]]
