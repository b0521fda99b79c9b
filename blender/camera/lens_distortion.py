# SPDX-License-Identifier: GPL-3.0-or-later
"""Lens distortion, Brown and Conrady's model as OpenCV writes it (calib3d, "Detailed Description").

Cycles renders pinholes. A distorted image is therefore rendered as a larger pinhole image around it (`pinhole_record`),
from which each of its pixels is then fetched (`Warp`). Points in the "plane" are x / z and y / z of camera axes.
`distortion` is a record's [k1, k2, p1, p2, k3].
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from blender.cycles.exr_passes import RenderPasses

# Beyond 84 degrees from the axis no lens is described by this model.
FARTHEST = 10.0
# Columns and rows around what is needed, for the pixels that interpolation takes from beside it.
MARGIN_PX = 3
NEWTON_ROUNDS = 5


class LensError(ValueError):
    """A distortion that folds the image back into the frame."""


def is_distorted(camera: dict) -> bool:
    return any(camera["distortion"])


def valid_radius(distortion: Sequence[float]) -> float:
    """Return the radius in the plane up to which points farther out stay farther out, `FARTHEST` at most.

    It is where the slope of the distorted radius reaches zero, for the worst direction of the tangential part.
    """
    k1, k2, p1, p2, k3 = distortion
    radii = np.linspace(0, FARTHEST, 4001)
    squares = radii**2
    slope = 1 - 6 * np.hypot(p1, p2) * radii + squares * (3 * k1 + squares * (5 * k2 + squares * 7 * k3))
    folds = np.flatnonzero(slope <= 0)
    return float(radii[folds[0] - 1] if len(folds) else FARTHEST)


def distort(distortion: Sequence[float], points: np.ndarray) -> np.ndarray:
    """Move points (..., 2) of the plane to where the lens shows them.

    Beyond `valid_radius` the polynomial would fold back: from there on they lie as far out as they would in a pinhole.
    """
    k1, k2, p1, p2, k3 = distortion
    radius = np.linalg.norm(points, axis=-1, keepdims=True)
    inner = points * np.minimum(valid_radius(distortion) / np.maximum(radius, 1e-12), 1)
    x, y = inner[..., 0], inner[..., 1]
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    u = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
    v = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
    return np.stack([u, v], -1) + (points - inner)


def jacobian(distortion: Sequence[float], points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return du/dx, du/dy = dv/dx and dv/dy, each (...), of `distort` at points (..., 2) within `valid_radius`."""
    k1, k2, p1, p2, k3 = distortion
    x, y = points[..., 0], points[..., 1]
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    change = 2 * (k1 + r2 * (2 * k2 + r2 * 3 * k3))
    across = change * x * y + 2 * p1 * x + 2 * p2 * y
    along_x = radial + change * x * x + 2 * p1 * y + 6 * p2 * x
    along_y = radial + change * y * y + 6 * p1 * y + 2 * p2 * x
    return along_x, across, along_y


def undistort(distortion: Sequence[float], shown: np.ndarray) -> np.ndarray:
    """Return the points (..., 2) of the plane that the lens shows at `shown` (..., 2): the inverse of `distort`.

    Raises:
        LensError: nothing within `valid_radius` is shown there.
    """
    radii = np.linspace(0, valid_radius(distortion), 2049)
    k1, k2, _, _, k3 = distortion
    shown_radii = radii * (1 + radii**2 * (k1 + radii**2 * (k2 + radii**2 * k3)))
    radius = np.linalg.norm(shown, axis=-1, keepdims=True)
    points = shown * np.interp(radius, shown_radii, radii) / np.maximum(radius, 1e-12)
    for _ in range(NEWTON_ROUNDS):
        error = distort(distortion, points) - shown
        a, b, c = jacobian(distortion, points)
        whole = a * c - b * b
        if not (whole > 1e-3).all():
            break
        points -= (
            np.stack([c * error[..., 0] - b * error[..., 1], a * error[..., 1] - b * error[..., 0]], -1)
            / (whole[..., None])
        )
    beyond = np.linalg.norm(points, axis=-1).max() > valid_radius(distortion)
    if beyond or np.abs(distort(distortion, points) - shown).max() > 1e-7:
        raise LensError(f"the distortion {list(distortion)} folds back within the frame: weaken it, or narrow the view")
    return points


def pixels_to_plane(camera: dict, pixels: np.ndarray) -> np.ndarray:
    """Return the points (..., 2) of the plane that are seen at pixel coordinates (..., 2)."""
    focal, center = (camera["fx_px"], camera["fy_px"]), (camera["cx_px"], camera["cy_px"])
    return undistort(camera["distortion"], (pixels - center) / focal)


