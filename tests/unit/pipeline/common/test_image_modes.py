# SPDX-License-Identifier: Apache-2.0
"""Images of every mode and depth that Pillow opens: white stays white, gray stays gray, the rest is refused by name."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from pipeline.common import image_files, image_modes
from pipeline.common.image_remarks import Remarks
from tests.helpers import raw_images

pytestmark = pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
SIDE = 16
# The left half is white, the right half is a middle gray.
LEVELS = np.full((SIDE, SIDE), 1.0)
LEVELS[:, SIDE // 2 :] = 128 / 255
GRAY = Image.fromarray(np.round(LEVELS * 255).astype(np.uint8))
RGB = GRAY.convert("RGB")
NOTHING_SAID: list[str] = []


def saved(image: Image.Image, name: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, name, **options)
    return file.getvalue()


def whole(white: int, inverted: bool = False) -> np.ndarray:
    """Return the levels as whole numbers, 0 to `white`."""
    return np.round((1 - LEVELS if inverted else LEVELS) * white).astype(np.int64)


def in_lab() -> Image.Image:
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    return ImageCms.applyTransform(RGB, ImageCms.buildTransform(*profiles, "RGB", "LAB"))


def repeated(values: np.ndarray, samples: int, alpha: int | None = None) -> np.ndarray:
    """Return (height, width * samples); the last sample is `alpha` if it is given."""
    pixels = np.repeat(values[:, :, None], samples, axis=2)
    if alpha is not None:
        pixels[:, :, -1] = alpha
    return pixels.reshape(len(values), -1)


def png(bits: int, color_type: int, samples: int, alpha: int | None = None) -> bytes:
    return raw_images.png(repeated(whole(2**bits - 1), samples, alpha), bits, color_type, samples=samples)


def palette_png(bits: int, *chunks: tuple[bytes, bytes]) -> bytes:
    colors = bytes([0, 0, 0, 255, 255, 255, 128, 128, 128])
    return raw_images.png(np.where(LEVELS == 1, 1, 2), bits, 3, [(b"PLTE", colors), *chunks])


def gray_png(*chunks: tuple[bytes, bytes]) -> bytes:
    return raw_images.png(whole(255), 8, 0, chunks)


def tiff(kind: str, tags: dict[int, list[int]] | None = None, order: str = "<") -> bytes:
    """Return a gray TIFF file of numpy's type `kind`, such as "u2"; whole numbers fill their range, others 0 to 1."""
    inverted = bool(tags) and tags.get(262) == [0]
    levels = 1 - LEVELS if inverted else LEVELS
    size = int(kind[1:])
    values = levels if kind[0] == "f" else np.round(levels * (2.0 ** (8 * size - (kind[0] == "i")) - 1))
    data = values.astype(np.dtype(kind).newbyteorder(order)).tobytes()
    sample_format = {"u": 1, "i": 2, "f": 3}[kind[0]]
    return raw_images.tiff([data], SIDE, SIDE, {258: [8 * size], 339: [sample_format]} | (tags or {}), order)


def packed_tiff(bits: int, photometric: int = 1) -> bytes:
    data = raw_images.pack_bits(whole(2**bits - 1, inverted=photometric == 0), bits)
    return raw_images.tiff([data], SIDE, SIDE, {258: [bits], 262: [photometric]})


def color_tiff(order: str = "<", planar: bool = False, kind: str = "u2", scale: float = 65535) -> bytes:
    planes = [(LEVELS * scale).astype(np.dtype(kind).newbyteorder(order))] * 3
    strips = [plane.tobytes() for plane in planes] if planar else [np.stack(planes, axis=2).tobytes()]
    tags = {258: [8 * int(kind[1:])] * 3, 262: [2], 277: [3], 284: [2 if planar else 1]}
    return raw_images.tiff(strips, SIDE, SIDE, tags | ({339: [3] * 3} if kind[0] == "f" else {}), order)


def cmyk_tiff() -> bytes:
    black = np.zeros((SIDE, SIDE, 4), "<u2")
    black[:, :, 3] = 65535 - whole(65535)
    return raw_images.tiff([black.tobytes()], SIDE, SIDE, {258: [16] * 4, 262: [5], 277: [4]})


def two_channel_tiff(extra_samples: int) -> bytes:
    data = repeated(whole(255), 2, alpha=255).astype(np.uint8).tobytes()
    return raw_images.tiff([data], SIDE, SIDE, {258: [8, 8], 277: [2], 338: [extra_samples]})


