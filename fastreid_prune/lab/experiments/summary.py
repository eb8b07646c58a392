"""The results in words and tables: blocks that become Markdown or HTML."""

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fastreid_prune.lab.experiments.costs import costs
from fastreid_prune.lab.experiments.statistics import (
    POINTS,
    Setting,
    difference,
    furthest,
    mean,
    methods,
    of_method,
    ratios,
    unpruned,
)
from fastreid_prune.lab.experiments.table import UNPRUNED, Row


@dataclass(frozen=True)
class Block:
    """A heading, sentences, a table and figures; each may be missing.

    Attributes:
        heading: text.
        text: sentences.
        header, rows: of a table.
        figures: SVG files.
    """

    heading: str
    text: str = ""
    header: tuple[str, ...] = ()
    rows: Sequence[tuple[str, ...]] = ()
    figures: list[Path] = field(default_factory=list)


def blocks(table: Sequence[Row], baseline: str, figures: dict[Setting, list[Path]]) -> list[Block]:
    """What the page holds, in its order."""
    done = sum(row["status"] == "done" for row in table)
    broken = [(row["folder"], row["error"]) for row in table if row["status"] == "failed"]
    page = [Block("Runs", f"{done} of {len(table)} runs are done, {len(broken)} have failed.")]
    if broken:
        page.append(Block("Failed runs", "", ("run", "why"), broken))
    for setting, drawn in figures.items():
        page.extend(_setting(table, setting, baseline, drawn))
    page.extend(_kept(table))
    page.append(model_zoo(table))
    return page


def _kept(table: Sequence[Row]) -> list[Block]:
    """One line a method and ratio, where something is known beside accuracy."""
    names = ("images", "identities", "wrong_labels_kept", "outliers_kept", "near_copies_kept")
    kinds: dict[tuple[str, str, float, str], list[Row]] = {}
    for row in table:
        if row["kind"] == "train" and row["status"] == "done":
            key = row["scored_with"] or "–", row["method"], row["ratio"], row["purified"]
            kinds.setdefault(key, []).append(row)
    known = [
        name for name in names if any(row.get(name) is not None for row in table if row["kind"] == "train")
    ]
    lines = []
    for (scored, method, ratio, purified), found in kinds.items():
        # budgets and recipes that train on one choice count once
        chosen = {(row["scored_with"], row.get("score_seed"), row["seed"]): row for row in found}.values()
        cells = [_average([row[name] for row in chosen if row.get(name) is not None]) for name in known]
        lines.append((scored, method, f"{100 * ratio:g} %", purified, *cells))
    header = ("scored with", "method", "pruned", "purified", *(name.replace("_", " ") for name in known))
    text = "Means over seeds. Of a test bed whose truth is known also which of its errors are trained on, and how many"
    text += " images beyond the first of each group of near-duplicates."
    return [Block("What is kept", text, header, lines)] if lines else []


def _average(values: list[float]) -> str:
    return f"{sum(values) / len(values):.1f}".removesuffix(".0") if values else "–"


def model_zoo(table: Sequence[Row]) -> Block:
    """One line a recipe, method and ratio: mean ± std over seeds, in a model zoo's style."""
    kinds: dict[tuple, list[Row]] = {}
    for row in table:
        if row["kind"] == "train" and row["status"] == "done":
            key = (
                row["recipe"],
                row["scored_with"] or "–",
                row["method"],
                row["ratio"],
                row["purified"],
                row["budget"],
            )
            kinds.setdefault(key, []).append(row)
    lines = []
    for (recipe, scored, method, ratio, purified, budget), found in kinds.items():
        measured = [
            str(mean({row["seed"]: row[name] for row in found if row[name] is not None}))
            for name in ("images", "Rank-1", "mAP", "mINP", "training_seconds")
        ]
        images, *accuracy, seconds = measured
        lines.append(
            (
                recipe,
                scored,
                method,
                f"{100 * ratio:g} %",
                purified,
                budget if method != UNPRUNED else "–",
                images.split(" ")[0].removesuffix(".00"),
                *accuracy,
                seconds.split(" ")[0],
                str(len(found)),
            )  # fmt: skip
        )
    header = (
        "recipe",
        "scored with",
        "method",
        "pruned",
        "purified",
        "same",
        "images",
        "Rank-1",
        "mAP",
        "mINP",
    )
    return Block("All results", "Mean ± standard deviation over seeds.", (*header, "seconds", "seeds"), lines)


