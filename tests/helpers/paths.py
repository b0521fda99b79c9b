# SPDX-License-Identifier: Apache-2.0
"""Where the project lies, for tests that run its commands."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs"
