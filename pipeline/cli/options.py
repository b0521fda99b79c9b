# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share. Paths, numbers and devices are checked before a command begins."""

import math
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.given_paths import Role, recorder

# More would not be faster anywhere, and the processor would spend its time on switching.
MAX_THREADS, MAX_PROCESSES = 512, 256
MAX_IMAGES, MIN_SIDE_PX, MAX_SIDE_PX = 1_000_000, 32, 8192
DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d{1,3})?")


def input_file(*names: str, help: str, metavar: str = "FILE") -> Any:
    """Return an option for a file that must exist."""
    return typer.Option(*names, metavar=metavar, help=help, callback=recorder(Role.INPUT_FILE))


def input_folder(*names: str, help: str) -> Any:
    """Return an option for a folder that must exist."""
    return typer.Option(*names, metavar="DIR", help=help, callback=recorder(Role.INPUT_FOLDER))


def output_file(*names: str, help: str) -> Any:
    """Return an option for a file to write."""
    return typer.Option(*names, metavar="FILE", help=help, callback=recorder(Role.OUTPUT_FILE))


def output_folder(*names: str, help: str) -> Any:
    """Return an option for a folder to write files into."""
    return typer.Option(*names, metavar="DIR", help=help, callback=recorder(Role.OUTPUT_FOLDER))


def side(*names: str, help: str) -> Any:
    """Return an option for the width or height of images, in pixels."""
    return typer.Option(*names, min=MIN_SIDE_PX, max=MAX_SIDE_PX, help=help)


def image_size(value: tuple[int, int]) -> tuple[int, int]:
    """Return a width and height as they are; the callback of an option.

    Raises:
        BadParameter: a side is too short or too long.
    """
    if not all(MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in value):
        raise typer.BadParameter(f"{value[0]} {value[1]}: each side must be {MIN_SIDE_PX} to {MAX_SIDE_PX} pixels")
    return value


def finite(value: float) -> float:
    """Return a number as it is; the callback of an option.

    Raises:
        BadParameter: it is NaN, which lies in every range.
    """
    if isinstance(value, float) and math.isnan(value):
        raise typer.BadParameter("nan is not a number")
    return value


def _device(value: str) -> str:
    """Return the name of a device in small letters. Whether this machine has it is checked where torch is loaded."""
    name = value.strip().lower()
    if not DEVICE.fullmatch(name):
        hint = "; for a GPU of NVIDIA or AMD: cuda" if "gpu" in name or "nvidia" in name else ""
        raise typer.BadParameter(f"{value!r} is none of auto, cpu, cuda, cuda:0 (a certain GPU), mps{hint}")
    return name


def distinct(values: list[str] | None) -> list[str] | None:
    """Return names as they are; the callback of an option that is repeated.

    Raises:
        BadParameter: a name is empty or is given twice.
    """
    for value in values or []:
        if not value.strip():
            raise typer.BadParameter("a name is empty")
        if values.count(value) > 1:
            raise typer.BadParameter(f"{value!r} is given twice")
    return values


Config = Annotated[
    str,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Config: a YAML file. Or JSON text with all keys that the stage needs.",
        callback=recorder(Role.CONFIG),
    ),
]
DataFolder = Annotated[Path, input_folder("--data", help="Folder of the data set.")]
Images = Annotated[Path, input_folder("--images", help="Folder that the file names in the COCO file are relative to.")]
Model = Annotated[Path, input_file("--model", help="Model file (model.pt) that `train` wrote.")]
Device = Annotated[
    str,
    typer.Option(
        "--device",
        help="auto (a GPU if there is one), cpu, cuda, cuda:1 (the second GPU) or mps. A missing GPU is an error.",
        callback=_device,
    ),
]
Threads = Annotated[
    int | None, typer.Option("--threads", min=1, max=MAX_THREADS, help="Processor threads. Default: all.")
]
Processes = Annotated[
    int, typer.Option("--processes", min=1, max=MAX_PROCESSES, help="Shards that are read at the same time.")
]
Categories = Annotated[
    list[str] | None,
    typer.Option(
        "--category",
        metavar="CATEGORY=CLASS",
        help="A category of the COCO file that is a class of another name: person=pedestrian. Repeat for more.",
    ),
]
CustomMeshes = Annotated[
    list[Path] | None,
    input_file("--custom-mesh", help="A mesh of yours: JSON that `python -m blender measure` wrote. Repeat for more."),
]

EVERYDAY, STAGES, PLANNING = "Everyday", "Stages of the pipeline (Snakemake calls these)", "Planning and checking"
