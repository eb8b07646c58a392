"""Where the joints of a walking body are, and where a camera sees them.

Body coordinates are (side, up, forward) in shares of the body's height, with the ground at up = 0 and the
body's axis at side = forward = 0.
"""

from dataclasses import dataclass
from math import cos, sin

from fastreid_prune.lab.demo.canvas import Point
from fastreid_prune.lab.demo.identities import Identity

Joint = tuple[float, float, float]


@dataclass(frozen=True)
class Pose:
    """How a body stands. Angles in radians."""

    yaw: float  # 0 walks towards the camera, π away from it, ±π/2 across
    phase: float  # of the stride
    stride: float  # swing of the thigh; 0 stands
    gesture: str = "none"  # none, phone, pocket, folded
    lean: float = 0.0


@dataclass(frozen=True)
class Frame:
    """How a camera frames a body: parallel projection from above, with a touch of perspective."""

    x: float  # finished pixels, of the body's axis
    ground: float  # finished pixels, of the feet
    size: float  # finished pixels a body height
    yaw: float
    elevation: float  # radians that the camera looks down

    def place(self, joint: Joint) -> tuple[float, float, float]:
        """The pixel (x, y) of a joint, and its depth (greater is nearer)."""
        side, up, forward = joint
        across = side * cos(self.yaw) + forward * sin(self.yaw)
        depth = forward * cos(self.yaw) - side * sin(self.yaw)
        x = self.x + self.size * across * self.growth(up)
        y = self.ground - self.size * (up * cos(self.elevation) - depth * sin(self.elevation))
        return x, y, depth

    def point(self, joint: Joint) -> Point:
        """The pixel (x, y) of a joint."""
        x, y, _ = self.place(joint)
        return x, y

    def depth(self, joint: Joint) -> float:
        """How near a joint is to the camera."""
        return self.place(joint)[2]

    def radius(self, length: float, up: float) -> float:
        """The pixels of a length at a height: what is nearer to a camera above looks larger."""
        return self.size * length * self.growth(up)

    def growth(self, up: float) -> float:
        """The perspective's factor at a height."""
        return 1 + 0.45 * self.elevation * (up - 0.5)


@dataclass(frozen=True)
class Leg:
    """The joints of a leg."""

    hip: Joint
    knee: Joint
    ankle: Joint
    toe: Joint


@dataclass(frozen=True)
class Arm:
    """The joints of an arm."""

    shoulder: Joint
    elbow: Joint
    hand: Joint


@dataclass(frozen=True)
class Skeleton:
    """The joints of a body, left and right by the sign of ``side`` (−1, 1)."""

    legs: dict[int, Leg]
    arms: dict[int, Arm]
    hip: float  # heights
    shoulder: float
    neck: float
    head: float  # centre


def skeleton(identity: Identity, pose: Pose) -> Skeleton:
    """The joints of ``identity`` in ``pose``."""
    hip = identity.legs
    legs = {side: _leg(side, hip, identity.build, pose) for side in (-1, 1)}
    drop = min(min(leg.ankle[1] for leg in legs.values()) - 0.035, 0.04)
    hip -= drop
    legs = {side: Leg(*(_lower(joint, drop) for joint in _joints(leg))) for side, leg in legs.items()}
    shoulder = 0.805 - drop
    arms = {side: _arm(side, shoulder, identity, pose) for side in (-1, 1)}
    return Skeleton(legs, arms, hip, shoulder, 0.845 - drop, 0.915 - drop)


def _leg(side: int, hip: float, build: float, pose: Pose) -> Leg:
    swing = pose.stride * sin(pose.phase) * side
    # the knee bends while the leg comes forward
    bend = pose.stride * (0.25 + 0.95 * max(0.0, cos(pose.phase) * side))
    x = side * 0.058 * build
    thigh = shin = (hip - 0.035) / 2
    knee = (x, hip - thigh * cos(swing), thigh * sin(swing))
    back = swing - bend
    ankle = (x * 0.92, knee[1] - shin * cos(back), knee[2] + shin * sin(back))
    toe = (x * 1.15, max(ankle[1] - 0.018 - 0.05 * max(0.0, -back) * 0.6, 0.0), ankle[2] + 0.085)
    return Leg((x, hip, 0.0), knee, ankle, toe)


def _arm(side: int, shoulder: float, identity: Identity, pose: Pose) -> Arm:
    upper, fore = 0.155, 0.15
    start = (side * 0.107 * identity.build, shoulder - 0.022, pose.lean)
    swing, bend, out = -0.8 * pose.stride * sin(pose.phase) * side, 0.25, 0.13
    if identity.bag in ("handbag", "shopper", "trolley") and side == identity.bag_side:
        swing, bend = swing * 0.3, 0.04
        if identity.bag == "trolley":
            swing = -0.35
    elif pose.gesture == "phone" and side == -identity.bag_side:
        swing, bend = 0.5, 2.3
    elif pose.gesture == "pocket":
        swing, bend, out = -0.28, 0.75, 0.3
    elif pose.gesture == "folded":
        swing, bend, out = 0.15, 1.5, 0.12
    elbow = (
        start[0] + side * upper * sin(out),
        start[1] - upper * cos(out) * cos(swing),
        start[2] + upper * sin(swing),
    )
    bent = swing + bend
    inward = -0.75 if pose.gesture == "folded" else -0.1 if bend > 1 else 0.02
    hand = (elbow[0] + side * fore * inward, elbow[1] - fore * cos(bent), elbow[2] + fore * sin(bent))
    return Arm(start, elbow, hand)


def _joints(leg: Leg) -> tuple[Joint, ...]:
    return leg.hip, leg.knee, leg.ankle, leg.toe


def _lower(joint: Joint, drop: float) -> Joint:
    return joint[0], max(joint[1] - drop, 0.0), joint[2]
