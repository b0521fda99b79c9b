# SPDX-License-Identifier: Apache-2.0
"""Check that the masks of an image are right: the id map against the record and against the silhouettes of the objects.

The id map comes from Cycles. The silhouettes come from the triangles of the objects and the camera of the record,
without Cycles. Where both agree on every pixel, camera, poses, shapes and ids agree. Nothing here needs Blender.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from faster_coco_eval import mask as coco_mask

from pipeline.labelling.shard_reader import LabelRecord
from pipeline.record.scene import InstanceMeasurement

# A silhouette holds the pixels whose center is inside the triangles. Cycles samples up to 1.5 px beside the center,
# most of the time much nearer. So a visible mask may reach one pixel beyond the silhouette. Where the few samples of a
# pixel all happen to fall far out, it may reach two: 5 of 1.8 million visible pixels at 3 samples, none at 128
# samples. A camera that is 2 px off makes hundreds of such pixels.
MAX_FAR_PIXELS, MAX_FAR_SHARE = 2, 0.002
KERNEL_3X3 = np.ones((3, 3), np.uint8)
KERNEL_2X2 = np.ones((2, 2), np.uint8)
# A visible joint is seen through the skin and cloth around it, not only at its own pixel.
KEYPOINT_TOLERANCE_PX = 2
EMPTY_MASK = np.zeros((0, 0), bool)


class Violation(NamedTuple):
    """A fault of an instance, or of the image if `instance_id` is None.

    `pixels` is a bool mask (height, width) of the pixels at fault; None if the fault has no place in the image.
    """

    instance_id: int | None
    message: str
    pixels: np.ndarray | None = None


@dataclass(frozen=True)
class AuditSummary:
    """Counts of what was checked.

    `hidden`, `outside`: instances without a visible pixel, by reason. `verified`: instances compared with their
    isolated render. `blurred`: instances with motion blur or defocus. `keypoints`: visible ones.
    `boundary_pixels`: visible pixels outside the silhouette; `largest_excess_px`: the largest distance of one of them.
    """

    images: int = 0
    instances: int = 0
    hidden: int = 0
    outside: int = 0
    verified: int = 0
    blurred: int = 0
    keypoints: int = 0
    visible_pixels: int = 0
    boundary_pixels: int = 0
    largest_excess_px: int = 0

    def __add__(self, other: "AuditSummary") -> "AuditSummary":
        sums = {name: value + getattr(other, name) for name, value in vars(self).items()}
        return AuditSummary(**sums | {"largest_excess_px": max(self.largest_excess_px, other.largest_excess_px)})


@dataclass(frozen=True)
class InstanceMasks:
    """All masks of one instance: bool (height, width) of the frame, except `silhouette_crop`.

    - `silhouette_crop`: the amodal silhouette, bool of the size of its box, which may reach outside the frame.
    - `visible`: its pixels of the id map.
    - `silhouette`: the part of its silhouette in the frame.
    - `thin_parts`: pixels that rods thinner than a pixel touch far from the silhouette.
    - `isolated`, `isolated_any`: the instance rendered without all other objects, where it covers at least half of a
      pixel, or any of it. None if it was not rendered so.
    """

    measured: InstanceMeasurement
    silhouette_crop: np.ndarray
    visible: np.ndarray
    silhouette: np.ndarray
    thin_parts: np.ndarray
    isolated: np.ndarray | None
    isolated_any: np.ndarray | None

    @property
    def blur_margin_px(self) -> int:
        """The pixels that motion blur and defocus may add to the outline. Isolated renders have neither."""
        return math.ceil(self.measured.blur_px)

    def dilated_silhouette(self, pixels: int) -> np.ndarray:
        """Return the frame's pixels at most `pixels` away from the silhouette, which may itself lie outside it."""
        around = silhouette_in_frame(self.silhouette_crop, self.measured, self.silhouette.shape, pixels)
        around |= np.pad(self.thin_parts, pixels)
        return _dilate(around, pixels)[pixels:-pixels, pixels:-pixels]


