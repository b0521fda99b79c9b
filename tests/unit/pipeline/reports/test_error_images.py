# SPDX-License-Identifier: Apache-2.0
"""The worst errors: their order and number, and images that cannot be read."""

from pipeline.coco import image_check, reader
from pipeline.reports import error_images
from tests.helpers import coco_sets


def detection(image: int, score: float) -> reader.Detection:
    return reader.Detection(image_id=image, category_id=1, bbox=(3, 3, 20, 30), score=score)


def test_the_worst_errors_come_first_and_unreadable_images_are_passed_over(tmp_path):
    count = error_images.IMAGES_PER_HEADING + 3
    images = [coco_sets.image() for _ in range(count)]
    path = coco_sets.write_set(tmp_path, images, [coco_sets.annotation(0, 20), coco_sets.annotation(1, 40)])
    file = reader.read_coco(path)
    files = dict(image_check.find_images(file, tmp_path).files)
    files[2].path.unlink()
    detections = [detection(number, 0.5 + number / 100) for number in range(1, count + 1)]
    errors = error_images.worst_errors(file, files, detections, {"pedestrian": 0.5})
    alarms, misses = errors["False alarms: pedestrians"], errors["Missed: pedestrians"]
    assert len(alarms) == error_images.IMAGES_PER_HEADING
    assert [alarm.text.split()[0] for alarm in alarms[:2]] == [f"{count:03d}.png:", f"{count - 1:03d}.png:"]
    # The larger object is missed in the image that is gone.
    assert [miss.text for miss in misses] == ["001.png: missed"]


def test_no_errors_no_headings(tmp_path):
    file = reader.read_coco(coco_sets.write_set(tmp_path, [coco_sets.image()]))
    assert error_images.worst_errors(file, {}, [], {"pedestrian": 0.5}) == {}