def covering_radius(camera: dict, low_px: tuple[int, int], high_px: tuple[int, int]) -> float:
    """Return a radius in the plane beyond which nothing is shown between two pixel corners (x, y)."""
    focal, center = (camera["fx_px"], camera["fy_px"]), (camera["cx_px"], camera["cy_px"])
    farthest = np.hypot(*np.maximum(np.abs(np.subtract(low_px, center)), np.abs(np.subtract(high_px, center))) / focal)
    radii = np.linspace(0, valid_radius(camera["distortion"]) + farthest, 2049)
    directions = np.radians(np.arange(0, 360, 15))
    rays = radii[:, None, None] * np.stack([np.cos(directions), np.sin(directions)], -1)
    shown = np.linalg.norm(distort(camera["distortion"], rays), axis=-1).min(1)
    return float(radii[min(np.searchsorted(shown, farthest) + 1, len(radii) - 1)])


def max_straight_length(camera: dict, radius: float, off_px: float) -> float:
    """Return how long a line in the plane, within `radius` of the axis, may be to bend away `off_px` at most.

    A curve of second derivative c strays c L^2 / 8 from its chord; here c is bounded by the sum of all its terms.
    """
    k1, k2, p1, p2, k3 = np.abs(camera["distortion"])
    r = min(radius, valid_radius(camera["distortion"]))
    curvature = 6 * k1 * r + 20 * k2 * r**3 + 42 * k3 * r**5 + 6 * (p1 + p2)
    return float(np.sqrt(8 * off_px / (curvature * max(camera["fx_px"], camera["fy_px"]))))


def pinhole_record(record: dict) -> dict:
    """Return the record of the pinhole image that a distorted image is warped from; a straight one as it is.

    It covers every pixel of the frame, and nowhere has fewer pixels than the frame for the same view.

    Raises:
        LensError: the frame shows what the lens cannot.
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
    straight = {"distortion": (0.0, 0.0, 0.0, 0.0, 0.0), "fx_px": fx, "fy_px": fy, "cx_px": cx, "cy_px": cy}
    if camera["aperture_f"] is not None:
        # The same glass behind a larger image: f-numbers are told for a sensor as wide as the image.
        straight["aperture_f"] = camera["aperture_f"] * density * render["width"] / width
    return record | {"camera": camera | straight, "render": render | {"width": width, "height": height}}


@dataclass(frozen=True)
class Warp:
    """`at` (H, W, 2): x, y in the pinhole image, in pixels, of each pixel centre of the distorted one."""

    at: np.ndarray

    @classmethod
    def of(cls, record: dict) -> "Warp":
        """The warp from the image of `widened(record)` to that of `record`."""
        wide, (height, width) = (
            pinhole_record(record)["camera"],
            (record["render"]["height"], record["render"]["width"]),
        )
        centers = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), -1)
        plane = pixels_to_plane(record["camera"], centers)
        return cls(plane * (wide["fx_px"], wide["fy_px"]) + (wide["cx_px"], wide["cy_px"]))

    def nearest(self, pixels: np.ndarray) -> np.ndarray:
        """Fetch what is no amount (ids, masks), or must not be mixed across edges (depth): (H', W', ...)."""
        column, row = np.floor(self.at).astype(int).transpose(2, 0, 1)
        return pixels[row, column]

    def smooth(self, pixels: np.ndarray) -> np.ndarray:
        """Fetch an uint8 image (H', W', C) by cubic convolution (Catmull and Rom 1974; Keys 1981): 4 x 4 pixels."""
        first = np.floor(self.at - 0.5)
        weights = _catmull_rom((self.at - 0.5 - first).astype(np.float32))
        column, row = first.astype(int).transpose(2, 0, 1)
        flat, stride = pixels.reshape(-1, pixels.shape[2]).astype(np.float32), pixels.shape[1]
        fetched = np.zeros((*column.shape, pixels.shape[2]), np.float32)
        for down in range(4):
            for right in range(4):
                there = (row + down - 1) * stride + column + right - 1
                fetched += flat[there] * (weights[right][..., 0] * weights[down][..., 1])[..., None]
        return np.rint(fetched).clip(0, 255).astype(np.uint8)

    def passes(self, read: RenderPasses) -> RenderPasses:
        """Fetch all maps of an image."""
        maps = {name: getattr(read, name) for name in ("ids", "coverage", "depth_m", "normals")}
        return replace(read, **{name: self.nearest(pixels) for name, pixels in maps.items() if pixels is not None})


def _catmull_rom(share: np.ndarray) -> list[np.ndarray]:
    """Return the weights of the pixels -1, 0, 1 and 2 for a place `share` (0 to 1) between pixels 0 and 1."""
    t, t2, t3 = share, share**2, share**3
    return [(-t3 + 2 * t2 - t) / 2, (3 * t3 - 5 * t2 + 2) / 2, (-3 * t3 + 4 * t2 + t) / 2, (t3 - t2) / 2]
