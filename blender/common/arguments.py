# SPDX-License-Identifier: GPL-3.0-or-later
"""A parser of arguments that refuses in one line, suggests the option that was meant, and takes no option twice."""

import argparse
import difflib
from typing import Any, NoReturn


class OneLineParser(argparse.ArgumentParser):
    """As `argparse.ArgumentParser`. Options are not abbreviated."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, allow_abbrev=False)
        self.register("action", None, _StoreOnce)

    def error(self, message: str) -> NoReturn:
        """Print the message on one line and exit with code 2."""
        self.exit(2, f"{self.prog}: {' '.join(message.split())}; `{self.prog} --help` lists what is possible\n")

    def parse_known_args(self, args: list[str], namespace: argparse.Namespace | None = None) -> tuple:
        """Parse the arguments of a command. An unknown option is refused, with the nearest one as a suggestion."""
        known = [name for action in self._actions for name in action.option_strings]
        names = [word.partition("=")[0] for word in args if word.startswith("--") and self._subparsers is None]
        if unknown := [name for name in names if name not in known]:
            near = difflib.get_close_matches(unknown[0], known, 1)
            self.error(f"unknown option {unknown[0]!a}" + (f"; did you mean {near[0]}?" if near else ""))
        return super().parse_known_args(args, namespace)


class _StoreOnce(argparse.Action):
    """Stores the value of an option that may be given once. Otherwise the last value would win silently."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, *_: Any) -> None:
        given = namespace.__dict__.setdefault("given", set())
        if self.dest in given:
            raise argparse.ArgumentError(self, "is given twice")
        given.add(self.dest)
        setattr(namespace, self.dest, values)
