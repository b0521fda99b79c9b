# SPDX-License-Identifier: Apache-2.0
"""Everything of Cariste that needs no Blender: sampling scenes, labels, data, model, evaluation, report."""

__version__ = "0.1.0"