def _setting(table: Sequence[Row], setting: Setting, baseline: str, drawn: list[Path]) -> list[Block]:
    name = f"{setting.recipe}, scored with {setting.scored_with}, same {setting.budget}"
    name += ", purified" if setting.purified == "yes" else ""
    tried = ratios(table)
    percents = tuple(f"{100 * ratio:g} %" for ratio in tried)
    whole = unpruned(table, setting)
    accuracy = [
        (method, *(str(mean(of_method(table, setting, method, ratio))) for ratio in tried))
        for method in methods(table)
    ]
    against = [
        (
            method,
            *(
                str(difference(of_method(table, setting, method, r), of_method(table, setting, baseline, r)))
                for r in tried
            ),
        )
        for method in methods(table)
        if method != baseline
    ]
    page = [
        Block(
            name,
            f"(Rank-1 + mAP) / 2 in percent; unpruned: {mean(whole)}. Mean ± standard deviation over seeds.",
            ("method", *percents),
            accuracy,
            drawn,
        )
    ]
    if baseline in methods(table):
        page.append(
            Block(
                f"Difference to {baseline}",
                "In points, seed by seed: the mean and its 95 % interval (Student's t). An interval that holds 0 "
                "decides nothing.",
                ("method", *percents),
                against,
            )
        )
    if whole:
        page.append(_furthest(table, setting))
        page.append(_processed(table, setting))
        page.extend(_costs(table, setting))
    return page


def _processed(table: Sequence[Row], setting: Setting) -> Block:
    """What an image processed buys: every method beside the whole set trained for as many images."""
    everything = mean(unpruned(table, setting, "images_processed")).mean
    lines = [(UNPRUNED, "0 %", f"{everything:,.0f}", "100 %", str(mean(unpruned(table, setting))))]
    for ratio in ratios(table):
        for method in methods(table):
            images = mean(of_method(table, setting, method, ratio, "images_processed"))
            if images.seeds:
                share = f"{100 * images.mean / everything:.0f} %"
                accuracy = str(mean(of_method(table, setting, method, ratio)))
                lines.append((method, f"{100 * ratio:g} %", f"{images.mean:,.0f}", share, accuracy))
    return Block(
        "Images processed",
        "What went forward and backward, the scoring run included where a method needs one of its own: a scoring run "
        "that several trainings share is counted for each. (Rank-1 + mAP) / 2 in percent.",
        ("method", "pruned", "images", "of unpruned", "accuracy"),
        lines,
    )


def _furthest(table: Sequence[Row], setting: Setting) -> Block:
    found = [(method, furthest(table, setting, method)) for method in methods(table)]
    return Block(
        "How far",
        "The largest ratio tried up to which every ratio loses less than that against no pruning (0 %: none does).",
        ("method", f"{POINTS} points", "one standard deviation of the unpruned"),
        [
            (method, f"{100 * f.points:g} %", "–" if f.std is None else f"{100 * f.std:g} %")
            for method, f in found
        ],
    )


def _costs(table: Sequence[Row], setting: Setting) -> list[Block]:
    lines = []
    for cost in costs(table, setting):
        for ratio in cost.pruned:
            lines.append(
                (
                    cost.unit,
                    f"{100 * ratio:g} %",
                    f"{cost.whole:,.0f}",
                    f"{cost.scoring:,.0f}",
                    f"{cost.cheaper:.1f}",
                    f"{cost.pruned[ratio]:,.0f}",
                    f"{100 * cost.saved(ratio, False):.0f} %",
                    f"{100 * cost.saved(ratio, True):.0f} %",
                )  # fmt: skip
            )
    header = (
        "unit",
        "pruned",
        "full training",
        "scoring",
        "times cheaper",
        "pruned training",
        "saved",
        "saved with scoring",
    )
    text = "On average a run; of one retraining: several on one scoring run share its cost."
    return [Block("Costs", text, header, lines)] if lines else []


def as_markdown(page: Sequence[Block], title: str) -> str:
    """The page as Markdown, figures by name beside it."""
    parts = [f"# {title}"]
    for block in page:
        parts.append(f"## {block.heading}")
        if block.text:
            parts.append(block.text)
        if block.rows:
            lines = [block.header, tuple("---" for _ in block.header), *block.rows]
            parts.append("\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines))
        parts.extend(f"![{path.stem}]({path.name})" for path in block.figures)
    return "\n\n".join(parts) + "\n"


def as_html(page: Sequence[Block], title: str) -> str:
    """The page as one HTML file that needs nothing else."""
    parts = []
    for block in page:
        parts.append(f"<h2>{html.escape(block.heading)}</h2>")
        if block.text:
            parts.append(f"<p>{html.escape(block.text)}</p>")
        if block.rows:
            head = "".join(f"<th>{html.escape(text)}</th>" for text in block.header)
            body = "".join(
                "<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in line) + "</tr>"
                for line in block.rows
            )
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
        for path in block.figures:
            text = path.read_text(encoding="utf-8")
            parts.append(f"<figure>{text[text.index('<svg') :]}</figure>")
    return _PAGE.format(title=html.escape(title), body="\n".join(parts))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; display: block; overflow-x: auto; }}
th, td {{ padding: 0.2rem 0.8rem 0.2rem 0; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }}
th:first-child, td:first-child {{ text-align: left; }}
figure {{ margin: 1rem 0; }} svg {{ max-width: 100%; height: auto; }}
</style></head><body><h1>{title}</h1>
{body}
</body></html>
"""
