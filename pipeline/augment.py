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
from torch.nn import functional
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as transforms

from pipeline.config_learning import AugmentSection

BLUR_SIGMA_PX = (0.4, 1.6)
MOTION_PX = (2.0, 7.0)
# Light of 1 is white. An electron's share of it: from a good sensor (15,000 electrons) to a small one in the dark.
SHOT = (1 / 15000, 1 / 400)
READ = (0.0005, 0.006)  # standard deviation
SHARPNESS = (1.5, 4.0)  # 1 leaves a picture as it is
JPEG_QUALITY = (50, 95)
GAMMA = 2.2  # picture = light ** (1 / GAMMA), near enough to sRGB
LUMINANCE = torch.tensor([0.2126, 0.7152, 0.0722]).view(3, 1, 1)  # Rec. 709


def augment(picture: Tensor, ids: Tensor, settings: AugmentSection, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return another look of a picture, of the same size.

    `picture`: uint8 RGB (3, height, width). `ids`: int32 (height, width), instance ids, 0 = nothing; instances may
    be cut or vanish, and no id appears that was not there.
    """
    (factor,) = _log_uniform(settings.scale, rng, 1)
    picture, ids = zoom(picture, ids, factor, rng)
    if rng.random() < settings.flip:
        picture, ids = transforms.horizontal_flip(picture), transforms.horizontal_flip(ids)
    picture = jitter_colors(picture, settings, rng)
    if settings.white_balance > 0:
        red, blue = _log_uniform((1 / (1 + settings.white_balance), 1 + settings.white_balance), rng, 2)
        picture = shift_white_balance(picture, red, blue)
    if settings.vignette > 0:
        picture = darken_corners(picture, rng.uniform(0, settings.vignette))
    if rng.random() < settings.blur:
        picture = transforms.gaussian_blur(picture, kernel_size=[7, 7], sigma=[rng.uniform(*BLUR_SIGMA_PX)] * 2)
    if rng.random() < settings.motion_blur:
        picture = blur_along(picture, rng.uniform(*MOTION_PX), rng.uniform(0, 180))
    if rng.random() < settings.noise:
        picture = add_noise(picture, *_log_uniform(SHOT, rng, 1), *_log_uniform(READ, rng, 1), rng)
    if rng.random() < settings.sharpen:
        picture = transforms.adjust_sharpness(picture, rng.uniform(*SHARPNESS))
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


def shift_white_balance(picture: Tensor, red: float, blue: float) -> Tensor:
    """Multiply the light of red and blue; grey stays as bright as it was."""
    gains = torch.tensor([red, 1.0, blue]).view(3, 1, 1)
    return _to_picture(_to_light(picture) * gains / (gains * LUMINANCE).sum())


def darken_corners(picture: Tensor, lost: float) -> Tensor:
    """Take a share of the light from the corners, none from the middle, with the square of the distance between."""
    height, width = picture.shape[1:]
    y, x = (torch.linspace(-1, 1, side) for side in (height, width))
    return _to_picture(_to_light(picture) * (1 - lost * (x[None] ** 2 + y[:, None] ** 2) / 2))


def blur_along(picture: Tensor, length_px: float, angle_deg: float) -> Tensor:
    """Smear the light evenly along a line through each pixel's centre, so that things stay where their ids are."""
    reach = int(np.ceil(length_px / 2))
    offsets = np.linspace(-length_px / 2, length_px / 2, 8 * reach + 1)
    angle, kernel = np.radians(angle_deg), np.zeros((2 * reach + 3, 2 * reach + 3), np.float32)
    for x, y in zip(offsets * np.cos(angle) + reach + 1, offsets * np.sin(angle) + reach + 1, strict=True):
        column, row = int(x), int(y)
        right, down = x - column, y - row
        kernel[row : row + 2, column : column + 2] += np.outer([1 - down, down], [1 - right, right])
    weights = torch.from_numpy(kernel / kernel.sum())
    light = functional.pad(_to_light(picture)[:, None], [reach + 1] * 4, mode="replicate")
    return _to_picture(functional.conv2d(light, weights[None, None])[:, 0])


def add_noise(picture: Tensor, shot: float, read: float, rng: np.random.Generator) -> Tensor:
    """Add a sensor's noise: of light x, variance `shot` * x from counting electrons and `read` ** 2 from reading them.

    EMVA standard 1288, release 4.0, with Gaussian instead of Poisson noise.
    """
    light = _to_light(picture)
    noise = torch.from_numpy(rng.standard_normal(tuple(picture.shape), dtype=np.float32))
    return _to_picture(light + noise * (shot * light + read**2).sqrt())


def _to_light(picture: Tensor) -> Tensor:
    """Return float32 light, 0 to 1, of a picture, uint8."""
    return (picture.float() / 255) ** GAMMA


def _to_picture(light: Tensor) -> Tensor:
    return (light.clamp(0, 1) ** (1 / GAMMA) * 255).round().to(torch.uint8)


def compress(picture: Tensor, quality: int) -> Tensor:
    """Return the picture as it comes back from a JPEG file of this quality, 1 to 100."""
    file = io.BytesIO()
    Image.fromarray(picture.permute(1, 2, 0).numpy()).save(file, "JPEG", quality=quality)
    return transforms.pil_to_tensor(Image.open(file))


def _around_one(strength: float, rng: np.random.Generator) -> float:
    return 1 + rng.uniform(-strength, strength)


def _log_uniform(ends: tuple[float, float], rng: np.random.Generator, count: int) -> list[float]:
    return np.exp(rng.uniform(*np.log(ends), count)).tolist()


def _between(room: int, rng: np.random.Generator) -> int:
    """Return a whole number from 0 to `room` or, if that is negative, from `room` to 0."""
    return int(rng.integers(min(room, 0), max(room, 0), endpoint=True))
