# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line `python -m blender`: help texts and messages."""

import os
import subprocess
import sys

import pytest

from blender.__main__ import main
from tests.helpers import records
from tests.helpers.paths import ROOT


@pytest.mark.parametrize("command", ["render", "preview", "measure"])
def test_the_help_of_each_command_has_an_example(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert f"python -m blender {command} --" in capsys.readouterr().out


def test_wrong_arguments_are_refused_without_loading_bpy():
    program = (
        "import sys\nfrom blender.__main__ import main\n"
        "try:\n    main(['render'])\nexcept SystemExit as error:\n    assert error.code == 2\n"
        "assert 'bpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--scenes", "{folder}/c.json"], "render shard: {folder}/c.json: no scene records: not text in UTF-8\n"),
        (["--scenes", "{folder}/a.json", "--provenance", "{folder}/b.json"], "b.json: not JSON"),
    ],
)
def test_errors_of_the_user_are_one_line(tmp_path, capsys, arguments, message):
    (tmp_path / "a.json").write_text(records.record(1).model_dump_json())
    (tmp_path / "b.json").write_text("{")
    (tmp_path / "c.json").write_bytes(b"gr\xfcn")
    options = [text.format(folder=tmp_path) for text in arguments]
    assert main(["render", *options, "--out", str(tmp_path / "shard"), "--device", "cpu"]) == 2
    error = capsys.readouterr().err
    assert message.format(folder=tmp_path) in error
    assert error.count("\n") == error.count("device: CPU") + 1, "the message is one line, after that of the device"
    assert not (tmp_path / "shard").exists()


@pytest.mark.parametrize("asset", ["{", "[]", '{"asset": "my_truck"}'])
def test_an_asset_that_is_no_record_of_a_custom_mesh_is_refused(asset, capsys):
    with pytest.raises(SystemExit):
        main(["measure", "--asset", asset, "--out", "unused.json"])
    assert "argument --asset: " in capsys.readouterr().err


WRONG_ARGUMENTS = {
    "an unknown option": (["render", "--scens", "a.json"], "unknown option '--scens'; did you mean --scenes?"),
    "an option twice": (["render", "--scenes", "a.json", "--scenes", "a.json"], "--scenes: is given twice"),
    "an abbreviated option": (["render", "--scene", "a.json"], "did you mean --scenes?"),
    "no command": ([], "the following arguments are required: COMMAND"),
    "a missing file": (["render", "--scenes", "no.json", "--out", "x"], "--scenes: no.json: No such file"),
    "a folder as a file": (["render", "--scenes", "folder", "--out", "x"], "--scenes: folder: is a folder"),
    "an empty file": (["render", "--scenes", "empty", "--out", "x"], "--scenes: empty: is empty"),
    "a pipe": (["render", "--scenes", "pipe", "--out", "x"], "--scenes: pipe: is a folder, a pipe"),
    "a file as a folder": (["render", "--scenes", "a.json", "--out", "a.json"], "--out: a.json: is a file"),
    "below a file": (["render", "--scenes", "a.json", "--out", "a.json/x"], "--out: a.json/x: "),
    "a place for no file": (["render", "--scenes", "a.json", "--out", "/proc/x"], "/proc/x: cannot be written"),
    "a name that is too long": (["render", "--scenes", "a.json", "--out", "x" * 300], "name too long"),
    "no name": (["render", "--scenes", "a.json", "--out", ""], "--out: nothing: is no path"),
    "two lines": (["render", "--scenes", "a.json", "--out", "a\nb"], "is no path"),
    "a device": (["preview", "--record", "a.json", "--out", "/dev/null"], "the name must end in .png"),
    "another format": (["preview", "--record", "a.json", "--out", "x.jpg"], "the name must end in .png"),
    "a folder as output": (["preview", "--record", "a.json", "--out", "folder.png"], "folder.png: is a folder"),
    "no threads": (["preview", "--record", "a.json", "--out", "x.png", "--threads", "0"], "--threads: '0': must be"),
    "too many threads": (["preview", "--record", "a.json", "--out", "x.png", "--threads", str(10**6)], "to 512"),
    "half a thread": (["preview", "--record", "a.json", "--out", "x.png", "--threads", "1.5"], "whole number"),
    "a negative index": (["preview", "--record", "a.json", "--out", "x.png", "--index=-1"], "--index: '-1': must be"),
    "a huge index": (["preview", "--record", "a.json", "--out", "x.png", "--index", str(2**70)], "whole number"),
    "an unknown device": (["render", "--scenes", "a.json", "--out", "x", "--device", "gpu"], "choose from 'cpu'"),
    "the input as output": (["measure", "--asset", '{"asset": 1, "category": 1, "parameters": 1}', "--out", "a.json",
                             "--assets", "a.json"], "--assets: a.json: is a file"),
    "the record as output": (["preview", "--record", "a.png", "--out", "a.png"], "--out and --record are the same"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG_ARGUMENTS)
def test_wrong_arguments_are_refused_in_one_line_and_nothing_is_written(tmp_path, monkeypatch, capsys, what):
    monkeypatch.chdir(tmp_path)
    for name in ("a.json", "a.png"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "empty").touch()
    for name in ("folder", "folder.png"):
        (tmp_path / name).mkdir()
    os.mkfifo("pipe")
    before = sorted(os.listdir())
    arguments, message = WRONG_ARGUMENTS[what]
    with pytest.raises(SystemExit) as leaving:
        main(arguments)
    error = capsys.readouterr().err
    assert (leaving.value.code, error.count("\n")) == (2, 1)
    assert message in error
    assert sorted(os.listdir()) == before


def test_a_bug_keeps_its_traceback_and_says_that_it_is_ours(tmp_path, monkeypatch, capsys):
    (tmp_path / "a.json").write_text(records.record(1).model_dump_json())
    monkeypatch.setattr("blender.preview.run", lambda options: 1 / 0)
    assert main(["preview", "--record", str(tmp_path / "a.json"), "--out", str(tmp_path / "x.png")]) == 3
    error = capsys.readouterr().err
    assert "ZeroDivisionError" in error
    assert "this is a bug of ours" in error


def test_closed_streams_and_characters_that_the_terminal_lacks_are_no_errors(tmp_path):
    command = f"{sys.executable} -m blender render --scenes grün --out {tmp_path}/x"
    closed = subprocess.run(f"{command} >&- 2>&-", shell=True, cwd=ROOT)
    assert closed.returncode == 2
    plain = subprocess.run(command.split(), cwd=ROOT, env={"PYTHONIOENCODING": "ascii"}, capture_output=True, text=True)
    assert (plain.returncode, plain.stderr.count("\n")) == (2, 1)
