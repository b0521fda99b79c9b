# SPDX-License-Identifier: Apache-2.0
"""Random changes of training images. Geometry changes image, ids and boxes; camera effects change only the image.

Functions draw only from the generator that they are given. So an augmented image depends on the seed of the run and the
number of the draw, and not on the worker process. They use OpenCV, which takes a quarter of the time of torch here.
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
# Part of white light that one electron stands for: from a good sensor (15,000 electrons) to a small one in the dark.
SHOT_NOISE_RANGE = (1 / 15000, 1 / 400)
READ_NOISE_RANGE = (0.0005, 0.006)  # standard deviation
SHARPNESS_RANGE = (1.5, 4.0)  # 1 changes nothing
JPEG_QUALITY_RANGE = (50, 95)
GAMMA = 2.2  # image = light ** (1 / GAMMA), close to sRGB
GRAY_LEVELS = np.arange(256, dtype=np.float32)
LINEAR_LIGHT_TABLE = (GRAY_LEVELS / 255) ** GAMMA


class LabeledImage(NamedTuple):
    """An image with its instances.

    Attributes:
        image: uint8 RGB (height, width, 3).
        ids: int32 (height, width), the id of the instance with a mask that each pixel shows; 0 is background.
        labels: int64 (n,), of ids 1, 2, …
        boxes: float32 (m, 4), corners x1, y1, x2, y2 of the instances without a mask.
        box_labels: int64 (m,).
    """

    image: np.ndarray
    ids: np.ndarray
    labels: np.ndarray
    boxes: np.ndarray
    box_labels: np.ndarray


def augment_geometry(labeled: LabeledImage, settings: AugmentSection, rng: np.random.Generator) -> LabeledImage:
    """Return the image zoomed and perhaps flipped, in the same size. Instances may be cut or vanish."""
    (factor,) = _log_uniform(settings.scale, rng, 1)
    labeled = zoom(labeled, factor, rng)
    return flip(labeled) if rng.random() < settings.flip else labeled


def augment_camera(image: np.ndarray, settings: AugmentSection, rng: np.random.Generator) -> np.ndarray:
    """Return the image, uint8 RGB (height, width, 3), with random effects of a camera."""
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
    """Apply the effects on linear light. The image is converted to light and back only once, because that is slow."""
    gains = np.ones(3, np.float32)
    if settings.white_balance > 0:
        gains = white_balance_gains(
            *_log_uniform((1 / (1 + settings.white_balance), 1 + settings.white_balance), rng, 2)
        )
    vignette_strength = rng.uniform(0, settings.vignette)
    has_motion_blur, has_noise = rng.random() < settings.motion_blur, rng.random() < settings.noise
    if (gains == 1).all() and vignette_strength == 0 and not has_motion_blur and not has_noise:
        return image
    light = to_linear_light(image, gains)
    if vignette_strength > 0:
        light = add_vignette(light, vignette_strength)
    if has_motion_blur:
        light = blur_along_line(light, rng.uniform(*MOTION_BLUR_RANGE_PX), rng.uniform(0, 180))
    if has_noise:
        light = add_noise(light, *_log_uniform(SHOT_NOISE_RANGE, rng, 1), *_log_uniform(READ_NOISE_RANGE, rng, 1), rng)
    return to_srgb_image(light)


def zoom(labeled: LabeledImage, factor: float, rng: np.random.Generator) -> LabeledImage:
    """Return the image enlarged by `factor` and cropped at random.

    Below 1, the smaller image is put at a random position on a canvas of its mean color.
    """
    image, ids = labeled.image, labeled.ids
    height, width = ids.shape
    # The size of the smaller image on the canvas, or of the part that is cropped.
    inner_height, inner_width = (
        max(1, round(side * factor if factor < 1 else side / factor)) for side in (height, width)
    )
    top, left = (int(rng.integers(room, endpoint=True)) for room in (height - inner_height, width - inner_width))
    window = np.s_[top : top + inner_height, left : left + inner_width]
    if factor < 1:
        canvas = np.empty_like(image)
        canvas[:] = np.round(cv2.mean(image)[:3])
        canvas[window] = cv2.resize(image, (inner_width, inner_height), interpolation=cv2.INTER_AREA)
        new_ids = np.zeros_like(ids)
        new_ids[window] = _resize_ids(ids, inner_width, inner_height)
        shrink = np.float32([inner_width / width, inner_height / height] * 2)
        return labeled._replace(image=canvas, ids=new_ids, boxes=labeled.boxes * shrink + np.float32([left, top] * 2))
    if (inner_height, inner_width) == (height, width):
        return labeled
    image = cv2.resize(image[window], (width, height), interpolation=cv2.INTER_LINEAR)
    enlarge = np.float32([width / inner_width, height / inner_height] * 2)
    boxes = np.clip((labeled.boxes - np.float32([left, top] * 2)) * enlarge, 0, np.float32([width, height] * 2))
    return labeled._replace(image=image, ids=_resize_ids(ids[window], width, height), boxes=boxes)


def _resize_ids(ids: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize by the nearest pixel center, as the resize of the image does. OpenCV needs float32, here only as bytes."""
    return cv2.resize(ids.view(np.float32), (width, height), interpolation=cv2.INTER_NEAREST_EXACT).view(np.int32)


