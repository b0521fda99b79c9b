# SPDX-License-Identifier: Apache-2.0
"""Colors of objects in a warehouse, as sRGB hex codes.

Paints are RAL Classic tones, in the sRGB approximations of the color charts. The colors of woods, cartons, concrete and
cloth were chosen to match photographs of warehouses. The functions return linear Rec. 709 in 0..1, as scene records
store it.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.record.base_types import Rgb

# RAL 1003, 3020, 5015, 2004, 6029, 7037, 9016 and lime: body colors of common hand pallet trucks.
TRUCK_BODIES = ("#F9A800", "#BB1E10", "#007CB0", "#E75B12", "#006F3D", "#7A7B7A", "#E9E9E4", "#B5CC34")
# Reds, yellows and oranges of large manufacturers, beige, light gray, green, blue.
ELECTRIC_TRUCK_BODIES = (
    *("#A8201A", "#C2281D", "#F2A900", "#E9B500", "#E75B12"),
    *("#C9C0A4", "#C4C6C3", "#4C9A3F", "#2C6CA8"),
)
TRUCK_WHEELS = ("#1B1B1B", "#D8CFB8", "#B9502A", "#3A3B3D")  # rubber, nylon, polyurethane, gray rubber
# RAL 2004, 1028, 1003, 3020, 6018, 7035, 9018, 5010, 7021: forklifts. The accents are their wheels and gas bottles.
LIFT_TRUCK_BODIES = ("#E75B12", "#F4A900", "#F9A800", "#BB1E10", "#57A639", "#CBD0CC", "#C8CBC4", "#004F7C", "#2F3236")
LIFT_TRUCK_ACCENTS = ("#7A7B7A", "#CBD0CC", "#E9E9E4", "#2F3236", "#BB1E10")
CART_FRAMES = ("#004F7C", "#007CB0", "#BB1E10", "#F9A800", "#7A7B7A", "#2F3236", "#006F3D")  # RAL 5010, 5015, 3020 ...
CART_DECKS = ("#8F8F8C", "#9C7A4D", "#004F7C", "#7A7B7A", "#BB1E10", "#3A3B3D", "#6F5A3E")  # gray, boards, paint
# Scrubber driers: tanks in RAL 7016, 7035, 5015, 1003, 6029, 2004, and lids.
CLEANER_BODIES = ("#383E42", "#CBD0CC", "#007CB0", "#F9A800", "#006F3D", "#E75B12", "#5D6770")
CLEANER_LIDS = ("#CBD0CC", "#383E42", "#E9E9E4", "#7A7B7A")
RACK_UPRIGHTS = ("#004F7C", "#13447C", "#006F3D", "#7A7B7A", "#9EA0A1", "#3E4A52")  # RAL 5010, 5005, 6029, grays
RACK_BEAMS = ("#E75B12", "#DD6E2B", "#F9A800", "#BB1E10", "#9EA0A1")  # RAL 2004, 2008, 1003, 3020, gray
CARTONS = ("#A18563", "#AD9270", "#937A5B", "#BCA380", "#8A735A", "#B8A285")  # kraft board
PRINTED_CARTONS = ("#E6E4DE", "#D9D6CC", "#2F4C7E", "#8C2B26", "#3D6B4A", "#C9A227")
FLOOR_LINES = ("#E8B90F", "#F2C230", "#ECEAE4", "#D94B1F")
CONCRETE = ("#8D8B86", "#777570", "#6B6E6F", "#6E6A64", "#5F605F", "#7D7871")
PAINTED_FLOORS = ("#5F7F6B", "#7C4A40", "#6F8090", "#8A8F92", "#4F6E7C")
WALLS = ("#D9D8D2", "#C9C7BE", "#E6E4DC", "#AEB3B5", "#B9B29F", "#8FA0A8", "#D8CDB4")
BRICKS = ("#9A5A44", "#8A4B3A", "#B5A58F", "#C7BBA8")
SHEET_METAL = ("#C5C7C4", "#9EA3A6", "#D8DAD6", "#7F8C93")
COLUMNS = ("#9EA0A1", "#C5C7C4", "#7A7B7A", "#E9E9E4", "#2F5D8C", "#C9A227")
LAMP_TINTS = ("#FF5A3C", "#FFA01E", "#6EFF6E", "#3CC8FF", "#5A5AFF", "#FF50D2")

# Goods and furniture (prop_shapes.py): paints in RAL tones, plastics in the colors of common boxes and drums.
DRUMS = ("#13447C", "#004F7C", "#1B1B1B", "#BB1E10", "#006F3D", "#9EA0A1", "#F2C230")
PLASTIC_DRUMS = ("#1A4E9C", "#1F5FA8", "#1B1B1B", "#E6E4DE")
STILLAGES = ("#7A7B7A", "#5A6068", "#13447C", "#2F5D8C", "#6B3A2A", "#8C2B26", "#3D5A45", "#9EA0A1")
TANKS = ("#E4E6E2", "#DDE2E4", "#D6D6C8")
IBC_CAPS = ("#BB1E10", "#1B1B1B", "#1F5FA8", "#006F3D")
CABLES = ("#1B1B1B", "#1B1B1B", "#E75B12", "#3A3B3D", "#1F5FA8", "#BB1E10")
BINS = ("#1F5FA8", "#13447C", "#BB1E10", "#F2C230", "#7A7B7A", "#3C8C48", "#1B1B1B")
PALLET_BOXES = ("#6F767B", "#8A8F92", "#3A5F8A", "#4A4D50")
WASTE_BINS = ("#3A3B3D", "#1F3D2E", "#2F4C7E", "#F2C230", "#6B4A30")
LADDERS = ("#F2C230", "#1F5FA8", "#BB1E10", "#1B1B1B", "#9EA0A1")
MACHINES = ("#7A7B7A", "#C5C7C4", "#13447C", "#2F5D8C", "#006F3D", "#3E4A52")
WORKTOPS = ("#C29D6E", "#D9D6CC", "#9EA0A1", "#B58B5B")
WARNING_YELLOWS = ("#F9A800", "#F2C230")
CONES = ("#E8501A", "#FF6A13")
BLACKS = ("#1B1B1B",)
PAPERS = ("#E9E9E4", "#F4F3EE")
PRINT = ("#1B2A5A", "#1B1B1B", "#8C2B26", "#1F4A32")  # stencil ink
SIGNS = ("#13447C", "#1F5FA8", "#1B1B1B", "#006F3D", "#8C2B26")
EXITS = ("#00754A", "#0A8754")  # ISO 3864 green

# EN ISO 20471: fluorescent yellow, orange and red.
VESTS = {"yellow": "#CDF22A", "orange": "#FF7A1C", "red": "#F5323C"}
HELMETS = ("#F4F3EE", "#F2C81E", "#1F5FA8", "#E0561A", "#C3251C", "#3C8C48")
CAPS = ("#1D2430", "#2B2B2B", "#6B2320", "#35506F", "#8A8578", "#41513A")
TOPS = ("#1F2A3C", "#2C3E63", "#3B3F45", "#6C7076", "#8A1F1F", "#2E5A3E", "#C9C5BA", "#4A3A2E", "#171717", "#A56A28")
TROUSERS = ("#1E2430", "#2A3550", "#33363A", "#4A4A46", "#6A5E4A", "#151515", "#3E4B3A")
SHOES = ("#161413", "#2B2019", "#4A3524", "#8A6A3E", "#3A3A3C")
DARK_HAIR = ("#0F0B09", "#1C130D", "#2A1B12")
HAIR = (*DARK_HAIR, "#3A2415", "#5C3B1E", "#8A6236", "#B08A52", "#6E2F14")
GRAY_HAIR = ("#8E8B87", "#C9C6C0", "#5E5A56")
OFFICE_SHIRTS = ("#E4E6E8", "#C9D6E6", "#B8C4D2", "#D9CFC4", "#2E3A52")
OFFICE_TROUSERS = ("#1B1D22", "#262B36", "#3A3B3F", "#8A7A60")

# The ten tones of the Monk Skin Tone Scale (E. Monk, 2022, CC BY 4.0), light to dark.
MONK_SKIN = (
    *("#F6EDE4", "#F3E7DB", "#F7EAD0", "#EADABA", "#D7BD96"),
    *("#A07E56", "#825C43", "#604134", "#3A312A", "#292420"),
)


def linear(hex_color: str) -> np.ndarray:
    """Return the linear Rec. 709 color (3,) in 0..1 of an sRGB color `#RRGGBB` (IEC 61966-2-1)."""
    encoded = np.array([int(hex_color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def rgb(color: np.ndarray) -> Rgb:
    """Return a color (3,) as a tuple for the record, clipped to 0..1 and rounded to four decimals."""
    red, green, blue = (round(float(value), 4) for value in np.clip(color, 0, 1))
    return red, green, blue


def draw_color(random: np.random.Generator, palette: Sequence[str], spread: float = 0.12) -> Rgb:
    """Draw a color of the palette and vary it: its brightness by a factor of about 1 +- spread, channels by a third."""
    brightness = np.exp(random.normal(0, spread))
    tint = np.exp(random.normal(0, spread / 3, 3))
    return rgb(linear(palette[random.integers(len(palette))]) * brightness * tint)
