"""What the page's script works with: plain values, small."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastreid_prune.report.choosing import Pair
from fastreid_prune.report.evidence import examples, other_camera_neighbours
from fastreid_prune.report.ratio_table import Cuts
from fastreid_prune.report.retrieval import Answer, Change, Comparison
from fastreid_prune.report.source import Source
from fastreid_prune.scored_run.identity_table import KINDS, MORE, SAME

NEIGHBOURS = 4
# what the suspect's own picture and all others measure at most, in pixels
PORTRAIT, SMALL = 176, 92
# examples of an identity that is only one of the further candidates
FEWER = 2
# images of each identity where two are compared
SIDE_BY_SIDE = 12


def cases(source: Source, rows: Sequence[int], doubtful: np.ndarray) -> dict[str, Any]:
    """All that the page tells of the samples that can be reviewed, with the examples it compares them to.

    Args:
        source: the run.
        rows: the samples.
        doubtful: [N] bool, samples that make poor examples of their identity.

    Returns:
        ``cases`` (row -> evidence), ``examples`` (class -> rows) and ``samples`` (row -> file, class, camera,
        score) of every sample that is named anywhere.
    """
    chosen = np.asarray(rows, np.int64)
    table, soft, epochs = source.table, source.soft, source.trajectory.epochs
    wanted = set(soft.top[chosen].ravel().tolist()) | set(source.labels[chosen].tolist())
    index = {name: place for place, name in enumerate(source.class_names)}
    # of a clip that is left out the verdict names nobody, but who is most likely
    said = table.verdicts.suggested_pid[chosen]
    best = np.where(said != "", said, table.verdicts.runner_up_pid[chosen])
    suggested = {index[name] for name in best if name in index}
    shown = examples(source.labels, table.camid, soft.given_probability, doubtful, wanted | suggested)
    main = suggested | set(source.labels[chosen].tolist()) | set(soft.top[chosen, 0].tolist())
    shown = {label: found if label in main else found[:FEWER] for label, found in shown.items()}
    near, similarity = _neighbours(source, chosen)
    percentile = _percentiles(source.scores)
    made = {}
    for place, row in enumerate(chosen.tolist()):
        verdicts = table.verdicts
        made[row] = {
            "verdict": verdicts.verdict[row],
            "suggested": index.get(best[place], int(soft.top[row, 0])),
            "runnerUp": index.get(verdicts.runner_up_pid[row], -1),
            "confidence": _number(verdicts.confidence[row]),
            "reason": verdicts.reason[row],
            "soft": [
                [int(c), _number(p)] for c, p in zip(soft.top[row], soft.top_probability[row], strict=True)
            ],
            "givenProbability": _number(soft.given_probability[row]),
            "margin": _number(soft.margin[row]),
            "percentile": _number(percentile[row]),
            "scores": {name: _number(values[row]) for name, values in table.scores.items()},
            "near": [
                [int(n), _number(s)] for n, s in zip(near[place], similarity[place], strict=True) if n >= 0
            ],
            "history": []
            if source.injected[row]
            else [
                [_number(value) for value in logits[:, source.rows[row]]]
                for logits in (epochs.given_logit, epochs.best_other_logit)
            ],
        }
    named = set(made) | {n for case in made.values() for n, _ in case["near"]}
    named |= {row for members in shown.values() for row in members}
    return {"cases": made, "examples": shown, "samples": samples(source, named)}


def findings(source: Source, doubtful: np.ndarray, most: int) -> tuple[list[dict[str, Any]], set[int]]:
    """What was found about identities, the first ``most`` of each kind with images to compare, and the rows of these.

    Each has ``sides``: of *same identity* images of the one and of the other; of *more than one person* the larger
    part, the smaller one, and the known identity that it looks like, if it does.

    Args:
        source: the run.
        doubtful: [N] bool, as of :func:`cases`.
        most: findings of a kind that are shown; the others are left to identities.csv.
    """
    shown = [one for kind in KINDS for one in [each for each in source.findings if each.kind == kind][:most]]
    index = {name: place for place, name in enumerate(source.class_names)}
    place = {name: row for row, name in enumerate(source.table.file_name.tolist())} if shown else {}
    # a smaller part is an identity of its own here
    parted, parts = source.labels.copy(), {}
    for number, one in enumerate(shown):
        if one.kind == MORE:
            parts[number] = len(index) + number
            parted[[place[name] for name in one.files]] = parts[number]
    made: list[dict[str, Any]] = []
    used: set[int] = set()
    for number, one in enumerate(shown):
        labels = source.labels if one.kind == SAME else parted
        # whom a part shows is what is asked: of it nothing is kept back
        poor = doubtful if one.kind == SAME else np.zeros_like(doubtful)
        classes = [index[one.pid], parts.get(number, -1), index.get(one.other_pid, -1)]
        wanted = [label for label in classes if label >= 0]
        chosen = examples(
            labels, source.table.camid, source.soft.given_probability, poor, wanted, SIDE_BY_SIDE
        )
        sides = [
            {"rows": chosen[label], "images": int((labels == label).sum()),
             "cameras": sorted(set(source.table.camid[labels == label].tolist()))}
            for label in wanted
        ]  # fmt: skip
        used |= {row for label in wanted for row in chosen[label]}
        made.append({
            "kind": one.kind, "pid": one.pid, "other": one.other_pid, "images": one.images,
            "score": _number(one.score), "confidence": None if one.confidence is None else _number(one.confidence),
            "verdict": one.verdict, "decision": one.decision, "reason": one.reason, "files": list(one.files),
            "sides": sides,
        })  # fmt: skip
    return made, used


def samples(source: Source, rows: set[int]) -> dict[int, list]:
    """Row -> file name, class, camera, score."""
    table = source.table
    return {
        row: [table.file_name[row], int(source.labels[row]), table.camid[row], _number(source.scores[row])]
        for row in sorted(rows)
    }


def picture_sizes(evidence: dict[str, Any], pairs: Sequence[Pair]) -> dict[int, int]:
    """Row -> the longest side of its picture, of every sample whose picture the page shows."""
    sizes = dict.fromkeys(evidence["samples"], SMALL)
    sizes |= {row: SMALL for pair in pairs for row in (pair.row, pair.other)}
    return sizes | dict.fromkeys(evidence["cases"], PORTRAIT)


def cuts_payload(cuts: Cuts) -> dict[str, Any]:
    """The table of ratios for the page's slider."""
    return {
        "ratio": cuts.ratio.tolist(),
        "threshold": [_number(value) for value in cuts.threshold],
        "kept": cuts.kept.tolist(),
        "lost": cuts.lost.tolist(),
        "few": cuts.few.tolist(),
        "suspects": cuts.suspects.tolist(),
        "cameras": cuts.cameras,
        "cameraTotal": cuts.camera_total.tolist(),
        "cameraKept": cuts.camera_kept.tolist(),
        "hit": cuts.hit,
    }