def check_instance_ids(record: LabelRecord, pixels: dict[int, int]) -> Iterator[Violation]:
    """Yield where id map, objects and measurements disagree. `pixels`: id -> its number of pixels in the id map."""
    ids = [scene_object.instance_id for scene_object in record.scene.objects if scene_object.instance_id]
    for instance_id in sorted(instance_id for instance_id, count in Counter(ids).items() if count > 1):
        yield Violation(instance_id, "the record gives this id to more than one object")
    objects, instances = record.objects_by_id, record.instances_by_id
    for instance_id, scene_object in objects.items():
        if scene_object.category is None:
            yield Violation(instance_id, f"{scene_object.name} has an id but no category")
    for instance_id in sorted(instances.keys() ^ objects.keys()):
        is_measured = instance_id in instances
        yield Violation(
            instance_id, "measured, but not one of the objects" if is_measured else "an object that was not measured"
        )
    for instance_id in sorted(pixels.keys() - objects.keys()):
        yield Violation(instance_id, f"{pixels[instance_id]} pixels in the id map, but not in the record")
    for instance_id, instance in instances.items():
        in_map = pixels.get(instance_id, 0)
        if instance_id in objects and in_map != instance.visible_pixels:
            message = f"{in_map} pixels in the id map, {instance.visible_pixels} visible pixels in the record"
            yield Violation(instance_id, message)


def check_rle_masks(ids: np.ndarray, visible: dict[int, dict[str, Any]]) -> Iterator[Violation]:
    """Yield where the RLE in `visible`, by instance id, differs from what OpenCV finds in `ids`, uint16 (H, W)."""
    masks = list(visible.values())
    areas = coco_mask.area(masks).astype(int).tolist() if masks else []
    boxes = coco_mask.toBbox(masks).astype(int) if masks else []
    for instance_id, area, box in zip(visible, areas, boxes, strict=True):
        mask = (ids == instance_id).view(np.uint8)
        pixels, pixel_box = cv2.countNonZero(mask), cv2.boundingRect(mask)
        if area != pixels:
            yield Violation(instance_id, f"its mask has {area} pixels, the id map has {pixels}")
        if tuple(box) != pixel_box:
            yield Violation(instance_id, f"its box is {box.tolist()}, the box of its pixels is {list(pixel_box)}")
    union_pixels = int(coco_mask.area(coco_mask.merge(masks))) if masks else 0
    labeled_pixels = cv2.countNonZero(ids)
    if not sum(areas) == union_pixels == labeled_pixels:
        message = f"the masks have {sum(areas)} pixels, their union {union_pixels}, the id map {labeled_pixels}"
        yield Violation(None, message)


def check_silhouettes(
    record: LabelRecord, ids: np.ndarray, silhouettes: dict[str, np.ndarray]
) -> tuple[list[Violation], AuditSummary]:
    """Check every instance against its silhouette; return the violations and the counts of what was checked.

    `ids`: uint16 (height, width). `silhouettes`: as `shard_reader.read_silhouettes` returns them.
    """
    violations: list[Violation] = []
    summary = AuditSummary(images=1)
    for instance_id, measured in record.instances_by_id.items():
        crop = silhouettes.get(str(instance_id), EMPTY_MASK)
        masks = InstanceMasks(
            measured,
            crop,
            visible=ids == instance_id,
            silhouette=silhouette_in_frame(crop, measured, record.image_shape),
            thin_parts=silhouettes.get(f"{instance_id}_thin", np.zeros(record.image_shape, bool)),
            isolated=silhouettes.get(f"{instance_id}_isolated"),
            isolated_any=silhouettes.get(f"{instance_id}_isolated_any"),
        )
        for check in (_check_measurement, _check_visible_mask, _check_isolated_render, _check_keypoints):
            violations += [Violation(instance_id, message, pixels) for message, pixels in check(masks)]
        summary += _instance_summary(masks)
    return violations, summary


