# SPDX-License-Identifier: GPL-3.0-or-later
"""Lens distortion: the Brown-Conrady model in the form of OpenCV (calib3d, "Detailed Description").

Cycles renders pinhole images only. A distorted image is therefore rendered as a larger pinhole image that covers it
(`pinhole_record`). Then each of its pixels is fetched from there (`Warp`). "Plane" is the plane at depth 1 in camera
axes: its points are (x / z, y / z). `distortion` is a record's [k1, k2, p1, p2, k3].
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from blender.common.errors import CaristeError
from blender.cycles.exr_passes import RenderPasses

# In the plane, at depth 1; 84 degrees from the optical axis. The model describes no lens beyond it.
MAX_PLANE_RADIUS = 10.0
# Additional columns and rows on each side: interpolation also takes pixels beside the one it looks up.
MARGIN_PX = 3
NEWTON_ROUNDS = 5


class LensError(CaristeError):
    """A distortion that shows two points of the scene at one pixel of the frame."""


def is_distorted(camera: dict) -> bool:
    """Return whether any coefficient of the camera's distortion is not 0."""
    return any(camera["distortion"])


def valid_radius(distortion: Sequence[float]) -> float:
    """Return the radius in the plane up to which the distorted radius grows with the radius.

    There its slope reaches 0, in the worst direction of the tangential distortion. `MAX_PLANE_RADIUS` at most.
    """
    k1, k2, p1, p2, k3 = distortion
    radii = np.linspace(0, MAX_PLANE_RADIUS, 4001)
    squares = radii**2
    slope = 1 - 6 * np.hypot(p1, p2) * radii + squares * (3 * k1 + squares * (5 * k2 + squares * 7 * k3))
    folds = np.flatnonzero(slope <= 0)
    return float(radii[folds[0] - 1] if len(folds) else MAX_PLANE_RADIUS)


def distort(distortion: Sequence[float], points: np.ndarray) -> np.ndarray:
    """Return the distorted positions of points (..., 2) of the plane.

    Beyond `valid_radius` the polynomial would fold back. Points there get the offset of the valid point in their
    direction.
    """
    k1, k2, p1, p2, k3 = distortion
    radius = np.linalg.norm(points, axis=-1, keepdims=True)
    points_in_range = points * np.minimum(valid_radius(distortion) / np.maximum(radius, 1e-12), 1)
    x, y = points_in_range[..., 0], points_in_range[..., 1]
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    u = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
    v = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
    return np.stack([u, v], -1) + (points - points_in_range)


