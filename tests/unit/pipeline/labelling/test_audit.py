# SPDX-License-Identifier: Apache-2.0
"""The audit passes right masks, finds violations that are planted on purpose, and names them.

For planted violations in rendered images see tests/unit/blender/ground_truth/test_planted_faults.py.
"""

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipeline.coco import rle
from pipeline.labelling import audit, shard_reader
from tests.helpers import shard_files

WIDTH, HEIGHT = 64, 48
PERSON, TRUCK = 1, 2


def scene_of_two() -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """A person partly behind a truck that the frame cuts: id map and silhouettes on the canvas of three frames."""
    amodal_masks = {number: np.zeros((3 * HEIGHT, 3 * WIDTH), bool) for number in (PERSON, TRUCK)}
    amodal_masks[PERSON][HEIGHT + 4 : HEIGHT + 40, WIDTH + 20 : WIDTH + 32] = True
    amodal_masks[TRUCK][HEIGHT + 24 : 2 * HEIGHT + 5, WIDTH + 26 : WIDTH + 60] = True
    amodal_masks[TRUCK][HEIGHT + 2 : HEIGHT + 24, WIDTH + 44 : WIDTH + 47] = True  # the tiller
    return ids_of(amodal_masks), amodal_masks


def ids_of(amodal_masks: dict[int, np.ndarray]) -> np.ndarray:
    """The id map of silhouettes, the last in front."""
    ids = np.zeros((HEIGHT, WIDTH), np.uint16)
    for number, amodal_mask in amodal_masks.items():
        ids[amodal_mask[HEIGHT : 2 * HEIGHT, WIDTH : 2 * WIDTH]] = number
    return ids


def frame_of(amodal_mask: np.ndarray) -> np.ndarray:
    return amodal_mask[HEIGHT : 2 * HEIGHT, WIDTH : 2 * WIDTH]


def pixels_of(ids: np.ndarray) -> dict[int, int]:
    return {number: int((ids == number).sum()) for number in np.unique(ids).tolist() if number}


def masks_of(ids: np.ndarray) -> dict[int, dict]:
    return rle.encode_rles(rle.pixel_ranges_by_instance(ids), *ids.shape)


def audited(record: shard_reader.LabelRecord, ids: np.ndarray, silhouettes: dict[str, np.ndarray]) -> list[str]:
    """All violations as `instance: what`."""
    found = [*audit.check_instance_ids(record, pixels_of(ids)), *audit.check_rle_masks(ids, masks_of(ids))]
    found += audit.check_silhouettes(record, ids, silhouettes)[0]
    assert all(each.pixels is None or each.pixels.shape == ids.shape for each in found)
    return [f"{each.instance_id}: {each.message}" for each in found]


def without_keypoints(messages: list[str]) -> list[str]:
    """Leave out keypoints: a moved object also has moved keypoints."""
    return [message for message in messages if "keypoint" not in message]


def test_a_right_image_passes_and_is_counted():
    ids, amodal_masks = scene_of_two()
    record = shard_files.record(ids, amodal_masks)
    assert audited(record, ids, shard_files.crops(amodal_masks)) == []
    _, summary = audit.check_silhouettes(record, ids, shard_files.crops(amodal_masks))
    pixels = int((ids > 0).sum())
    assert summary == audit.AuditSummary(images=1, instances=2, keypoints=1, visible_pixels=pixels)


# Few pixels set, most of them not near another.
sparse = arrays.arrays(bool, (3 * 6, 3 * 7), elements=st.just(True), fill=st.just(False))
silhouettes_of = st.lists(sparse, min_size=1, max_size=4)


@given(silhouettes_of)
def test_an_id_map_made_from_any_silhouettes_passes(canvases):
    amodal_masks = dict(enumerate(canvases, 1))
    ids = np.zeros((6, 7), np.uint16)
    for number, amodal_mask in amodal_masks.items():
        ids[amodal_mask[6:12, 7:14]] = number
    assert audited(shard_files.record(ids, amodal_masks), ids, shard_files.crops(amodal_masks)) == []


