# SPDX-License-Identifier: Apache-2.0
"""What holds for all tests."""

from hypothesis import settings

# A busy machine fails no test.
settings.register_profile("cariste", deadline=None)
settings.load_profile("cariste")