def ycck_jpeg() -> bytes:
    """Return a JPEG file of inks that are stored as brightness and color, as Photoshop writes them."""
    black_ink = GRAY.point(lambda value: 255 - value)
    # Pillow stores inverted inks. These three stand for the brightness 0, which is no cyan, magenta and yellow.
    stored = [Image.new("L", GRAY.size, value) for value in (255, 127, 127)]
    content = saved(Image.merge("CMYK", [*stored, black_ink]), "JPEG", quality=100, subsampling=0)
    transform = content.index(b"Adobe") + 11
    return content[:transform] + b"\2" + content[transform + 1 :]


def netpbm(magic: str, white: int, samples: int = 1) -> bytes:
    values = repeated(whole(white), samples)
    header = f"{magic}\n{SIDE} {SIDE}\n{white}\n".encode()
    if magic in ("P2", "P3"):
        return header + " ".join(map(str, values.flatten())).encode()
    return header + values.astype(">u2" if white > 255 else "u1").tobytes()


def bmp(bits: int, top_down: bool = False, masks: bytes = b"") -> bytes:
    if bits == 16:
        red_blue, green = whole(31), whole(63 if masks else 31)
        data = (red_blue << (11 if masks else 10) | green << 5 | red_blue).astype("<u2").tobytes()
    else:
        data = repeated(whole(255), bits // 8, alpha=0 if bits == 32 else None).astype(np.uint8).tobytes()
    return raw_images.bmp(data, SIDE, -SIDE if top_down else SIDE, bits, 3 if masks else 0, masks)


def saved_with_black_frame(name: str, **options: object) -> bytes:
    return saved(RGB, name, save_all=True, append_images=[Image.new("RGB", RGB.size)], **options)


FIRST, DEEP, DARK = image_modes.FIRST_FRAME, image_modes.DEEP_GRAY, image_modes.ALMOST_BLACK
# Name -> content, what is said about it.
KINDS: dict[str, tuple[Callable[[], bytes], list[str]]] = {
    **{f"PNG gray {bits} bit": (lambda bits=bits: png(bits, 0, 1), []) for bits in (2, 4, 8)},
    "PNG gray 16 bit": (lambda: png(16, 0, 1), [DEEP]),
    "PNG gray 16 bit of which 12 are significant": (
        lambda: raw_images.png(whole(65535), 16, 0, [(b"sBIT", b"\x0c")]),
        [DEEP],
    ),
    **{f"PNG RGB {bits} bit": (lambda bits=bits: png(bits, 2, 3), []) for bits in (8, 16)},
    **{f"PNG gray, alpha {bits} bit": (lambda bits=bits: png(bits, 4, 2, 2**bits - 1), []) for bits in (8, 16)},
    **{f"PNG RGBA {bits} bit": (lambda bits=bits: png(bits, 6, 4, 2**bits - 1), []) for bits in (8, 16)},
    **{f"PNG palette {bits} bit": (lambda bits=bits: palette_png(bits), []) for bits in (2, 4, 8)},
    "PNG palette, opaque": (lambda: palette_png(8, (b"tRNS", b"\xff\xff\xff")), []),
    "PNG with gamma": (lambda: gray_png((b"gAMA", struct.pack(">I", 100000))), []),
    "PNG, damaged color profile": (lambda: gray_png((b"iCCP", b"x\0\0garbage")), []),
    "PNG, damaged EXIF": (lambda: gray_png((b"eXIf", b"garbage")), []),
    "PNG animated": (lambda: saved_with_black_frame("PNG"), [FIRST]),
    **{
        f"TIFF gray {bits} bit, {name}": (lambda bits=bits, value=value: packed_tiff(bits, value), [])
        for bits in (2, 4, 8)
        for name, value in (("0 is white", 0), ("0 is black", 1))
    },
    "TIFF gray 12 bit": (lambda: packed_tiff(12), [DEEP]),
    "TIFF gray 16 bit": (lambda: tiff("u2"), [DEEP]),
    "TIFF gray 16 bit, Motorola": (lambda: tiff("u2", order=">"), [DEEP]),
    "TIFF gray 16 bit, 0 is white": (lambda: tiff("u2", {262: [0]}), [DEEP]),
    "TIFF gray 16 bit LZW": (
        lambda: saved(Image.fromarray(whole(65535).astype(np.uint16)), "TIFF", compression="tiff_lzw"),
        [DEEP],
    ),
    "TIFF float": (lambda: tiff("f4"), []),
    "TIFF float, Motorola": (lambda: tiff("f4", order=">"), []),
    "TIFF float, 0 is white": (lambda: tiff("f4", {262: [0]}), []),
    "TIFF RGB 16 bit": (color_tiff, []),
    "TIFF RGB 16 bit, Motorola": (lambda: color_tiff(">"), []),
    "TIFF RGB 8 bit planar": (lambda: color_tiff(planar=True, kind="u1", scale=255), []),
    "TIFF RGB of 12 bits in 16": (lambda: color_tiff(scale=4095), [DARK]),
    "TIFF CMYK 16 bit": (cmyk_tiff, []),
    **{f"TIFF gray, extra channel {kind}": (lambda kind=kind: two_channel_tiff(kind), []) for kind in (0, 1, 2)},
    "TIFF of two pages": (lambda: saved_with_black_frame("TIFF"), [FIRST]),
    **{
        f"TIFF {name}": (lambda name=name: saved(RGB, "TIFF", compression=name), [])
        for name in ("tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "jpeg", "zstd", "lzma")
    },
    **{
        f"TIFF {mode}": (lambda mode=mode: saved(GRAY.convert("LA").convert(mode), "TIFF"), []) for mode in ("LA", "PA")
    },
    **{f"TIFF {mode}": (lambda mode=mode: saved(RGB.convert(mode), "TIFF"), []) for mode in ("P", "CMYK", "YCbCr")},
    "TIFF RGBX": (lambda: saved(RGB.convert("RGBX"), "TIFF"), []),
    "TIFF LAB": (lambda: saved(in_lab(), "TIFF"), []),
    **{
        f"JPEG {mode}": (lambda mode=mode: saved(RGB.convert(mode), "JPEG"), [])
        for mode in ("L", "RGB", "CMYK", "YCbCr")
    },
    "JPEG progressive": (lambda: saved(RGB, "JPEG", progressive=True), []),
    "JPEG stored as RGB": (lambda: saved(RGB, "JPEG", keep_rgb=True), []),
    "JPEG YCCK": (ycck_jpeg, []),
    "JPEG, damaged color profile": (lambda: saved(RGB, "JPEG", icc_profile=b"garbage"), []),
    "JPEG, damaged EXIF": (lambda: saved(RGB, "JPEG", exif=b"Exif\0\0garbage"), []),
    "MPO of a phone": (lambda: saved_with_black_frame("MPO"), []),
    **{
        f"WebP {mode}": (lambda mode=mode: saved(RGB.convert(mode), "WEBP", lossless=True), [])
        for mode in ("RGB", "RGBA")
    },
    "WebP lossy": (lambda: saved(RGB, "WEBP"), []),
    "WebP animated": (lambda: saved_with_black_frame("WEBP", lossless=True), [FIRST]),
    **{f"AVIF {mode}": (lambda mode=mode: saved(RGB.convert(mode), "AVIF"), []) for mode in ("RGB", "RGBA", "L")},
    "AVIF animated": (lambda: saved_with_black_frame("AVIF"), [FIRST]),
    "GIF": (lambda: saved(RGB, "GIF"), []),
    "GIF animated": (lambda: saved_with_black_frame("GIF"), [FIRST]),
    **{
        f"JPEG 2000 {mode}": (lambda mode=mode: saved(GRAY.convert(mode), "JPEG2000"), [])
        for mode in ("L", "LA", "RGB", "RGBA")
    },
    "JPEG 2000 gray 16 bit": (
        lambda: saved(Image.fromarray(whole(65535).astype(np.uint16)), "JPEG2000"),
        [DEEP],
    ),
    **{f"PGM to {white}": (lambda white=white: netpbm("P5", white), []) for white in (15, 255)},
    **{f"PGM to {white}": (lambda white=white: netpbm("P5", white), [DEEP]) for white in (1023, 4095, 65535)},
    "PGM text to 4095": (lambda: netpbm("P2", 4095), [DEEP]),
    **{f"PPM to {white}": (lambda white=white: netpbm("P6", white, 3), []) for white in (15, 255, 4095, 65535)},
    "PFM": (lambda: b"Pf\n16 16\n-1\n" + LEVELS.astype("<f4").tobytes(), []),
    "BMP 24 bit": (lambda: bmp(24), []),
    "BMP from top to bottom": (lambda: bmp(24, top_down=True), []),
    "BMP 32 bit": (lambda: bmp(32), []),
    "BMP 16 bit, 5 bits each": (lambda: bmp(16), []),
    "BMP 16 bit, 6 bits of green": (lambda: bmp(16, masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F)), []),
    "BMP 8 bit": (lambda: saved(GRAY, "BMP"), []),
    **{f"TGA {mode}": (lambda mode=mode: saved(RGB.convert(mode), "TGA"), []) for mode in ("L", "RGB", "RGBA", "P")},
    "TGA run lengths": (lambda: saved(RGB, "TGA", compression="tga_rle"), []),
    **{f"PCX {mode}": (lambda mode=mode: saved(RGB.convert(mode), "PCX"), []) for mode in ("L", "RGB", "P")},
    **{f"SGI {mode}": (lambda mode=mode: saved(RGB.convert(mode), "SGI"), []) for mode in ("L", "RGB", "RGBA")},
    "QOI": (lambda: saved(RGB, "QOI"), []),
}


def read(path: Path, content: bytes) -> tuple[np.ndarray, list[str]]:
    """Return the image, and what is said about it."""
    path.write_bytes(content)
    remarks = Remarks()
    pixels = image_files.read_image(path, remarks)
    assert pixels.dtype == np.uint8
    assert pixels.shape[1::-1] == image_files.read_size(path)
    return pixels, list(remarks.paths)


@pytest.mark.parametrize("name", KINDS)
def test_white_stays_white_and_gray_stays_gray(tmp_path, name):
    content, said = KINDS[name]
    pixels, remarks = read(tmp_path / "image", content())
    left, right = pixels[:, : SIDE // 2].mean((0, 1)), pixels[:, SIDE // 2 :].mean((0, 1))
    factor = 1 / 16 if DARK in said else 1
    # The last step of few bits is coarse; inks and other color spaces round.
    tolerance = 43 if "2 bit" in name and "12" not in name else 9 if "4 bit" in name or "15" in name else 3
    np.testing.assert_allclose(left, 255 * factor, atol=3)
    np.testing.assert_allclose(right, 128 * factor, atol=tolerance)
    assert remarks == said


@pytest.mark.parametrize("name", KINDS)
def test_large_images_are_read_in_strips_to_the_same_pixels(tmp_path, monkeypatch, name):
    whole_image = read(tmp_path / "image", KINDS[name][0]())
    monkeypatch.setattr(image_modes, "STRIP_PIXELS", 5 * SIDE)
    in_strips = read(tmp_path / "image", KINDS[name][0]())
    np.testing.assert_array_equal(in_strips[0], whole_image[0])
    assert in_strips[1] == whole_image[1]


def test_black_and_white_images(tmp_path):
    half = np.repeat([[1] * 8 + [0] * 8], SIDE, axis=0)
    contents = {
        "png": raw_images.png(half, 1, 0),
        "tiff": raw_images.tiff([raw_images.pack_bits(half, 1)], SIDE, SIDE, {258: [1]}),
        "inverted tiff": raw_images.tiff([raw_images.pack_bits(1 - half, 1)], SIDE, SIDE, {258: [1], 262: [0]}),
        "fax": saved(Image.fromarray(half.astype(bool)), "TIFF", compression="group4"),
        "pbm": b"P4\n16 16\n" + raw_images.pack_bits(1 - half, 1),
        "bmp": saved(Image.fromarray(half.astype(bool)), "BMP"),
        "gif": saved(Image.fromarray(half.astype(bool)), "GIF"),
    }
    for name, content in contents.items():
        pixels, remarks = read(tmp_path / name, content)
        assert (pixels[:, :8] == 255).all(), name
        assert (pixels[:, 8:] == 0).all(), name
        assert remarks == NOTHING_SAID


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV"]
)
def test_every_mode_of_pillow_becomes_rgb(mode):
    source = {
        "P": RGB.quantize(4),
        "La": GRAY.convert("LA"),
        "PA": GRAY.convert("LA"),
        "RGBa": RGB.convert("RGBA"),
        "1": GRAY,
    }.get(mode, RGB)
    image = source.convert(mode, dither=Image.Dither.NONE)
    pixels, remarks = image_modes.to_rgb(image)
    np.testing.assert_allclose(pixels[:, :8], 255, atol=1)
    np.testing.assert_allclose(pixels[:, 8:], 255 if mode == "1" else 128, atol=1)
    assert remarks == NOTHING_SAID


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I;16L", "I;16N"])
def test_every_mode_of_16_bits_becomes_rgb(mode):
    data = whole(65535).astype(">u2" if mode.endswith("B") else "<u2").tobytes()
    pixels, remarks = image_modes.to_rgb(Image.frombytes(mode, GRAY.size, data))
    np.testing.assert_array_equal(pixels, np.asarray(RGB))
    assert remarks == [DEEP]


def with_alpha(alpha: np.ndarray, gray: int) -> Image.Image:
    return Image.merge("LA", (Image.new("L", GRAY.size, gray), Image.fromarray(alpha.astype(np.uint8))))


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
@pytest.mark.parametrize(
    ("left_alpha", "right_alpha", "left", "right", "said"),
    [
        (255, 255, 40, 40, []),
        (255, 0, 40, 255, [image_modes.ON_WHITE]),
        (0, 0, 40, 40, [image_modes.ALPHA_IGNORED]),
        (128, 255, 147, 40, [image_modes.ON_WHITE]),
    ],
    ids=["opaque", "half is transparent", "all is transparent", "half is half transparent"],
)
def test_transparent_parts_are_shown_on_white(tmp_path, monkeypatch, mode, left_alpha, right_alpha, left, right, said):
    alpha = np.full(LEVELS.shape, left_alpha)
    alpha[:, 8:] = right_alpha
    image = with_alpha(alpha, 40)
    if mode == "P":
        image = image.convert("RGBA").quantize(4)
    pixels, remarks = read(tmp_path / "image.png", saved(image if mode == "P" else image.convert(mode), "PNG"))
    np.testing.assert_allclose(pixels[:, :8], left, atol=1)
    np.testing.assert_allclose(pixels[:, 8:], right, atol=1)
    assert [remark for remark in remarks if remark != DARK] == said
    monkeypatch.setattr(image_modes, "STRIP_PIXELS", 5 * SIDE)
    np.testing.assert_array_equal(image_files.read_image(tmp_path / "image.png"), pixels)


def test_a_color_that_is_declared_transparent_is_shown_on_white(tmp_path):
    pixels, remarks = read(tmp_path / "a.png", gray_png((b"tRNS", b"\0\x80")))
    assert (pixels == 255).all()
    assert remarks == [image_modes.ON_WHITE]


def test_12_bits_in_a_16_bit_file_are_read_as_they_are_and_named(tmp_path):
    pixels, remarks = read(tmp_path / "a.png", raw_images.png(whole(4095), 16, 0))
    assert pixels.max() == 16
    assert remarks == [DEEP, DARK]


def deep_jpeg_2000(channels: int) -> bytes:
    """Return 16-bit gray or color; half of it is white, which Pillow decodes as black in color."""
    pixels = np.zeros((64, 64, channels), np.uint16)
    pixels[:32] = 65535
    return cv2.imencode(".jp2", pixels)[1].tobytes()


def test_jpeg_2000_of_16_bit_gray_keeps_its_white(tmp_path):
    (tmp_path / "a.jp2").write_bytes(deep_jpeg_2000(1))
    assert image_files.read_image(tmp_path / "a.jp2").mean() == pytest.approx(127.5, abs=1)


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "TIFF unsigned 32 bit": (lambda: tiff("u4"), "integers have no known white; save it as 8 or 16 bits"),
    **{
        f"TIFF signed {kind}": (lambda kind=kind: tiff(kind), "integers have no known white")
        for kind in ("i1", "i2", "i4")
    },
    **{f"TIFF {kind}": (lambda kind=kind: tiff(kind), "TIFF file with pixels of a rare kind") for kind in ("f2", "f8")},
    "TIFF float to 255": (
        lambda: raw_images.tiff([(LEVELS * 255).astype("<f4").tobytes()], SIDE, SIDE, {258: [32], 339: [3]}),
        "between 0 .black. and 1 .white., not 128 to 255",
    ),
    "TIFF float NaN": (
        lambda: raw_images.tiff([np.full((16, 16), np.nan, "<f4").tobytes()], SIDE, SIDE, {258: [32], 339: [3]}),
        "between 0 .black. and 1 .white., not nan to nan",
    ),
    "TIFF RGB float": (lambda: color_tiff(kind="f4", scale=1), "TIFF file with pixels of a rare kind"),
    "TIFF RGB 32 bit": (lambda: color_tiff(kind="u4", scale=2**32 - 1), "TIFF file with pixels of a rare kind"),
    **{f"TIFF {bits} bit": (lambda bits=bits: packed_tiff(bits), "pixels of a rare kind") for bits in (6, 10, 14)},
    "TIFF RGB 16 bit planar": (lambda: color_tiff(planar=True), "planes of more than 8 bits"),
    "raw NEF, ARW": (lambda: tiff("u1", {254: [1]}), "a raw file of a camera"),
    "raw DNG": (lambda: tiff("u1", {50706: [1, 4, 0, 0]}), "a raw file of a camera"),
    "raw of a sensor": (lambda: tiff("u1", {262: [32803]}), "TIFF file with pixels of a rare kind"),
    "raw CR2": (lambda: b"II*\0\x10\0\0\0CR\2\0" + bytes(600), "raw file of a camera .CR2.*develop it"),
    "JPEG 2000 RGB 16 bit": (lambda: deep_jpeg_2000(3), "JPEG 2000 with colors of more than 8 bits.*as 8-bit RGB"),
    "AppleDouble": (lambda: b"\0\5\x16\7\0\2\0\0Mac OS X" + bytes(60), "what macOS stores.*without ._"),
    "iCloud": (lambda: b"bplist00\xd1\1\2", "property list of macOS.*download the image"),
    "shortcut": (lambda: b"L\0\0\0\1\x14\2\0" + bytes(90), "a shortcut of Windows"),
    "PFM in color": (lambda: b"PF\n16 16\n-1\n" + bytes(3072), "a color PFM image"),
    "PAM": (lambda: b"P7\nWIDTH 16\n" + bytes(300), "a PAM image"),
    "HEIC": (lambda: b"\0\0\0\x18ftypheic\0\0\0\0" + bytes(64), "a HEIC image, which is not read; convert it to JPEG"),
    "video": (lambda: b"\0\0\0\x18ftypisom\0\0\0\0" + bytes(64), "a video.*extract its images"),
    "PDF": (lambda: b"%PDF-1.7\n", "a PDF file"),
    "PostScript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "a PostScript file"),
    "SVG": (lambda: b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
    "web page": (lambda: b"\n<!DOCTYPE html><html><body>404</body></html>", "a web page.*download it again"),
    "text": (lambda: b"not an image\n", "text, not an image"),
    "Git LFS": (lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS.*git lfs pull"),
    "zip": (lambda: b"PK\3\4" + bytes(64), "a zip file"),
    "zeros": (lambda: bytes(5000), "zeros only"),
    "empty": (lambda: b"", "empty"),
    "random bytes": (lambda: np.random.default_rng(0).bytes(5000), "damaged, or no image of a format that is read"),
    "icon": (lambda: saved(RGB, "ICO"), "an icon"),
    "DDS": (lambda: saved(RGB, "DDS"), "a DDS texture"),
    "PNG without pixels": (lambda: raw_images.png(np.zeros((1, 0), int), 8, 0), "not a readable image|too small"),
    "1x1": (lambda: saved(RGB.resize((1, 1)), "PNG"), "1x1: too small or too narrow"),
    "4000x2": (lambda: saved(RGB.resize((4000, 2)), "PNG"), "4000x2: too small or too narrow"),
    "4x400": (lambda: saved(RGB.resize((4, 400)), "PNG"), "4x400: too small or too narrow"),
    "claims 20000x20000": (
        lambda: raw_images.bmp(b"", 20000, 20000, 24),
        "more than 90 megapixels; save a smaller copy",
    ),
    "claims 9600x9600": (
        lambda: raw_images.bmp(b"", 9600, 9600, 24),
        "9600x9600 has more than 90 megapixels",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_named_with_the_reason(tmp_path, name):
    content, reason = REFUSED[name]
    path = tmp_path / "image.jpg"
    path.write_bytes(content())
    with pytest.raises(image_files.ImageFileError, match=rf"image\.jpg: .*({reason})") as caught:
        image_files.read_image(path)
    assert "\n" not in str(caught.value)
