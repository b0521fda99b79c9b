# SPDX-License-Identifier: Apache-2.0
"""Proof that an image's masks are right: its id map against its record, and against its objects' silhouettes.

The id map comes from Cycles. The silhouettes come from the objects' triangles and the record's camera, without Cycles:
where both agree on every pixel, camera, poses, shapes and ids agree. Nothing here needs Blender.
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

# Silhouettes count pixel centres; Cycles takes the samples of a pixel up to 1.5 px beside its centre, most of them much
# nearer. Hence one pixel more than the silhouette, and a few second ones where few samples all happened to fall far
# out: 5 of 1.8 million visible pixels at 3 samples, each within 1.5 px of a triangle and gone at 128 samples. A camera
# that is 2 px off makes hundreds.
KERNEL_3X3 = np.ones((3, 3), np.uint8)
MAX_FAR_PIXELS, MAX_FAR_SHARE = 2, 0.002
KERNEL_2X2 = np.ones((2, 2), np.uint8)
# A joint in plain view is seen through some skin and cloth beside it, not at its own pixel alone.
KEYPOINT_TOLERANCE_PX = 2
EMPTY_MASK = np.zeros((0, 0), bool)


class Violation(NamedTuple):
    """What is wrong with an instance (None: with the image); `pixels`, bool (height, width): where, if anywhere."""

    instance_id: int | None
    what: str
    pixels: np.ndarray | None = None


@dataclass(frozen=True)
class AuditSummary:
    """What was checked. `boundary_pixels`: visible ones outside the silhouette, `largest_excess_px` away at most."""

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
    """An instance in the image; masks are bool (height, width) of the frame.

    `crop`: its silhouette, bool of the size of its whole box, also outside the frame. `visible`: its pixels of the id
    map. `whole`: its silhouette. `thin`: what it touches far from its silhouette, rods that pass between pixel centres.
    `alone`: rendered with all else hidden, where it covers half of a pixel or more; `alone_any`: any of it. Or None.
    """

    measured: InstanceMeasurement
    crop: np.ndarray
    visible: np.ndarray
    whole: np.ndarray
    thin: np.ndarray
    alone: np.ndarray | None
    alone_any: np.ndarray | None

    @property
    def smeared_px(self) -> int:
        """How many pixels motion and focus may add to its outline; what is rendered alone is rendered without them."""
        return math.ceil(self.measured.blur_px)

    def within(self, pixels: int) -> np.ndarray:
        """Return what is at most so many pixels from its silhouette, from what of that lies outside the frame, too."""
        around = in_frame(self.crop, self.measured, self.whole.shape, pixels) | np.pad(self.thin, pixels)
        return _grown(around, pixels)[pixels:-pixels, pixels:-pixels]


def check_instance_ids(record: LabelRecord, pixels: dict[int, int]) -> Iterator[Violation]:
    """Yield where id map, objects and measurements are not of one image; `pixels`: how many of each id of the map."""
    ids = [thing.instance_id for thing in record.scene.objects if thing.instance_id]
    for number in sorted(number for number, count in Counter(ids).items() if count > 1):
        yield Violation(number, "the record gives this id to more than one object")
    things, instances = record.things, record.instances
    for number, thing in things.items():
        if thing.category is None:
            yield Violation(number, f"{thing.name} has an id and no category")
    for number in sorted(instances.keys() ^ things.keys()):
        fault = "measured, and not among the objects" if number in instances else "an object, and not measured"
        yield Violation(number, fault)
    for number in sorted(pixels.keys() - things.keys()):
        yield Violation(number, f"{pixels[number]} pixels of the id map, and not in the record")
    for number, instance in instances.items():
        found, said = pixels.get(number, 0), instance.visible_pixels
        if number in things and found != said:
            yield Violation(number, f"{found} pixels in the id map, {said} visible ones in the record")


def check_rle_masks(ids: np.ndarray, visible: dict[int, dict[str, Any]]) -> Iterator[Violation]:
    """Yield where the RLE of `visible`, by instance id, is not what OpenCV finds in the id map, uint16 (H, W)."""
    masks = list(visible.values())
    areas = coco_mask.area(masks).astype(int).tolist() if masks else []
    boxes = coco_mask.toBbox(masks).astype(int) if masks else []
    for number, area, box in zip(visible, areas, boxes, strict=True):
        drawn = (ids == number).view(np.uint8)
        pixels = cv2.countNonZero(drawn)
        if area != pixels:
            yield Violation(number, f"its mask has {area} pixels, the id map {pixels}")
        if tuple(box) != cv2.boundingRect(drawn):
            yield Violation(number, f"its box is {box.tolist()}, the box of its pixels {list(cv2.boundingRect(drawn))}")
    together, labelled = int(coco_mask.area(coco_mask.merge(masks))) if masks else 0, cv2.countNonZero(ids)
    if not sum(areas) == together == labelled:
        yield Violation(None, f"masks of {sum(areas)} pixels cover {together}, the id map labels {labelled}")


def check_silhouettes(
    record: LabelRecord, ids: np.ndarray, silhouettes: dict[str, np.ndarray]
) -> tuple[list[Violation], AuditSummary]:
    """Check every instance against its silhouette; `silhouettes` as `shards.read_silhouettes` gives them.

    Returns the violations and what was checked.
    """
    violations: list[Violation] = []
    summary = AuditSummary(images=1)
    for number, measured in record.instances.items():
        crop = silhouettes.get(str(number), EMPTY_MASK)
        whole = in_frame(crop, measured, record.shape)
        thin = silhouettes.get(f"{number}_thin", np.zeros(record.shape, bool))
        proof = (silhouettes.get(f"{number}_{name}") for name in ("isolated", "isolated_any"))
        seen = InstanceMasks(measured, crop, ids == number, whole, thin, *proof)
        faults = (*_record_faults(seen), *_visible_faults(seen), *_proof_faults(seen), *_keypoint_faults(seen))
        violations += [Violation(number, what, pixels) for what, pixels in faults]
        summary += _counted(seen)
    return violations, summary


def in_frame(
    crop: np.ndarray, measured: InstanceMeasurement | None, shape: tuple[int, int], margin_px: int = 0
) -> np.ndarray:
    """Return what of a silhouette lies in the frame or `margin_px` around it, bool (height, width) of both."""
    frame = np.zeros([side + 2 * margin_px for side in shape], bool)
    if crop.size and measured is not None:
        x, y = (start + margin_px for start in measured.amodal_box_px[:2])
        top, left = max(-y, 0), max(-x, 0)
        inside = crop[top : max(frame.shape[0] - y, 0), left : max(frame.shape[1] - x, 0)]
        frame[y + top : y + top + inside.shape[0], x + left : x + left + inside.shape[1]] = inside
    return frame


def _record_faults(seen: InstanceMasks) -> Iterator[tuple[str, np.ndarray | None]]:
    """Yield where the measurements are not those of the silhouette, or do not explain that nothing is seen."""
    measured, crop = seen.measured, seen.crop
    if np.count_nonzero(crop) != measured.amodal_pixels:
        yield (
            f"{np.count_nonzero(crop)} pixels in its silhouette, {measured.amodal_pixels} whole ones in the record",
            None,
        )
    if crop.size and not (crop[[0, -1]].any(axis=1).all() and crop[:, [0, -1]].any(axis=0).all()):
        yield f"its silhouette does not reach all sides of its box {list(measured.amodal_box_px)}", None
    if crop.size and not measured.truncated and np.count_nonzero(seen.whole) != measured.amodal_pixels:
        yield "it reaches outside the frame, and the record says that it is not truncated", None
    if measured.visible_pixels and measured.absent:
        yield f"{measured.visible_pixels} visible pixels, and the record says that it is {measured.absent}", None
    if not measured.visible_pixels and measured.absent is None:
        yield "no visible pixel, and the record does not say why", seen.whole
    in_frame = np.count_nonzero(seen.whole)
    if measured.absent == "outside" and in_frame:
        yield f"outside the frame, says the record, yet {in_frame} pixels of its silhouette are in it", seen.whole
    if measured.absent == "hidden" and not in_frame:
        yield "hidden, says the record, yet no pixel of its silhouette is in the frame to be hidden", None


def _visible_faults(seen: InstanceMasks) -> Iterator[tuple[str, np.ndarray | None]]:
    """Yield where the object is seen and its triangles are not."""
    stray = _stray(seen.visible, seen, seen.smeared_px)
    if stray.any():
        yield (
            f"{np.count_nonzero(stray)} of its {np.count_nonzero(seen.visible)} visible pixels lie outside its "
            f"silhouette, up to {_farthest_px(stray, seen.whole)} px",
            stray,
        )


def _stray(drawn: np.ndarray, seen: InstanceMasks, smeared_px: int = 0) -> np.ndarray:
    """Return the pixels of `drawn` that neither the silhouette with its boundary nor a few far samples explain."""
    stray = drawn & ~seen.within(1 + smeared_px)
    far = stray & seen.within(2 + smeared_px)
    few = np.count_nonzero(far) <= max(MAX_FAR_PIXELS, MAX_FAR_SHARE * np.count_nonzero(drawn))
    return stray & ~far if few else stray


def _proof_faults(seen: InstanceMasks) -> Iterator[tuple[str, np.ndarray | None]]:
    """Yield where the object rendered alone and its silhouette differ by more than the boundary."""
    if seen.alone is None:
        return
    beyond = _stray(seen.alone, seen)
    if beyond.any():
        far = _farthest_px(beyond, seen.whole)
        yield f"rendered alone, {np.count_nonzero(beyond)} pixels lie outside its silhouette, up to {far} px", beyond
    # A bar just over a pixel thick, across two rows, covers about half of each pixel, so here any of a pixel counts.
    # What is thinner than a pixel may fall between Cycles' samples: it is seen in silhouettes only, and left out.
    lacking = _thick(seen.whole) & ~_grown(seen.alone_any)
    if lacking.any():
        far = _farthest_px(lacking, seen.alone_any)
        yield (
            f"rendered alone, {np.count_nonzero(lacking)} pixels of its silhouette are not there, up to {far} px",
            lacking,
        )


def _keypoint_faults(seen: InstanceMasks) -> Iterator[tuple[str, np.ndarray | None]]:
    """Yield joints outside the frame or outside the object's silhouette, or in plain view where it is not seen."""
    height, width = seen.whole.shape
    reach = KEYPOINT_TOLERANCE_PX + seen.smeared_px
    for place, point in enumerate(seen.measured.keypoints or ()):
        if point.visibility == 0:
            continue
        x, y = math.floor(point.u_px), math.floor(point.v_px)
        where = f"keypoint {place} at ({point.u_px:g}, {point.v_px:g}) has visibility {point.visibility}"
        low_x, low_y = max(x - reach, 0), max(y - reach, 0)
        near = np.s_[low_y : y + reach + 1, low_x : x + reach + 1]
        if not (0 <= x < width and 0 <= y < height):
            yield f"{where}, and lies outside the frame", None
        elif _is_inner(x, y, width, height) and not (seen.whole | seen.thin)[near].any():
            yield f"{where}, and lies outside its object's silhouette", _only(near, seen.visible)
        elif point.visibility == 2 and _is_inner(x, y, width, height) and not seen.visible[near].any():
            yield f"{where}, and its object is not seen there", _only(near, seen.visible)


