# SPDX-License-Identifier: Apache-2.0
"""The base class of all errors that a user can correct."""


class CaristeError(Exception):
    """Something that the user can correct: a config, a file, a device, a path.

    The message says what is wrong, where (file, key, image) and what to do. The command line prints it without a
    traceback. Every other exception is a bug of ours.
    """
