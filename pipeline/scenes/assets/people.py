# SPDX-License-Identifier: Apache-2.0
"""The people in a warehouse: their bodies and clothes.

Heights: means of adults born in 1996 by country and sex, NCD-RisC, eLife 2016;5:e13410, averaged by region without
weights; the standard deviation within a population is about 7 cm (men) and 6.5 cm (women). Ages: employed persons in
the EU, EU-LFS 2022.
"""

import numpy as np

from pipeline.common.randomness import choose_weighted
from pipeline.config.world import ClothingSection, PeopleSection
from pipeline.record.base_types import Rgb
from pipeline.record.objects import Outfit, PersonParameters, Pose
from pipeline.scenes.assets.palettes import (
    CAPS,
    DARK_HAIR,
    GRAY_HAIR,
    HAIR,
    HELMETS,
    MONK_SKIN,
    OFFICE_SHIRTS,
    OFFICE_TROUSERS,
    SHOES,
    TOPS,
    TROUSERS,
    VESTS,
    draw_color,
    linear,
    rgb,
)

# Mean height (men, women) by the region of ancestry: Nigeria, Ghana, Kenya, South Africa; China,
# India, Japan, Viet Nam; Germany, France, Poland, United Kingdom.
HEIGHT_M = {"african": (1.678, 1.577), "asian": (1.680, 1.560), "caucasian": (1.786, 1.650)}
HEIGHT_STD_M = (0.070, 0.065)  # men, women
# Age range in years -> share of employed persons (EU-LFS 2022, rounded).
AGES = {(18, 25): 0.09, (25, 35): 0.22, (35, 45): 0.25, (45, 55): 0.25, (55, 64): 0.17, (64, 68): 0.02}
ANCESTRIES = ("african", "asian", "caucasian")
# Shares of hair that is visible without headwear.
HAIR_MEN = {"shaved": 0.2, "short": 0.55, "full": 0.2, "long": 0.05}
HAIR_WOMEN = {"short": 0.12, "full": 0.2, "long": 0.68}
SKIN_TONES = {"african": (5, 9), "asian": (2, 6), "caucasian": (0, 4)}  # first and last index in MONK_SKIN
# Factors on red, green and blue. The light tones of the scale are nearly white; fair skin reflects 0.6, 0.45 and 0.35.
SKIN_DIMMING = np.array([0.68, 0.54, 0.46])


def draw_person(random: np.random.Generator, config: PeopleSection, pose: Pose) -> PersonParameters:
    """Draw the body, skin and clothes of a person with a pose."""
    woman = random.random() < config.women
    shares = random.dirichlet((0.25, 0.25, 0.25))
    shares = np.append(np.round(shares[:2], 3), 0)
    shares[2] = 1 - shares.sum()
    years = _draw_years(random, config)
    mean = sum(share * HEIGHT_M[name][woman] for name, share in zip(ANCESTRIES, shares, strict=True))
    ancestry = ANCESTRIES[int(np.argmax(shares))]
    return PersonParameters(
        gender=round(float(np.clip(random.normal(1.0 if woman else 0.0, 0.1), 0, 1)), 3),
        # MakeHuman's slider: 2/3 is 25 years, 1 is 90.
        age=round(float(2 / 3 + (years - 25) / (90 - 25) / 3), 3),
        muscle=round(float(random.uniform(0.35, 0.75)), 3),
        # People grow heavier with age.
        weight=round(float(np.clip(random.normal(0.5 + 0.003 * (years - 20), 0.16), 0.2, 1)), 3),
        proportions=round(float(random.uniform(0.3, 0.8)), 3),
        **{name: round(float(np.clip(share, 0, 1)), 3) for name, share in zip(ANCESTRIES, shares, strict=True)},
        height_m=round(float(np.clip(random.normal(mean, HEIGHT_STD_M[woman]), *config.height_m)), 3),
        skin_rgb=_draw_skin_color(random, ancestry),
        pose=pose,
        outfit=_draw_outfit(random, config.clothing, woman, _draw_hair_color(random, ancestry, years)),
    )


def _draw_years(random: np.random.Generator, config: PeopleSection) -> float:
    """Draw an age within the range of the config, as frequent as among employed persons; uniform beyond their ages."""
    youngest, oldest = config.age_years
    shares = {}
    for (low, high), share in AGES.items():
        within = max(low, youngest), min(high, oldest)
        if within[0] < within[1]:
            shares[within] = share * (within[1] - within[0]) / (high - low)
    if not shares:
        return float(random.uniform(youngest, oldest))
    ranges, weights = list(shares), np.array(list(shares.values()))
    return float(random.uniform(*ranges[random.choice(len(ranges), p=weights / weights.sum())]))


def _draw_skin_color(random: np.random.Generator, ancestry: str) -> Rgb:
    """Draw a tone between two neighboring tones of the scale, within the usual range of an ancestry."""
    first, last = SKIN_TONES[ancestry]
    tone = random.uniform(first, last)
    lower_tone = min(int(tone), len(MONK_SKIN) - 2)
    lighter, darker = linear(MONK_SKIN[lower_tone]), linear(MONK_SKIN[lower_tone + 1])
    return rgb(SKIN_DIMMING * (lighter + (darker - lighter) * (tone - lower_tone)))


def _draw_hair_color(random: np.random.Generator, ancestry: str, years: float) -> Rgb:
    """Draw a hair color: any for European ancestry, else dark. From 35 years on, gray becomes more likely with age."""
    if random.random() < (years - 35) / 40:
        return draw_color(random, GRAY_HAIR)
    return draw_color(random, HAIR if ancestry == "caucasian" else DARK_HAIR)


def _draw_outfit(random: np.random.Generator, config: ClothingSection, woman: bool, hair_rgb: Rgb) -> Outfit:
    """Draw clothes. Office clothes have long sleeves, trousers, and no headwear."""
    hi_vis, color = choose_weighted(random, config.hi_vis), choose_weighted(random, config.hi_vis_colors)
    hi_vis_rgb = draw_color(random, (VESTS[color],), 0.06)
    office = random.random() < config.office
    long = office or random.random() >= config.short_sleeves
    legs = "trousers" if office else choose_weighted(random, config.legs)
    head = "hair" if office else choose_weighted(random, config.head)
    bag = choose_weighted(random, config.bag)
    return Outfit(
        sleeves="long" if long else "short",
        hood=bool(long and not office and random.random() < config.hoods),
        top_rgb=draw_color(random, OFFICE_SHIRTS if office else TOPS),
        legs=legs,
        trousers_rgb=draw_color(random, OFFICE_TROUSERS if office else TROUSERS),
        shoes_rgb=draw_color(random, SHOES),
        vest_rgb=hi_vis_rgb if hi_vis == "vest" else None,
        # Nobody wears a jacket with shorts.
        jacket_rgb=hi_vis_rgb if hi_vis == "jacket" and legs != "shorts" else None,
        head=head,
        head_rgb=draw_color(random, HELMETS if head == "helmet" else CAPS),
        hair=choose_weighted(random, HAIR_WOMEN if woman else HAIR_MEN),
        hair_rgb=hair_rgb,
        bag=None if bag == "none" else bag,
        bag_rgb=draw_color(random, CAPS),
    )
