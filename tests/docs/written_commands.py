"""The commands and the Python snippets that README and docs hold."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
PROGRAMS = ("fastreid-prune", "python", "bash", "pip")


@dataclass(frozen=True)
class Command:
    """A command as a page shows it: where, the words that a shell would pass on, and whether it is all there.

    In a code block a command is whole; within a sentence it may name a verb and no more.
    """

    place: str
    words: tuple[str, ...]
    whole: bool

    def __str__(self) -> str:
        return f"{self.place}: {' '.join(self.words)}"


def commands_of(page: Path) -> list[Command]:
    """Every command of a page: lines of code blocks, and code in the text that starts with a program's name."""
    found = []
    lines = page.read_text(encoding="utf-8").splitlines()
    fence = None
    joined, began = "", 0
    for number, line in enumerate(lines, start=1):
        place = f"{page.relative_to(ROOT)}:{began or number}"
        if line.lstrip().startswith("```"):
            fence = None if fence is not None else line.strip("` ") or "text"
        elif fence in ("bash", "sh", "shell", "console", "text") or (
            fence is None and line.startswith("    ")
        ):
            joined, began = joined + line.strip().removeprefix("$ "), began or number
            if joined.endswith("\\"):
                joined = joined[:-1]
                continue
            found += _command(place, joined, whole=True)
            joined, began = "", 0
        elif fence is None:
            for code in re.findall(r"`([^`]+)`", line):
                if " " in code:
                    found += _command(place, code, whole=False)
    return found


def snippets_of(page: Path) -> list[str]:
    """The Python code blocks of a page, in its order."""
    text = page.read_text(encoding="utf-8")
    return [match.group(1) for match in re.finditer(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]


def _command(place: str, line: str, *, whole: bool) -> list[Command]:
    if not line.startswith(tuple(f"{program} " for program in PROGRAMS)) or "…" in line:
        return []
    return [Command(place, tuple(shlex.split(line, comments=True)), whole)]
