# SPDX-License-Identifier: Apache-2.0
"""Files that are no weights: each is named in one line, as a model and as weights to start from; no code in it runs."""

import os
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import safetensors.torch
import torch
from torch import nn

from pipeline.models import detectors
from pipeline.models.weights import file_kinds, state_dicts
from pipeline.models.weights.state_dicts import WeightsError

LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 170000000\n"
TENSORS = {"conv.weight": torch.ones(4, 3, 3, 3), "conv.bias": torch.ones(4)}


class RunsCode:
    """Writes a file when it is unpickled."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple:
        return Path.touch, (self.witness,)


def write_onnx(file: Path) -> None:
    graph = onnx.helper.make_graph([], "graph", [], [])
    onnx.save(onnx.helper.make_model(graph, producer_name="pytorch"), file)


def write_zip(file: Path, name: str, compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr(name, bytes(100_000))


def write_tar(file: Path, mode: str = "w") -> None:
    with tarfile.open(file, mode) as archive:
        archive.add(__file__, "model.pt")


def write_cut(file: Path) -> None:
    torch.save(TENSORS, file)
    file.write_bytes(file.read_bytes()[:-100])


def write_cut_safetensors(file: Path) -> None:
    safetensors.torch.save_file(TENSORS, file)
    file.write_bytes(file.read_bytes()[:-10])


def write_script(file: Path) -> None:
    torch.jit.script(nn.Linear(2, 2)).save(file)


def write_yolo(file: Path) -> None:
    """What Ultralytics writes: the model as an object of its class, in an archive of torch."""
    torch.save({"model": TENSORS}, file)
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, part in parts.items():
            code = b"\x80\x02cultralytics.nn.tasks\nSegmentationModel\n)\x81."
            archive.writestr(name, code if name.endswith("data.pkl") else part)


KINDS: dict[str, tuple[Callable[[Path], object], str]] = {
    "0 bytes": (lambda file: file.write_bytes(b""), r"is empty \(0 bytes\)"),
    "a folder": (Path.mkdir, "is a folder, not a file"),
    "a Git LFS pointer": (lambda file: file.write_bytes(LFS_POINTER), "Git LFS pointer.*git lfs pull"),
    "a web page": (lambda file: file.write_text("\n<!DOCTYPE HTML><html>404</html>"), "web page.*download"),
    "JSON": (lambda file: file.write_text('{"error": "not found"}'), "is a JSON file"),
    "text": (lambda file: file.write_text("not weights at all"), "is text"),
    "text in cp1252": (lambda file: file.write_bytes(b"gr\xfcn\n"), "no file of torch or safetensors"),
    "zeros": (lambda file: file.write_bytes(bytes(1000)), "only zero bytes"),
    "a PNG": (lambda file: file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100)), "is an image"),
    "HDF5 of Keras": (lambda file: file.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100)), "HDF5.*Keras"),
    "GGUF": (lambda file: file.write_bytes(b"GGUF\x03" + bytes(100)), "GGUF"),
    "TensorFlow Lite": (lambda file: file.write_bytes(b"\x1c\0\0\0TFL3" + bytes(100)), "TensorFlow Lite"),
    "ONNX": (write_onnx, "ONNX model.*use the model.pt"),
    "TorchScript": (write_script, "TorchScript.*never run"),
    "a tar": (write_tar, "is a tar archive: unpack it"),
    "arrays of numpy": (lambda file: write_zip(file, "a.npy"), "is an archive of numpy arrays: save them with torch"),
    "a zip after a byte order mark": (lambda file: file.write_bytes(b"\xef\xbb\xbfPK\3\4\0\n"), "no file of torch"),
    "a zip": (lambda file: write_zip(file, "best.pt"), "zip archive .1 in it, such as 'best.pt'.*unpack"),
    "a packed zip": (lambda file: write_zip(file, "archive/data.pkl", zipfile.ZIP_DEFLATED), "compressed parts"),
    "a gzip archive": (lambda file: write_tar(file, "w:gz"), "gzip archive: unpack"),
    "cut off": (write_cut, "cut off or damaged: copy or download it again"),
    "cut off at the start": (lambda file: file.write_bytes(b"PK\x03\x04 cut"), "cut off or damaged"),
    "cut off safetensors": (write_cut_safetensors, "damaged or cut off"),
    "a pickle": (lambda file: file.write_bytes(pickle.dumps({"a": np.ones(2)})), "pickle of Python, not of torch"),
    "Ultralytics": (write_yolo, r"Ultralytics YOLO \(ultralytics.nn.tasks.Segm\w+\), whose code is never run"),
    "a whole module": (lambda file: torch.save(nn.Linear(2, 2), file), "Python objects .*never run.*state_dict"),
    "an old whole module": (
        lambda file: torch.save(nn.Linear(2, 2), file, _use_new_zipfile_serialization=False),
        "never run",
    ),
    "a function": (lambda file: torch.save({"weights": print}, file), r"\(builtins.print\), whose code is never run"),
}


@pytest.mark.parametrize("name", ["x.pt", "x.safetensors"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_another_kind_is_named_in_one_line_with_what_to_do(tmp_path, kind, name):
    write, pattern = KINDS[kind]
    write(tmp_path / name)
    with pytest.raises(WeightsError, match=rf"{name}: .*{pattern}") as failure:
        state_dicts.read(tmp_path / name)
    with pytest.raises(detectors.ModelFileError, match=pattern):
        detectors.load(tmp_path / name)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("is_zip", [True, False])
def test_code_in_a_file_of_torch_is_never_run(tmp_path, is_zip):
    file, witness = tmp_path / "code.pt", tmp_path / "witness"
    torch.save({"weights": RunsCode(witness)}, file, _use_new_zipfile_serialization=is_zip)
    with pytest.raises(WeightsError, match="never run"):
        state_dicts.read(file)
    assert not witness.exists()


def test_code_in_a_plain_pickle_is_never_run(tmp_path):
    (tmp_path / "code.pt").write_bytes(pickle.dumps(RunsCode(tmp_path / "witness")))
    with pytest.raises(WeightsError, match="pickle of Python"):
        state_dicts.read(tmp_path / "code.pt")
    assert not (tmp_path / "witness").exists()


@pytest.mark.parametrize("name", ["x.pt", "x.safetensors", "x"])
@pytest.mark.parametrize("kind", ["new", "old", "safetensors"])
def test_the_content_decides_the_format_not_the_name(tmp_path, kind, name):
    if kind == "safetensors":
        safetensors.torch.save_file(TENSORS, tmp_path / name)
    else:
        torch.save(TENSORS, tmp_path / name, _use_new_zipfile_serialization=kind == "new")
    found = state_dicts.read(tmp_path / name)
    assert found.keys() == TENSORS.keys()
    assert all(torch.equal(found[key], TENSORS[key]) for key in TENSORS)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "model.pt")
    with pytest.raises(WeightsError, match="pipe or a device"):
        state_dicts.read(tmp_path / "model.pt")


def test_files_that_torch_and_safetensors_wrote_are_of_no_other_kind(tmp_path):
    torch.save(TENSORS, tmp_path / "a")
    safetensors.torch.save_file(TENSORS, tmp_path / "b")
    assert [file_kinds.unusable_kind(tmp_path / name) for name in "ab"] == [None, None]
