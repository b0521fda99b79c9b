# SPDX-License-Identifier: Apache-2.0
"""Park look-alikes: vehicles that look like pallet trucks and are not labeled."""

import numpy as np

from pipeline.common.randomness import choose_weighted
from pipeline.config.world import GoodsSection
from pipeline.record.objects import SceneObject
from pipeline.scenes.actors.visible_placement import View, draw_traffic_headings, propose_places_in_view, put_in_view
from pipeline.scenes.assets.custom_meshes import draw_custom_mesh, make_custom_object
from pipeline.scenes.assets.non_carton_goods import make_prop
from pipeline.scenes.assets.vehicle_shapes import draw_vehicle


def add_lookalikes(random: np.random.Generator, config: GoodsSection, view: View) -> None:
    """Park look-alikes where the camera sees them; those without a free place are skipped."""
    for _ in range(int(random.integers(config.lookalikes[0], config.lookalikes[1] + 1))):
        kind = choose_weighted(random, config.lookalike_kinds)
        mesh = draw_custom_mesh(random, view.plan.custom_meshes, config.custom_share, None)
        group = [make_custom_object(mesh)] if mesh else _lookalike_group(random, kind)
        for min_visible_share in (0.4, 0.1):
            places = propose_places_in_view(random, view, group, draw_traffic_headings)
            if added := put_in_view(view, group, places, min_visible_share):
                view.plan.lookalike_names += [scene_object.name for scene_object in added]
                break


def _lookalike_group(random: np.random.Generator, kind: str) -> list[SceneObject]:
    """Return one vehicle, or for roll cages, carts and trolleys sometimes a row of equal ones."""
    parameters = draw_vehicle(random, kind)
    in_rows = kind in ("roll_cage", "platform_cart", "hand_trolley")
    count = int(random.integers(2, 5)) if in_rows and random.random() < 0.4 else 1
    pitch = parameters.size_m[1] + random.uniform(0.04, 0.2)
    return [
        make_prop(kind, parameters, f"parked{number}", (0.0, float(number * pitch), 0.0)) for number in range(count)
    ]
