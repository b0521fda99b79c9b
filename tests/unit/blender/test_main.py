# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line `python -m blender`: help texts and messages."""

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
        (["--scenes", "{folder}/none.jsonl"], "render shard: {folder}/none.jsonl: No such file or directory\n"),
        (["--scenes", "{folder}/a.json", "--provenance", "{folder}/b.json"], "b.json: not JSON"),
    ],
)
def test_errors_of_the_user_are_one_line(tmp_path, capsys, arguments, message):
    (tmp_path / "a.json").write_text(records.record(1).model_dump_json())
    (tmp_path / "b.json").write_text("{")
    options = [text.format(folder=tmp_path) for text in arguments]
    assert main(["render", *options, "--out", str(tmp_path / "shard"), "--device", "cpu"]) == 1
    error = capsys.readouterr().err
    assert message.format(folder=tmp_path) in error
    assert error.count("\n") == error.count("device: CPU") + 1, "the message is one line, after that of the device"
    assert not (tmp_path / "shard").exists()


@pytest.mark.parametrize("asset", ["{", "[]", '{"asset": "my_truck"}'])
def test_an_asset_that_is_no_record_of_a_custom_mesh_is_refused(asset, capsys):
    with pytest.raises(SystemExit):
        main(["measure", "--asset", asset, "--out", "unused.json"])
    assert "argument --asset: " in capsys.readouterr().err
