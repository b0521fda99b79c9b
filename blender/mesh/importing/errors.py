# SPDX-License-Identifier: GPL-3.0-or-later
"""The error of a mesh file."""

from blender.common.errors import CaristeError


class CustomMeshError(CaristeError):
    """A mesh file that cannot be used."""
