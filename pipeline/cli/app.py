# SPDX-License-Identifier: Apache-2.0
"""The command `cariste`; `python -m pipeline` is the same.

Exit codes: 0 done; 1 done, but `verify` found something, or a bug, with a traceback; 2 not done: an option, a config or
a file is wrong. An error that the user can correct is printed without a traceback.
"""

import sys
from collections.abc import Sequence

import typer

from pipeline.cli import config_commands, data_commands, model_commands, report_commands
from pipeline.common.errors import CaristeError

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
)
for module in (model_commands, config_commands, data_commands, report_commands):
    module.register(app)


@app.callback(invoke_without_command=True)
def first_steps(context: typer.Context) -> None:
    """From a YAML file to a detector of pedestrians and pallet trucks."""
    if context.invoked_subcommand is None:
        typer.echo(FIRST_STEPS, nl=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code. `arguments`: without the program's name; default `sys.argv`."""
    try:
        app(None if arguments is None else [str(argument) for argument in arguments], prog_name="cariste")
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except CaristeError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has had enough
        return 0
    except OSError as error:
        if error.filename is None:
            raise
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    return 0
