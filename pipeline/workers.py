# SPDX-License-Identifier: Apache-2.0
"""People of a warehouse: bodies, outfits, poses, and those who push or pull a truck.

Heights are normal with the means and spreads of adults in Europe (NCD-RisC, eLife 2016;5:e13410). Reach follows the
body proportions of Drillis and Contini 1966 (as in Winter, Biomechanics and Motor Control of Human Movement).
"""

import numpy as np

from pipeline.goods import SEEDS
from pipeline.palettes import CAPS, HAIR, HELMETS, MONK_SKIN, SHOES, TOPS, TROUSERS, VESTS, draw_color, linear, rgb
from pipeline.parts import Rgb, Vec3
from pipeline.placing import moved
from pipeline.things import HandPalletTruckParameters, Outfit, Person, PersonParameters, Pose, Thing
from pipeline.trucks import grip_m
from pipeline.volumes import TILLER_LENGTH_M, TILLER_PIVOT_M

HEIGHT_M = {"male": (1.76, 0.07), "female": (1.63, 0.065)}  # mean, standard deviation
ANCESTRIES = ("african", "asian", "caucasian")
SKIN_TONES = {"african": (5, 9), "asian": (2, 6), "caucasian": (0, 4)}  # first and last place in MONK_SKIN
SKIN_DIMMING = 0.72  # the scale's swatches are as bright as white paper lets them; skin reflects less

GRIP_AHEAD_M = 0.45  # from the hips to the grip bar, ahead when pushing, behind when pulling
PULL_ASIDE_M = 0.22  # the pulling arm hangs beside the body
TILLER_TILT_DEG = (29.0, 55.0)


def draw_person(random: np.random.Generator, pose: Pose) -> PersonParameters:
    sex = "female" if random.random() < 0.3 else "male"
    mean, deviation = HEIGHT_M[sex]
    shares = random.dirichlet((0.25, 0.25, 0.25))
    shares = np.append(np.round(shares[:2], 3), 0)
    shares[2] = 1 - shares.sum()
    skin = _skin(random, ANCESTRIES[int(np.argmax(shares))])
    return PersonParameters(
        gender=round(float(np.clip(random.normal(1.0 if sex == "female" else 0.0, 0.1), 0, 1)), 3),
        age=round(float(random.uniform(0.62, 0.9)), 3),
        muscle=round(float(random.uniform(0.35, 0.75)), 3),
        weight=round(float(np.clip(random.normal(0.55, 0.15), 0.25, 0.95)), 3),
        proportions=round(float(random.uniform(0.3, 0.8)), 3),
        **{name: round(float(np.clip(share, 0, 1)), 3) for name, share in zip(ANCESTRIES, shares, strict=True)},
        height_m=round(float(np.clip(random.normal(mean, deviation), 1.5, 1.95)), 3),
        skin_rgb=skin,
        pose=pose,
        outfit=_draw_outfit(random),
    )


def _skin(random: np.random.Generator, ancestry: str) -> Rgb:
    """Draw a tone between two neighbours of the scale, within the usual range of an ancestry."""
    first, last = SKIN_TONES[ancestry]
    tone = random.uniform(first, last)
    low = min(int(tone), len(MONK_SKIN) - 2)
    lighter, darker = linear(MONK_SKIN[low]), linear(MONK_SKIN[low + 1])
    return rgb(SKIN_DIMMING * (lighter + (darker - lighter) * (tone - low)))


def _draw_outfit(random: np.random.Generator) -> Outfit:
    vest = random.choice(list(VESTS), p=[0.5, 0.38, 0.12])
    head = random.choice(["helmet", "cap", "hair"], p=[0.4, 0.2, 0.4])
    return Outfit(
        sleeves=random.choice(["long", "short"], p=[0.65, 0.35]),
        top_rgb=draw_color(random, TOPS),
        trousers_rgb=draw_color(random, TROUSERS),
        shoes_rgb=draw_color(random, SHOES),
        vest_rgb=draw_color(random, (VESTS[vest],), 0.06) if random.random() < 0.65 else None,
        head=head,
        head_rgb=draw_color(random, CAPS if head == "cap" else HELMETS),
        hair_rgb=draw_color(random, HAIR),
    )