@given(silhouettes_of, st.integers(0, 5), st.integers(0, 6))
def test_a_pixel_farther_than_two_from_the_silhouette_is_caught(canvases, row, column):
    amodal_mask = canvases[0]
    near = cv2.dilate(amodal_mask.view(np.uint8), np.ones((5, 5)))[6:12, 7:14]
    assume(not near[row, column])
    ids = amodal_mask[6:12, 7:14].astype(np.uint16)
    ids[row, column] = 1
    found = audited(shard_files.record(ids, {1: amodal_mask}), ids, shard_files.crops({1: amodal_mask}))
    (message,) = without_keypoints(found)
    assert message.startswith(f"1: 1 of its {ids.sum()} visible pixels lie outside its silhouette, up to ")


def test_a_mask_may_reach_one_pixel_beyond_the_silhouette():
    ids, amodal_masks = scene_of_two()
    grown = cv2.dilate((ids == PERSON).view(np.uint8), np.ones((3, 3))).astype(bool)
    ids[grown & (ids == 0)] = PERSON
    record = shard_files.record(ids, amodal_masks)
    violations, summary = audit.check_silhouettes(record, ids, shard_files.crops(amodal_masks))
    assert violations == []
    assert (summary.largest_excess_px, summary.boundary_pixels > 20) == (1, True)


def test_a_silhouette_just_outside_the_frame_explains_pixels_inside():
    canvas = np.zeros((3 * 6, 3 * 7), bool)
    canvas[11, 13] = canvas[8, 14] = True  # in the lower right corner of the frame; right of its edge, farther up
    ids = canvas[6:12, 7:14].astype(np.uint16)
    ids[2, 6] = 1
    assert without_keypoints(audited(shard_files.record(ids, {1: canvas}), ids, shard_files.crops({1: canvas}))) == []
    ids[2, 6], ids[0, 3] = 0, 1
    assert without_keypoints(audited(shard_files.record(ids, {1: canvas}), ids, shard_files.crops({1: canvas})))


@pytest.mark.parametrize(("blur_px", "reached_px", "passes"), [(1.2, 3, True), (1.2, 4, False), (0.0, 2, False)])
def test_blur_widens_the_tolerance_by_exactly_its_size(blur_px, reached_px, passes):
    ids, amodal_masks = scene_of_two()
    grown = cv2.dilate((ids == PERSON).view(np.uint8), np.ones((3, 3)), iterations=reached_px).astype(bool)
    ids[grown & (ids == 0)] = PERSON
    record = shard_files.rewrite(shard_files.record(ids, amodal_masks), PERSON, blur_px=blur_px)
    violations, summary = audit.check_silhouettes(record, ids, shard_files.crops(amodal_masks))
    assert (violations == [], summary.blurred) == (passes, int(blur_px > 0))


def test_two_far_samples_pass_and_three_are_caught():
    ids, amodal_masks = scene_of_two()
    grown = cv2.dilate((ids == PERSON).view(np.uint8), np.ones((3, 3)))
    far = np.argwhere((cv2.dilate(grown, np.ones((3, 3))) > grown) & (ids == 0))
    for count, violations in ((2, 0), (3, 1)):
        stray = ids.copy()
        stray[tuple(far[:count].T)] = PERSON
        assert (
            len(audited(shard_files.record(stray, amodal_masks), stray, shard_files.crops(amodal_masks))) == violations
        )


def test_thin_parts_explain_pixels_far_from_the_silhouette():
    ids, amodal_masks = scene_of_two()
    grown = cv2.dilate((ids == PERSON).view(np.uint8), np.ones((9, 9)))
    rod = (cv2.dilate(grown, np.ones((3, 3))) > grown) & (ids == 0)
    ids[rod] = PERSON
    record, silhouettes = shard_files.record(ids, amodal_masks), shard_files.crops(amodal_masks)
    assert len(audited(record, ids, silhouettes)) == 1
    assert audited(record, ids, silhouettes | {f"{PERSON}_thin": rod}) == []