def _only(near: tuple[slice, slice], like: np.ndarray) -> np.ndarray:
    pixels = np.zeros_like(like)
    pixels[near] = True
    return pixels


def _is_inner(x: int, y: int, width: int, height: int) -> bool:
    """Tell pixels whose neighbourhood is all in the frame: at its edge, what is seen beside a joint may lie outside."""
    edge = KEYPOINT_TOLERANCE_PX
    return edge <= x < width - edge and edge <= y < height - edge


def _grown(mask: np.ndarray, pixels: int = 1) -> np.ndarray:
    """Return `mask` with so many more pixels in all eight directions."""
    return cv2.dilate(mask.view(np.uint8), KERNEL_3X3, iterations=pixels).view(bool)


def _thick(mask: np.ndarray) -> np.ndarray:
    """Return the pixels of `mask` that belong to a square of two by two of them: an opening."""
    eroded = cv2.erode(mask.view(np.uint8), KERNEL_2X2, anchor=(1, 1), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return cv2.dilate(eroded, KERNEL_2X2, anchor=(0, 0)).view(bool)


def _farthest_px(pixels: np.ndarray, mask: np.ndarray) -> int:
    """Return how far, in steps to one of the eight neighbours, the farthest of `pixels` is from `mask`.

    From an empty mask it is the longer side of the image.
    """
    if not mask.any():
        return max(mask.shape)
    steps = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_C, 3)
    return int(steps[pixels].max())


def _counted(seen: InstanceMasks) -> AuditSummary:
    beside = np.count_nonzero(seen.visible & ~seen.whole)
    return AuditSummary(
        instances=1,
        hidden=int(seen.measured.absent == "hidden"),
        outside=int(seen.measured.absent == "outside"),
        verified=int(seen.alone is not None),
        blurred=int(seen.measured.blur_px > 0),
        keypoints=sum(point.visibility == 2 for point in seen.measured.keypoints or ()),
        visible_pixels=np.count_nonzero(seen.visible),
        boundary_pixels=beside,
        largest_excess_px=_farthest_px(seen.visible, seen.whole) if beside else 0,
    )
