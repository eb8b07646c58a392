"""Tables in the pages that are made from the code: configuration keys from their comments, the rest from registries."""

import re
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import click

SOURCE = Path(__file__).parents[1] / "fastreid_prune" / "plugin" / "config.py"
_KEY = re.compile(r"cfg\.(PRUNE[\w.]*) = (.*)")


def configuration_keys(source: str) -> list[tuple[str, str, str]]:
    """Key, default and comment, in the order of the source.

    A comment stands above its key, and serves the keys that follow it without one of their own.

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


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    lines = [tuple(header), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    lines.insert(1, tuple("---" for _ in lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _keys() -> str:
    """A definition list: keys that share a comment stand together."""
    keys = configuration_keys(SOURCE.read_text(encoding="utf-8"))
    return "\n\n".join(
        "\n".join(f"`{key}` = `{default}`" for key, default, _ in some) + f"\n:   {_text(what)}"
        for what, some in ((what, list(some)) for what, some in groupby(keys, key=itemgetter(2)))
    )


def _commands() -> str:
    """Every verb: its help, how it is called, its options."""
    from fastreid_prune.cli import group

    context = click.Context(group, info_name="fastreid-prune")
    return "\n\n".join(_verb(name, context) for name in group.list_commands(context))


def _verb(name: str, parent: click.Context) -> str:
    command = parent.command.get_command(parent, name)  # type: ignore[attr-defined]
    inner = click.Context(command, info_name=name, parent=parent)
    help_text = re.sub(r"\n {2,}", "\n", command.help or "").replace("\b\n", "")
    help_text = (
        re.sub(r"^(\w+: .*)$", r"- \1", help_text, flags=re.MULTILINE)
        if "\b" in (command.help or "")
        else help_text
    )
    rows = [
        (f"`{', '.join(option.opts)}`", _text(option.help or ""), _default(option, inner))
        for option in command.params
        if isinstance(option, click.Option)
    ]
    usage = " ".join(command.collect_usage_pieces(inner))
    options = table(("option", "what it does", "default"), rows) if rows else ""
    return f"## {name}\n\n{_text(help_text.strip())}\n\n```\nfastreid-prune {name} {usage}\n```\n\n{options}"


def _default(option: click.Option, context: click.Context) -> str:
    if option.is_flag or not option.show_default:
        return "required" if option.required else ""
    shown = option.show_default if isinstance(option.show_default, str) else option.get_default(context)
    return f"`{', '.join(map(str, shown)) if isinstance(shown, tuple | list) else shown}`"


def _text(plain: str) -> str:
    return plain.replace("<", "&lt;")


def _scores() -> str:
    from fastreid_prune import scores

    found = [scores.get(name) for name in scores.available()]
    return table(
        ("score", "high where", "source"), ((f"`{one.name}`", one.direction, one.source) for one in found)
    )


def _strategies() -> str:
    from fastreid_prune.selection import STRATEGIES

    found = STRATEGIES.values()
    return table(
        ("strategy", "what it does", "source"),
        ((f"`{one.name}`", one.direction, one.source) for one in found),
    )


def _rules() -> str:
    import fastreid_prune.purify.judge_run  # noqa: F401 - the rules register themselves
    from fastreid_prune.purify.registry import RULES

    found = RULES.values()
    return table(
        ("rule", "goes by", "source"), ((f"`{one.name}`", one.direction, one.source) for one in found)
    )


def _layouts() -> str:
    from fastreid_prune.datasets import layouts

    return table(
        ("layout", "looks like", "source"),
        ((f"`{one.name}`", one.looks_like, one.source) for one in layouts()),
    )


def _formats() -> str:
    from fastreid_prune import formats

    known = {one.name: one for one in (*formats.written(), *formats.read())}
    return table(
        ("format", "`export` writes", "`import` reads"),
        (
            (_linked(f"`{name}`", one.source), one.writes or "–", one.reads or "–")
            for name, one in sorted(known.items())
        ),
    )


def _linked(text: str, source: str) -> str:
    return f"[{text}]({source})" if source.startswith("https://") else text


def _patches() -> str:
    from fastreid_prune.plugin.compat.apply import PATCHES

    return table(
        ("patch", "without it", "versions concerned"),
        ((f"`{patch.name}`", patch.breaks, patch.versions) for patch in PATCHES),
    )


MADE = {
    "<!-- keys -->": _keys,
    "<!-- commands -->": _commands,
    "<!-- scores -->": _scores,
    "<!-- strategies -->": _strategies,
    "<!-- rules -->": _rules,
    "<!-- layouts -->": _layouts,
    "<!-- formats -->": _formats,
    "<!-- patches -->": _patches,
}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by MkDocs for every page."""
    for mark, make in MADE.items():
        if mark in markdown:
            markdown = markdown.replace(mark, make())
    return markdown
