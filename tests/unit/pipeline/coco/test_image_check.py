# SPDX-License-Identifier: Apache-2.0
"""The images of a COCO file are found and read as they were annotated; those that cannot be used are named."""

import numpy as np
import pytest
from PIL import Image

from pipeline.coco import image_check, reader
from tests.helpers.coco_documents import changed, document, read


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8))


def test_images_of_the_right_size_pass(tmp_path):
    noise(40, 30).save(tmp_path / "hall.png")
    image_check.check_images(read(tmp_path, document()), tmp_path)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: None, "image 7: .*hall.png: no such file"),
        (lambda path: path.write_bytes(b""), "image 7: .*hall.png: not a readable image"),
        (lambda path: noise(30, 40).save(path), "image 7: .*hall.png: the image is 30x40, the file says 40x30"),
    ],
    ids=["missing", "empty", "turned"],
)
def test_a_missing_empty_or_turned_image_is_named(tmp_path, write, message):
    write(tmp_path / "hall.png")
    with pytest.raises(reader.CocoError, match=message):
        image_check.check_images(read(tmp_path, document()), tmp_path)


def with_orientation(value: object) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("annotated_upright", [True, False])
def test_an_image_is_read_as_it_was_annotated(tmp_path, caplog, suffix, orientation, annotated_upright):
    """Upright, as viewers show it; or as stored, if only this fits the size that the file says."""
    stored = noise(40, 30)
    path = tmp_path / f"hall.{suffix}"
    stored.save(path, exif=with_orientation(orientation), **({"lossless": True} if suffix == "webp" else {}))
    quarter_turn = orientation >= 5
    width, height = (30, 40) if quarter_turn and annotated_upright else (40, 30)
    content = changed("images", file_name=path.name, width=width, height=height)
    content["annotations"] = []
    (file,) = image_check.check_images(read(tmp_path, content), tmp_path).values()
    as_stored = quarter_turn and not annotated_upright
    assert file.turn_upright == (not as_stored)
    pixels = file.read()
    assert pixels.shape == (height, width, 3)
    if suffix != "jpg":
        same = np.array_equal(pixels, np.array(stored)) if pixels.shape == (30, 40, 3) else False
        assert same == (as_stored or orientation == 1)
    assert ("before the rotation by EXIF" in caplog.text) == as_stored


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_is_none_counts_as_upright(tmp_path, value):
    noise(40, 30).save(tmp_path / "hall.jpg", exif=with_orientation(value))
    (file,) = image_check.check_images(read(tmp_path, changed("images", file_name="hall.jpg")), tmp_path).values()
    assert file.read().shape == (30, 40, 3)


def test_a_square_image_is_turned_upright(tmp_path):
    noise(30, 30).save(tmp_path / "hall.png", exif=with_orientation(6))
    (file,) = image_check.check_images(read(tmp_path, changed("images", width=30)), tmp_path).values()
    assert file.turn_upright


@pytest.mark.parametrize(
    ("size", "message"),
    [((80, 60), "a resized copy"), ((30, 40), "width and height are swapped"), ((41, 33), "the file says 40x30$")],
)
def test_another_size_is_refused_with_what_to_do(tmp_path, size, message):
    noise(*size).save(tmp_path / "hall.png")
    with pytest.raises(reader.CocoError, match=f"image 7: .*hall.png: the image is {size[0]}x{size[1]}.*{message}"):
        image_check.check_images(read(tmp_path, document()), tmp_path)


def test_images_under_other_paths_are_found_and_the_log_says_so_in_one_line(tmp_path, caplog):
    content = document()
    content["images"] = [{**content["images"][0], "id": n, "file_name": f"/old/place/{n}.png"} for n in range(7, 10)]
    for n in range(7, 10):
        noise(40, 30).save(tmp_path / f"{n}.png")
    files = image_check.check_images(read(tmp_path, content), tmp_path)
    assert [file.path for file in files.values()] == [tmp_path / f"{n}.png" for n in range(7, 10)]
    (line,) = caplog.messages
    assert "only the end of the path in the file is used" in line
    assert line.endswith("7.png and 2 more)")


def test_two_names_that_lead_to_one_file_are_refused(tmp_path):
    noise(40, 30).save(tmp_path / "1.png")
    content = document()
    content["images"] = [{**content["images"][0], "id": n, "file_name": f"camera{n}/1.png"} for n in (7, 8)]
    with pytest.raises(reader.CocoError, match=r"image 8: .*1.png is the file of image 7; two file names lead to it"):
        image_check.check_images(read(tmp_path, content), tmp_path)


def test_one_file_that_is_listed_for_two_images_is_read_for_both(tmp_path, caplog):
    noise(40, 30).save(tmp_path / "hall.png")
    content = document()
    content["images"].append({**content["images"][0], "id": 8})
    assert set(image_check.check_images(read(tmp_path, content), tmp_path)) == {7, 8}
    assert "listed for several images" in caplog.text


def test_a_name_that_fits_several_files_is_refused_with_their_paths(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        noise(40, 30).save(tmp_path / folder / "hall.png")
    with pytest.raises(reader.CocoError, match=r"image 7: hall.png fits 2 files \(.*x/hall.png, .*y/hall.png\)"):
        image_check.check_images(read(tmp_path, document()), tmp_path)


def test_images_that_can_be_used_are_found_beside_those_that_cannot(tmp_path):
    noise(40, 30).save(tmp_path / "hall.png")
    content = document()
    content["images"].append({**content["images"][0], "id": 8, "file_name": "none.png"})
    found = image_check.find_images(read(tmp_path, content), tmp_path)
    assert (set(found.files), set(found.problems)) == ({7}, {8})
