# SPDX-License-Identifier: GPL-3.0-or-later
"""Fractal noise baked once a process into small images that tile: a lookup costs Cycles a tenth of a noise node."""

from functools import lru_cache

import bpy
import numpy as np

# Texels and features (cells of the coarsest octave) along a side of the tile.
TILE_PX, FEATURES_PER_TILE = 512, 32
# Mean and spread of Blender's own noise nodes, which every threshold of the materials was set by.
MEAN, SPREAD = 0.5, 0.09


@lru_cache(maxsize=2)
def noise_tile(octaves: int) -> np.ndarray:
    """Return (SIDE, SIDE) float32 in 0..1, smooth over its edges; each octave is half as strong as the one before.

    Sums of random waves in the octave's ring of frequencies, by the inverse Fourier transform.
    """
    rng = np.random.default_rng(octaves)
    frequency = np.hypot(np.fft.fftfreq(TILE_PX, 1 / TILE_PX)[:, None], np.fft.rfftfreq(TILE_PX, 1 / TILE_PX)[None])
    total = np.zeros((TILE_PX, TILE_PX))
    for octave in range(octaves):
        distance = np.log2(np.maximum(frequency, 1e-9) / (0.7 * FEATURES_PER_TILE * 2**octave))
        waves = rng.normal(size=frequency.shape) + 1j * rng.normal(size=frequency.shape)
        values = np.fft.irfft2(waves * np.exp(-0.5 * (distance / 0.7) ** 2), s=(TILE_PX, TILE_PX))
        total += values / values.std() * 0.5**octave
    return np.clip(MEAN + SPREAD * total / total.std(), 0, 1).astype(np.float32)


def noise_image(octaves: int) -> bpy.types.Image:
    """Return the tile as an image of the open file, made on first use; it goes into a saved file with the rest."""
    name = f"noise of {octaves} octaves"
    if name in bpy.data.images:
        return bpy.data.images[name]
    made = bpy.data.images.new(name, TILE_PX, TILE_PX, alpha=False, float_buffer=True, is_data=True)
    texels = np.ones((TILE_PX, TILE_PX, 4), np.float32)
    texels[..., :3] = noise_tile(octaves)[..., None]
    made.pixels.foreach_set(texels.ravel())
    made.pack()
    return made
