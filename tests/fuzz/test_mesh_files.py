# SPDX-License-Identifier: GPL-3.0-or-later
"""Random damage to mesh files: they are measured or refused, without a traceback, a hang or much memory."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import bpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers import mesh_files, raw_meshes
from tests.helpers.paths import ROOT
from tests.helpers.search import examples

MAX_SECONDS, MAX_MEMORY_MB = 10, 1500
# Damages are (place as a share of the file, what is put there).
DAMAGES = st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=40)), min_size=1, max_size=4)
KINDS = ("obj", "glb", "gltf", "stl", "ply", "usda", "usdc", "fbx", "blend")


class Worker:
    """A process that measures files. It is started again if Blender crashes, which `measure` reports in a line."""

    def __init__(self) -> None:
        self.process = None

    def measure(self, path: Path) -> dict:
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.programs.measure_files"], cwd=ROOT, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        answer = next((line for line in iter(self.process.stdout.readline, "") if line.startswith('{"')), "")
        if answer:
            return json.loads(answer)
        assert self.process.wait(30) < 0, "it ended, but no signal ended it"
        return {"refused": "crash", "seconds": 0, "memory_mb": 0}

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    started = Worker()
    yield started
    started.close()


@pytest.fixture(scope="module")
def intact(tmp_path_factory) -> dict[str, bytes]:
    """The bytes of a small file of each kind."""
    folder = tmp_path_factory.mktemp("intact")
    mesh_files.empty_file()
    mesh_files.add_truck()
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "a.blend"), copy=True, compress=True)
    for kind in ("usdc", "fbx"):
        mesh_files.save(folder / f"a.{kind}")
    raw_meshes.write_glb(folder / "a.glb", *raw_meshes.gltf_document())
    raw_meshes.write_gltf(folder / "a.gltf", *raw_meshes.gltf_document())
    (folder / "a.obj").write_text(raw_meshes.obj_text())
    (folder / "a.usda").write_text(raw_meshes.usda_text())
    (folder / "a.stl").write_bytes(raw_meshes.stl_bytes())
    (folder / "a.ply").write_bytes(raw_meshes.ply_bytes(kind="binary_little_endian"))
    return {kind: (folder / f"a.{kind}").read_bytes() for kind in KINDS}


@pytest.mark.slow
@settings(
    max_examples=examples(500),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(kind=st.sampled_from(KINDS), damages=DAMAGES, keep=st.floats(0.05, 1))
def test_a_damaged_file_is_measured_or_refused(intact, worker, tmp_path_factory, kind, damages, keep):
    content = bytearray(intact[kind])
    for place, new in damages:
        start = int(place * len(content))
        content[start : start + len(new)] = new
    path = tmp_path_factory.getbasetemp() / f"damaged.{kind}"
    path.write_bytes(content[: int(keep * len(content))] if keep < 0.5 else content)
    outcome = worker.measure(path)
    assert "bug" not in outcome, outcome["bug"]
    assert outcome["seconds"] < MAX_SECONDS
    assert outcome["memory_mb"] < MAX_MEMORY_MB
    if "refused" in outcome:
        assert "Traceback" not in outcome["refused"]
