# SPDX-License-Identifier: Apache-2.0
"""What happens to an image at training time: geometry to image, ids and boxes, camera faults to the image alone.

Every function draws from the generator it is given and from nothing else, so an image's look depends on the run's
seed and the draw's number, not on worker processes. With OpenCV, which takes a quarter of the time of torch here.
"""

import io
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from pipeline.common.color import REC709_LUMINANCE
from pipeline.config.training import AugmentSection

BLUR_SIGMA_RANGE_PX = (0.4, 1.6)
MOTION_BLUR_RANGE_PX = (2.0, 7.0)
# Light of 1 is white. An electron's share of it: from a good sensor (15,000 electrons) to a small one in the dark.
SHOT_NOISE_RANGE = (1 / 15000, 1 / 400)
READ_NOISE_RANGE = (0.0005, 0.006)  # standard deviation
SHARPNESS_RANGE = (1.5, 4.0)  # 1 leaves an image as it is
JPEG_QUALITY_RANGE = (50, 95)
GAMMA = 2.2  # image = light ** (1 / GAMMA), near enough to sRGB
GRAY_LEVELS = np.arange(256, dtype=np.float32)
LINEAR_LIGHT_TABLE = (GRAY_LEVELS / 255) ** GAMMA


class LabelledImage(NamedTuple):
    """An image and what is where in it.

    `image`: uint8 RGB (height, width, 3). `ids`: int32 (height, width), the instances with masks, 0 = nothing.
    `labels`: int64 (n,), of ids 1, 2, …. `boxes`: float32 (m, 4), corners x1, y1, x2, y2 of the instances that have
    no mask, and `box_labels`: int64 (m,).
    """

    image: np.ndarray
    ids: np.ndarray
    labels: np.ndarray
    boxes: np.ndarray
    box_labels: np.ndarray


def augment_geometry(labelled: LabelledImage, settings: AugmentSection, rng: np.random.Generator) -> LabelledImage:
    """Return the image, of the same size, zoomed and perhaps mirrored; instances may be cut or vanish."""
    (factor,) = _log_uniform(settings.scale, rng, 1)
    labelled = zoom(labelled, factor, rng)
    return flip(labelled) if rng.random() < settings.flip else labelled


def augment_camera(image: np.ndarray, settings: AugmentSection, rng: np.random.Generator) -> np.ndarray:
    """Return the image, uint8 RGB (height, width, 3), as another camera might have taken it."""
    image = jitter_colors(image, settings, rng)
    if rng.random() < settings.blur:
        image = cv2.GaussianBlur(image, (7, 7), rng.uniform(*BLUR_SIGMA_RANGE_PX))
    image = _augment_light(image, settings, rng)
    if rng.random() < settings.sharpen:
        image = sharpen(image, rng.uniform(*SHARPNESS_RANGE))
    if rng.random() < settings.jpeg:
        image = jpeg_roundtrip(image, int(rng.integers(*JPEG_QUALITY_RANGE, endpoint=True)))
    return image


def _augment_light(image: np.ndarray, settings: AugmentSection, rng: np.random.Generator) -> np.ndarray:
    """Do what happens before the gamma curve; to light and back once for all of it, which is what costs time."""
    gains = np.ones(3, np.float32)
    if settings.white_balance > 0:
        gains = white_balance_gains(
            *_log_uniform((1 / (1 + settings.white_balance), 1 + settings.white_balance), rng, 2)
        )
    lost = rng.uniform(0, settings.vignette)
    smeared, noisy = rng.random() < settings.motion_blur, rng.random() < settings.noise
    if (gains == 1).all() and lost == 0 and not smeared and not noisy:
        return image
    light = to_linear_light(image, gains)
    if lost > 0:
        light = add_vignette(light, lost)
    if smeared:
        light = blur_along_line(light, rng.uniform(*MOTION_BLUR_RANGE_PX), rng.uniform(0, 180))
    if noisy:
        light = add_noise(light, *_log_uniform(SHOT_NOISE_RANGE, rng, 1), *_log_uniform(READ_NOISE_RANGE, rng, 1), rng)
    return to_srgb_image(light)


def zoom(labelled: LabelledImage, factor: float, rng: np.random.Generator) -> LabelledImage:
    """Enlarge by `factor` and keep a random window; below 1, put the smaller image somewhere on its mean colour."""
    image, ids = labelled.image, labelled.ids
    height, width = ids.shape
    if factor < 1:
        rows, columns = (max(1, round(side * factor)) for side in (height, width))
        top, left = (int(rng.integers(room, endpoint=True)) for room in (height - rows, width - columns))
        inside = np.s_[top : top + rows, left : left + columns]
        canvas = np.empty_like(image)
        canvas[:] = np.round(cv2.mean(image)[:3])
        canvas[inside] = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA)
        placed = np.zeros_like(ids)
        placed[inside] = _resize_ids(ids, columns, rows)
        boxes = labelled.boxes * np.float32([columns / width, rows / height] * 2) + np.float32([left, top] * 2)
        return labelled._replace(image=canvas, ids=placed, boxes=boxes)
    rows, columns = (max(1, round(side / factor)) for side in (height, width))
    top, left = (int(rng.integers(room, endpoint=True)) for room in (height - rows, width - columns))
    if (rows, columns) == (height, width):
        return labelled
    inside = np.s_[top : top + rows, left : left + columns]
    image = cv2.resize(image[inside], (width, height), interpolation=cv2.INTER_LINEAR)
    boxes = (labelled.boxes - np.float32([left, top] * 2)) * np.float32([width / columns, height / rows] * 2)
    boxes = np.clip(boxes, 0, np.float32([width, height] * 2))
    return labelled._replace(image=image, ids=_resize_ids(ids[inside], width, height), boxes=boxes)


