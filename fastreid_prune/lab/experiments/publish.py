"""The files that a sweep's results become."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fastreid_prune.io.files import written_whole
from fastreid_prune.lab.experiments.grid import Grid
from fastreid_prune.lab.experiments.runs import Run
from fastreid_prune.lab.experiments.statistics import settings
from fastreid_prune.lab.experiments.summary import Block, as_html, as_markdown, blocks
from fastreid_prune.lab.experiments.table import rows, write


@dataclass(frozen=True)
class Published:
    """The files, and the page's blocks for whoever prints them."""

    parquet: Path
    csv: Path
    markdown: Path
    html: Path
    figures: list[Path]
    blocks: list[Block]


def publish(runs: Sequence[Run], folder: Path, grid: Grid) -> Published:
    """Write the table, the figures, ``results.md`` and ``results.html`` of what is done so far."""
    from fastreid_prune.lab.experiments.figures import draw

    table = rows(runs, folder)
    parquet, csv = write(table, folder)
    figures = {}
    for setting in settings(table):
        stem = re.sub(r"[^\w.-]+", "_", "-".join(part for part in vars(setting).values() if part))
        figures[setting] = draw(table, setting, stem, folder)
    page = blocks(table, grid.baseline, figures)
    title = f"Sweep: {folder.name}"
    for name, text in (("results.md", as_markdown(page, title)), ("results.html", as_html(page, title))):
        with written_whole(folder / name) as part:
            part.write_text(text, encoding="utf-8")
    drawn = [path for paths in figures.values() for path in paths]
    return Published(parquet, csv, folder / "results.md", folder / "results.html", drawn, page)
