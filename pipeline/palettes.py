# SPDX-License-Identifier: Apache-2.0
"""Colours of things in a warehouse, as sRGB hex the way paint charts and photographs give them.

Paints are RAL Classic tones (the charts' sRGB approximations); woods, cartons, concrete and cloth were picked to look
like photographs of warehouses. Everything leaves this file as linear Rec. 709 in 0..1, as the scene record wants it.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.parts import Rgb

# RAL 1003, 3020, 5015, 2004, 6029, 7037, 9016: the body colours that makers of pallet trucks use.
TRUCK_BODIES = ("#F9A800", "#BB1E10", "#007CB0", "#E75B12", "#006F3D", "#7A7B7A", "#E9E9E4")
TRUCK_WHEELS = ("#1B1B1B", "#D8CFB8", "#B9502A", "#3A3B3D")  # rubber, nylon, polyurethane, grey rubber
RACK_UPRIGHTS = ("#004F7C", "#13447C", "#006F3D", "#7A7B7A", "#9EA0A1", "#3E4A52")  # RAL 5010, 5005, 6029, greys
RACK_BEAMS = ("#E75B12", "#DD6E2B", "#F9A800", "#BB1E10", "#9EA0A1")  # RAL 2004, 2008, 1003, 3020, grey
CARTONS = ("#A9804F", "#B58B5B", "#9A7448", "#C29D6E", "#8E6B45", "#BFA07A")  # kraft board
PRINTED_CARTONS = ("#E6E4DE", "#D9D6CC", "#2F4C7E", "#8C2B26", "#3D6B4A", "#C9A227")
FLOOR_LINES = ("#E8B90F", "#F2C230", "#ECEAE4", "#D94B1F")
CONCRETE = ("#8D8B86", "#A09C94", "#777570", "#6B6E6F", "#989893", "#85807A")
PAINTED_FLOORS = ("#5F7F6B", "#7C4A40", "#6F8090", "#8A8F92", "#4F6E7C")
WALLS = ("#D9D8D2", "#C9C7BE", "#E6E4DC", "#AEB3B5", "#B9B29F", "#8FA0A8", "#D8CDB4")
BRICKS = ("#9A5A44", "#8A4B3A", "#B5A58F", "#C7BBA8")
SHEET_METAL = ("#C5C7C4", "#9EA3A6", "#D8DAD6", "#7F8C93")
COLUMNS = ("#9EA0A1", "#C5C7C4", "#7A7B7A", "#E9E9E4", "#2F5D8C", "#C9A227")
LAMP_TINTS = ("#FF5A3C", "#FFA01E", "#6EFF6E", "#3CC8FF", "#5A5AFF", "#FF50D2")

# EN ISO 20471 fluorescent yellow, orange and red; shares of what workers wear are in workers.py.
VESTS = {"yellow": "#CDF22A", "orange": "#FF7A1C", "red": "#F5323C"}
HELMETS = ("#F4F3EE", "#F2C81E", "#1F5FA8", "#E0561A", "#C3251C", "#3C8C48")
CAPS = ("#1D2430", "#2B2B2B", "#6B2320", "#35506F", "#8A8578", "#41513A")
TOPS = ("#1F2A3C", "#2C3E63", "#3B3F45", "#6C7076", "#8A1F1F", "#2E5A3E", "#C9C5BA", "#4A3A2E", "#171717", "#A56A28")
TROUSERS = ("#1E2430", "#2A3550", "#33363A", "#4A4A46", "#6A5E4A", "#151515", "#3E4B3A")
SHOES = ("#161413", "#2B2019", "#4A3524", "#8A6A3E", "#3A3A3C")
HAIR = ("#0F0B09", "#1C130D", "#3A2415", "#5C3B1E", "#8A6236", "#B08A52", "#8E8B87", "#C9C6C0", "#6E2F14")

# The ten tones of the Monk Skin Tone Scale (E. Monk, 2022, CC BY 4.0), light to dark.
MONK_SKIN = (
    *("#F6EDE4", "#F3E7DB", "#F7EAD0", "#EADABA", "#D7BD96"),
    *("#A07E56", "#825C43", "#604134", "#3A312A", "#292420"),
)


def linear(hex_color: str) -> np.ndarray:
    """Return linear Rec. 709, shape (3,) in 0..1, of an sRGB colour `#RRGGBB` (IEC 61966-2-1)."""
    encoded = np.array([int(hex_color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def rgb(color: np.ndarray) -> Rgb:
    """Return a colour (3,) as the record's triple: clipped to 0..1, four decimals."""
    red, green, blue = (round(float(value), 4) for value in np.clip(color, 0, 1))
    return red, green, blue


def draw_color(random: np.random.Generator, palette: Sequence[str], spread: float = 0.12) -> Rgb:
    """Draw a colour and vary it: brightness by a factor of about 1 +- spread, each channel by a third of that."""
    brightness = np.exp(random.normal(0, spread))
    tint = np.exp(random.normal(0, spread / 3, 3))
    return rgb(linear(palette[random.integers(len(palette))]) * brightness * tint)
