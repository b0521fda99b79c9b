# SPDX-License-Identifier: Apache-2.0
"""`python -m pipeline.cli` is the same as `python -m pipeline` and `cariste`."""

import sys

from pipeline.cli.start import main

if __name__ == "__main__":
    sys.exit(main())
