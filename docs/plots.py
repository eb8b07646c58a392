"""Plots in the pages, drawn from the tables that stand there: a mark before a table, ``<!-- plot: accuracy -->``.

They are drawn when the site is built, in the report page's style, and so cannot differ from the figures. Elsewhere the
mark is an invisible comment, and the table is there.
"""

import re
from collections.abc import Callable
from typing import Any

from fastreid_prune.report.plot_style import FAINT, GIVEN, INK, KEPT, OTHER, figure, to_svg

_MARK = re.compile(r"<!-- plot: (\w+) -->")
_VALUE = re.compile(r"(-?\d+(?:\.\d+)?)(?: ± (\d+(?:\.\d+)?))?")
# count, estimate, interval, truth
_CLAIM = re.compile(r"\d+: (\d+) % \[(\d+), (\d+)\], \*\*([\d.]+) %\*\*")
_STYLES = {
    "auto": (GIVEN, "o", "-"),
    "random": (INK, "s", "--"),
    "entropy": (OTHER, "^", "-"),
    "el2n": (KEPT, "v", "-"),
    "forgetting": (KEPT, "D", ":"),
    "moving_average_loss": (KEPT, "P", "-."),
}


def table_after(markdown: str) -> tuple[list[str], list[list[str]], str]:
    """Header, rows and the text before the first table.

    >>> table_after("Unpruned 5.\\n\\n| a | b |\\n|---|---|\\n| 1 | 2 |\\n\\ntext")
    (['a', 'b'], [['1', '2']], 'Unpruned 5.')
    """
    found = re.search(r"^\|.*\|\n\|[-|: ]+\|\n((?:\|.*\|\n?)+)", markdown, re.MULTILINE)
    if found is None:
        raise ValueError("a plot is asked for where no table follows")
    header, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in found[0].splitlines())
    return header, rows, markdown[: found.start()].strip()


def value(cell: str) -> tuple[float, float]:
    """The first number of a cell and its spread, 0 where none is given.

    >>> value("51.92 ± 2.02"), value("**7** MB")
    ((51.92, 2.02), (7.0, 0.0))
    """
    found = _VALUE.search(cell)
    if found is None:
        raise ValueError(f"no number in the cell {cell!r}")
    return float(found[1]), float(found[2] or 0)


def accuracy(markdown: str, name: str) -> str:
    """Accuracy against the share that was pruned, with the band of training on everything."""
    header, rows, before = table_after(markdown)
    shares = {place: float(text[:-1]) for place, text in enumerate(header) if re.fullmatch(r"\d+ %", text)}
    with figure(480, 340) as (drawing, axes):
        if unpruned := re.search(r"Unpruned (\S+ ± [\d.]+\d)", before):
            middle, spread = value(unpruned[1])
            axes.axhspan(middle - spread, middle + spread, color=FAINT, lw=0)
            axes.axhline(middle, color=INK, lw=0.8)
            axes.annotate("everything", (max(shares.values()) + 2, middle), va="bottom", ha="right")
        for method, *cells in rows:
            colour, marker, line = _STYLES.get(method, (KEPT, ".", "-"))
            points = [(share, *value(cells[place - 1])) for place, share in shares.items()]
            x, y, spread = zip(*points, strict=True)
            axes.errorbar(x, y, spread, color=colour, marker=marker, ls=line, ms=5, capsize=2, elinewidth=0.8,
                          label=method.replace("_", " "), zorder=3 if method == "auto" else 2)  # fmt: skip
        axes.set_xticks(list(shares.values()))
        axes.set_xlim(0, max(shares.values()) + 3)
        axes.set_xlabel("pruned, %")
        axes.set_ylabel("(Rank-1 + mAP) / 2, %")
        drawing.legend(loc="outside lower center", ncols=3)
    return to_svg(
        drawing, name, "Accuracy against the share that was pruned; the table below has the figures"
    )


def verdicts(markdown: str, name: str) -> str:
    """The share of verdicts that is right, claimed and true, by kind, against the errors corrected."""
    header, rows, _ = table_after(markdown)
    recall = next(place for place, text in enumerate(header) if text.startswith("errors "))
    kinds = {
        text.split(":")[0]: place for place, text in enumerate(header) if text.endswith(": claimed, true")
    }
    with figure(480, 340) as (drawing, axes):
        for (kind, place), colour, marker in zip(kinds.items(), (GIVEN, OTHER, INK), "o^s", strict=True):
            found = [(row[recall], _CLAIM.search(row[place])) for row in rows]
            claims = [
                (value(share)[0], *map(float, claim.groups())) for share, claim in found if claim is not None
            ]
            for x, _, low, high, _ in claims:
                axes.plot([x, x], [low, high], color=colour, lw=4, alpha=0.3)
            if claims:
                x, *_, true = zip(*claims, strict=True)
                axes.plot(x, true, color=colour, marker=marker, ls="", label=kind)
        axes.plot([], [], color=KEPT, lw=4, alpha=0.5, label="what was claimed")
        axes.set_xlim(0, 100)
        axes.set_ylim(None, 101)
        axes.set_xlabel("errors of the set that were corrected, %")
        axes.set_ylabel("verdicts that are right, %")
        drawing.legend(loc="outside lower center", ncols=4)
    return to_svg(drawing, name, "Verdicts that are right, claimed and true; the table has the figures")


