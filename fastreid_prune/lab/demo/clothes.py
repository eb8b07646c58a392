"""What covers the body: tops with their patterns, skirts."""

from math import pi

from fastreid_prune.lab.demo.canvas import Canvas, Colour, mix, shade
from fastreid_prune.lab.demo.identities import Identity
from fastreid_prune.lab.demo.pose import Frame, Pose, Skeleton
from fastreid_prune.lab.demo.surfaces import Ring, Surface

HEM = {"tee": -0.03, "vest": -0.025, "shirt": -0.04, "jacket": -0.05, "coat": -0.2}  # below the hip
STRIPES = 5


def torso(canvas: Canvas, identity: Identity, pose: Pose, body: Skeleton, frame: Frame) -> Surface:
    """The tube of the upper garment, from the neck to its hem."""
    hem = body.hip + HEM[identity.top]
    build = identity.build
    thick = 1.1 if identity.top in ("jacket", "coat") else 1.0
    width = build * thick
    flare = 0.03 if identity.top == "coat" else 0.0
    rings = [
        Ring(body.neck, 0.045 * build, 0.04, pose.lean),
        Ring(body.neck - 0.018, 0.08 * width, 0.05, pose.lean),
        Ring(body.neck - 0.042, 0.116 * width, 0.062 * thick, pose.lean * 0.9),
        Ring(body.neck - 0.10, 0.118 * width, 0.076 * width, pose.lean * 0.7),
        Ring(body.neck - 0.62 * (body.neck - body.hip), 0.1 * width, 0.07 * width, pose.lean * 0.3),
        Ring(body.hip + 0.02, 0.106 * width, 0.076 * width),
        Ring(hem, (0.104 + flare) * width, (0.078 + flare) * width),
    ]
    return Surface(canvas, frame, rings)


def dress_torso(surface: Surface, identity: Identity, light: float) -> None:
    """Paint the upper garment with its pattern."""
    surface.whole(identity.top_colour)
    _pattern(surface, identity)
    if identity.top in ("jacket", "coat"):
        _opening(surface, identity)
    if identity.top == "coat":
        surface.whole(shade(identity.top_colour, 0.6), 0.6, 0.635)
    else:
        surface.whole(shade(identity.top_colour, 0.8), 0.965, 1.0)
    surface.shadows(light)


def skirt(canvas: Canvas, identity: Identity, body: Skeleton, frame: Frame) -> Surface:
    """The tube of a skirt, from the waist to its hem."""
    long = identity.bottom == "long_skirt"
    hem, flare = (0.15, 0.14) if long else (body.hip - 0.2, 0.125)
    build = identity.build
    rings = [
        Ring(body.hip + 0.05, 0.1 * build, 0.07 * build),
        Ring(body.hip - 0.02, 0.11 * build, 0.085 * build),
        Ring(hem, flare * build, (flare - 0.02) * build),
    ]
    return Surface(canvas, frame, rings)


def dress_skirt(surface: Surface, identity: Identity, light: float) -> None:
    """Paint a skirt with its pleats."""
    surface.whole(identity.bottom_colour)
    for k in range(-4, 4):
        surface.patch(k * pi / 4, k * pi / 4 + 0.18, 0.2, 1.0, shade(identity.bottom_colour, 0.8))
    surface.shadows(light)


def sleeves(identity: Identity) -> tuple[float, Colour, Colour]:
    """How much of the arm is covered (0 none, 1 to the elbow, 2 to the hand), and its two colours."""
    length = {"vest": 0.0, "tee": 0.62, "shirt": 1.9, "jacket": 1.9, "coat": 1.95}[identity.top]
    above = identity.second_colour if identity.pattern == "halves" else identity.top_colour
    below = identity.second_colour if identity.pattern in ("halves", "sash") else identity.top_colour
    if identity.pattern in ("hoops", "checks"):
        above = below = mix(identity.top_colour, identity.second_colour, 0.35)
    return length, above, below


def _pattern(surface: Surface, identity: Identity) -> None:
    colour, pattern = identity.second_colour, identity.pattern
    if pattern in ("hoops", "checks"):
        for k in range(STRIPES):
            top = 0.16 + 0.17 * k
            surface.whole(colour, top, min(top + (0.085 if pattern == "hoops" else 0.05), 0.97))
    if pattern in ("pinstripe", "checks"):
        for k in range(-8, 8):
            start = k * pi / 8
            surface.patch(start, start + (0.17 if pattern == "pinstripe" else 0.1), 0.05, 0.97, colour)
    if pattern == "band":
        surface.whole(colour, 0.27, 0.47)
    if pattern == "halves":
        surface.whole(colour, 0.0, 0.4)
    if pattern == "logo":
        surface.patch(-0.62, 0.62, 0.24, 0.5, colour)
        surface.patch(pi - 0.8, pi + 0.8, 0.2, 0.34, colour)
    if pattern == "dots":
        for row in range(5):
            for k in range(-5, 5):
                start = (k + 0.5 * (row % 2)) * pi / 5
                surface.patch(start, start + 0.3, 0.17 + 0.16 * row, 0.25 + 0.16 * row, colour)
    if pattern == "sash":
        surface.patch(-1.2, -0.5, 0.05, 1.0, colour, slant=1.7)
        surface.patch(pi + 0.5, pi + 1.2, 0.05, 1.0, colour, slant=-1.7)


def _opening(surface: Surface, identity: Identity) -> None:
    """The front of a jacket: open over what is worn below, or a row of dark buttons on a coat."""
    if identity.top == "jacket":
        inner = identity.second_colour if identity.pattern == "plain" else shade(identity.second_colour, 1.15)
        surface.patch(-0.36, 0.36, 0.02, 0.98, inner)
    else:
        surface.patch(-0.05, 0.05, 0.05, 1.0, shade(identity.top_colour, 0.6))
    lapel = shade(identity.top_colour, 0.72)
    surface.patch(-0.5, -0.28, 0.03, 0.4, lapel, slant=0.12)
    surface.patch(0.28, 0.5, 0.03, 0.4, lapel, slant=-0.12)
