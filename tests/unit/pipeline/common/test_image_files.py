# SPDX-License-Identifier: Apache-2.0
"""Image files are read upright; what cannot be read is named, whatever stands at the path."""

import io
import os
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, PngImagePlugin

from pipeline.common import image_files
from pipeline.common.image_remarks import Remarks
from tests.helpers.raw_images import png_chunk
from tests.helpers.search import examples

# In pytest they are not ignored.
pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning", "ignore::PIL.Image.DecompressionBombWarning")


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8))


def corner_image() -> Image.Image:
    """Return 48x32 pixels, of which the top left quarter is bright."""
    pixels = np.zeros((32, 48, 3), np.uint8)
    pixels[:16, :24] = 255
    return Image.fromarray(pixels)


def bright_corner(pixels: np.ndarray) -> str:
    height, width = pixels.shape[:2]
    halves = {"top": np.s_[: height // 2], "bottom": np.s_[height // 2 :]}
    sides = {"left": np.s_[: width // 2], "right": np.s_[width // 2 :]}
    means = {f"{v} {h}": pixels[halves[v]][:, sides[h]].mean() for v in halves for h in sides}
    return max(means, key=means.get)


def save_turned(path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    if path.suffix == ".tif":
        corner_image().save(path, tiffinfo={ExifTags.Base.Orientation: orientation})
    else:
        corner_image().save(path, exif=exif, **({"save_all": True} if path.suffix == ".mpo" else {}))


# Orientation -> where the top left corner of the stored pixels is in the upright image.
CORNERS = {
    **dict.fromkeys((0, 1, 5, 9), "top left"),
    2: "top right",
    3: "bottom right",
    4: "bottom left",
    6: "top right",
    7: "bottom right",
    8: "bottom left",
}


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif", ".mpo"])
@pytest.mark.parametrize("orientation", CORNERS)
def test_images_are_turned_upright_by_their_exif_orientation(tmp_path, suffix, orientation):
    path = tmp_path / f"a{suffix}"
    save_turned(path, orientation)
    pixels = image_files.read_image(path)
    size = (32, 48) if orientation in (5, 6, 7, 8) else (48, 32)
    assert (bright_corner(pixels), pixels.shape[1::-1]) == (CORNERS[orientation], size)
    assert image_files.read_size(path) == size
    stored = image_files.read_image(path, turn_upright=False)
    assert (bright_corner(stored), stored.shape) == ("top left", (32, 48, 3))
    assert image_files.read_size(path, turn_upright=False) == (48, 32)


def exif_bytes(kind: int, count: int, value: bytes) -> bytes:
    entry = struct.pack(">HHI4s", ExifTags.Base.Orientation, kind, count, value.ljust(4, b"\0"))
    return b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + entry + bytes(4)


SHORT, LONG, SIGNED_LONG, RATIONAL, UNDEFINED, TEXT = 3, 4, 9, 5, 7, 2
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description tiff:Orientation="6" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"/></rdf:RDF></x:xmpmeta>'
)


@pytest.mark.parametrize(
    ("metadata", "is_turned"),
    [
        ({"exif": exif_bytes(SHORT, 1, b"\0\6")}, True),
        ({"exif": exif_bytes(SHORT, 2, b"\0\6\0\6")}, True),
        ({"exif": exif_bytes(LONG, 1, b"\0\0\0\6")}, True),
        ({"exif": exif_bytes(SIGNED_LONG, 1, b"\0\0\0\6")}, True),
        ({"xmp": XMP}, True),
        ({"exif": exif_bytes(SHORT, 0, b"\0\6")}, False),
        ({"exif": exif_bytes(TEXT, 2, b"6")}, False),
        ({"exif": exif_bytes(UNDEFINED, 1, b"\6")}, False),
        ({"exif": exif_bytes(RATIONAL, 1, b"\0\0\x7f\xff")}, False),
        ({"exif": exif_bytes(LONG, 1, b"\xff\xff\xff\xff")}, False),
        ({"exif": b"Exif\0\0MM\0*\0\0\xff\xff"}, False),
        ({"exif": b"Exif\0\0"}, False),
        ({"exif": b"garbage"}, False),
    ],
)
def test_the_orientation_may_have_any_type_and_damaged_metadata_changes_nothing(tmp_path, metadata, is_turned):
    corner_image().save(tmp_path / "a.jpg", **metadata)
    assert image_files.read_size(tmp_path / "a.jpg") == ((32, 48) if is_turned else (48, 32))
    assert image_files.read_image(tmp_path / "a.jpg").shape[:2] == ((48, 32) if is_turned else (32, 48))


def test_exif_after_the_pixels_of_a_png_file_counts(tmp_path):
    corner_image().save(tmp_path / "a.png")
    content, end = (tmp_path / "a.png").read_bytes(), png_chunk(b"IEND", b"")
    exif = png_chunk(b"eXIf", exif_bytes(SHORT, 1, b"\0\6").removeprefix(b"Exif\0\0"))
    (tmp_path / "a.png").write_bytes(content.replace(end, exif + end))
    assert image_files.read_size(tmp_path / "a.png") == (32, 48)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".bmp", ".gif", ".avif", ".ppm", ".jp2"])
def test_a_truncated_image_is_named(tmp_path, suffix):
    path = tmp_path / f"cut{suffix}"
    noise(64, 64).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    for check in (image_files.read_image, lambda path: image_files.check_pixels(path, Remarks())):
        with pytest.raises(image_files.ImageFileError, match=rf"cut\{suffix}: not a readable image"):
            check(path)


def with_wrong_bytes(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(each ^ 0xFF for each in content[middle : middle + 9]) + content[middle + 9 :]


def with_zeros_from_the_middle(content: bytes) -> bytes:
    """Return what is on the disk after a crash: the size is right, but not all was written."""
    return content[: len(content) // 2].ljust(len(content), b"\0")


@pytest.mark.parametrize("damage", [with_wrong_bytes, with_zeros_from_the_middle])
@pytest.mark.parametrize("has_exif", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "I;16"])
def test_a_damaged_png_file_is_named_and_does_not_become_black(tmp_path, mode, has_exif, damage):
    path = tmp_path / "a.png"
    image = Image.fromarray(np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) * 15) if mode == "I;16" else None
    image = image or noise(64, 64).convert(mode)
    image.save(path, **({"exif": exif_bytes(SHORT, 1, b"\0\6").removeprefix(b"Exif\0\0")} if has_exif else {}))
    path.write_bytes(damage(path.read_bytes()))
    for check in (image_files.read_image, lambda path: image_files.check_pixels(path, Remarks())):
        with pytest.raises(image_files.ImageFileError, match=r"a\.png: not a readable image"):
            check(path)


@pytest.mark.parametrize("megabytes", [0.5, 3, 30])
@pytest.mark.parametrize("kind", ["tEXt", "zTXt", "iTXt"])
def test_a_png_file_with_long_texts_is_read(tmp_path, kind, megabytes):
    info = PngImagePlugin.PngInfo()
    add = info.add_itxt if kind == "iTXt" else info.add_text
    add("workflow", "a" * int(megabytes * 2**20), zip=kind != "tEXt")
    noise(32, 24).save(tmp_path / "a.png", pnginfo=info)
    np.testing.assert_array_equal(image_files.read_image(tmp_path / "a.png"), np.asarray(noise(32, 24)))


PLACES = {
    "missing": (lambda path: None, "no such file"),
    "a broken link": (lambda path: path.symlink_to("gone.jpg"), "no such file, the link leads to gone.jpg"),
    "a circle of links": (lambda path: path.symlink_to(path.name), "(?i)too many levels of symbolic links"),
    "a folder": (lambda path: path.mkdir(), "a folder, not an image"),
    "a pipe": (lambda path: os.mkfifo(path), "a pipe or a device"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "a pipe or a device"),
    "below a file": (lambda path: None, "Not a directory"),
    "a name that is too long": (lambda path: None, "File name too long"),
    "a name with NUL": (lambda path: None, "null byte"),
}


@pytest.mark.parametrize("place", PLACES)
def test_what_stands_at_the_path_is_named_without_waiting(tmp_path, place):
    make, reason = PLACES[place]
    (tmp_path / "file").touch()
    names = {"below a file": "file/a.jpg", "a name that is too long": "x" * 300, "a name with NUL": "a\0.jpg"}
    path = tmp_path / names.get(place, "a.jpg")
    make(path)
    for read in (image_files.read_image, image_files.read_size, image_files.check_header):
        with pytest.raises(image_files.ImageFileError, match=reason):
            read(path)


NAMES = [
    *("a b.jpg", "#1.jpg", "100%.jpg", "a\nb.jpg", "a\tb.jpg", "ä.jpg", "a\u0308.jpg", "🚜.jpg", "倉庫.jpg"),
    *("-a.jpg", "a'b\".jpg", "a;b.jpg", "$HOME.jpg", "[1].jpg", "x" * 251 + ".jpg", "no suffix", ".hidden"),
    os.fsdecode(b"gr\xfcn.jpg"),
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_name_is_read_and_shown_on_one_line(tmp_path, name):
    with (tmp_path / name).open("wb") as file:
        noise(16, 16).save(file, "JPEG")
    assert image_files.read_image(tmp_path / name).shape == (16, 16, 3)
    (tmp_path / name).write_bytes(b"broken")
    with pytest.raises(image_files.ImageFileError) as caught:
        image_files.read_image(tmp_path / name)
    str(caught.value).encode()  # has no bytes that are no text
    assert "\n" not in str(caught.value)


def test_an_image_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    noise(16, 16).save(tmp_path / "a.png")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Image, "open", refuse)
    with pytest.raises(image_files.ImageFileError, match=r"a\.png: not a readable image \(Permission denied\)"):
        image_files.read_image(tmp_path / "a.png")


def test_what_is_said_about_many_images_is_short(tmp_path, caplog):
    remarks = Remarks()
    for number in range(5):
        remarks.add(tmp_path / f"{number}.png", ["too dark"])
    remarks.log()
    (line,) = caplog.messages
    assert line.startswith("too dark: images 5 (")
    assert line.endswith("2.png, …)")


def test_a_png_file_says_which_program_wrote_it(tmp_path):
    pixels = np.asarray(noise(9, 7))
    image_files.write_png(tmp_path / "a.png", pixels, software="cariste predict")
    image_files.write_png(tmp_path / "b.png", pixels)
    np.testing.assert_array_equal(image_files.read_image(tmp_path / "a.png"), pixels)
    assert Image.open(tmp_path / "a.png").info["Software"] == "cariste predict"
    (tmp_path / "c.png").write_bytes((tmp_path / "a.png").read_bytes()[:50])
    found = [image_files.png_software(tmp_path / f"{name}.png") for name in "abcd"]
    assert found == ["cariste predict", None, None, None]


def contents() -> dict[str, bytes]:
    """Return a small image in every format that Pillow writes and Cariste reads."""
    images = {}
    kinds = {
        "L": "JPEG PNG TIFF PPM PCX",
        "P": "GIF BMP TIFF PNG",
        "RGBA": "WEBP AVIF TGA QOI PNG SGI",
        "CMYK": "JPEG TIFF",
    }
    for mode, formats in {
        **kinds,
        "RGB": "JPEG2000 MPO BMP TIFF JPEG",
        "I;16": "PNG TIFF JPEG2000",
        "F": "TIFF",
    }.items():
        source = Image.new(mode, (24, 16)) if mode in ("I;16", "F") else noise(24, 16).convert(mode)
        for name in formats.split():
            file = io.BytesIO()
            source.save(file, name)
            images[f"{name} {mode}"] = file.getvalue()
    return images


CONTENTS = contents()


@settings(max_examples=examples(500), deadline=None)
@given(st.data())
def test_damaged_files_are_read_or_refused_on_one_line(tmp_path_factory, data):
    content = bytearray(CONTENTS[data.draw(st.sampled_from(sorted(CONTENTS)))])
    for _ in range(data.draw(st.integers(0, 8))):
        # Most decisions are made by the first bytes.
        place = data.draw(st.integers(0, min(len(content), 200) - 1) | st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    path = tmp_path_factory.getbasetemp() / "damaged.jpg"
    path.write_bytes(content)
    start, messages = time.monotonic(), []
    for read in (image_files.read_size, lambda path: image_files.check_pixels(path, Remarks()), image_files.read_image):
        try:
            result = read(path)
        except image_files.ImageFileError as error:
            messages.append(str(error))
        else:
            assert not isinstance(result, np.ndarray) or (result.dtype == np.uint8 and result.shape[2] == 3)
    assert "\n" not in "".join(messages)
    assert time.monotonic() - start < 10