@pytest.mark.parametrize("shift", [(2, 0), (0, 2), (-2, 0), (0, -3)])
def test_a_shifted_camera_is_found(shift):
    _, amodal_masks = scene_of_two()
    shifted = ids_of({number: np.roll(amodal_mask, shift, axis=(0, 1)) for number, amodal_mask in amodal_masks.items()})
    messages = audited(shard_files.record(shifted, amodal_masks), shifted, shard_files.crops(amodal_masks))
    assert any("visible pixels lie outside its silhouette, up to" in message for message in messages), messages


def test_swapped_ids_are_found():
    ids, amodal_masks = scene_of_two()
    swapped = np.choose(ids, [0, TRUCK, PERSON]).astype(np.uint16)
    unaware = audited(shard_files.record(ids, amodal_masks), swapped, shard_files.crops(amodal_masks))
    count = int((ids == TRUCK).sum())
    assert f"1: {count} pixels in the id map, {(ids == PERSON).sum()} visible pixels in the record" in unaware
    aware = audited(shard_files.record(swapped, amodal_masks), swapped, shard_files.crops(amodal_masks))
    assert [message.split(" visible")[0] for message in without_keypoints(aware)] == [
        f"1: {(swapped == PERSON)[~grown(amodal_masks[PERSON])].sum()} of its {count}",
        f"2: {(swapped == TRUCK)[~grown(amodal_masks[TRUCK])].sum()} of its {(ids == PERSON).sum()}",
    ]


def grown(amodal_mask: np.ndarray) -> np.ndarray:
    return frame_of(cv2.dilate(amodal_mask.view(np.uint8), np.ones((3, 3)))).astype(bool)


@pytest.mark.parametrize("stored_as", [np.float16, np.uint8])
def test_ids_stored_with_too_few_bits_are_found(stored_as):
    _, amodal_masks = scene_of_two()
    amodal_masks = {2049: amodal_masks[PERSON], 4099: amodal_masks[TRUCK]}
    ids = ids_of(amodal_masks)
    rounded = ids.astype(stored_as).astype(np.uint16)
    messages = audited(shard_files.record(ids, amodal_masks), rounded, shard_files.crops(amodal_masks))
    for number in amodal_masks:
        pixels = int((ids == number).sum())
        wrong = int(np.array(number, np.uint16).astype(stored_as))
        assert f"{wrong}: {pixels} pixels in the id map, but not in the record" in messages
        assert f"{number}: 0 pixels in the id map, {pixels} visible pixels in the record" in messages


def test_a_part_missing_in_the_silhouette_is_found():
    ids, amodal_masks = scene_of_two()
    amodal_masks[TRUCK][HEIGHT : HEIGHT + 22] = False
    (message,) = audited(shard_files.record(ids, amodal_masks), ids, shard_files.crops(amodal_masks))
    assert message.startswith("2: 57 of its ")
    assert message.endswith("visible pixels lie outside its silhouette, up to 20 px")


def verified(
    amodal_masks: dict[int, np.ndarray], isolated_mask: np.ndarray, isolated_any_mask: np.ndarray | None = None
) -> tuple:
    """Record, ids and silhouettes of an image whose truck was also rendered isolated."""
    ids = ids_of(amodal_masks)
    record = shard_files.rewrite(shard_files.record(ids, amodal_masks), TRUCK, verified=True)
    if isolated_any_mask is None:
        isolated_any_mask = isolated_mask
    isolated = {f"{TRUCK}_isolated": isolated_mask, f"{TRUCK}_isolated_any": isolated_any_mask}
    return record, ids, shard_files.crops(amodal_masks) | isolated


def test_an_isolated_render_that_differs_by_boundary_pixels_passes():
    _, amodal_masks = scene_of_two()
    amodal_mask = frame_of(amodal_masks[TRUCK])
    for change in (cv2.dilate, cv2.erode):
        # An erosion takes the whole tiller of 3 px but its middle column; the render shows it as well.
        assert audited(*verified(amodal_masks, change(amodal_mask.view(np.uint8), np.ones((3, 3))).astype(bool))) == []