def silhouette_in_frame(
    crop: np.ndarray, measured: InstanceMeasurement | None, shape: tuple[int, int], margin_px: int = 0
) -> np.ndarray:
    """Return the part of a silhouette in the frame and `margin_px` around it, bool (height, width) of both."""
    frame = np.zeros([side + 2 * margin_px for side in shape], bool)
    if crop.size and measured is not None:
        x, y = (start + margin_px for start in measured.amodal_box_px[:2])
        top, left = max(-y, 0), max(-x, 0)
        inside = crop[top : max(frame.shape[0] - y, 0), left : max(frame.shape[1] - x, 0)]
        frame[y + top : y + top + inside.shape[0], x + left : x + left + inside.shape[1]] = inside
    return frame


def _check_measurement(masks: InstanceMasks) -> Iterator[tuple[str, np.ndarray | None]]:
    """Yield where the record contradicts the silhouette, or does not explain why nothing is visible."""
    measured, crop = masks.measured, masks.silhouette_crop
    silhouette_pixels, pixels_in_frame = np.count_nonzero(crop), np.count_nonzero(masks.silhouette)
    if silhouette_pixels != measured.amodal_pixels:
        yield f"{silhouette_pixels} pixels in its silhouette, {measured.amodal_pixels} in the record", None
    if crop.size and not (crop[[0, -1]].any(axis=1).all() and crop[:, [0, -1]].any(axis=0).all()):
        yield f"its silhouette does not reach all sides of its box {list(measured.amodal_box_px)}", None
    if crop.size and not measured.truncated and pixels_in_frame != measured.amodal_pixels:
        yield "it reaches outside the frame, but the record says that it is not truncated", None
    if measured.visible_pixels and measured.absent:
        yield f"{measured.visible_pixels} visible pixels, but the record says that it is {measured.absent}", None
    if not measured.visible_pixels and measured.absent is None:
        yield "no visible pixel, and the record does not say why", masks.silhouette
    if measured.absent == "outside" and pixels_in_frame:
        message = f"the record says that it is outside the frame, but {pixels_in_frame} pixels of its silhouette are in"
        yield message, masks.silhouette
    if measured.absent == "hidden" and not pixels_in_frame:
        yield "the record says that it is hidden, but no pixel of its silhouette is in the frame", None


def _check_visible_mask(masks: InstanceMasks) -> Iterator[tuple[str, np.ndarray | None]]:
    """Yield visible pixels where the object has no triangles."""
    stray = _stray_pixels(masks.visible, masks, masks.blur_margin_px)
    if stray.any():
        yield (
            f"{np.count_nonzero(stray)} of its {np.count_nonzero(masks.visible)} visible pixels lie outside its "
            f"silhouette, up to {_max_distance_px(stray, masks.silhouette)} px",
            stray,
        )


def _stray_pixels(mask: np.ndarray, masks: InstanceMasks, margin_px: int = 0) -> np.ndarray:
    """Return the pixels of `mask` that neither the silhouette with its boundary nor a few far samples explain."""
    stray = mask & ~masks.dilated_silhouette(1 + margin_px)
    far = stray & masks.dilated_silhouette(2 + margin_px)
    is_few = np.count_nonzero(far) <= max(MAX_FAR_PIXELS, MAX_FAR_SHARE * np.count_nonzero(mask))
    return stray & ~far if is_few else stray


