# SPDX-License-Identifier: Apache-2.0
"""Check that this machine has the Python and the system libraries that Blender needs.

`make` runs it before anything is installed, so it needs only Python 3 and its standard library:
`python3 pipeline/preflight.py`.
"""

import ctypes
import importlib.util
import os
import platform
import sys

# The only Python version with a wheel of bpy 4.5.15 (requirements.txt).
PYTHON = (3, 11)

# Shared libraries that bpy and OpenCV load, and the Debian package that holds each.
LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libSM.so.6": "libsm6",
    "libXext.so.6": "libxext6",
    "libXrender.so.1": "libxrender1",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libglib-2.0.so.0": "libglib2.0-0",
}


REPOSITORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Characters in the name of the folder that a tool of the installation cannot take, and which.
FORBIDDEN_CHARACTERS = {":": "PATH and venv", "{": "setuptools", "}": "setuptools", "$": "setuptools", "\n": "venv"}


def problems(folder=REPOSITORY):
    """Return one line for each problem and how to solve it. `folder`: where the repository is."""
    found = [
        f"move Cariste to another folder: {tool} cannot take the {character!r} in {folder!r}"
        for character, tool in FORBIDDEN_CHARACTERS.items()
        if character in folder
    ]
    if sys.version_info[:2] != PYTHON:
        found.append(
            "Python {}.{} has no bpy 4.5 wheel: install Python {}.{} and run `make PYTHON=python{}.{} ...`".format(
                *sys.version_info[:2], *PYTHON, *PYTHON
            )
        )
    if importlib.util.find_spec("ensurepip") is None:
        found.append("Python cannot make virtual environments: apt-get install python3-venv")
    if platform.system() == "Linux":
        missing = [package for library, package in LIBRARIES.items() if not can_load(library)]
        if missing:
            found.append("system libraries are missing: apt-get install --no-install-recommends " + " ".join(missing))
    return found


def can_load(library):
    """Return whether the system finds this shared library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    lines = problems()
    print("\n".join("cariste: " + line for line in lines), file=sys.stderr)
    sys.exit(bool(lines))
