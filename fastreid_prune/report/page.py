"""The page's one file: template, style, script, data and pictures put together."""

import base64
import hashlib
import json
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

# concatenated in this order; later files use what earlier ones define
SCRIPTS = (
    "elements.js",
    "state.js",
    "file.js",
    "groups.js",
    "details.js",
    "queue.js",
    "pruning.js",
    "galleries.js",
    "retrieval.js",
    "main.js",
)
STYLES = ("page.css", "review.css", "pruning.css", "retrieval.css")


def render(template: str, **values: Any) -> str:
    """The template with ``values``, all escaped, with the style and the script inside.

    The page forbids itself anything but this very script: whatever a file name or an identity may hold, no other
    script runs and nothing is fetched.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fastreid_prune.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"thousands": thousands, "duration": duration, "json": json_block}
    script = _static(SCRIPTS)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return environment.get_template(template).render(
        style=Markup(_static(STYLES)), script=Markup(script), script_digest=digest, **values
    )


def json_block(value: Any) -> Markup:
    """JSON that can stand in a ``<script type="application/json">``: no value in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def thousands(value: float | None) -> str:
    """A whole number with thin spaces between thousands; a dash for None."""
    return "–" if value is None else f"{value:,.0f}".replace(",", "\u202f")


def duration(seconds: float | None) -> str:
    """Seconds as a person says them: ``4 min 31 s``, ``2 h 05 min``; a dash for None."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {left:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _static(names: tuple[str, ...]) -> str:
    folder = resources.files("fastreid_prune.report") / "static"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)
