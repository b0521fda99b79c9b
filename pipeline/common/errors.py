# SPDX-License-Identifier: Apache-2.0
"""The base class of all errors that a user can correct, and what counts as such an error although it is not ours."""

# How the libraries say that memory is short, in errors of a general type.
OUT_OF_MEMORY_PHRASES = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "Insufficient memory",
    "failed to map segment",
)


class CaristeError(Exception):
    """Something that the user can correct: a config, a file, a device, a path.

    The message says what is wrong, where (file, key, image) and what to do. The command line prints it without a
    traceback. Every other exception is a bug of ours.
    """


def out_of_memory(error: BaseException) -> bool:
    """Return whether an error of Python, numpy, OpenCV or torch says that there is not enough memory."""
    is_general = type(error).__name__ in (
        "RuntimeError",
        "ImportError",
        "OutOfMemoryError",
        "error",
        "AcceleratorError",
    )
    return isinstance(error, MemoryError) or (
        is_general and any(phrase in str(error) for phrase in OUT_OF_MEMORY_PHRASES)
    )
