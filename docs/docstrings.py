"""Docstrings as the site shows them: examples as code, references as names."""

import re
from typing import Any

import griffe

_ROLE = re.compile(r":(?:func|class|meth|mod|data|attr):`[~.]*([^`]+)`")


def as_markdown(text: str) -> str:
    """Fence the examples, and take the roles from references.

    >>> as_markdown("See :func:`.merge`."), as_markdown(">>> one").split()[1:]
    ('See `merge`.', ['>>>', 'one', '```'])
    """
    text = _ROLE.sub(r"`\1`", text)
    blocks = re.split(r"\n\s*\n", text)
    return "\n\n".join(_fenced(block) if block.lstrip().startswith(">>> ") else block for block in blocks)


def _fenced(block: str) -> str:
    lines = block.strip("\n").split("\n")
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    return "\n".join([f"{indent}```pycon", *lines, f"{indent}```"])


class AsMarkdown(griffe.Extension):
    """Called by mkdocstrings for everything that it documents."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change the docstring where there is one."""
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)