def comparisons(found: Sequence[Comparison], key: Mapping[str, str]) -> list[dict[str, Any]]:
    """Queries that two runs answer differently; ``key`` is the name of each image's picture."""

    def answer(one: Answer) -> dict[str, Any]:
        return {
            "precision": _number(one.precision),
            "found": [[key[name], name, right] for name, right in one.found],
        }

    def change(one: Change) -> dict[str, Any]:
        return {
            "query": [key[one.query], one.query],
            "before": answer(one.before),
            "after": answer(one.after),
        }

    return [
        {
            "before": one.before,
            "after": one.after,
            "queries": one.queries,
            "better": one.better,
            "worse": one.worse,
            "rose": [change(each) for each in one.rose],
            "fell": [change(each) for each in one.fell],
        }
        for one in found
    ]


def _neighbours(source: Source, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    features = source.features
    if features is None or not len(rows):
        return np.full((len(rows), 0), -1), np.full((len(rows), 0), np.nan)
    return other_camera_neighbours(features, source.table.camid, rows, NEIGHBOURS)


def _percentiles(scores: np.ndarray) -> np.ndarray:
    """[N] float64: the percentage of scored samples that score lower; NaN without a score."""
    known = np.sort(scores[np.isfinite(scores)])
    below = 100 * np.searchsorted(known, scores) / max(len(known), 1)
    return np.where(np.isfinite(scores), below, np.nan)


def _number(value: float) -> float | None:
    """Four significant digits; None (JSON has no NaN) where there is no number."""
    return float(f"{value:.4g}") if np.isfinite(value) else None
