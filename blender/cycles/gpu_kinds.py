# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of GPUs that Cycles knows; importable without bpy, so that the command line can list them."""

# In the order of preference for "auto".
GPU_KINDS = ("optix", "cuda", "hip", "oneapi", "metal")
