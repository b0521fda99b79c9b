# SPDX-License-Identifier: Apache-2.0
"""The command line: quick help, an example for every command, one line for a user's mistake."""

import os
import resource
import statistics
import subprocess
import sys
from importlib import metadata

import pytest

from pipeline.cli import app, start
from tests.helpers import command_syntax
from tests.helpers.commands import run_cariste, start_cariste
from tests.helpers.paths import ROOT

COMMANDS = sorted(command_syntax.CARISTE.commands)
LARGE_PACKAGES = {"torch", "torchvision", "numpy", "cv2", "pydantic", "bpy", "yaml"}
HELP_SECONDS = 0.5
PRINT_LARGE_IMPORTS = f"""
import sys
from pipeline.cli import app
assert app.main(["--help"]) == 0
print(sorted({LARGE_PACKAGES} & set(sys.modules)), file=sys.stderr)
"""


def processor_seconds(*arguments: str) -> float:
    """Return the processor time of a Python process. The wall time would depend on what else the machine does."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_the_help_takes_less_than_half_a_second():
    extra = [processor_seconds("-m", "pipeline", "--help") - processor_seconds("-c", "pass") for _ in range(5)]
    assert statistics.median(extra) < HELP_SECONDS


def test_the_help_loads_no_large_package():
    done = subprocess.run([sys.executable, "-c", PRINT_LARGE_IMPORTS], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "[]\n")


def test_the_help_lists_every_command():
    done = run_cariste("--help")
    assert done.exit_code == 0
    assert [name for name in COMMANDS if name not in done.stdout] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help_text_and_an_example_that_parses(name):
    command = command_syntax.CARISTE.commands[name]
    assert command.help
    assert command.help.strip().partition("\n")[0].endswith((".", ":"))
    assert command.epilog
    (example,) = command_syntax.shell_commands(command.epilog.removeprefix("Example: "))
    assert example[:2] == ["cariste", name]
    assert command_syntax.problem_of(example) is None
    assert [option.name for option in command.params if not getattr(option, "help", None)] == []
    shown = run_cariste(name, "--help")
    assert shown.exit_code == 0
    assert "Example: cariste" in shown.stdout


def test_without_a_command_the_first_steps_are_printed():
    done = start_cariste()
    assert (done.exit_code, done.stdout, done.stderr) == (0, app.FIRST_STEPS, "")


def test_the_version_and_the_short_option_of_the_help():
    assert run_cariste("--version").stdout == f"cariste {metadata.version('cariste')}\n"
    assert run_cariste("-h").stdout == run_cariste("--help").stdout
    assert "Example: cariste" in run_cariste("predict", "-h").stdout


def test_ctrl_c_while_the_command_line_is_loaded_is_one_line():
    program = """
import sys
class Interrupt:
    def find_spec(self, name, *_):
        if name == "typer":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupt())
from pipeline.cli import start
sys.exit(start.main())
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (start.INTERRUPTED, "cariste: stopped by Ctrl-C\n")


def test_a_terminal_without_a_size_shows_the_help():
    command = [sys.executable, "-m", "pipeline", "--help"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"COLUMNS": "0"}, capture_output=True, text=True, check=True
    )
    assert "predict" in done.stdout


def test_the_installed_program_and_the_module_are_the_same():
    program = subprocess.run([f"{sys.prefix}/bin/cariste"], capture_output=True, text=True, check=True)
    assert program.stdout == app.FIRST_STEPS


MISTAKES = {
    "an unknown command": (("fly",), "No such command 'fly'"),
    "a missing option": (("sample", "--count", 1), "Missing option '--config'"),
    "an unknown option": (("config", "--colour"), "No such option"),
    "a missing config": (("config", "/nowhere.yaml"), "/nowhere.yaml: no such file"),
    "a wrong value in a config": (("layers", "--config", "{model: {freeze: 99}}"), "model.freeze"),
    "a config that is no YAML": (("label", "--config", "{a: [", "--data", "."), "YAML"),
    "a folder that is no data set": (("verify", ROOT / "docs"), "docs: not a data set"),
    "a missing COCO file": (
        ("evaluate", "--annotations", "/no.json", "--predictions", "/p.json", "--out", "m.json"),
        "/no.json",
    ),
    "a missing model": (("export", "--model", "/no.pt", "--out", "model.onnx"), "/no.pt"),
    "an unknown asset": (("preview-records", "--asset", "zeppelin", "--out", "x.jsonl"), "no asset 'zeppelin'"),
    "a folder that cannot be written": (
        ("preview-records", "--asset", "column", "--out", "/proc/x.jsonl"),
        "/proc/",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_of_the_user_ends_with_exit_code_2_and_a_message_without_traceback(mistake, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments, message = MISTAKES[mistake]
    done = run_cariste(*arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_bug_keeps_its_traceback_and_says_that_it_is_ours_and_what_to_send(monkeypatch, tmp_path):
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("pipeline.scenes.asset_previews.write_preview_records", fail)
    done = run_cariste("preview-records", "--asset", "column", "--out", tmp_path / "x.jsonl")
    assert done.exit_code == 3
    assert "Traceback" in done.stderr
    last = done.stderr.splitlines()[-1]
    assert "this is a bug of ours" in last
    assert "cariste 0.1.0" in last
