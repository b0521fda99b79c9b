# SPDX-License-Identifier: GPL-3.0-or-later
"""The base class of all errors that a user can correct."""


class CaristeError(Exception):
    """Something that the user can correct: a record, a file, a device, a path.

    The message says what is wrong, where (file, image, object) and what to do. The command line prints it without a
    traceback.
    """
