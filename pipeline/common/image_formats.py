# SPDX-License-Identifier: Apache-2.0
"""Formats of image files: which are read, and what a file seems to be that is not.

Formats that Pillow opens with other programs (EPS, WMF), only identifies (HDF5, MPEG, …) or recognizes by chance are
left out.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

from PIL import Image

# Pillow's names. JPEG includes MPO, the JPEG files of phones and stereo cameras that hold more than one image.
FORMATS = (
    *("AVIF", "BMP", "DIB", "GIF", "JPEG", "JPEG2000", "PCX", "PNG"),
    *("PPM", "PSD", "QOI", "SGI", "SUN", "TGA", "TIFF", "WEBP"),
)
TO_JPEG = "convert it to JPEG or PNG"
DEVELOP = "develop it to JPEG or TIFF first"
EXTRACT = "extract its images first"
READ_BYTES = 512
# What cameras, phones, screenshots and editors write that is not read.
OTHER_SUFFIXES = {
    *(".heic", ".heif", ".hif", ".jxl", ".jxr", ".exr", ".hdr", ".dds", ".svg", ".pdf", ".eps", ".ai"),
    *(".xcf", ".kra", ".dcm", ".fits", ".npy", ".pam", ".ico", ".icns", ".dng", ".cr2", ".cr3"),
    *(".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".raf", ".orf", ".rw2", ".pef", ".srw", ".x3f"),
    *(".3fr", ".iiq", ".raw", ".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mts", ".3gp", ".insv"),
    *(".bag", ".zip"),
}


class FileKind(NamedTuple):
    """A kind of file that is not read: `magic` stands at `offset`; `name` and `advice` are for messages."""

    offset: int
    magic: bytes
    name: str
    advice: str


OTHER_KINDS = (
    *(FileKind(4, b"ftyp" + brand, "a HEIC image", TO_JPEG) for brand in (b"hei", b"hev", b"mif1", b"msf1")),
    FileKind(4, b"ftypcrx", "a raw file of a camera (CR3)", DEVELOP),
    FileKind(8, b"CR", "a raw file of a camera (CR2)", DEVELOP),
    FileKind(0, b"FUJIFILMCCD-RAW", "a raw file of a camera (RAF)", DEVELOP),
    FileKind(0, b"IIRO", "a raw file of a camera (ORF)", DEVELOP),
    FileKind(0, b"IIRS", "a raw file of a camera (ORF)", DEVELOP),
    FileKind(0, b"IIU\0", "a raw file of a camera (RW2)", DEVELOP),
    FileKind(0, b"FOVb", "a raw file of a camera (X3F)", DEVELOP),
    FileKind(0, b"\0\5\x16\7", "what macOS stores beside a file (AppleDouble)", "name the file without ._"),
    FileKind(0, b"bplist", "a property list of macOS, as for files that are only in iCloud", "download the image"),
    FileKind(0, b"L\0\0\0\1\x14\2\0", "a shortcut of Windows", "copy the image itself"),
    FileKind(4, b"ftyp", "a video", EXTRACT),
    FileKind(0, b"\x1a\x45\xdf\xa3", "a video", EXTRACT),
    FileKind(8, b"AVI ", "a video", EXTRACT),
    FileKind(0, b"\0\0\1\xba", "a video", EXTRACT),
    FileKind(0, b"\0\0\1\xb3", "a video", EXTRACT),
    FileKind(0, b"%PDF", "a PDF file", EXTRACT),
    FileKind(0, b"%!PS", "a PostScript file", TO_JPEG),
    FileKind(0, b"PK\3\4", "a zip file", EXTRACT),
    FileKind(0, b"\x1f\x8b", "a gzip file", EXTRACT),
    FileKind(0, b"\xff\x0a", "a JPEG XL image", TO_JPEG),
    FileKind(0, b"\0\0\0\x0cJXL ", "a JPEG XL image", TO_JPEG),
    FileKind(0, b"II\xbc", "a JPEG XR image", TO_JPEG),
    FileKind(0, b"v/1\1", "an OpenEXR image", TO_JPEG),
    FileKind(0, b"#?R", "a Radiance HDR image", TO_JPEG),
    FileKind(0, b"DDS ", "a DDS texture", TO_JPEG),
    FileKind(0, b"\0\0\1\0", "an icon", TO_JPEG),
    FileKind(128, b"DICM", "a DICOM file", TO_JPEG),
    FileKind(0, b"\x93NUMPY", "a NumPy array", TO_JPEG),
    FileKind(0, b"SIMPLE  =", "a FITS file", TO_JPEG),
    FileKind(0, b"\x89HDF", "an HDF5 file", TO_JPEG),
    FileKind(0, b"version https://git-lfs", "the pointer of a Git LFS file", "run `git lfs pull`"),
    FileKind(0, b"PF", "a color PFM image", TO_JPEG),
    FileKind(0, b"P7", "a PAM image", TO_JPEG),
    *(FileKind(0, start, "a TIFF file with pixels of a rare kind", "save it as 8-bit RGB") for start in (b"II", b"MM")),
)


@cache
def suffixes() -> frozenset[str]:
    """Return the suffixes of the formats that are read, in lower case, such as ".jpg"."""
    known = Image.registered_extensions().items()
    return frozenset(suffix for suffix, name in known if name in FORMATS) | {".mpo"}


def describe_unknown(path: Path) -> str:
    """Return what a file seems to be that Pillow does not recognize, and what to do.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(READ_BYTES)
    if not start:
        return "empty"
    if not start.strip(b"\0"):
        return "begins with zeros only, as after an interrupted copy; copy it again"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in text:
        return f"an SVG drawing, not an image of pixels; {TO_JPEG}"
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page, as after a failed download; download it again"
    for kind in OTHER_KINDS:
        if start.startswith(kind.magic, kind.offset):
            return f"{kind.name}, which is not read; {kind.advice}"
    return "text, not an image" if start.isascii() else "damaged, or no image of a format that is read"
