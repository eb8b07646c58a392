"""Makes the page of configuration keys from the comments in ``plugin/config.py``, where each key has its default.

A comment stands above its key, and serves the keys that follow it without one of their own.
"""

import re
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[1] / "fastreid_prune" / "plugin" / "config.py"
MARK = "<!-- keys -->"
_KEY = re.compile(r"cfg\.(PRUNE[\w.]*) = (.*)")


def configuration_keys(source: str) -> list[tuple[str, str, str]]:
    """Key, default and comment, in the order of the source.

    >>> configuration_keys("    # How many.\\n    cfg.PRUNE.COUNT = 3\\n")
    [('PRUNE.COUNT', '3', 'How many.')]
    """
    found: list[tuple[str, str, str]] = []
    comment: list[str] = []
    complete = False
    for line in (line.strip() for line in source.splitlines()):
        if line.startswith("#"):
            comment = [*([] if complete else comment), line.lstrip("# ")]
            complete = False
        elif match := _KEY.fullmatch(line):
            if match[2] != "node()":
                found.append((match[1], match[2].split("  #")[0], " ".join(comment)))
            complete = True
    return found


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by MkDocs for every page."""
    if MARK not in markdown:
        return markdown
    keys = configuration_keys(SOURCE.read_text(encoding="utf-8"))
    rows = [
        f"| `{key}` | `{default}` | {comment.replace('|', chr(92) + '|')} |" for key, default, comment in keys
    ]
    return markdown.replace(MARK, "\n".join(["| key | default | what it does |", "|---|---|---|", *rows]))