def draw_pose(random: np.random.Generator) -> Pose:
    """What somebody without a truck does."""
    name = random.choice(["walk", "stand", "crouch"], p=[0.5, 0.4, 0.1])
    return _pose(random, name, None, None)


def _pose(random: np.random.Generator, name: str, left: Vec3 | None, right: Vec3 | None) -> Pose:
    phase, seed = round(float(random.random()), 3), int(random.integers(SEEDS))
    return Pose(name=name, phase=phase, seed=seed, hand_left_m=left, hand_right_m=right)


def as_person(parameters: PersonParameters, name: str = "person") -> Person:
    """The person at the origin; it gets its instance id when all trucks and people are there."""
    return Person(name=name, position_m=(0, 0, 0), yaw_deg=0, stands_on="floor", instance_id=0, parameters=parameters)


def lowest_grip_m(height_m: float, pose: str) -> float:
    """Return the lowest grip height that the arms of somebody reach without bowing.

    Shoulders at 0.81 of the height, leaning a little ahead; from shoulder to fist 0.332 of the height + 50 mm.
    When pulling, the trunk turns, so that the shoulder comes back to above the hips.
    """
    shoulder_ahead = 0.07 * height_m if pose == "push" else -0.07
    across = GRIP_AHEAD_M - shoulder_ahead if pose == "push" else GRIP_AHEAD_M + shoulder_ahead
    reach = 0.332 * height_m + 0.05
    return 0.81 * height_m - float(np.sqrt(reach**2 - across**2))


def working_pair(
    random: np.random.Generator, parameters: HandPalletTruckParameters, name: str
) -> tuple[HandPalletTruckParameters, Person]:
    """Return a truck with its tiller leant out and the person who pushes or pulls it by the grip, in the truck's frame.

    Args:
        name: "push" (behind the tiller, facing the forks) or "pull" (ahead of it, facing away, one hand behind).
    """
    body = draw_person(random, _pose(random, name, None, None))
    lowest = lowest_grip_m(body.height_m, name)
    most = np.degrees(np.arccos((lowest - TILLER_PIVOT_M) / TILLER_LENGTH_M))
    tilt = random.uniform(TILLER_TILT_DEG[0], max(TILLER_TILT_DEG[0], min(most, TILLER_TILT_DEG[1])))
    turn = random.normal(0, 12)
    tilted = {"tiller_tilt_deg": round(float(tilt), 2), "tiller_turn_deg": round(float(np.clip(turn, -35, 35)), 2)}
    truck = parameters.model_copy(update=tilted)
    height = grip_m(truck)[2]
    if name == "push":
        half = round(float(random.uniform(0.13, 0.16)), 3)
        hands, grip = ((GRIP_AHEAD_M, half, height), (GRIP_AHEAD_M, -half, height)), (GRIP_AHEAD_M, 0.0)
    else:
        side = 1 if random.random() < 0.3 else -1
        hand = (-GRIP_AHEAD_M, side * PULL_ASIDE_M, height)
        hands, grip = ((hand, None) if side > 0 else (None, hand)), hand[:2]
    pose = body.pose.model_copy(update={"hand_left_m": hands[0], "hand_right_m": hands[1]})
    return truck, _at_grip(as_person(body.model_copy(update={"pose": pose})), grip, truck)


def _at_grip(person: Person, grip_own_m: tuple[float, float], truck: HandPalletTruckParameters) -> Thing:
    """Put the person so that the point `grip_own_m` of the own frame lies on the truck's grip, in line with the tiller.

    Whoever has the grip ahead faces along the tiller towards the truck, whoever has it behind faces away from it.
    """
    yaw = truck.tiller_turn_deg + (0 if grip_own_m[0] > 0 else 180)
    cos, sin = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    x, y, _ = grip_m(truck)
    hips = (x - cos * grip_own_m[0] + sin * grip_own_m[1], y - sin * grip_own_m[0] - cos * grip_own_m[1], 0.0)
    return moved(person, hips, yaw)
