# SPDX-License-Identifier: Apache-2.0
"""The hash of a file, for provenance and for checking downloads."""

import hashlib
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Return the sha256 of the content of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
