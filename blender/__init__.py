# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything of Cariste that needs `bpy`: a scene record becomes pixels, ids and facts.

Imports bpy, numpy, OpenEXR and the standard library alone, so that it also runs inside an installed Blender.
"""
