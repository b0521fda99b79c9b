# SPDX-License-Identifier: Apache-2.0
"""What happens to a picture at training time: geometry to picture and instance ids, camera faults to the picture.

Every function draws from the generator it is given and from nothing else, so a picture's look depends on the run's
seed and the draw's number, not on worker processes.
"""

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as transforms

from pipeline.config import AugmentSection

BLUR_SIGMA_PX = (0.4, 1.6)
NOISE_SIGMA_LEVELS = (2.0, 12.0)
JPEG_QUALITY = (50, 95)


def augment(picture: Tensor, ids: Tensor, settings: AugmentSection, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return another look of a picture, of the same size.

    `picture`: uint8 RGB (3, height, width). `ids`: int32 (height, width), instance ids, 0 = nothing; instances may
    be cut or vanish, and no id appears that was not there.
    """
    picture, ids = zoom(picture, ids, _log_uniform(settings.scale, rng), rng)
    if rng.random() < settings.flip:
        picture, ids = transforms.horizontal_flip(picture), transforms.horizontal_flip(ids)
    picture = jitter_colors(picture, settings, rng)
    if rng.random() < settings.blur:
        picture = transforms.gaussian_blur(picture, kernel_size=[7, 7], sigma=[rng.uniform(*BLUR_SIGMA_PX)] * 2)
    if rng.random() < settings.noise:
        picture = add_noise(picture, rng.uniform(*NOISE_SIGMA_LEVELS), rng)
    if rng.random() < settings.jpeg:
        picture = compress(picture, int(rng.integers(*JPEG_QUALITY, endpoint=True)))
    return picture, ids


def zoom(picture: Tensor, ids: Tensor, factor: float, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Enlarge by `factor` and keep a random window; below 1, put the smaller picture somewhere on its mean colour."""
    height, width = ids.shape
    window_height, window_width = max(1, round(height / factor)), max(1, round(width / factor))
    top, left = (_between(whole - window, rng) for whole, window in ((height, window_height), (width, window_width)))
    if factor < 1:
        border = [-left, -top, left + window_width - width, top + window_height - height]
        mean_color = picture.float().mean(dim=(1, 2)).round().tolist()
        picture = transforms.pad(picture, border, fill=mean_color)
        ids = transforms.pad(ids[None], border, fill=0)[0]
        top = left = 0
    window = (top, left, window_height, window_width)
    picture = transforms.resized_crop(picture, *window, size=[height, width], antialias=True)
    # Nearest-exact takes pixel centres like the picture's resize; plain nearest would shift the ids by half a pixel.
    nearest = InterpolationMode.NEAREST_EXACT
    return picture, transforms.resized_crop(ids[None], *window, size=[height, width], interpolation=nearest)[0]


def jitter_colors(picture: Tensor, settings: AugmentSection, rng: np.random.Generator) -> Tensor:
    """Change brightness, contrast and saturation by factors around 1, and turn the hue by a part of its circle."""
    picture = transforms.adjust_brightness(picture, _around_one(settings.brightness, rng))
    picture = transforms.adjust_contrast(picture, _around_one(settings.contrast, rng))
    picture = transforms.adjust_saturation(picture, _around_one(settings.saturation, rng))
    return transforms.adjust_hue(picture, rng.uniform(-settings.hue, settings.hue))


def add_noise(picture: Tensor, sigma_levels: float, rng: np.random.Generator) -> Tensor:
    """Add Gaussian noise of `sigma_levels` (of 255) to every channel of every pixel."""
    noise = torch.from_numpy(rng.standard_normal(tuple(picture.shape), dtype=np.float32))
    return (picture + noise * sigma_levels).round().clamp(0, 255).to(torch.uint8)


def compress(picture: Tensor, quality: int) -> Tensor:
    """Return the picture as it comes back from a JPEG file of this quality, 1 to 100."""
    file = io.BytesIO()
    Image.fromarray(picture.permute(1, 2, 0).numpy()).save(file, "JPEG", quality=quality)
    return transforms.pil_to_tensor(Image.open(file))


def _around_one(strength: float, rng: np.random.Generator) -> float:
    return 1 + rng.uniform(-strength, strength)


def _log_uniform(ends: tuple[float, float], rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(*np.log(ends))))


def _between(room: int, rng: np.random.Generator) -> int:
    """Return a whole number from 0 to `room` or, if that is negative, from `room` to 0."""
    return int(rng.integers(min(room, 0), max(room, 0), endpoint=True))
