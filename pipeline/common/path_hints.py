# SPDX-License-Identifier: Apache-2.0
"""What to write instead of a path at which nothing is."""

import difflib
import os
import re
from itertools import islice
from pathlib import Path, PureWindowsPath

MAX_NAMES_COMPARED = 10_000
MIN_LIKENESS = 0.75


def hint(path: Path) -> str:
    """Return what to write instead, as text that follows a message; "" if that is not clear."""
    text = str(path)
    if re.match(r"[a-z][a-z0-9+.-]+:/", text):  # Path makes one / of two
        return "only files on this machine are read; " + (
            "write the path without file://" if text.startswith("file:") else "download it first"
        )
    if re.match(r"[A-Za-z]:\\", text):
        drive, *parts = PureWindowsPath(text).parts
        return f"a path of Windows; in WSL it is {'/'.join(['/mnt', drive[0].lower(), *parts])}"
    if re.search(r"\$\w|\$\{|^%\w+%", text):
        return "variables are replaced only by a shell, and not in single quotes; write the whole path"
    if re.match(r"[“”„‘’«]", text):
        return "remove the typographic quotes"
    if near := _nearest(path):
        return f"did you mean {near}?"
    if re.search(r"[*?]", text):
        return "patterns are replaced only by a shell, and not in quotes; give the folder"
    return ""


def _nearest(path: Path) -> Path | None:
    r"""Return the path with / for \, or the most similar name in the same folder, without regard to case."""
    if "\\" in str(path) and os.path.lexists(slashed := Path(str(path).replace("\\", "/"))):
        return slashed
    try:
        with os.scandir(path.parent) as entries:
            names = {entry.name.casefold(): entry.name for entry in islice(entries, MAX_NAMES_COMPARED)}
    except (OSError, ValueError):
        return None
    near = difflib.get_close_matches(path.name.casefold(), names, 1, MIN_LIKENESS)
    return path.parent / names[near[0]] if near else None
