# SPDX-License-Identifier: Apache-2.0
"""The command `cariste`; `python -m pipeline` is the same.

Exit codes: 0 done; 1 done, but some inputs failed; 2 nothing done, because an option, a config or a file is wrong;
3 a bug of ours, with a traceback. `process` has those of signals. Every error that the user can correct is printed by
`main`, one line for each problem.
"""

import os
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Annotated

import typer

from pipeline.cli import config_commands, data_commands, model_commands, report_commands
from pipeline.cli.checked_command import CheckedCommand
from pipeline.cli.failures import INTERRUPTED, report_failure, report_interrupt
from pipeline.cli.process import handle_termination, repair_streams

FIRST_STEPS = """\
Cariste renders labeled warehouse images and trains a detector on them. What to do first, in the repository:

  make train                              96 images, a model and a report in about a quarter of an hour
  make dataset CONFIG=configs/full.yaml   only the images and labels, for another config
  cariste predict --model results/runs/quickstart/model.pt --out found photo.jpg
                                          use the model on images of yours

  cariste --help                          all commands;  cariste COMMAND --help  one of them, with an example
"""

app = typer.Typer(
    name="cariste",
    help="From a YAML file to a detector of pedestrians and pallet trucks.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (model_commands, config_commands, data_commands, report_commands):
    module.register(app)
for registered in app.registered_commands:
    registered.cls = CheckedCommand


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cariste {metadata.version('cariste')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def first_steps(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """From a YAML file to a detector of pedestrians and pallet trucks."""
    if context.invoked_subcommand is None:
        typer.echo(FIRST_STEPS, nl=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code. `arguments`: without the program's name; default `sys.argv`."""
    repair_streams()
    if os.environ.get("COLUMNS") == "0":  # as some terminals without a size say; the help would be empty lines
        del os.environ["COLUMNS"]
    with handle_termination():
        try:
            given = None if arguments is None else [str(argument) for argument in arguments]
            code = app(given, prog_name="cariste", standalone_mode=False)
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
        except BaseException as failure:
            return report_failure(failure)
    if code == INTERRUPTED:  # typer turns Ctrl-C into this
        return report_interrupt()
    return code if isinstance(code, int) else 0
