# SPDX-License-Identifier: Apache-2.0
"""The words that several stages share: splits, metrics, kinds of layouts, goods, rigs and lights."""

from typing import Literal

SPLITS = ("train", "val", "test")
# What AP is computed of, and its names in metrics.json.
IOU_TYPES = ("box", "mask")
METRICS = ("AP", "AP50", "AP75")

LayoutKind = Literal["aisle", "staging", "dock", "packing", "block", "mixed", "chaos"]
NonCartonKind = Literal["crate", "drum", "stillage", "ibc", "cable_reel", "bin"]
LookalikeKind = Literal[
    "hand_trolley", "platform_cart", "roll_cage", "forklift", "reach_truck", "stacker", "cleaning_machine"
]
Legwear = Literal["trousers", "dungarees", "shorts"]
Headwear = Literal["helmet", "cap", "bump_cap", "hair"]
CameraRig = Literal["robot", "handheld", "ceiling", "forklift_mast"]
Contrast = Literal["base", "medium_high", "high", "very_high"]
LightingKind = Literal["high_bay", "neon", "daylight", "dusk", "torch"]
ViewTransform = Literal["AgX", "Filmic", "Standard"]
MapFormat = Literal["png", "exr"]  # of depth and normal maps
