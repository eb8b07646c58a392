"""A person, drawn from the far parts to the near ones."""

from math import cos

from fastreid_prune.lab.demo import bags, clothes, head
from fastreid_prune.lab.demo.canvas import Canvas, Colour, shade
from fastreid_prune.lab.demo.identities import Identity
from fastreid_prune.lab.demo.pose import Arm, Frame, Leg, Pose, Skeleton, skeleton


def draw_figure(canvas: Canvas, identity: Identity, pose: Pose, frame: Frame, light: float) -> None:
    """Draw ``identity`` in ``pose`` as ``frame`` sees it.

    Args:
        canvas: drawn on, in finished pixels.
        identity: who.
        pose: how the body stands; its yaw is that of ``frame``.
        frame: where on the canvas.
        light: −1 the light comes from the left, +1 from the right.
    """
    body = skeleton(identity, pose)
    from_behind = cos(frame.yaw) < -0.05
    _draw_ground_shadow(canvas, frame, light)
    if identity.bag == "trolley" and not from_behind:
        bags.draw_trolley(canvas, identity, body.arms[identity.bag_side].hand, frame, light)
    if not from_behind:
        head.draw_fall_of_hair(canvas, identity, body, frame, pose.lean)
        if identity.bag == "backpack":
            bags.draw_backpack(canvas, identity, body, frame, light)
    for side in sorted((-1, 1), key=lambda side: _leg_depth(body.legs[side], frame)):
        _draw_leg(canvas, identity, body.legs[side], frame, light)
    if "skirt" in identity.bottom:
        clothes.dress_skirt(clothes.skirt(canvas, identity, body, frame), identity, light)
    else:
        _draw_hips(canvas, identity, body, frame)
    _draw_upper_body(canvas, identity, pose, body, frame, light)
    if from_behind:
        if identity.bag == "backpack":
            bags.draw_backpack(canvas, identity, body, frame, light)
    head.draw_head(canvas, identity, body, frame, pose.lean, light)
    if from_behind:
        head.draw_fall_of_hair(canvas, identity, body, frame, pose.lean)
        if identity.bag == "trolley":
            bags.draw_trolley(canvas, identity, body.arms[identity.bag_side].hand, frame, light)
    if pose.gesture == "phone":
        _draw_arm(canvas, identity, -identity.bag_side, body.arms[-identity.bag_side], frame, light)


def _draw_upper_body(
    canvas: Canvas, identity: Identity, pose: Pose, body: Skeleton, frame: Frame, light: float
) -> None:
    """Torso, arms and what hangs at them, in the order of their depth."""
    nearness = {side: frame.depth(arm.elbow) + frame.depth(arm.hand) for side, arm in body.arms.items()}
    order = sorted((-1, 1), key=lambda side: nearness[side])
    hip_bag = bags.hip_bag_depth(identity, body, frame) if identity.bag == "messenger" else None
    for side in order:
        if nearness[side] < -0.02:
            _draw_arm(canvas, identity, side, body.arms[side], frame, light)
    if hip_bag is not None and hip_bag < 0:
        bags.draw_hip_bag(canvas, identity, body, frame, light)
    head.draw_neck(canvas, identity, body, frame, pose.lean)
    torso = clothes.torso(canvas, identity, pose, body, frame)
    clothes.dress_torso(torso, identity, light)
    bags.draw_straps(torso, identity)
    if hip_bag is not None and hip_bag >= 0:
        bags.draw_hip_bag(canvas, identity, body, frame, light)
    for side in order:
        if nearness[side] >= -0.02:
            _draw_arm(canvas, identity, side, body.arms[side], frame, light)


def _draw_ground_shadow(canvas: Canvas, frame: Frame, light: float) -> None:
    for width, alpha in ((0.2, 40), (0.14, 50)):
        reach = frame.size * width
        canvas.ellipse(frame.x - light * reach * 0.7, frame.ground, reach, reach * 0.3, (0, 0, 0), alpha)


