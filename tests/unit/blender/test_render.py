# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m blender render`: the same bytes again, one record, a file to open in Blender, wrong arguments."""

import json

import bpy
import pytest

from blender import render
from blender.cycles import render_settings
from tests.helpers import records
from tests.helpers.blender_commands import run_blender, start_blender
from tests.unit.blender.ground_truth.test_keypoints import place


def contents(folder):
    """Return {name: bytes} of all files but the one that holds what is true of one run only."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "shard.json"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with `scenes.jsonl` (a person and a truck, all extras; a truck), and the shard of it."""
    folder = tmp_path_factory.mktemp("made")
    first = records.record(12, (records.truck(1),), width=64, height=48).model_dump(mode="json")
    first["objects"].append(place(-90, 2, (0.9, 0.4, 0.0)))
    first["render"] |= {"depth": "png", "normals": "exr", "verify": True, "denoise": True}
    second = records.record(13, width=48, height=36).model_dump(mode="json")
    (folder / "scenes.jsonl").write_text("".join(json.dumps(record) + "\n" for record in (first, second)))
    (folder / "scenes.json").write_text('{"cariste": "0.3", "dataset_seed": 7}')
    files = ("--scenes", folder / "scenes.jsonl", "--provenance", folder / "scenes.json")
    done = run_blender("render", *files, "--out", folder / "shard")
    assert done.exit_code == 0, done.stderr
    return folder


def test_another_process_with_other_threads_renders_the_same_bytes(made, tmp_path):
    done = start_blender("render", "--scenes", made / "scenes.jsonl", "--out", tmp_path / "shard", "--threads", 2)
    assert done.exit_code == 0, done.stderr
    expected = contents(made / "shard")
    assert {"depth/000012.png", "normals/000012.exr", "silhouettes/000012.npz"} < set(expected)
    assert contents(tmp_path / "shard") == expected
    facts, again = (json.loads((folder / "shard" / "shard.json").read_text()) for folder in (made, tmp_path))
    assert facts["files"] == again["files"]
    assert facts["made_by"] == {"cariste": "0.3", "dataset_seed": 7}
    assert again["made_by"] is None


def test_one_image_of_a_shard_rendered_again_has_the_bytes_of_the_shard(made, tmp_path):
    lines = made / "shard" / "scenes.jsonl"
    done = run_blender("render", "--record", lines, "--index", 13, "--out", tmp_path / "again")
    assert done.exit_code == 0, done.stderr
    expected = {name: data for name, data in contents(made / "shard").items() if "000013" in name}
    expected["scenes.jsonl"] = lines.read_bytes().splitlines(keepends=True)[1]
    assert contents(tmp_path / "again") == expected


def test_a_saved_blend_file_renders_the_image_of_the_shard(made, tmp_path):
    done = run_blender(
        "render", "--record", made / "scenes.jsonl", "--index", 12, "--save-blend", tmp_path / "scene.blend"
    )
    assert done.exit_code == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["scene.blend"]
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    scene = bpy.context.scene
    assert (scene.render.resolution_x, scene.render.filepath) == (64, "//000012.png")
    assert scene.camera is not None
    assert "left_knee" in bpy.data.objects
    assert not [image.name for image in bpy.data.images if image.source == "FILE" and not image.packed_file]
    render_settings.render(tmp_path / "passes.exr")
    render_settings.save_image(tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == (made / "shard" / "images" / "000012.png").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--record", "{scenes}", "--out", "{out}"], "2 records (images 12 to 13): choose one with --index"),
        (["--scenes", "{scenes}", "--out", "{out}", "--device", "cuda"], "Cycles finds no such GPU"),
        (["--scenes", "{scenes}"], "--out is missing"),
    ],
)
def test_wrong_arguments_end_with_a_message_and_write_nothing(made, tmp_path, arguments, reason):
    done = run_blender(
        "render", *(text.format(scenes=made / "scenes.jsonl", out=tmp_path / "out") for text in arguments)
    )
    assert done.exit_code != 0
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_first_line_names_the_device_and_says_what_a_cpu_costs():
    assert render.describe_device("CUDA: NVIDIA L4") == "device: CUDA: NVIDIA L4"
    line = render.describe_device("CPU (auto: no GPU found)")
    assert line.startswith("device: CPU (auto: no GPU found). A CPU takes many times as long as a GPU.")
    assert "render.device" in line
