# SPDX-License-Identifier: Apache-2.0
"""Constants of color science."""

import numpy as np

# Weights of linear red, green and blue in the luminance of a color (ITU-R BT.709).
REC709_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
