# SPDX-License-Identifier: Apache-2.0
"""Tables for spreadsheets."""

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as a CSV file, aside first; its columns are all keys, in the order in which they first come."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with aside.open("w", newline="") as file:
        table = csv.DictWriter(file, columns, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    aside.replace(path)
