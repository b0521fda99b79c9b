# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of Cariste that needs Blender: it renders scene records and measures their ground truth.

It imports bpy, numpy, OpenEXR and the standard library, never `pipeline`, so that it also runs inside an installed
Blender. The command line is `python -m blender` (`blender/__main__.py`).
"""

import os

# bpy reads this when it is imported. Without it, OpenColorIO caches what it computes for the exposure of each image:
# 4 MB an image.
os.environ.setdefault("OCIO_DISABLE_PROCESSOR_CACHES", "1")
# numpy reads this when it is imported. With several threads, matrix products round in another order, and the bytes of
# images and normals would depend on the number of threads.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
