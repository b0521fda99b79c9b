# SPDX-License-Identifier: Apache-2.0
"""The folders of the project that tests read."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs"
