"""What people carry."""

from math import cos, pi

from fastreid_prune.lab.demo.canvas import Canvas, shade
from fastreid_prune.lab.demo.identities import Identity
from fastreid_prune.lab.demo.pose import Frame, Joint, Skeleton
from fastreid_prune.lab.demo.surfaces import Ring, Surface


def draw_backpack(canvas: Canvas, identity: Identity, body: Skeleton, frame: Frame, light: float) -> None:
    """The pack itself; whoever calls knows whether it lies before or behind the torso."""
    top, bottom = body.neck - 0.03, body.hip + 0.055
    width, depth, back = 0.085, 0.055, -0.115
    rings = [
        Ring(top, width * 0.55, depth * 0.6, back + 0.02),
        Ring(top - 0.03, width, depth, back),
        Ring(bottom + 0.03, width * 1.06, depth * 1.1, back),
        Ring(bottom, width * 0.9, depth * 0.9, back + 0.01),
    ]
    pack = Surface(canvas, frame, rings)
    pack.whole(identity.bag_colour)
    pack.patch(pi - 0.75, pi + 0.75, 0.52, 0.9, shade(identity.bag_colour, 0.72))
    pack.patch(pi - 0.9, pi + 0.9, 0.3, 0.34, shade(identity.bag_colour, 0.55))
    pack.shadows(light)


def draw_straps(torso: Surface, identity: Identity) -> None:
    """What can be seen on the torso of a backpack (two straps) or a messenger bag (one, across)."""
    dark = shade(identity.bag_colour, 0.8)
    if identity.bag == "backpack":
        for azimuth in (-0.66, 0.66):
            torso.patch(azimuth - 0.13, azimuth + 0.13, 0.03, 0.5, dark)
    elif identity.bag == "messenger":
        side = identity.bag_side
        torso.patch(-side * 0.6 - 0.12, -side * 0.6 + 0.12, 0.02, 0.8, dark, slant=side * 1.9)
        torso.patch(pi + side * 0.6 - 0.12, pi + side * 0.6 + 0.12, 0.02, 0.8, dark, slant=-side * 1.9)


def hip_bag_depth(identity: Identity, body: Skeleton, frame: Frame) -> float:
    """How near a messenger bag is to the camera."""
    return frame.depth((identity.bag_side * 0.14, body.hip, -0.01))


def draw_hip_bag(canvas: Canvas, identity: Identity, body: Skeleton, frame: Frame, light: float) -> None:
    """A messenger bag that hangs at the hip."""
    centre = identity.bag_side * 0.135 * identity.build
    _box(canvas, identity, frame, (centre, body.hip - 0.0, -0.015), (0.035, 0.055, 0.09), light)


def draw_hand_bag(canvas: Canvas, identity: Identity, hand: Joint, frame: Frame, light: float) -> None:
    """A bag that hangs from a hand: a handbag, or a larger shopping bag."""
    large = identity.bag == "shopper"
    drop, size = (0.135, (0.03, 0.08, 0.075)) if large else (0.1, (0.03, 0.045, 0.07))
    centre = (hand[0], hand[1] - drop, hand[2])
    top = centre[1] + size[1]
    for end in (-0.6, 0.6):
        start = frame.point((hand[0], top, hand[2] + end * size[2]))
        canvas.line([start, frame.point(hand)], 0.9, shade(identity.bag_colour, 0.6))
    _box(canvas, identity, frame, centre, size, light)
    if large:
        x, y = frame.point(centre)
        canvas.ellipse(
            x, y, frame.size * 0.03 * (0.4 + abs(cos(frame.yaw + pi / 2))), frame.size * 0.03, (236, 236, 230)
        )


def draw_trolley(canvas: Canvas, identity: Identity, hand: Joint, frame: Frame, light: float) -> None:
    """A suitcase on wheels, pulled behind."""
    centre = (hand[0] * 1.25, 0.15, hand[2] - 0.17)
    canvas.line([frame.point(hand), frame.point((centre[0], 0.26, centre[2]))], 1.0, (70, 70, 74))
    _box(canvas, identity, frame, centre, (0.075, 0.12, 0.05), light)
    for end in (-0.05, 0.05):
        x, y = frame.point((centre[0] + end, 0.025, centre[2]))
        canvas.ellipse(x, y, 1.3, 1.6, (24, 24, 26))


def _box(
    canvas: Canvas,
    identity: Identity,
    frame: Frame,
    centre: Joint,
    size: tuple[float, float, float],
    light: float,
) -> None:
    """A soft box with half sizes (side, up, forward)."""
    side, up, forward = size
    x, y = frame.point(centre)
    # the outline of an upright ellipse, squared off: half its width is that of the turned ellipse
    width = frame.size * ((side * cos(frame.yaw)) ** 2 + (forward * cos(frame.yaw + pi / 2)) ** 2) ** 0.5
    height = frame.size * up
    colour = identity.bag_colour
    outline = [
        (x - width * 0.86, y - height),
        (x + width * 0.86, y - height),
        (x + width, y - height * 0.5),
        (x + width, y + height * 0.8),
        (x + width * 0.86, y + height),
        (x - width * 0.86, y + height),
        (x - width, y + height * 0.8),
        (x - width, y - height * 0.5),
    ]
    canvas.polygon(outline, colour)
    canvas.box(x - width * 0.86, y - height, x + width * 0.86, y - height * 0.15, shade(colour, 0.84))
    canvas.box(
        x - light * width * 0.6 - width * 0.3,
        y - height * 0.9,
        x - light * width * 0.6 + width * 0.3,
        y + height * 0.9,
        (0, 0, 0),
        46,
    )
