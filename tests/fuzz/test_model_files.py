# SPDX-License-Identifier: Apache-2.0
"""Model files with random damage: each is refused in one line or gives the same content, never anything else."""

import copy
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.common.errors import CaristeError
from pipeline.models import detectors
from pipeline.models.weights import model_file, state_dicts
from tests.helpers.model_files import model_content
from tests.helpers.search import examples

# A content of the right form. Its weights are those of no network, so that a file is small.
CONTENT = {
    "format": model_file.MODEL_FORMAT,
    "architecture": {
        "backbone": "resnet18",
        "fpn_channels": 16,
        "anchor_sizes": [16, 32, 64, 128, 256],
        "aspect_ratios": [0.5, 1.0, 2.0],
        "mask_channels": [16],
        "box_hidden": None,
        "box_dropout": 0.0,
    },
    "categories": [{"id": 1, "name": "pedestrian"}],
    "normalization": {"mean": [0.5] * 3, "std": [0.5] * 3},
    "norm_eps": None,
    "settings": {"backbone": "resnet18"},
    "facts": {"iterations": 3},
    "weights": {"a.weight": torch.arange(12.0).view(3, 4), "a.bias": torch.ones(3)},
}
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.sampled_from([10**30, -1, 0, ""])
)
VALUES = st.recursive(
    SCALARS, lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text(max_size=5), part, max_size=4)
)


def write(folder: Path, kind: str) -> bytes:
    file = folder / "model.pt"
    if kind == "old torch":
        torch.save(CONTENT, file, _use_new_zipfile_serialization=False)
    else:
        state_dicts.write(folder / ("model.safetensors" if kind == "safetensors" else "model.pt"), CONTENT)
        file = folder / ("model.safetensors" if kind == "safetensors" else "model.pt")
    return file.read_bytes()


def read_or_refusal(file: Path) -> dict[str, Any] | None:
    """Return the content of a file, None if it is refused in one line."""
    return result_or_refusal(lambda: model_file.read(file), file)


def result_or_refusal(call: Callable[[], Any], file: Path) -> Any:
    """Return what a call returns, None if it refuses the file in one line. Any other error is one of ours."""
    try:
        return call()
    except CaristeError as error:
        message = str(error)
    assert message.startswith(str(file))
    assert "\n" not in message
    assert len(message) < 1000
    return None


def same(found: dict[str, Any]) -> bool:
    return found.keys() == CONTENT.keys() and all(
        torch.equal(found["weights"][name], tensor) for name, tensor in CONTENT["weights"].items()
    )


@pytest.mark.parametrize("kind", ["torch", "old torch", "safetensors"])
def test_a_file_that_is_cut_off_anywhere_is_refused(kind, tmp_path):
    whole = write(tmp_path, kind)

    @settings(max_examples=examples(150))
    @given(st.integers(0, len(whole) - 1))
    def check(length: int) -> None:
        (tmp_path / "cut").write_bytes(whole[:length])
        assert read_or_refusal(tmp_path / "cut") is None

    check()


@pytest.mark.parametrize("kind", ["torch", "safetensors"])
def test_a_file_with_wrong_bytes_is_refused_or_has_the_same_weights(kind, tmp_path):
    whole = write(tmp_path, kind)

    @settings(max_examples=examples(350))
    @given(st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), min_size=1, max_size=4))
    def check(changes: list[tuple[int, int]]) -> None:
        content = bytearray(whole)
        for position, value in changes:
            content[position] = value
        (tmp_path / "changed").write_bytes(content)
        found = read_or_refusal(tmp_path / "changed")
        assert found is None or same(found)

    check()


def test_a_pickle_with_wrong_bytes_gives_no_error_but_ours(tmp_path):
    """The checksums of the archive fit, so that torch reads the pickle."""
    with zipfile.ZipFile(io.BytesIO(write(tmp_path, "torch"))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = next(name for name in parts if name.endswith("data.pkl"))

    @settings(max_examples=examples(500))
    @given(st.lists(st.tuples(st.integers(0, len(parts[name]) - 1), st.integers(0, 255)), min_size=1, max_size=3))
    def check(changes: list[tuple[int, int]]) -> None:
        code = bytearray(parts[name])
        for position, value in changes:
            code[position] = value
        with zipfile.ZipFile(tmp_path / "changed", "w") as archive:
            for part, content in (parts | {name: bytes(code)}).items():
                archive.writestr(part, content)
        read_or_refusal(tmp_path / "changed")

    check()


@settings(max_examples=examples(500))
@given(st.data())
def test_random_values_in_the_content_are_refused_or_of_the_right_form(data):
    content = copy.deepcopy(CONTENT)
    change_at_random(content, data)
    checked = result_or_refusal(lambda: model_file.validate_content(Path("model.pt"), content), Path("model.pt"))
    if checked is not None:
        assert checked["categories"]
        assert json.dumps(checked["architecture"])


@settings(max_examples=examples(30))
@given(st.data())
def test_a_model_with_random_settings_is_loaded_or_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("model")
    content = model_content()
    for key in ("architecture", "normalization", "settings"):
        if data.draw(st.booleans()):
            change_at_random(content[key], data)
    torch.save(content, folder / "model.pt")
    loaded = result_or_refusal(lambda: detectors.load(folder / "model.pt"), folder / "model.pt")
    assert loaded is None or loaded.categories == content["categories"]


def change_at_random(content: Any, data: st.DataObject) -> None:
    """Replace, remove or add one value somewhere in nested dictionaries and lists."""
    while True:
        keys = list(content) if isinstance(content, dict) else list(range(len(content)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(content[key], dict | list) and data.draw(st.integers(0, 2)):
            content = content[key]
            continue
        action = data.draw(st.sampled_from(["replace", "replace", "remove", "add"]))
        if action == "remove":
            del content[key]
        elif action == "add" and isinstance(content, dict):
            content[data.draw(st.text(max_size=9))] = data.draw(VALUES)
        else:
            content[key] = data.draw(VALUES)
        return


@pytest.mark.parametrize("metadata", [{}, {"cariste": "{}"}, {"cariste": '{"sha256": 1, "format": 2}'}])
def test_safetensors_of_others_are_no_models(tmp_path, metadata):
    safetensors.torch.save_file(CONTENT["weights"], tmp_path / "x", metadata)
    assert read_or_refusal(tmp_path / "x") is None