def _resize_ids(ids: np.ndarray, width: int, height: int) -> np.ndarray:
    """Take the nearest pixel by its centre, as the image's resize does; float32 holds ids up to 2 ** 24 exactly."""
    return cv2.resize(ids.view(np.float32), (width, height), interpolation=cv2.INTER_NEAREST_EXACT).view(np.int32)


def flip(labelled: LabelledImage) -> LabelledImage:
    """Mirror left and right."""
    width = labelled.ids.shape[1]
    x1, y1, x2, y2 = labelled.boxes.T
    image, ids = cv2.flip(labelled.image, 1), np.ascontiguousarray(labelled.ids[:, ::-1])
    return labelled._replace(image=image, ids=ids, boxes=np.stack([width - x2, y1, width - x1, y2], axis=1))


def jitter_colors(image: np.ndarray, settings: AugmentSection, rng: np.random.Generator) -> np.ndarray:
    """Change brightness, contrast and saturation by factors around 1, and turn the hue by a part of its circle.

    The same operations as torchvision's `adjust_brightness` and so on.
    """
    brightness, contrast = _around_one(settings.brightness, rng), _around_one(settings.contrast, rng)
    saturation, turn = _around_one(settings.saturation, rng), rng.uniform(-settings.hue, settings.hue)
    if brightness != 1:
        image = cv2.LUT(image, (GRAY_LEVELS * brightness).clip(0, 255).astype(np.uint8))
    if contrast != 1:
        mean = float(cv2.mean(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))[0])
        image = cv2.LUT(image, (GRAY_LEVELS * contrast + mean * (1 - contrast)).clip(0, 255).astype(np.uint8))
    if saturation != 1:
        gray = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        image = cv2.addWeighted(image, saturation, gray, 1 - saturation, 0)
    return shift_hue(image, turn) if turn != 0 else image


def shift_hue(image: np.ndarray, turn: float) -> np.ndarray:
    """Turn the hue by a part of its circle, -0.5 to 0.5."""
    hsv = cv2.cvtColor(image.astype(np.float32), cv2.COLOR_RGB2HSV)
    hsv[..., 0] += 360 * (turn % 1)  # the way back takes it modulo 360
    return cv2.convertScaleAbs(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))


def white_balance_gains(red: float, blue: float) -> np.ndarray:
    """Return the factors on the light of red, green and blue, float32; grey stays as bright as it was."""
    gains = np.array([red, 1, blue], np.float32)
    return gains / (gains * REC709_LUMINANCE).sum()


def add_vignette(light: np.ndarray, lost: float) -> np.ndarray:
    """Take a share of the light from the corners, none from the middle, with the square of the distance between."""
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) for side in light.shape[:2])
    return light * (1 - lost / 2 * (x**2 + y[:, None] ** 2))[..., None]


def blur_along_line(light: np.ndarray, length_px: float, angle_deg: float) -> np.ndarray:
    """Smear the light evenly along a line through each pixel's centre, so that things stay where their ids are."""
    reach = int(np.ceil(length_px / 2))
    offsets = np.linspace(-length_px / 2, length_px / 2, 8 * reach + 1)
    angle, kernel = np.radians(angle_deg), np.zeros((2 * reach + 3, 2 * reach + 3), np.float32)
    for x, y in zip(offsets * np.cos(angle) + reach + 1, offsets * np.sin(angle) + reach + 1, strict=True):
        column, row = int(x), int(y)
        right, down = x - column, y - row
        kernel[row : row + 2, column : column + 2] += np.outer([1 - down, down], [1 - right, right])
    return cv2.filter2D(light, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)


def add_noise(light: np.ndarray, shot: float, read: float, rng: np.random.Generator) -> np.ndarray:
    """Add a sensor's noise: of light x, variance `shot` * x from counting electrons and `read` ** 2 from reading them.

    EMVA standard 1288, release 4.0, with Gaussian instead of Poisson noise.
    """
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    return light + noise * cv2.sqrt(np.float32(shot) * light + np.float32(read**2))


def to_linear_light(image: np.ndarray, gains: np.ndarray | float = 1) -> np.ndarray:
    """Return float32 light, 0 to 1, of an image, uint8, times a factor for each of its channels."""
    return cv2.LUT(image, (LINEAR_LIGHT_TABLE[None, :, None] * np.full(3, gains, np.float32)))


def to_srgb_image(light: np.ndarray) -> np.ndarray:
    return cv2.convertScaleAbs(cv2.pow(np.clip(light, 0, 1), 1 / GAMMA), alpha=255)


def sharpen(image: np.ndarray, factor: float) -> np.ndarray:
    """Raise the contrast of edges as torchvision's `adjust_sharpness` does: 1 leaves an image as it is."""
    if min(image.shape[:2]) <= 2:
        return image
    kernel = np.full((3, 3), (1 - factor) / 13, np.float32)
    kernel[1, 1] = factor + (1 - factor) * 5 / 13
    sharp = cv2.filter2D(image, -1, kernel)
    # At the border there are no neighbours to compare with.
    sharp[[0, -1]], sharp[:, [0, -1]] = image[[0, -1]], image[:, [0, -1]]
    return sharp


def jpeg_roundtrip(image: np.ndarray, quality: int) -> np.ndarray:
    """Return the image as it comes back from a JPEG file of this quality, 1 to 100."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.array(Image.open(file))


def _around_one(strength: float, rng: np.random.Generator) -> float:
    return 1 + rng.uniform(-strength, strength)


def _log_uniform(ends: tuple[float, float], rng: np.random.Generator, count: int) -> list[float]:
    return np.exp(rng.uniform(*np.log(ends), count)).tolist()