def flip(labeled: LabeledImage) -> LabeledImage:
    """Return the image flipped horizontally."""
    width = labeled.ids.shape[1]
    x1, y1, x2, y2 = labeled.boxes.T
    image, ids = cv2.flip(labeled.image, 1), np.ascontiguousarray(labeled.ids[:, ::-1])
    return labeled._replace(image=image, ids=ids, boxes=np.stack([width - x2, y1, width - x1, y2], axis=1))


def jitter_colors(image: np.ndarray, settings: AugmentSection, rng: np.random.Generator) -> np.ndarray:
    """Change brightness, contrast and saturation by random factors around 1, and shift the hue.

    The operations are those of torchvision's `adjust_brightness` and so on.
    """
    brightness, contrast = _around_one(settings.brightness, rng), _around_one(settings.contrast, rng)
    saturation, hue_shift = _around_one(settings.saturation, rng), rng.uniform(-settings.hue, settings.hue)
    if brightness != 1:
        image = cv2.LUT(image, (GRAY_LEVELS * brightness).clip(0, 255).astype(np.uint8))
    if contrast != 1:
        mean = float(cv2.mean(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))[0])
        image = cv2.LUT(image, (GRAY_LEVELS * contrast + mean * (1 - contrast)).clip(0, 255).astype(np.uint8))
    if saturation != 1:
        gray = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        image = cv2.addWeighted(image, saturation, gray, 1 - saturation, 0)
    return shift_hue(image, hue_shift) if hue_shift != 0 else image


def shift_hue(image: np.ndarray, shift: float) -> np.ndarray:
    """Shift the hue by a part of the color circle, -0.5 to 0.5."""
    hsv = cv2.cvtColor(image.astype(np.float32), cv2.COLOR_RGB2HSV)
    hsv[..., 0] += 360 * (shift % 1)  # the conversion back to RGB takes it modulo 360
    return cv2.convertScaleAbs(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))


def white_balance_gains(red: float, blue: float) -> np.ndarray:
    """Return factors on red, green and blue light, float32 (3,). They keep the brightness of gray."""
    gains = np.array([red, 1, blue], np.float32)
    return gains / (gains * REC709_LUMINANCE).sum()


def add_vignette(light: np.ndarray, strength: float) -> np.ndarray:
    """Remove a share `strength` of the light in the corners, less toward the center: with the squared distance."""
    y, x = (np.linspace(-1, 1, side, dtype=np.float32) for side in light.shape[:2])
    return light * (1 - strength / 2 * (x**2 + y[:, None] ** 2))[..., None]


def blur_along_line(light: np.ndarray, length_px: float, angle_deg: float) -> np.ndarray:
    """Blur the light along a line that is centered on each pixel, so that objects stay where their ids are."""
    reach = int(np.ceil(length_px / 2))
    offsets = np.linspace(-length_px / 2, length_px / 2, 8 * reach + 1)
    angle, kernel = np.radians(angle_deg), np.zeros((2 * reach + 3, 2 * reach + 3), np.float32)
    for x, y in zip(offsets * np.cos(angle) + reach + 1, offsets * np.sin(angle) + reach + 1, strict=True):
        column, row = int(x), int(y)
        right, down = x - column, y - row
        kernel[row : row + 2, column : column + 2] += np.outer([1 - down, down], [1 - right, right])
    return cv2.filter2D(light, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)


def add_noise(light: np.ndarray, shot: float, read: float, rng: np.random.Generator) -> np.ndarray:
    """Add the noise of a sensor. Its variance is `shot` * light + `read` ** 2.

    The model is that of EMVA standard 1288, release 4.0, with Gaussian instead of Poisson noise.
    """
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    return light + noise * cv2.sqrt(np.float32(shot) * light + np.float32(read**2))


def to_linear_light(image: np.ndarray, gains: np.ndarray | float = 1) -> np.ndarray:
    """Return the linear light of an uint8 image, float32, 0 to 1, multiplied by a factor for each channel."""
    return cv2.LUT(image, (LINEAR_LIGHT_TABLE[None, :, None] * np.full(3, gains, np.float32)))


def to_srgb_image(light: np.ndarray) -> np.ndarray:
    """Return the uint8 image of linear light. Values outside 0 to 1 are clipped."""
    return cv2.convertScaleAbs(cv2.pow(np.clip(light, 0, 1), 1 / GAMMA), alpha=255)


def sharpen(image: np.ndarray, factor: float) -> np.ndarray:
    """Increase the contrast of edges like torchvision's `adjust_sharpness`: 1 changes nothing."""
    if min(image.shape[:2]) <= 2:
        return image
    kernel = np.full((3, 3), (1 - factor) / 13, np.float32)
    kernel[1, 1] = factor + (1 - factor) * 5 / 13
    sharp = cv2.filter2D(image, -1, kernel)
    # Pixels at the border do not have all neighbors.
    sharp[[0, -1]], sharp[:, [0, -1]] = image[[0, -1]], image[:, [0, -1]]
    return sharp


def jpeg_roundtrip(image: np.ndarray, quality: int) -> np.ndarray:
    """Return the image after it was saved as JPEG with this quality, 1 to 100, and read again."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.array(Image.open(file))


def _around_one(strength: float, rng: np.random.Generator) -> float:
    return 1 + rng.uniform(-strength, strength)


def _log_uniform(bounds: tuple[float, float], rng: np.random.Generator, count: int) -> list[float]:
    return np.exp(rng.uniform(*np.log(bounds), count)).tolist()