def _draw_leg(canvas: Canvas, identity: Identity, leg: Leg, frame: Frame, light: float) -> None:
    build = identity.build
    thigh, calf, ankle = (frame.radius(r * (0.5 + 0.5 * build), 0.3) for r in (0.056, 0.04, 0.028))
    hip, knee, foot, toe = (frame.point(joint) for joint in (leg.hip, leg.knee, leg.ankle, leg.toe))
    shoe = frame.size * 0.024
    canvas.limb((foot[0], foot[1] + shoe * 0.4), toe, shoe * 1.15, shoe, identity.shoe_colour, light)
    if identity.bottom == "trousers":
        colour = identity.bottom_colour
        canvas.limb(knee, foot, calf * 1.08, ankle * 1.25, shade(colour, 0.94), light)
        canvas.limb(hip, knee, thigh, calf * 1.1, colour, light)
        return
    canvas.limb(knee, foot, calf * 0.92, ankle * 0.85, identity.skin, light)
    canvas.limb(hip, knee, thigh * 0.9, calf * 0.9, identity.skin, light)
    if identity.bottom == "shorts":
        share = 0.82
        end = (hip[0] + (knee[0] - hip[0]) * share, hip[1] + (knee[1] - hip[1]) * share)
        canvas.limb(hip, end, thigh * 1.06, thigh * 1.02, identity.bottom_colour, light)


def _draw_hips(canvas: Canvas, identity: Identity, body: Skeleton, frame: Frame) -> None:
    width = frame.size * 0.1 * identity.build * (0.78 + 0.22 * abs(cos(frame.yaw)))
    x, y = frame.point((0.0, body.hip, 0.0))
    canvas.ellipse(x, y, width, frame.size * 0.055, identity.bottom_colour)


def _draw_arm(canvas: Canvas, identity: Identity, side: int, arm: Arm, frame: Frame, light: float) -> None:
    if identity.bag in ("handbag", "shopper") and side == identity.bag_side:
        bags.draw_hand_bag(canvas, identity, arm.hand, frame, light)
    build = 0.5 + 0.5 * identity.build
    upper, lower, wrist = (frame.radius(r * build, 0.65) for r in (0.034, 0.028, 0.021))
    shoulder, elbow, hand = (frame.point(joint) for joint in (arm.shoulder, arm.elbow, arm.hand))
    covered, above, below = clothes.sleeves(identity)
    canvas.ellipse(hand[0], hand[1], wrist * 1.25, wrist * 1.3, identity.skin)
    if covered < 1.9:
        canvas.limb(elbow, hand, lower * 0.9, wrist * 0.9, identity.skin, light)
        canvas.limb(shoulder, elbow, upper * 0.9, lower * 0.95, identity.skin, light)
    thick = 1.16 if identity.top in ("jacket", "coat") else 1.06
    if covered > 1:
        canvas.limb(
            elbow, _towards(elbow, hand, covered - 1), lower * thick, wrist * thick * 1.1, _dim(below), light
        )
        canvas.limb(shoulder, elbow, upper * thick, lower * thick, _dim(above), light)
    elif covered > 0:
        canvas.limb(
            shoulder, _towards(shoulder, elbow, covered), upper * thick, upper * 1.05, _dim(above), light
        )
    if covered > 0 and identity.pattern == "band":
        start, end = _towards(shoulder, elbow, 0.35), _towards(shoulder, elbow, 0.7)
        if covered > 1:
            canvas.limb(start, end, upper * thick, lower * thick, identity.second_colour, light)


def _dim(colour: Colour) -> Colour:
    """An arm's cloth, a little darker than the torso's so that the two stand apart."""
    return shade(colour, 0.9)


def _towards(start: tuple[float, float], end: tuple[float, float], share: float) -> tuple[float, float]:
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _leg_depth(leg: Leg, frame: Frame) -> float:
    return frame.depth(leg.knee) + frame.depth(leg.ankle)
