# SPDX-License-Identifier: Apache-2.0
"""Check the config files and values on the command line of Snakemake before Snakemake reads them.

For a config file that is missing, a folder, or not UTF-8, Snakemake itself prints a traceback. profiles/default, which
every `snakemake` reads first, calls `check_command_line`.
"""

import argparse
import re
import sys
from collections.abc import Sequence

from pipeline.common.errors import CaristeError
from pipeline.common.validation_messages import at_most_ten
from pipeline.config.config import read_config_values

SETTABLE_NAME = r"[a-zA-Z_][\w-]*\w"  # what Snakemake allows before the = of --config


def check_command_line(arguments: Sequence[str] | None = None) -> None:
    """Print what is wrong and exit with code 2, or return. `arguments`: default `sys.argv`."""
    if found := problems(sys.argv[1:] if arguments is None else arguments):
        print(at_most_ten(found), file=sys.stderr)
        sys.exit(2)


def problems(arguments: Sequence[str]) -> list[str]:
    """Return one line for each config file and each value of --config that cannot be read."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", action="append", default=[])
    parser.add_argument("--config", "-C", nargs="*", action="append", default=[])
    try:
        given, _ = parser.parse_known_args(arguments)
    except argparse.ArgumentError:
        return []  # Snakemake says it, with its usage
    found = [
        f"{option} is given {len(groups)} times, of which Snakemake uses only the last; put all behind one {option}"
        for option, groups in (("--configfile", given.configfile), ("--config", given.config))
        if len(groups) > 1
    ]
    found += [problem for group in given.configfile for path in group if (problem := _file_problem(path))]
    return found + [problem for group in given.config for entry in group if (problem := _entry_problem(entry))]


def _file_problem(path: str) -> str | None:
    try:
        if "__use_yte__" in read_config_values(path).values:
            return f"{path}: __use_yte__: not a key of the config; Snakemake would run code of the file"
    except CaristeError as error:
        is_target = "no such file" in str(error) and not path.endswith((".yaml", ".yml", ".json"))
        return f"{error}{'; if it is a target, name it before --configfile' if is_target else ''}"
    return None


def _entry_problem(entry: str) -> str | None:
    name, equals, value = entry.partition("=")
    if equals and re.fullmatch(SETTABLE_NAME, name):
        return None
    section, dot, key = name.partition(".")
    example = f"{section}={{{key.replace('.', ': {')}: {value}{'}' * key.count('.')}}}" if dot and equals else ""
    return f"--config {entry}: write section={{key: value}}, such as '{example or 'train={iterations: 900}'}'"
