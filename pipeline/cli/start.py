# SPDX-License-Identifier: Apache-2.0
"""Where the program begins: it loads the command line, which takes a third of a second, and Ctrl-C may come by then."""

import sys

INTERRUPTED = 130


def main() -> int:
    """Run `cariste` and return the exit code."""
    try:
        from pipeline.cli import app
    except KeyboardInterrupt:
        print("cariste: stopped by Ctrl-C", file=sys.stderr)
        return INTERRUPTED
    return app.main()
