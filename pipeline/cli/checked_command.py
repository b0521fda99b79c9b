# SPDX-License-Identifier: Apache-2.0
"""A command that checks its paths before it begins, and refuses an option that is given twice."""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperCommand

from pipeline.cli import given_paths
from pipeline.common.errors import CaristeError

LONG_DASHES = tuple("\u2010\u2011\u2012\u2013\u2014\u2015\u2212")
DASHES = "-" + "".join(LONG_DASHES)


class ArgumentsError(CaristeError):
    """Paths or options that cannot be used: one line for each problem."""


class CheckedCommand(TyperCommand):
    """A command of `cariste`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        """Parse the arguments as typer does.

        Raises:
            BadParameter: an option that takes one value is given twice, and the last one would win silently; or an
                argument is empty, which would be the current folder; or an option begins with a long dash.
        """
        for before, word in zip(["", *args], args, strict=False):
            if not word or (word.startswith("--") and word.find("=") == len(word) - 1):
                where = word.rstrip("=") or before
                raise typer.BadParameter("is empty: is a variable of the shell not set?", ctx=ctx, param_hint=where)
            if word.startswith(LONG_DASHES) and not os.path.lexists(word):
                hint = f"begins with a long dash, as web pages and mail programs write it: type --{word.lstrip(DASHES)}"
                raise typer.BadParameter(hint, ctx=ctx, param_hint=word)
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for param, count in Counter(order).items():
            takes_one = param.param_type_name == "option" and not (param.multiple or getattr(param, "is_flag", False))
            if takes_one and count > 1:
                raise typer.BadParameter("is given twice", ctx=ctx, param_hint=param.opts[0])
        return super().parse_args(ctx, args)

    def invoke(self, ctx: typer.Context) -> Any:
        """Run the command.

        Raises:
            ArgumentsError: a path on the command line cannot be used; nothing was done.
        """
        refuse(given_paths.problems(ctx.meta.get(given_paths.META_KEY, [])))
        return super().invoke(ctx)


def refuse(problems: Iterator[str]) -> None:
    """Raise an ArgumentsError with the first problems and a count, if there are any."""
    lines = list(problems)
    if lines:
        from pipeline.common.validation_messages import at_most_ten  # loads pydantic, which the help does without

        raise ArgumentsError(at_most_ten(lines))
