"""From a scored run to the page that a person judges it by. One call does what one command does."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastreid_prune import scores
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.files import written_whole
from fastreid_prune.io.names import dataset_title
from fastreid_prune.report import choosing, payload, plots
from fastreid_prune.report.page import render
from fastreid_prune.report.ratio_table import cuts
from fastreid_prune.report.retrained import outcomes
from fastreid_prune.report.retrieval import Comparison, comparisons
from fastreid_prune.report.scoring_model import scoring_model
from fastreid_prune.report.source import Source, read_source
from fastreid_prune.report.thumbnails import thumbnails
from fastreid_prune.scored_run.identity_table import KINDS, MORE, SAME
from fastreid_prune.scored_run.run_files import RunFiles
from fastreid_prune.scored_run.score_table import ScoreTable
from fastreid_prune.scored_run.verdicts import KINDS as VERDICTS

EXTREMES, PAIRS = 18, 18
# of each kind
FINDINGS = 50
SCORING = "scoring run"


@dataclass(frozen=True)
class ReportSummary:
    """What :func:`write_report` did.

    Attributes:
        pages: the files written.
        sizes: their bytes.
        suspects: how many the run has.
        shown: how many of them are on the pages.
        flagged: how many of them were judged wrong; of the others the soft label disagrees.
        judged: whether anybody judged the run.
        pictures: images embedded, over all pages.
        missing: images that were wanted and could not be read.
        findings: about identities.
    """

    pages: list[Path]
    sizes: list[int]
    suspects: int
    shown: int
    flagged: int
    judged: bool
    pictures: int
    missing: int
    findings: int


def write_report(
    run: str | os.PathLike | RunFiles,
    output: str | os.PathLike,
    *,
    images: str | os.PathLike | None = "datasets",
    method: str = "entropy",
    ratio: float = 0.3,
    suspects: int = 200,
    pages: int = 1,
    retrained: Mapping[str, str | os.PathLike] | None = None,
) -> ReportSummary:
    """Write the page of a scored run: self-contained, opens from disk.

    Args:
        run: a scored run, or its folder.
        output: the page; further pages are written beside it as ``name-2.html`` and so on.
        images: the folder that the samples' file names are relative to (fastreid's FASTREID_DATASETS), or the data
            set's own folder in it.
        method: the score to rank by.
        ratio: the ratio that the page starts at, in [0, 1).
        suspects: how many suspects a page shows.
        pages: how many pages of suspects to write at most; 0 for all.
        retrained: name -> output folder of runs trained on what is kept, for the before and after table.

    Raises:
        FastreidPruneError: no scored run there, no such method, or numbers out of range.
    """
    output = Path(output)
    scores.get(method)
    if not 0 <= ratio < 1 or suspects < 1 or pages < 0:
        raise FastreidPruneError(
            f"report: expected a ratio in [0, 1), suspects of 1 or more and pages of 0 or more, found {ratio}, "
            f"{suspects} and {pages}."
        )
    run = RunFiles.open(run)
    source = read_source(run, images, method)
    found = choosing.suspects(source)
    doubtful = np.zeros(len(source.labels), bool)
    doubtful[found] = True
    parts = choosing.pages(found, source.table.verdicts, suspects)
    parts = parts[:pages] if pages else parts
    paths = [output, *(output.with_stem(f"{output.stem}-{number}") for number in range(2, len(parts) + 1))]
    common: dict[str, Any] = {
        "source": source,
        "judged": source.table.judged,
        "suspects": len(found),
        "flagged": int(choosing.flagged(source).sum()),
        "counts": _verdict_counts(source.table),
        "shown": sum(map(len, parts)),
        "pages": [path.name for path in paths],
        "dataset": ", ".join(map(dataset_title, source.meta.dataset)) or "data set",
    }
    sizes, pictures, missing = [], 0, 0
    for number, (path, rows) in enumerate(zip(paths, parts, strict=True), start=1):
        first = number == 1
        hardest, easiest = choosing.extremes(source, EXTREMES if first else 0)
        pairs = choosing.near_duplicates(source, PAIRS) if first else []
        findings, compared = payload.findings(source, doubtful, FINDINGS if first else 0)
        data, wanted, found_pictures = _page_data(source, rows, hardest, easiest, pairs, doubtful, compared)
        data["findings"] = findings
        data |= {"key": _key(source), "page": number, "judged": source.table.judged, "ratio": ratio}
        values = common | {"page": number, "missing": wanted - len(found_pictures)}
        if first:
            values |= _overview(source, found, doubtful, hardest, easiest, run, retrained or {})
            data |= values.pop("data")
            values |= {"hardest": len(hardest), "easiest": len(easiest), "pairs": len(pairs)}
            values |= _finding_counts(source, len(findings))
            retrieval, found_by_name = _retrieval(source, values["retrieval"])
            data["retrieval"] = retrieval
            found_pictures |= found_by_name
        html = render(
            "page.html.jinja" if first else "more.html.jinja", data=data, pictures=found_pictures, **values
        )
        with written_whole(path) as part:
            part.write_text(html, encoding="utf-8")
        sizes.append(path.stat().st_size)
        pictures += len(found_pictures)
        missing += wanted - len(found_pictures)
    return ReportSummary(
        pages=paths,
        sizes=sizes,
        suspects=len(found),
        shown=common["shown"],
        flagged=common["flagged"],
        judged=source.table.judged,
        pictures=pictures,
        missing=missing,
        findings=len(source.findings),
    )


def _page_data(
    source: Source,
    rows: np.ndarray,
    hardest: np.ndarray,
    easiest: np.ndarray,
    pairs: list[choosing.Pair],
    doubtful: np.ndarray,
    compared: set[int],
) -> tuple[dict[str, Any], int, dict[int | str, list[Any]]]:
    """The script's data, how many pictures were wanted, and those that there are: row -> width, height, URI."""
    reviewed = [*rows.tolist(), *hardest.tolist(), *easiest.tolist(), *(pair.row for pair in pairs)]
    evidence = payload.cases(source, list(dict.fromkeys(reviewed)), doubtful)
    evidence["samples"] |= payload.samples(source, {pair.other for pair in pairs} | compared)
    sizes = payload.picture_sizes(evidence, pairs)
    made = {} if source.images is None else thumbnails(source.images, source.table.file_name, sizes, sizes)
    data = evidence | {
        "identities": source.class_names,
        "method": source.method,
        "lists": {
            "suspects": rows.tolist(),
            "hardest": hardest.tolist(),
            "easiest": easiest.tolist(),
            "pairs": [[pair.row, pair.other, round(pair.similarity, 4)] for pair in pairs],
        },
        "clips": _clips(source, rows),
    }
    return data, len(sizes), {row: [t.width, t.height, t.uri] for row, t in made.items()}


