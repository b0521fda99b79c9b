# SPDX-License-Identifier: Apache-2.0
"""Whether a command line that a page shows has a command and options that exist. Nothing is run."""

import contextlib
import io
import re
import shlex

import typer

from pipeline.cli import app
from tests.helpers.paths import ROOT

CARISTE = typer.main.get_command(app.app)
MAKEFILE = (ROOT / "Makefile").read_text()
MAKE_TARGETS = {name for line in re.findall(r"^([a-z][\w \-]*):", MAKEFILE, re.MULTILINE) for name in line.split()}
MAKE_VARIABLES = set(re.findall(r"\$[($]([A-Z]+)", MAKEFILE))
RULES = {
    rule
    for path in (ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk"))
    for rule in re.findall(r"^(?:use rule \w+ as |rule )(\w+)(?: with)?:", path.read_text(), re.MULTILINE)
}
BLENDER = (ROOT / "blender/__main__.py").read_text()
BLENDER_OPTIONS = set(re.findall(r'add_argument\(\s*"(--[\w-]+)"', BLENDER))
BLENDER_COMMANDS = {"render", "preview", "measure"}


def shell_commands(text: str) -> list[list[str]]:
    """Return the words of every command of a shell script, without comments and without assignments in front."""
    commands: list[list[str]] = []
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|")
        lexer.whitespace_split = True
        commands.append([])
        for word in lexer:
            if set(word) <= set(";&|"):
                commands.append([])
            elif commands[-1] or not re.fullmatch(r"[A-Z_]+=.*", word):
                commands[-1].append(word)
    return [command for command in commands if command]


def problem_of(words: list[str], complete: bool = True) -> str | None:
    """Return what is wrong with a command of ours; None if nothing is, or if it is no command of ours.

    `complete`: whether the command is meant to be typed as it is, with all options that it needs.
    """
    match words:
        case ["cariste", *arguments] | ["python", "-m", "pipeline", *arguments]:
            return _cariste_problem(arguments, complete)
        case ["make", *arguments]:
            return _make_problem(arguments)
        case ["snakemake", *arguments] | ["python", "-m", "snakemake", *arguments]:
            return _snakemake_problem(arguments)
        case ["python", "-m", "blender", *arguments]:
            return _blender_problem(arguments)
        case ["python", "-m", module, *_] if module.startswith(("pipeline.", "blender.")):
            return f"{module} is no command"
    return None


def _cariste_problem(arguments: list[str], complete: bool) -> str | None:
    own_options = {option for parameter in CARISTE.params for option in parameter.opts} | {"--help"}
    if not arguments or set(arguments) <= own_options or arguments[0] == "COMMAND":
        return None
    command = CARISTE.commands.get(arguments[0])
    if command is None:
        return f"no command {arguments[0]!r}"
    options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    if unknown := {word.partition("=")[0] for word in arguments if word.startswith("--")} - options:
        return f"{arguments[0]} has no option {', '.join(sorted(unknown))}"
    if complete and "--help" not in arguments:
        try:
            command.make_context(arguments[0], arguments[1:])
        except Exception as error:
            return f"{type(error).__name__}: {getattr(error, 'message', error)}"
    return None


def _make_problem(arguments: list[str]) -> str | None:
    for word in arguments:
        name, is_variable, _ = word.partition("=")
        if (is_variable and name not in MAKE_VARIABLES) or (not is_variable and name not in MAKE_TARGETS):
            return f"the Makefile has no {word}"
    return None


def _snakemake_problem(arguments: list[str]) -> str | None:
    from snakemake.cli import get_argument_parser  # takes a second to load

    # Executors are plugins. One that a page names need not be installed here.
    arguments = re.sub(r"--executor \S+", "--executor local", " ".join(arguments)).split()
    stderr = io.StringIO()
    try:
        with contextlib.redirect_stderr(stderr):
            options = get_argument_parser().parse_args(arguments)
    except SystemExit:
        return stderr.getvalue().strip().rpartition("error: ")[2]
    unknown = [name for name in options.targets if name not in RULES and not name.startswith("results/")]
    return f"no rule {', '.join(unknown)}" if unknown else None


def _blender_problem(arguments: list[str]) -> str | None:
    if not arguments or arguments[0] == "--help":
        return None
    if arguments[0] not in BLENDER_COMMANDS:
        return f"python -m blender has no command {arguments[0]!r}"
    unknown = {word for word in arguments if word.startswith("--")} - BLENDER_OPTIONS - {"--help"}
    return f"python -m blender has no option {', '.join(sorted(unknown))}" if unknown else None
