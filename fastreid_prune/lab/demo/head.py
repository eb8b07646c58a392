"""Head, hair and hats."""

from math import atan2, cos, sin

from fastreid_prune.lab.demo.canvas import Canvas, shade
from fastreid_prune.lab.demo.identities import Identity
from fastreid_prune.lab.demo.pose import Frame, Skeleton

RADIUS = 0.058  # of a head, in body heights: half its width


def draw_neck(canvas: Canvas, identity: Identity, body: Skeleton, frame: Frame, lean: float) -> None:
    """The neck, which the garment's collar covers in part."""
    top, bottom = (0.0, body.head, lean), (0.0, body.neck - 0.01, lean)
    width = frame.radius(0.034, body.neck)
    canvas.limb(frame.point(bottom), frame.point(top), width, width, shade(identity.skin, 0.85), 0.3)


def draw_fall_of_hair(canvas: Canvas, identity: Identity, body: Skeleton, frame: Frame, lean: float) -> None:
    """The hair that hangs down: before the torso when seen from the front, over it when seen from behind."""
    if identity.hat == "hood":
        return
    radius = frame.radius(RADIUS, body.head)
    if identity.hair_style == "long":
        top = frame.point((0.0, body.head, lean - 0.012))
        end = frame.point((0.0, body.neck - 0.075, lean - 0.055))
        canvas.limb(top, end, radius * 1.12, radius * 1.04, identity.hair, 0.25)
    elif identity.hair_style == "ponytail":
        top = frame.point((0.0, body.head + 0.02, lean - 0.062))
        end = frame.point((0.0, body.neck - 0.06, lean - 0.085))
        canvas.limb(top, end, radius * 0.42, radius * 0.24, identity.hair, 0.4)


def draw_head(
    canvas: Canvas, identity: Identity, body: Skeleton, frame: Frame, lean: float, light: float
) -> None:
    """The head with its face, as far as it is turned to the camera, its hair and its hat."""
    x, y = frame.point((0.0, body.head, lean + 0.008))
    rx, ry = frame.radius(RADIUS, body.head), frame.radius(RADIUS * 1.28, body.head)
    facing, turn = cos(frame.yaw), sin(frame.yaw)
    hooded = identity.hat == "hood"
    covered = identity.hair_style != "shaved" or hooded
    outer = shade(identity.top_colour, 0.9) if hooded else identity.hair
    if covered:
        grow = {"afro": 1.42, "shaved": 1.0}.get(identity.hair_style, 1.12) if not hooded else 1.25
        lift = 0.12 * ry if identity.hair_style != "afro" or hooded else 0.2 * ry
        canvas.ellipse(x - turn * rx * 0.14, y - lift, rx * grow, ry * grow * 0.95, outer)
        canvas.ellipse(
            x - turn * rx * 0.14 + light * rx * 0.3,
            y - lift - ry * 0.4,
            rx * 0.5,
            ry * 0.35,
            shade(outer, 1.2),
        )
    else:
        canvas.ellipse(x, y, rx, ry, identity.skin)
    if facing > -0.55:
        _face(canvas, identity, x, y, rx, ry, facing, turn, covered)
    if covered and not hooded and facing > -0.55:
        # the hair line over the forehead
        canvas.arc(x + turn * rx * 0.1, y - ry * 0.22, rx * 1.06, ry * 0.84, 192, 348, identity.hair)
    canvas.ellipse(x - light * rx * 0.55, y + ry * 0.1, rx * 0.5, ry * 0.85, (0, 0, 0), 34)
    if identity.hair_style == "bun" and not hooded and identity.hat in ("none", "cap"):
        bx, by = frame.point((0.0, body.head + 0.055, lean - 0.045))
        canvas.ellipse(bx, by, rx * 0.52, rx * 0.5, shade(identity.hair, 0.92))
    _hat(canvas, identity, x, y, rx, ry, facing, turn)


def _face(
    canvas: Canvas,
    identity: Identity,
    x: float,
    y: float,
    rx: float,
    ry: float,
    facing: float,
    turn: float,
    hair: bool,
) -> None:
    width = rx * (0.62 + 0.3 * max(facing, 0.0)) if hair else rx * 0.9
    width *= min(1.0, (facing + 0.55) / 0.5)
    centre = x + turn * rx * (0.42 if hair else 0.12)
    canvas.ellipse(centre, y + ry * 0.1, width, ry * 0.86, identity.skin)
    dark = shade(identity.skin, 0.45)
    for eye in (-0.42, 0.42):
        angle = eye + atan2(turn, facing)
        if cos(angle) > 0.25:
            canvas.ellipse(x + rx * sin(angle), y + ry * 0.02, rx * 0.13, ry * 0.08, dark)
    if facing > 0.1:
        nose = x + rx * 0.95 * turn
        canvas.ellipse(nose, y + ry * 0.26, rx * 0.12, ry * 0.16, shade(identity.skin, 0.85))
        canvas.ellipse(x + rx * 0.85 * turn, y + ry * 0.56, rx * 0.24, ry * 0.06, shade(identity.skin, 0.62))


def _hat(
    canvas: Canvas, identity: Identity, x: float, y: float, rx: float, ry: float, facing: float, turn: float
) -> None:
    colour = identity.hat_colour
    if identity.hat == "beanie":
        canvas.arc(x, y - ry * 0.2, rx * 1.16, ry * 1.02, 180, 360, colour)
        canvas.box(x - rx * 1.16, y - ry * 0.36, x + rx * 1.16, y - ry * 0.08, shade(colour, 0.8))
    elif identity.hat == "cap":
        canvas.arc(x, y - ry * 0.24, rx * 1.14, ry * 0.92, 180, 360, colour)
        if facing > -0.5:
            reach = x + turn * rx * 1.0
            canvas.ellipse(
                reach, y - ry * 0.25, rx * (0.75 + 0.3 * abs(facing)), ry * 0.15, shade(colour, 0.65)
            )
    elif identity.hat == "brim":
        canvas.arc(x, y - ry * 0.3, rx * 1.0, ry * 0.95, 180, 360, colour)
        canvas.box(x - rx * 1.0, y - ry * 0.5, x + rx * 1.0, y - ry * 0.3, shade(colour, 0.55))
        canvas.ellipse(x, y - ry * 0.28, rx * 1.85, ry * 0.2, shade(colour, 0.85))