def test_parts_thinner_than_a_pixel_may_be_missing_in_an_isolated_render():
    _, amodal_masks = scene_of_two()
    isolated_mask = frame_of(amodal_masks[TRUCK]).copy()
    rod = np.arange(20)
    amodal_masks[TRUCK][HEIGHT + 2 + rod, WIDTH + 10 + rod // 2] = True
    assert audited(*verified(amodal_masks, isolated_mask)) == []


@pytest.mark.parametrize("seen", [True, False])
def test_a_bar_just_over_a_pixel_thick_must_show_in_the_isolated_render(seen):
    """Two rows that the bar covers about half of each: none may count as covered, but all must show some of it."""
    _, amodal_masks = scene_of_two()
    isolated_mask = frame_of(amodal_masks[TRUCK]).copy()
    amodal_masks[TRUCK][HEIGHT + 10 : HEIGHT + 12, WIDTH + 47 : WIDTH + 57] = True
    found = audited(*verified(amodal_masks, isolated_mask, frame_of(amodal_masks[TRUCK]) if seen else isolated_mask))
    assert len(found) == (not seen)


@pytest.mark.parametrize(("part", "pixels"), [(np.s_[:24, 44:47], 66), (np.s_[40:, 50:], 80)])
def test_a_part_missing_in_the_isolated_render_is_found(part, pixels):
    _, amodal_masks = scene_of_two()
    isolated_mask = frame_of(amodal_masks[TRUCK]).copy()
    isolated_mask[part] = False
    (message,) = audited(*verified(amodal_masks, isolated_mask))
    assert message.startswith("2: rendered isolated, ")
    missing = int(message.split()[3])
    assert 0.5 * pixels < missing <= pixels
    assert "pixels of its silhouette are missing" in message


def test_a_part_that_only_the_isolated_render_has_is_found():
    _, amodal_masks = scene_of_two()
    isolated_mask = frame_of(amodal_masks[TRUCK]).copy()
    isolated_mask[2:24, 30:33] = True
    (message,) = audited(*verified(amodal_masks, isolated_mask))
    assert message == "2: rendered isolated, 63 pixels lie outside its silhouette, up to 14 px"


# State of the scene, change of the measurements of instance 1 (the person), and part of the message.
WRONG_MEASUREMENTS = {
    "vanished": ("gone", {"absent": None}, "1: no visible pixel, and the record does not say why"),
    "not outside": ("gone", {"absent": "outside"}, "1: the record says that it is outside the frame, but 432 pixels"),
    "not hidden": ("away", {"absent": "hidden"}, "1: the record says that it is hidden, but no pixel of its"),
    "not absent": ("seen", {"absent": "hidden"}, "visible pixels, but the record says that it is hidden"),
    "other pixel count": ("seen", {"amodal_pixels": 431}, "1: 432 pixels in its silhouette, 431 in the record"),
    "not cut": ("away", {"truncated": False}, "1: it reaches outside the frame, but the record says that it is not"),
    "shifted box": ("seen", {"amodal_box_px": (23, 4, 12, 36)}, "1: 72 of its 336 visible pixels lie outside"),
}


@pytest.mark.parametrize("name", WRONG_MEASUREMENTS)
def test_wrong_measurements_are_found(name):
    state, changes, message_part = WRONG_MEASUREMENTS[name]
    ids, amodal_masks = scene_of_two()
    if state == "gone":
        ids[ids == PERSON] = 0
    if state == "away":
        amodal_masks[PERSON] = np.roll(amodal_masks[PERSON], WIDTH, axis=1)
        ids = ids_of(amodal_masks)
    record = shard_files.rewrite(shard_files.record(ids, amodal_masks), PERSON, **changes)
    messages = audited(record, ids, shard_files.crops(amodal_masks))
    assert any(message_part in message for message in messages), messages


def test_a_silhouette_that_does_not_fill_its_box_is_found():
    ids, amodal_masks = scene_of_two()
    silhouettes = shard_files.crops(amodal_masks)
    silhouettes["1"] = np.pad(silhouettes["1"], ((0, 0), (0, 1)))
    record = shard_files.rewrite(shard_files.record(ids, amodal_masks), PERSON, amodal_box_px=(20, 4, 13, 36))
    assert audited(record, ids, silhouettes) == [
        "1: its silhouette does not reach all sides of its box [20, 4, 13, 36]"
    ]


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ((50.5, 4.5, 1), "(50.5, 4.5) has visibility 1, but lies outside the silhouette of its object"),
        ((64.5, 4.5, 1), "(64.5, 4.5) has visibility 1, but lies outside the frame"),
    ],
)
def test_a_keypoint_in_the_wrong_place(point, message):
    ids, amodal_masks = scene_of_two()
    record = shard_files.record(ids, amodal_masks)
    joints = record.instances_by_id[PERSON].keypoints
    moved = joints[0].model_copy(update=dict(zip(("u_px", "v_px", "visibility"), point, strict=True)))
    record = shard_files.rewrite(record, PERSON, keypoints=(moved, *joints[1:]))
    assert audited(record, ids, shard_files.crops(amodal_masks)) == [f"1: keypoint 0 at {message}"]


