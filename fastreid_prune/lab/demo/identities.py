"""Who is seen: the attributes of a person, and families of persons that look alike."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from fastreid_prune.lab.demo.canvas import Colour

CLOTH: dict[str, Colour] = {
    "black": (30, 30, 34),
    "white": (228, 228, 224),
    "grey": (130, 132, 136),
    "navy": (34, 44, 84),
    "blue": (52, 94, 166),
    "sky": (140, 182, 216),
    "red": (178, 42, 46),
    "burgundy": (100, 30, 46),
    "green": (46, 110, 66),
    "olive": (98, 102, 58),
    "yellow": (220, 190, 70),
    "orange": (218, 122, 48),
    "pink": (220, 148, 168),
    "purple": (106, 68, 136),
    "beige": (202, 182, 146),
    "brown": (106, 74, 50),
    "teal": (42, 128, 128),
}
LEGWEAR = ("black", "black", "navy", "blue", "grey", "beige", "olive", "brown", "white", "sky", "burgundy")
SKIN: tuple[Colour, ...] = ((238, 200, 172), (222, 178, 146), (196, 146, 110), (150, 104, 74), (98, 66, 48))
HAIR: tuple[Colour, ...] = (
    (26, 22, 22),
    (62, 42, 30),
    (110, 74, 44),
    (196, 160, 98),
    (146, 62, 34),
    (168, 166, 164),
)
HAIR_STYLES = ("short", "short", "long", "bun", "ponytail", "afro", "shaved")
HATS = ("none", "none", "none", "none", "cap", "beanie", "brim", "hood")
TOPS = ("tee", "tee", "shirt", "shirt", "jacket", "jacket", "coat", "vest")
PATTERNS = ("plain", "plain", "hoops", "pinstripe", "band", "halves", "checks", "logo", "dots", "sash")
BOTTOMS = ("trousers", "trousers", "trousers", "shorts", "skirt", "long_skirt")
BAGS = ("none", "none", "backpack", "messenger", "handbag", "shopper", "trolley")


@dataclass(frozen=True)
class Identity:
    """The lasting attributes of a person. Sizes are shares of the body's height."""

    skin: Colour
    hair: Colour
    hair_style: str
    hat: str
    hat_colour: Colour
    top: str
    top_colour: Colour
    second_colour: Colour  # of the pattern, or what shows under an open jacket
    pattern: str
    bottom: str
    bottom_colour: Colour
    shoe_colour: Colour
    bag: str
    bag_colour: Colour
    bag_side: int  # −1 or 1
    build: float  # width of the body, 1 is the average
    legs: float  # height of the hip


def draw_identities(count: int, rng: np.random.Generator, alike: float) -> list[Identity]:
    """Draw ``count`` persons, of whom about the share ``alike`` come in families of look-alikes.

    A family has two or three members, who share everything but one or two attributes: the bag, the pattern,
    the legs' or the pattern's colour, the hair, the hat, the shoes.
    """
    people: list[Identity] = []
    while len(people) < count:
        person = _draw_one(rng)
        people.append(person)
        if rng.random() < alike / (2.4 - 1.4 * alike):
            for _ in range(1 + (rng.random() < 0.4)):
                people.append(_sibling(person, rng))
    return people[:count]


def _draw_one(rng: np.random.Generator) -> Identity:
    top, second = _two_colours(rng)
    return Identity(
        skin=SKIN[rng.choice(len(SKIN), p=(0.3, 0.28, 0.2, 0.13, 0.09))],
        hair=HAIR[rng.choice(len(HAIR), p=(0.34, 0.26, 0.16, 0.1, 0.05, 0.09))],
        hair_style=_one(HAIR_STYLES, rng),
        hat=_one(HATS, rng),
        hat_colour=_cloth(_one(tuple(CLOTH), rng), rng),
        top=_one(TOPS, rng),
        top_colour=_cloth(top, rng),
        second_colour=_cloth(second, rng),
        pattern=_one(PATTERNS, rng),
        bottom=_one(BOTTOMS, rng),
        bottom_colour=_cloth(_one(LEGWEAR, rng), rng),
        shoe_colour=_cloth(_one(("black", "black", "white", "brown", "grey", "red", "blue"), rng), rng),
        bag=_one(BAGS, rng),
        bag_colour=_cloth(_one(tuple(CLOTH), rng), rng),
        bag_side=int(rng.choice((-1, 1))),
        build=float(rng.uniform(0.86, 1.22)),
        legs=float(rng.uniform(0.47, 0.52)),
    )


VISIBLE = {
    "bag": ("bag", "bag_colour", "bag_side"),
    "pattern": ("pattern",),
    "second": ("second_colour",),
    "bottom": ("bottom", "bottom_colour"),
    "hair": ("hair", "hair_style"),
    "hat": ("hat", "hat_colour"),
    "shoes": ("shoe_colour",),
}


def _sibling(person: Identity, rng: np.random.Generator) -> Identity:
    """Somebody who differs from ``person`` in one or two attributes that can be seen."""
    while True:
        other = _draw_one(rng)
        differing = rng.choice(tuple(VISIBLE), 2, replace=False)[: 1 + (rng.random() < 0.6)]
        fields = [field for attribute in differing for field in VISIBLE[attribute]]
        sibling = dataclasses.replace(person, **{field: getattr(other, field) for field in fields})
        if _differ(person, sibling):
            return dataclasses.replace(sibling, build=person.build * float(rng.uniform(0.97, 1.03)))


def _differ(first: Identity, second: Identity) -> bool:
    """Whether two persons can be told apart at all: a colour that no garment shows does not count."""
    if (first.bag, first.pattern, first.bottom, first.hat) != (
        second.bag,
        second.pattern,
        second.bottom,
        second.hat,
    ):
        return True
    if first.hat == "none" and first.hair_style != second.hair_style:
        return True
    shown = ["bottom_colour", "shoe_colour"]
    shown += ["second_colour"] if first.pattern != "plain" or first.top == "jacket" else []
    shown += ["hat_colour"] if first.hat not in ("none", "hood") else []
    shown += ["bag_colour"] if first.bag != "none" else []
    shown += ["hair"] if first.hair_style != "shaved" and first.hat == "none" else []
    return any(_distance(getattr(first, name), getattr(second, name)) > 60 for name in shown)


def _distance(first: Colour, second: Colour) -> float:
    return float(np.linalg.norm(np.subtract(first, second)))


def _two_colours(rng: np.random.Generator) -> tuple[str, str]:
    while True:
        first, second = _one(tuple(CLOTH), rng), _one(tuple(CLOTH), rng)
        if _distance(CLOTH[first], CLOTH[second]) > 90:
            return first, second


def _cloth(name: str, rng: np.random.Generator) -> Colour:
    red, green, blue = (int(np.clip(c + rng.integers(-9, 10), 8, 245)) for c in CLOTH[name])
    return red, green, blue


def _one(names: tuple[str, ...], rng: np.random.Generator) -> str:
    return names[int(rng.integers(len(names)))]
