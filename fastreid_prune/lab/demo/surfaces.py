"""Cloth on a body: a tube of elliptical rings, painted with patches that are seen from their own side."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, cos, pi, sin

from fastreid_prune.lab.demo.canvas import Canvas, Colour, Point
from fastreid_prune.lab.demo.pose import Frame


@dataclass(frozen=True)
class Ring:
    """A horizontal ellipse around the body, in shares of the body's height."""

    up: float
    side: float  # half axes
    forward: float
    lean: float = 0.0  # how far its centre lies forward of the body's axis


class Surface:
    """A tube through ``rings`` from top to bottom, seen in a frame.

    A point of it has an azimuth and a share. The azimuth, in radians, is 0 at the front, π/2 where
    ``side`` is positive, ±π at the back; the share is 0 at the top and 1 at the bottom.
    """

    def __init__(self, canvas: Canvas, frame: Frame, rings: Sequence[Ring]):
        self.canvas = canvas
        self.frame = frame
        self.rings = list(rings)
        top, bottom = rings[0].up, rings[-1].up
        self.shares = [(top - ring.up) / (top - bottom) for ring in rings]
        widest = max(rings, key=lambda ring: ring.side)
        # the azimuths at which a tube of this shape turns out of sight
        self.right = atan2(widest.side * cos(frame.yaw), widest.forward * sin(frame.yaw))
        self.left = self.right - pi

    def point(self, azimuth: float, share: float) -> Point:
        """The pixel (x, y) of a point."""
        low = max(0, min(len(self.rings) - 2, bisect_right(self.shares, share) - 1))
        a, b = self.rings[low], self.rings[low + 1]
        w = (share - self.shares[low]) / (self.shares[low + 1] - self.shares[low])
        side = (a.side + (b.side - a.side) * w) * sin(azimuth)
        forward = (a.forward + (b.forward - a.forward) * w) * cos(azimuth) + a.lean + (b.lean - a.lean) * w
        return self.frame.point((side, a.up + (b.up - a.up) * w, forward))

    def patch(
        self, start: float, end: float, top: float, bottom: float, colour: Colour, slant: float = 0.0
    ) -> None:
        """Paint what can be seen between two azimuths and two shares.

        Args:
            start: azimuth, less than ``end``.
            end: azimuth.
            top: share t of the upper edge.
            bottom: share t of the lower edge.
            colour: the paint.
            slant: how much the patch's azimuths move on from its top to its bottom.
        """
        for turn in (-2 * pi, 0.0, 2 * pi):
            self._visible_patch(start + turn, end + turn, top, bottom, colour, slant=slant)

    def whole(self, colour: Colour, top: float = 0.0, bottom: float = 1.0) -> None:
        """Paint all that can be seen between two shares."""
        self._visible_patch(self.left, self.right, top, bottom, colour)

    def shadows(self, light: float) -> None:
        """Darken the side turned from the light, brighten a strip on the other."""
        dark, bright = ((self.left, 1), (self.right, -1))[:: 1 if light > 0 else -1]
        for width, alpha in ((1.15, 26), (0.75, 30), (0.4, 40)):
            self._strip(dark, 0.0, width, 0.0, (0, 0, 0), alpha)
        self._strip(bright, 0.0, 0.3, 0.0, (0, 0, 0), 40)
        self._strip(bright, 0.55, 1.15, 0.08, (255, 255, 255), 26)

    def _strip(
        self, edge: tuple[float, int], near: float, far: float, top: float, colour: Colour, alpha: int
    ) -> None:
        """A strip between two distances from an edge, which is an azimuth and the direction inwards."""
        azimuth, inward = edge
        start, end = sorted((azimuth + inward * near, azimuth + inward * far))
        self._visible_patch(start, end, top, 1.0, colour, alpha)

    def _visible_patch(
        self,
        start: float,
        end: float,
        top: float,
        bottom: float,
        colour: Colour,
        alpha: int = 255,
        slant: float = 0.0,
    ) -> None:
        low, high = max(start + min(slant, 0.0), self.left), min(end + max(slant, 0.0), self.right)
        if high - low < 0.02 or bottom <= top:
            return
        edges = [top, *(share for share in self.shares if top < share < bottom), bottom]
        moved = [slant * (share - top) / (bottom - top) for share in edges]
        starts = [min(max(start + move, self.left), self.right) for move in moved]
        ends = [min(max(end + move, self.left), self.right) for move in moved]
        steps = max(2, round((high - low) / 0.35))
        upper = [self.point(starts[0] + (ends[0] - starts[0]) * k / steps, top) for k in range(steps + 1)]
        lower = [self.point(ends[-1] + (starts[-1] - ends[-1]) * k / steps, bottom) for k in range(steps + 1)]
        rising = [self.point(a, t) for a, t in zip(ends[1:-1], edges[1:-1], strict=True)]
        falling = [self.point(a, t) for a, t in zip(starts[1:-1], edges[1:-1], strict=True)][::-1]
        self.canvas.polygon([*upper, *rising, *lower, *falling], colour, alpha)