def images(markdown: str, name: str) -> str:
    """Accuracy against the images that were processed, a point a row; the first row is training on everything.

    Needs the columns ``images processed`` and ``accuracy``.
    """
    header, rows, _ = table_after(markdown)
    processed, reached = header.index("images processed"), header.index("accuracy")
    points = [
        (row[0].replace("`", ""), value(row[processed].replace(",", ""))[0], *value(row[reached]))
        for row in rows
    ]
    _, everything, middle, spread = points[0]
    with figure(480, 360) as (drawing, axes):
        axes.axhspan(middle - spread, middle + spread, color=FAINT, lw=0, alpha=0.6)
        looks = [(colour, marker) for marker in "osD^v" for colour in (INK, OTHER, GIVEN)]
        for (label, x, y, spread), (colour, marker) in zip(points, looks, strict=False):
            axes.errorbar(
                100 * x / everything, y, spread, color=colour, marker=marker, ls="", ms=6, capsize=2, elinewidth=0.8,
                label=label,
            )  # fmt: skip
        axes.set_xlabel("images processed, % of training on everything")
        axes.set_ylabel("(Rank-1 + mAP) / 2, %")
        drawing.legend(loc="outside lower center", ncols=2)
    return to_svg(drawing, name, "Accuracy against the images processed; the table has the figures")


def growth(markdown: str, name: str) -> str:
    """Seconds and memory against samples, a line a command, and what growth in proportion would be.

    Needs the columns ``samples``, ``command``, ``s`` and ``peak GiB``; an empty cell is the one above it.
    """
    header, rows, _ = table_after(markdown)
    samples, command = header.index("samples"), header.index("command")
    lines: dict[str, list[list[str]]] = {}
    for above, row in zip([rows[0], *rows], rows, strict=False):
        row[samples] = row[samples] or above[samples]
        lines.setdefault(re.findall("`(.+?)`", row[command])[0], []).append(row)
    looks = list(zip((INK, OTHER, GIVEN, KEPT, INK, OTHER, GIVEN), "osD^vPX", strict=True))
    with figure(560, 330, ncols=2) as (drawing, panels):
        for axes, column, label in zip(
            panels, ("s", "peak GiB"), ("seconds", "peak memory, GiB"), strict=True
        ):
            shown = header.index(column)
            for (verb, some), (colour, marker) in zip(lines.items(), looks, strict=False):
                x, y = (
                    [value(row[place].replace(",", ""))[0] for row in some if row[shown]]
                    for place in (samples, shown)
                )
                axes.plot(
                    x, y, color=colour, marker=marker, label=verb if axes is panels[0] else None, ms=5, lw=1.2
                )
                if x:
                    axes.plot(
                        [x[0], x[-1]], [y[0], y[0] * x[-1] / x[0]], color=KEPT, lw=1.2, ls="--", zorder=1
                    )
            axes.set_xscale("log")
            axes.set_yscale("log")
            sizes = sorted({int(value(row[samples].replace(",", ""))[0]) for row in rows})
            axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
            axes.minorticks_off()
            axes.yaxis.set_major_formatter("{x:g}")
            axes.set_xlabel("samples")
            axes.set_ylabel(label)
        panels[0].plot([], [], color=KEPT, lw=1.2, ls="--", label="in proportion")
        drawing.legend(loc="outside lower center", ncols=3)
    return to_svg(drawing, name, "Seconds and memory against samples; the table has the figures")


PLOTS: dict[str, Callable[[str, str], str]] = {
    "accuracy": accuracy,
    "verdicts": verdicts,
    "images": images,
    "growth": growth,
}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by MkDocs for every page."""
    parts = _MARK.split(markdown)
    text = parts[0]
    for number, (kind, rest) in enumerate(zip(parts[1::2], parts[2::2], strict=True)):
        text += "\n" + PLOTS[kind](rest, f"plot{number}").replace("\n", " ") + "\n" + rest
    return text
