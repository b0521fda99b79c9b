# SPDX-License-Identifier: Apache-2.0
"""Random arguments for commands, drawn from the options that a command has, and a folder that they are tried in."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from hypothesis import strategies as st

from tests.helpers.coco_sets import annotation, image, write_set

NUMBERS = ("0", "-1", "1", "2", "0.5", "1.5", "nan", "inf", "-0", "1e9", "0x10", "1_000", " 1", "١", "many")
HUGE_NUMBERS = (str(10**12), str(2**70))
PATHS = (
    "coco.json", "results.json", "text.json", "text.pt", "empty", "folder", "images", "images/001.png", "link",
    "dangling", "circle", "pipe", "protected", "missing", "missing/file", "coco.json/below", "config.yaml", "new",
    "new.json", "new.png", "new.onnx", "new/new.json", "../new.json", "gr\udcfcn", "x" * 300, "two\nlines", "a\0b", "-",
    "", ".", "..", "~", "~nobody/x",
)  # fmt: skip
# No valid config: it would start a training, a rendering or a download.
WORDS = ("auto", "cpu", "CPU", "cuda", "cuda:7", "gpu", "column", "{a: [", "{data: 1}", '{"asset": "x"}', "a", "a=b")
# No slash, because a random path must not lead out of the folder.
TEXTS = st.text(st.characters(exclude_characters="/~{"), max_size=20).filter(lambda text: text not in (".", ".."))
VALUES = st.one_of(st.sampled_from(PATHS), st.sampled_from(NUMBERS + HUGE_NUMBERS), st.sampled_from(WORDS), TEXTS)


def make_folder(outer: Path) -> Path:
    """Return a new folder in `outer` with files that commands may be given. No config in it is valid."""
    folder = outer / "inner"
    folder.mkdir()
    coco = write_set(folder / "images", [image(), image()], [annotation(0, 20), annotation(1, 30, "pallet_truck")])
    coco.rename(folder / "coco.json")
    box = {"image_id": 1, "category_id": 1, "bbox": [40, 30, 10, 20], "score": 0.9}
    (folder / "results.json").write_text(json.dumps([box]))
    for name in ("text.json", "text.pt", "protected"):
        (folder / name).write_text("text")
    (folder / "protected").chmod(0o444)
    (folder / "config.yaml").write_text("{data: {imagse: 3}, trian: 5}")
    (folder / "empty").touch()
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    for name, target in {"link": "coco.json", "dangling": "missing", "circle": "circle"}.items():
        (folder / name).symlink_to(target)
    return folder


def snapshot(folder: Path) -> dict[str, object]:
    """Return what is in a folder: the content of files, where links lead, and what else is there."""
    return {
        str(path): os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@st.composite
def argument_lists(draw: st.DrawFn, options: Mapping[str, int], required: Sequence[str] = ()) -> list[str]:
    """Draw the arguments of a command. `options`: name -> number of values, 0 for a flag; "" for an argument.

    The options in `required` are given more often, so that commands get further.
    """
    words: list[str] = []
    given = [name for name in options if draw(st.integers(0, 9)) < (9 if name in required else 3)]
    if draw(st.integers(0, 9)) == 0:
        given.append(draw(st.sampled_from(["--unknown", "--", "-x", "--help", *given])))
    for name in given:
        values = [draw(VALUES) for _ in range(options.get(name, 1))]
        if name.startswith("--") and len(values) == 1 and draw(st.booleans()):
            words.append(f"{name}={values[0]}")
        else:
            words += [*filter(None, [name]), *values]
    return words
