"""matplotlib figures as inline SVG that takes the page's colours and type."""

import html
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.figure import Figure

# drawn in these, shown in the page's custom properties, which differ in light and dark
INK, FAINT, GIVEN, OTHER, KEPT, WARN = ("#010101", "#020202", "#030303", "#040404", "#050505", "#060606")
_VARIABLES = {INK: "ink", FAINT: "rule", GIVEN: "given", OTHER: "other", KEPT: "kept", WARN: "warn"}
_STYLE: dict[Any, object] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fastreid_prune",
    "font.size": 12,
    "font.family": "sans-serif",
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 12,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.labelsize": 11.5,
    "ytick.labelsize": 11.5,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 11.5,
    "lines.linewidth": 1.5,
    "lines.solid_capstyle": "round",
}


@contextmanager
def figure(width: int = 560, height: int = 250, **subplots: Any) -> Iterator[tuple[Figure, Any]]:
    """A figure of so many of the page's pixels in the page's style, with its axes."""
    with matplotlib.rc_context(_STYLE):
        made = Figure(figsize=(width / 72, height / 72), dpi=72, layout="constrained")
        yield made, made.subplots(**subplots)


def to_svg(made: Figure, name: str, label: str) -> str:
    """The figure as an ``<svg>`` element; same figure, same text.

    Args:
        made: the figure.
        name: begins every id in it, so that several figures can stand on a page.
        label: what it shows, for those who do not see it.
    """
    buffer = io.StringIO()
    with matplotlib.rc_context(_STYLE):
        made.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\s(?:xmlns:xlink|xmlns|version)="[^"]*"', "", text)
    text = text.replace("xlink:href", "href")
    text = re.sub(r"font: ([0-9.]+)px[^;\"]*", r"font-size: \1px", text)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var(--{variable})")
    head, rest = text.split(">", 1)
    _, _, sized = head.partition('viewBox="')
    size, _, _ = sized.partition('"')
    return f'<svg class="figure" viewBox="{size}" role="img" aria-label="{html.escape(label)}">{rest}'
