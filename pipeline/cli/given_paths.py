# SPDX-License-Identifier: Apache-2.0
"""The paths on a command line, each with what it is for, and what is wrong with them and between them.

The options record their paths while the command line is parsed. `checked_command.CheckedCommand` asks for the problems
before the command begins.
"""

import enum
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import typer

from pipeline.common import path_checks
from pipeline.common.path_checks import shown

META_KEY = "cariste.paths"
IMAGE_SUFFIXES = {".avif", ".bmp", ".gif", ".heic", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}


class Role(enum.Enum):
    """What a path is for."""

    INPUT_FILE = enum.auto()
    INPUT_FOLDER = enum.auto()
    INPUT = enum.auto()  # a file or a folder
    IMAGES = enum.auto()  # the same; whether the file can be read is said together with the other images
    CONFIG = enum.auto()  # a YAML file, which its reader checks, or JSON text
    OUTPUT_FILE = enum.auto()
    OUTPUT_FOLDER = enum.auto()


PROBLEMS: dict[Role, Callable[[Path], str | None]] = {
    Role.INPUT_FILE: path_checks.input_file_problem,
    Role.INPUT_FOLDER: path_checks.input_folder_problem,
    Role.INPUT: path_checks.input_problem,
    Role.IMAGES: path_checks.missing_problem,
    Role.OUTPUT_FILE: path_checks.output_file_problem,
    Role.OUTPUT_FOLDER: path_checks.output_folder_problem,
}


@dataclass(frozen=True)
class GivenPath:
    """A path and the option that gave it. `text`: as it was typed."""

    option: str
    text: str
    role: Role

    @property
    def path(self) -> Path:
        return Path(self.text)

    @property
    def name(self) -> str:
        return f"{self.option} {shown(self.text)}"


def recorder(role: Role) -> Callable[[typer.Context, typer.CallbackParam, Any], Any]:
    """Return the callback of an option whose value is a path, a list of paths or a tuple with paths in it."""

    def record(context: typer.Context, param: typer.CallbackParam, value: Any) -> Any:
        if context.resilient_parsing or value is None:
            return value
        option = param.metavar if param.param_type_name == "argument" else param.opts[0]
        given = context.meta.setdefault(META_KEY, [])
        if not isinstance(value, list | tuple):
            return _record(given, option, value, role)
        kept = [_record(given, option, each, role) if isinstance(each, Path) else each for each in value]
        return type(value)(kept)

    return record


def _record(given: list[GivenPath], option: str, value: Path | str, role: Role) -> Path | str:
    if role is Role.CONFIG and str(value).lstrip().startswith("{"):
        return value
    used = _expand_home(option, value)
    given.append(GivenPath(option, str(used), role))
    return used


def _expand_home(option: str, value: Path | str) -> Path | str:
    """Replace a leading `~` that the shell has left, as in `--out=~/x`, unless a folder has this name."""
    head = Path(value).parts[:1]
    if not head or not head[0].startswith("~") or os.path.lexists(head[0]):
        return value
    expanded = os.path.expanduser(value)
    if expanded != str(value):
        print(f"{option} {shown(value)}: read as {shown(expanded)}", file=sys.stderr)
    return type(value)(expanded)


def problems(given: list[GivenPath]) -> Iterator[str]:
    """Yield a line for every path that cannot be used, and for every output that would overwrite something given."""
    usable = []
    for each in given:
        check = PROBLEMS.get(each.role)
        problem = path_checks.text_problem(each.text) or (check(each.path) if check else None)
        if problem:
            yield f"{each.name}: {problem}{_model_hint(each)}"
        else:
            usable.append(each)
    yield from overwriting(usable)


def _model_hint(given: GivenPath) -> str:
    """Return what to do if the path of a model is a folder."""
    if given.option != "--model" or not given.path.is_dir():
        return ""
    if (given.path / "model.pt").is_file():
        return f"; did you mean {shown(given.path / 'model.pt')}?"
    if any(given.path.glob("data.pkl")) or any(given.path.glob("*/data.pkl")):
        return ": an unpacked model file, as some browsers leave it; copy or download it again, and do not unpack it"
    return ""


def overwriting(given: list[GivenPath]) -> Iterator[str]:
    """Yield a line for every output that is also an input, an image of an input folder, or another output."""
    outputs = [each for each in given if each.role is Role.OUTPUT_FILE]
    inputs = [each for each in given if each.role not in (Role.OUTPUT_FILE, Role.OUTPUT_FOLDER)]
    for output in outputs:
        for other in inputs:
            if other.role is not Role.INPUT_FOLDER and _is_same(output.path, other.path):
                yield f"{output.name}: is the file of {other.option}, which it would overwrite; give another name"
            elif _is_image_within(output.path, other.path):
                yield f"{output.name}: is an image in {other.name}, which it would overwrite; give another name"
    folders = [each for each in given if each.role is Role.OUTPUT_FOLDER]
    for first, second in combinations([*outputs, *folders], 2):
        if first.role is Role.OUTPUT_FILE and _is_same(first.path, second.path):
            yield f"{first.option} and {second.option} are the same: {shown(first.text)}"
        elif first.role is Role.OUTPUT_FILE and _is_within(second.path, first.path):
            yield f"{second.name}: lies below {first.name}, which is to be a file"


def _is_same(first: Path, second: Path) -> bool:
    try:
        return first.samefile(second)
    except OSError:  # one of them does not exist yet
        return os.path.realpath(first) == os.path.realpath(second)


def _is_image_within(path: Path, folder: Path) -> bool:
    is_image = path.suffix.lower() in IMAGE_SUFFIXES and path.exists()
    return is_image and folder.is_dir() and _is_within(path, folder)


def _is_within(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(folder)) in Path(os.path.realpath(path)).parents