def _clips(source: Source, rows: np.ndarray) -> list[list[int]]:
    """The rows of each clip of two images or more, in the order of the list."""
    place = {row: number for number, row in enumerate(rows.tolist())}
    clips = [[row for row in members.tolist() if row in place] for members in source.table.verdicts.clips]
    return [sorted(members, key=place.__getitem__) for members in clips if len(members) > 1]


def _finding_counts(source: Source, shown: int) -> dict[str, int | bool]:
    counts = {kind: sum(one.kind == kind for one in source.findings) for kind in KINDS}
    vouched = any(one.confidence is not None for one in source.findings)
    return {"same": counts[SAME], "more": counts[MORE], "findings": shown, "vouched": vouched}


def _retrieval(
    source: Source, found: list[Comparison]
) -> tuple[list[dict[str, Any]], dict[int | str, list[Any]]]:
    """The comparisons for the page's script, and their pictures under names of their own."""
    names = np.array(sorted({name for one in found for name in one.file_names}), object)
    key = {name: f"test-{place}" for place, name in enumerate(names)}
    sizes = dict.fromkeys(range(len(names)), payload.SMALL)
    made = {} if source.images is None else thumbnails(source.images, names, sizes, sizes)
    pictures: dict[int | str, list[Any]] = {
        key[names[row]]: [t.width, t.height, t.uri] for row, t in made.items()
    }
    return payload.comparisons(found, key), pictures


def _overview(
    source: Source,
    found: np.ndarray,
    doubtful: np.ndarray,
    hardest: np.ndarray,
    easiest: np.ndarray,
    run: RunFiles,
    retrained: Mapping[str, str | os.PathLike],
) -> dict[str, Any]:
    """What the first page has besides the review."""
    table = source.table
    cut = cuts(source.scores, table.file_name, source.labels, table.camid, doubtful)
    model = scoring_model(source)
    unit = f"{source.method}, nats" if source.method == "entropy" else source.method
    histogram = plots.score_histogram(source.scores, doubtful, unit)
    chosen = _exemplars(source, found, hardest, easiest)
    scoring = {SCORING: run.output_folder}
    runs = outcomes(scoring, retrained) if retrained else []
    # runs of one recipe are compared with each other; the scoring run is trained for fewer epochs
    answering = retrained if len(retrained) > 1 else scoring | dict(retrained)
    histories = {one.name: one.history for one in runs if len(one.history[0]) > 1}
    svg = asdict(histogram)
    return {
        "model": model,
        "record": source.record,
        "meta": source.meta,
        "cameras": len(set(table.camid.tolist())),
        "histogram": svg.pop("svg"),
        "noise": plots.noise_plot(cut),
        "learning": plots.learning_plots(model),
        "trajectories": [(row, plots.trajectory_plot(source, row, title)) for title, row in chosen.items()],
        "runs": runs,
        "retrieval": comparisons(answering) if retrained else [],
        "comparison": plots.comparison_plot(histories) if histories else "",
        "data": {"cuts": payload.cuts_payload(cut), "histogram": svg},
    }


def _exemplars(source: Source, found: np.ndarray, hardest: np.ndarray, easiest: np.ndarray) -> dict[str, int]:
    """An easy, a hard, a mislabelled and an outlier sample, where the run has them: title -> row."""
    verdicts, suspect = source.table.verdicts, set(found.tolist())
    found = found[~source.injected[found]]
    of = {
        "easiest": easiest,
        "hard, not suspected": [row for row in hardest.tolist() if row not in suspect],
        "mislabelled": found[verdicts.mislabelled[found]],
        "outlier": found[verdicts.outlier[found]],
        "first to be suspected": found[~choosing.flagged(source)[found]],
    }
    return {title: int(rows[0]) for title, rows in of.items() if len(rows)}


def _verdict_counts(table: ScoreTable) -> dict[str, int]:
    return {kind: int((table.verdicts.verdict == kind).sum()) for kind in VERDICTS if kind}


def _key(source: Source) -> str:
    """Under which the browser keeps the review: the same for every page of the same samples and labels."""
    digest = hashlib.sha256()
    for column in (source.table.file_name, source.table.pid):
        digest.update("\0".join(column.tolist()).encode())
    return digest.hexdigest()[:16]
