# SPDX-License-Identifier: Apache-2.0
"""`python -m pipeline …` is the command `cariste …`."""

import runpy

runpy.run_module("pipeline.cli", run_name="__main__")