def _check_isolated_render(masks: InstanceMasks) -> Iterator[tuple[str, np.ndarray | None]]:
    """Yield where the isolated render of the object and its silhouette differ by more than the boundary."""
    if masks.isolated is None:
        return
    stray = _stray_pixels(masks.isolated, masks)
    if stray.any():
        distance_px = _max_distance_px(stray, masks.silhouette)
        message = f"{np.count_nonzero(stray)} pixels lie outside its silhouette, up to {distance_px} px"
        yield f"rendered isolated, {message}", stray
    # `isolated_any`: a bar just over a pixel thick that lies across two rows covers about half of each pixel.
    # A part thinner than a pixel may fall between the samples of Cycles. Only silhouettes show it, so it is left out.
    missing = _open_2x2(masks.silhouette) & ~_dilate(masks.isolated_any)
    if missing.any():
        distance_px = _max_distance_px(missing, masks.isolated_any)
        message = f"{np.count_nonzero(missing)} pixels of its silhouette are missing, up to {distance_px} px"
        yield f"rendered isolated, {message}", missing


def _check_keypoints(masks: InstanceMasks) -> Iterator[tuple[str, np.ndarray | None]]:
    """Yield joints outside the frame or the silhouette of the object, and visible joints where it is not seen."""
    height, width = masks.silhouette.shape
    radius_px = KEYPOINT_TOLERANCE_PX + masks.blur_margin_px
    for number, point in enumerate(masks.measured.keypoints or ()):
        if point.visibility == 0:
            continue
        x, y = math.floor(point.u_px), math.floor(point.v_px)
        name = f"keypoint {number} at ({point.u_px:g}, {point.v_px:g}) has visibility {point.visibility}"
        around = np.s_[max(y - radius_px, 0) : y + radius_px + 1, max(x - radius_px, 0) : x + radius_px + 1]
        if not (0 <= x < width and 0 <= y < height):
            yield f"{name}, but lies outside the frame", None
        elif not _is_away_from_border(x, y, width, height):
            continue
        elif not (masks.silhouette | masks.thin_parts)[around].any():
            yield f"{name}, but lies outside the silhouette of its object", _region_mask(around, (height, width))
        elif point.visibility == 2 and not masks.visible[around].any():
            yield f"{name}, but its object is not visible there", _region_mask(around, (height, width))


def _region_mask(region: tuple[slice, slice], shape: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[region] = True
    return mask


def _is_away_from_border(x: int, y: int, width: int, height: int) -> bool:
    """Whether all pixels around a joint are in the frame. At the border, what is seen beside it may lie outside."""
    margin = KEYPOINT_TOLERANCE_PX
    return margin <= x < width - margin and margin <= y < height - margin


def _dilate(mask: np.ndarray, pixels: int = 1) -> np.ndarray:
    """Return `mask` grown by `pixels` in all eight directions."""
    return cv2.dilate(mask.view(np.uint8), KERNEL_3X3, iterations=pixels).view(bool)


def _open_2x2(mask: np.ndarray) -> np.ndarray:
    """Return the morphological opening: the pixels of `mask` that belong to a square of 2 x 2 of its pixels."""
    eroded = cv2.erode(mask.view(np.uint8), KERNEL_2X2, anchor=(1, 1), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return cv2.dilate(eroded, KERNEL_2X2, anchor=(0, 0)).view(bool)


def _max_distance_px(pixels: np.ndarray, mask: np.ndarray) -> int:
    """Return the largest distance of one of `pixels` from `mask`, in steps to one of the eight neighbors.

    If `mask` is empty, return the longer side of the image.
    """
    if not mask.any():
        return max(mask.shape)
    steps = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_C, 3)
    return int(steps[pixels].max())


def _instance_summary(masks: InstanceMasks) -> AuditSummary:
    boundary_pixels = np.count_nonzero(masks.visible & ~masks.silhouette)
    return AuditSummary(
        instances=1,
        hidden=int(masks.measured.absent == "hidden"),
        outside=int(masks.measured.absent == "outside"),
        verified=int(masks.isolated is not None),
        blurred=int(masks.measured.blur_px > 0),
        keypoints=sum(point.visibility == 2 for point in masks.measured.keypoints or ()),
        visible_pixels=np.count_nonzero(masks.visible),
        boundary_pixels=boundary_pixels,
        largest_excess_px=_max_distance_px(masks.visible, masks.silhouette) if boundary_pixels else 0,
    )