def test_a_visible_keypoint_where_the_person_is_not_seen_is_found():
    ids, amodal_masks = scene_of_two()
    record = shard_files.record(ids, amodal_masks)
    (joint, *_) = record.instances_by_id[PERSON].keypoints
    ids[max(int(joint.v_px) - 4, 0) : int(joint.v_px) + 5, int(joint.u_px) - 4 : int(joint.u_px) + 5] = 0
    hidden = shard_files.rewrite(record, PERSON, visible_pixels=int((ids == PERSON).sum()))
    assert audited(hidden, ids, shard_files.crops(amodal_masks)) == [
        f"1: keypoint 0 at ({joint.u_px:g}, {joint.v_px:g}) has visibility 2, but its object is not visible there"
    ]


def test_overlapping_masks_are_found():
    """RLE of other masks than the id map's: found by area, by box and by their union."""
    ids, _ = scene_of_two()
    visible = masks_of(ids)
    visible[PERSON] = masks_of(np.where(ids == TRUCK, PERSON, ids))[PERSON]
    areas = {number: int((ids == number).sum()) for number in (PERSON, TRUCK)}
    both = sum(areas.values())
    assert [each.message for each in audit.check_rle_masks(ids, visible)] == [
        f"its mask has {both} pixels, the id map has {areas[PERSON]}",
        "its box is [20, 2, 40, 46], the box of its pixels is [20, 4, 12, 36]",
        f"the masks have {both + areas[TRUCK]} pixels, their union {both}, the id map {both}",
    ]


def test_objects_and_measurements_that_disagree_are_found():
    ids, amodal_masks = scene_of_two()
    record = shard_files.record(ids, amodal_masks)
    pixels = pixels_of(ids)
    measured = record.measured.model_copy(update={"instances": record.measured.instances[:1]})
    short = record.model_copy(update={"measured": measured})
    assert [each[:2] for each in audit.check_instance_ids(short, pixels)] == [(2, "an object that was not measured")]
    twice = record.scene.model_copy(update={"objects": (*record.scene.objects, record.scene.objects[0])})
    (double,) = audit.check_instance_ids(record.model_copy(update={"scene": twice}), pixels)
    assert double[:2] == (1, "the record gives this id to more than one object")


def test_summaries_add_up_and_keep_the_largest_excess():
    one = audit.AuditSummary(
        images=1, instances=3, hidden=1, visible_pixels=100, boundary_pixels=4, largest_excess_px=1
    )
    other = audit.AuditSummary(images=1, verified=1, largest_excess_px=0)
    assert one + other == audit.AuditSummary(
        images=2, instances=3, hidden=1, verified=1, visible_pixels=100, boundary_pixels=4, largest_excess_px=1
    )