def jacobian(distortion: Sequence[float], points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the derivatives du/dx, du/dy = dv/dx and dv/dy, each (...), of `distort` at points within `valid_radius`.

    `points` are (..., 2) in the plane.
    """
    k1, k2, p1, p2, k3 = distortion
    x, y = points[..., 0], points[..., 1]
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    change = 2 * (k1 + r2 * (2 * k2 + r2 * 3 * k3))
    across = change * x * y + 2 * p1 * x + 2 * p2 * y
    along_x = radial + change * x * x + 2 * p1 * y + 6 * p2 * x
    along_y = radial + change * y * y + 6 * p1 * y + 2 * p2 * x
    return along_x, across, along_y


def undistort(distortion: Sequence[float], distorted_points: np.ndarray) -> np.ndarray:
    """Return the points (..., 2) of the plane with these distorted positions (..., 2): the inverse of `distort`.

    Raises:
        LensError: some position belongs to no point within `valid_radius`.
    """
    radii = np.linspace(0, valid_radius(distortion), 2049)
    k1, k2, _, _, k3 = distortion
    distorted_radii = radii * (1 + radii**2 * (k1 + radii**2 * (k2 + radii**2 * k3)))
    radius = np.linalg.norm(distorted_points, axis=-1, keepdims=True)
    points = distorted_points * np.interp(radius, distorted_radii, radii) / np.maximum(radius, 1e-12)
    for _ in range(NEWTON_ROUNDS):
        error = distort(distortion, points) - distorted_points
        a, b, c = jacobian(distortion, points)
        determinant = a * c - b * b
        if not (determinant > 1e-3).all():
            break
        points -= (
            np.stack([c * error[..., 0] - b * error[..., 1], a * error[..., 1] - b * error[..., 0]], -1)
            / (determinant[..., None])
        )
    beyond = np.linalg.norm(points, axis=-1).max() > valid_radius(distortion)
    if beyond or np.abs(distort(distortion, points) - distorted_points).max() > 1e-7:
        raise LensError(
            f"the distortion {list(distortion)} folds back within the frame: make it weaker, or "
            "the field of view narrower"
        )
    return points


def pixels_to_plane(camera: dict, pixels: np.ndarray) -> np.ndarray:
    """Return the points (..., 2) of the plane that appear at pixel coordinates (..., 2)."""
    focal, center = (camera["fx_px"], camera["fy_px"]), (camera["cx_px"], camera["cy_px"])
    return undistort(camera["distortion"], (pixels - center) / focal)


def covering_radius(camera: dict, low_px: tuple[int, int], high_px: tuple[int, int]) -> float:
    """Return a radius in the plane beyond which no point appears between two pixel positions (x, y)."""
    focal, center = (camera["fx_px"], camera["fy_px"]), (camera["cx_px"], camera["cy_px"])
    farthest = np.hypot(*np.maximum(np.abs(np.subtract(low_px, center)), np.abs(np.subtract(high_px, center))) / focal)
    radii = np.linspace(0, valid_radius(camera["distortion"]) + farthest, 2049)
    directions = np.radians(np.arange(0, 360, 15))
    rays = radii[:, None, None] * np.stack([np.cos(directions), np.sin(directions)], -1)
    distorted_radii = np.linalg.norm(distort(camera["distortion"], rays), axis=-1).min(1)
    return float(radii[min(np.searchsorted(distorted_radii, farthest) + 1, len(radii) - 1)])


def max_straight_length(camera: dict, radius: float, max_offset_px: float) -> float:
    """Return the length up to which a line in the plane, within `radius`, stays within `max_offset_px` of its chord.

    A curve of length L with the second derivative c deviates c L^2 / 8 from its chord. c is bounded by the sum of the
    absolute values of its terms.
    """
    k1, k2, p1, p2, k3 = np.abs(camera["distortion"])
    r = min(radius, valid_radius(camera["distortion"]))
    curvature = 6 * k1 * r + 20 * k2 * r**3 + 42 * k3 * r**5 + 6 * (p1 + p2)
    return float(np.sqrt(8 * max_offset_px / (curvature * max(camera["fx_px"], camera["fy_px"]))))


def pinhole_record(record: dict) -> dict:
    """Return the record of the pinhole image that a distorted image is warped from.

    It covers all pixels of the frame, and its resolution is nowhere below that of the frame. A record without
    distortion is returned unchanged.

    Raises:
        LensError: the distortion folds back within the frame.
    """
    camera, render = record["camera"], record["render"]
    if not is_distorted(camera):
        return record
    size = np.array([render["width"], render["height"]])
    focal, center = np.array([camera["fx_px"], camera["fy_px"]]), np.array([camera["cx_px"], camera["cy_px"]])
    grid = pixels_to_plane(camera, np.stack(np.meshgrid(*(np.linspace(0, side, 65) for side in size)), -1))
    a, b, c = jacobian(camera["distortion"], grid)
    density = max(1.0, float((a + c + np.hypot(a - c, 2 * b)).max() / 2))  # the largest stretch in any direction
    focal = focal * density
    low = np.floor(grid.min((0, 1)) * focal + center).astype(int) - MARGIN_PX
    high = np.ceil(grid.max((0, 1)) * focal + center).astype(int) + MARGIN_PX
    width, height = (high - low).tolist()
    (fx, fy), (cx, cy) = focal.tolist(), (center - low).tolist()
    pinhole_camera = {"distortion": (0.0, 0.0, 0.0, 0.0, 0.0), "fx_px": fx, "fy_px": fy, "cx_px": cx, "cy_px": cy}
    if camera["aperture_f"] is not None:
        # The diameter of the aperture stays; the f-number refers to a sensor as wide as the image.
        pinhole_camera["aperture_f"] = camera["aperture_f"] * density * render["width"] / width
    return record | {"camera": camera | pinhole_camera, "render": render | {"width": width, "height": height}}


@dataclass(frozen=True)
class Warp:
    """From a pinhole image to the distorted image.

    `source_px` (H, W, 2) holds, for each pixel center of the distorted image, its position (x, y) in the pinhole image.
    """

    source_px: np.ndarray

    @classmethod
    def for_record(cls, record: dict) -> "Warp":
        """Return the warp from the image of `pinhole_record(record)` to the image of `record`."""
        pinhole_camera = pinhole_record(record)["camera"]
        height, width = record["render"]["height"], record["render"]["width"]
        centers = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), -1)
        plane = pixels_to_plane(record["camera"], centers)
        return cls(
            plane * (pinhole_camera["fx_px"], pinhole_camera["fy_px"])
            + (pinhole_camera["cx_px"], pinhole_camera["cy_px"])
        )

    def fetch_nearest(self, pixels: np.ndarray) -> np.ndarray:
        """Return the values (H, W, ...) of the nearest pixels of (H', W', ...): for ids, masks, depth and normals."""
        column, row = np.floor(self.source_px).astype(int).transpose(2, 0, 1)
        return pixels[row, column]

    def fetch_bicubic(self, pixels: np.ndarray) -> np.ndarray:
        """Return an image (H, W, C) uint8 from (H', W', C) uint8 by cubic convolution of 4 x 4 pixels.

        Sources: Catmull and Rom 1974; Keys 1981.
        """
        first = np.floor(self.source_px - 0.5)
        weights = _catmull_rom((self.source_px - 0.5 - first).astype(np.float32))
        column, row = first.astype(int).transpose(2, 0, 1)
        flat, stride = pixels.reshape(-1, pixels.shape[2]).astype(np.float32), pixels.shape[1]
        fetched = np.zeros((*column.shape, pixels.shape[2]), np.float32)
        for down in range(4):
            for right in range(4):
                source_index = (row + down - 1) * stride + column + right - 1
                fetched += flat[source_index] * (weights[right][..., 0] * weights[down][..., 1])[..., None]
        return np.rint(fetched).clip(0, 255).astype(np.uint8)

    def warp_passes(self, passes: RenderPasses) -> RenderPasses:
        """Return the passes with all their maps warped; the color stays that of the pinhole image."""
        maps = {name: getattr(passes, name) for name in ("ids", "coverage", "depth_m", "normals")}
        return replace(
            passes, **{name: self.fetch_nearest(pixels) for name, pixels in maps.items() if pixels is not None}
        )


def _catmull_rom(fraction: np.ndarray) -> list[np.ndarray]:
    """Return the weights of the pixels -1, 0, 1 and 2 for a position at `fraction` (0 to 1) between pixels 0 and 1."""
    t, t2, t3 = fraction, fraction**2, fraction**3
    return [(-t3 + 2 * t2 - t) / 2, (3 * t3 - 5 * t2 + 2) / 2, (-3 * t3 + 4 * t2 + t) / 2, (t3 - t2) / 2]
