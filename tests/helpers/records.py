# SPDX-License-Identifier: Apache-2.0
"""A small scene record that is written by hand: a truck in front of the camera, a carton beside it, one lamp."""

from pipeline.record import scene
from pipeline.record.objects import Carton, CartonParameters, HandPalletTruck, HandPalletTruckParameters
from pipeline.record.scene import GENERATOR_VERSION

STEEL = (0.6, 0.05, 0.03)
GRAY = (0.3, 0.3, 0.3)


def surface(kind: str) -> scene.SurfaceMaterial:
    return scene.SurfaceMaterial(kind=kind, color_rgb=GRAY, roughness=0.7, wear=0.3, seed=1)


def truck(instance_id: int = 1, position_m: scene.Vec3 = (0.0, 0.0, 0.0)) -> HandPalletTruck:
    return HandPalletTruck(
        name=f"truck_{instance_id}",
        position_m=position_m,
        yaw_deg=90.0,
        stands_on="floor",
        instance_id=instance_id,
        parameters=HandPalletTruckParameters(
            fork_length_m=1.15,
            width_m=0.54,
            fork_width_m=0.16,
            lift_m=0.085,
            tandem_rollers=True,
            tiller_tilt_deg=0.0,
            tiller_turn_deg=0.0,
            grip="d_loop",
            wheel_covers=False,
            body_rgb=STEEL,
            wheel_rgb=(0.05, 0.05, 0.05),
            wear=0.3,
            seed=4,
        ),
    )


def carton(size_m: scene.Vec3, position_m: scene.Vec3) -> Carton:
    return Carton(
        name="carton",
        position_m=position_m,
        yaw_deg=0.0,
        stands_on="floor",
        instance_id=0,
        parameters=CartonParameters(size_m=size_m, color_rgb=(0.4, 0.25, 0.12), seed=2),
    )


def record(index: int = 0, objects: tuple = (), width: int = 96, height: int = 72) -> scene.Scene:
    """A camera 0.7 m high at (0, -2.6), looking along +y at `objects` (default: a truck and a carton beside it)."""
    return scene.Scene(
        generator_version=GENERATOR_VERSION,
        index=index,
        dataset_seed=0,
        layout="staging",
        render=scene.RenderSettings(
            width=width,
            height=height,
            samples=2,
            denoise=False,
            seed=index,
            exposure_ev=0.0,
            view_transform="AgX",
            contrast="base",
            white_balance=0.0,
            depth=None,
            normals=None,
            verify=False,
        ),
        camera=scene.Camera(
            rig="handheld",
            fx_px=width * 0.8,
            fy_px=width * 0.8,
            cx_px=width / 2,
            cy_px=height / 2,
            position_m=(0.0, -2.6, 0.7),
            rotation=((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, -1.0, 0.0)),
        ),
        hall=scene.Hall(
            size_m=(12.0, 14.0, 5.0),
            floor=surface("concrete"),
            walls=surface("painted"),
            ceiling=surface("sheet_metal"),
            lines=(),
        ),
        lamps=(
            scene.Lamp(
                kind="high_bay",
                position_m=(0.0, 0.0, 4.5),
                size_m=(0.4, 0.4),
                yaw_deg=0.0,
                power_w=300.0,
                color_rgb=(1.0, 1.0, 1.0),
            ),
        ),
        ambient=scene.AmbientLight(color_rgb=(1.0, 1.0, 1.0), strength=0.2),
        objects=objects or (truck(), carton((0.4, 0.3, 0.3), (1.0, 0.5, 0.0))),
    )
