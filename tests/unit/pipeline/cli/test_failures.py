# SPDX-License-Identifier: Apache-2.0
"""Which errors are the user's, in one line with exit code 2, and which are bugs of ours."""

import errno

import numpy as np
import pytest
import torch

from pipeline.cli import failures
from pipeline.common.errors import CaristeError, out_of_memory
from tests.helpers.commands import run_cariste


def numpy_error() -> MemoryError:
    """Return what numpy raises if an array is larger than any memory."""
    try:
        return np.empty(10**17)
    except MemoryError as error:
        return error


MEMORY = {
    "Python": MemoryError(),
    "numpy": numpy_error(),
    "torch on a GPU": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nGPU 0 has"),
    "a library": ImportError("libtorch_cpu.so: failed to map segment from shared object"),
    "torch on a CPU": RuntimeError("[enforce fail at alloc_cpu.cpp:115] . DefaultCPUAllocator: can't allocate memory"),
}
USERS = {
    "an error of ours": (CaristeError("a.json: wrong"), "a.json: wrong"),
    "a missing file": (FileNotFoundError(errno.ENOENT, "No such file", "a.json"), "a.json: No such file"),
    "a file whose name is no text": (
        OSError(errno.EIO, "Input/output error", b"gr\xfcn"),
        r"gr\xfcn: Input/output error",
    ),
    "a full disk": (OSError(errno.ENOSPC, "No space left on device"), "cariste: No space left on device"),
    "too many files": (OSError(errno.EMFILE, "Too many open files"), "cariste: Too many open files"),
}
BUGS = {
    "a wrong type": TypeError("x"),
    "a wrong value": ValueError("x"),
    "a general error of torch": RuntimeError("shapes do not match"),
    "a system error without a file": OSError(errno.EINVAL, "Invalid argument"),
    "a system error without a number": OSError("x"),
    "a failed assertion": AssertionError(),
}


@pytest.mark.parametrize("what", MEMORY)
def test_too_little_memory_is_one_line_that_says_what_to_change(what):
    assert out_of_memory(MEMORY[what])
    message = failures.user_message(MEMORY[what])
    assert message.startswith("out of memory: use smaller images")
    assert "\n" not in message


@pytest.mark.parametrize("what", USERS)
def test_an_error_of_the_user_is_told_in_one_line(what, capsys):
    failure, message = USERS[what]
    assert failures.report_failure(failure) == 2
    assert capsys.readouterr().err == f"{message}\n"


@pytest.mark.parametrize("what", BUGS)
def test_a_bug_is_told_with_its_traceback_and_whose_it_is(what, capsys):
    assert failures.report_failure(BUGS[what]) == 3
    lines = capsys.readouterr().err.splitlines()
    assert type(BUGS[what]).__name__ in lines[-2]
    assert "this is a bug of ours" in lines[-1]


def test_exit_code_1_of_a_command_is_kept(tmp_path):
    (tmp_path / "shards").mkdir()
    (tmp_path / "annotations").mkdir()
    assert run_cariste("verify", tmp_path).exit_code == 1
