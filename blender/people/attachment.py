# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigid parts that move with one bone: headwear, bags, hoods, scanners."""

import numpy as np

from blender.mesh.surfaces import SkinSurface
from blender.people.skeleton import body_rig


def attach_to_bone(surface: SkinSurface, bone: str, transforms: np.ndarray) -> SkinSurface:
    """Move a surface with a bone from its place at rest to the pose; `transforms` (B, 4, 4) of the pose."""
    transform = transforms[body_rig().index(bone)]
    return SkinSurface(surface.points @ transform[:3, :3].T + transform[:3, 3], surface.faces, surface.values)
