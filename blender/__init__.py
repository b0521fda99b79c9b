# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything of Cariste that needs `bpy`: a scene record becomes pixels, ids and facts.

Imports bpy, numpy, OpenEXR and the standard library alone, so that it also runs inside an installed Blender.
"""

import os

# OpenColorIO keeps what it computed for every exposure it has met, 4 MB for each image, and reads this when bpy is
# imported.
os.environ.setdefault("OCIO_DISABLE_PROCESSOR_CACHES", "1")
