# SPDX-License-Identifier: Apache-2.0
"""Run a command and print its exit code, processor seconds and peak memory in MB, as a JSON list.

Arguments: a file for the output of the command, then the command. A small process of its own, because Linux counts the
memory of the process that starts a command as the command's.
"""

import json
import os
import subprocess
import sys


def main() -> None:
    with open(sys.argv[1], "w") as output:
        process = subprocess.Popen(sys.argv[2:], stdout=output, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
    print(json.dumps([os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))


if __name__ == "__main__":
    main()
