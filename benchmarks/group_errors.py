"""Errors that come in groups: what clips and identities tell, beside cleanlab and the paper's rule, on the same runs.

    python benchmarks/group_errors.py RUN=TRUTH.csv ... [--precision 0.9]

Each RUN is a scored run's folder, made on a test bed of ``fastreid-prune plant --pattern
tracklet|split|merge|...`` with clips injected; TRUTH the test bed's truth.csv. An identity's true person is the
one that most of its images show; a wrong label shows another. Average precisions rank all natural images; recall
of pairs and identities is at the lowest rank with 90 % precision.
"""

import argparse
from pathlib import Path

import numpy as np

from fastreid_prune.datasets.truth import read_truth
from fastreid_prune.purify.clip_verdicts import judge_clips
from fastreid_prune.purify.identity_findings import identity_findings
from fastreid_prune.purify.metrics import average_precision
from fastreid_prune.purify.paper import paper_rule
from fastreid_prune.purify.soft_labels import log_softmax
from fastreid_prune.scored_run.identity_table import MORE, SAME
from fastreid_prune.scored_run.injected import InjectedErrors
from fastreid_prune.scored_run.verdicts import Verdicts
from fastreid_prune.trajectory import load_trajectory

LEAST_PART = 0.15


def number(pid: str) -> int:
    """``market1501_2`` is 2."""
    return int(pid.rsplit("_", 1)[-1])


def at_precision(right: np.ndarray, total: int, precision: float) -> float:
    """The share of ``total`` found at the lowest rank of this precision; ``right`` in the order of rank."""
    hits = np.cumsum(right)
    enough = np.flatnonzero(hits >= precision * np.arange(1, len(right) + 1))
    return float(hits[enough[-1]]) / max(total, 1) if len(enough) else 0.0


def measure(run: Path, truth: Path, precision: float) -> list[tuple[str, str]]:
    """What is measured of one run, in words."""
    trajectory = load_trajectory(run)
    injected, samples = InjectedErrors.of(trajectory), trajectory.samples
    known = {row.file: row.true_id for row in read_truth(truth)}
    rows = np.flatnonzero(injected.dataset_rows)
    true = np.array([known[name] for name in samples.file_name[rows]])
    label, natural = injected.label[rows], ~injected.moved[rows]
    names = np.array(samples.class_names, object)
    main, more = {}, set()
    for one in np.unique(label):
        shown, count = np.unique(true[(label == one) & (true >= 0)], return_counts=True)
        order = np.argsort(-count, kind="stable")
        given = number(str(names[one]))
        main[int(one)] = given if given in shown else int(shown[order[0]]) if len(order) else -2
        if len(order) > 1 and count[order[1]] >= LEAST_PART * count.sum():
            more.add(str(names[one]))
    person = np.array([main[int(one)] for one in label])
    wrong = natural & (true >= 0) & (true != person)
    result = [("wrong labels", str(wrong.sum()))]

    clips = judge_clips(trajectory, precision)
    flagged = clips.apply(Verdicts.unjudged(len(rows))).mislabelled
    inside = clips.clip >= 0
    suggested = np.full(len(rows), -9)
    suggested[inside] = [main.get(int(c), -3) for c in clips.evidence.suggested[clips.clip[inside]]]
    right = flagged & (suggested == true)
    score = np.full(len(rows), -np.inf)
    score[inside] = np.where(clips.evidence.decidable, clips.evidence.wrong, -50)[clips.clip[inside]]
    people = natural & (true >= 0)
    if wrong.any():
        result.append(("clips: AP", f"{average_precision(wrong[people], score[people]):.3f}"))
    claim = clips.claim
    if claim.stands:
        result.append((
            f"clips at {precision:g}: mended, precision, claimed",
            f"{right.sum() / max(wrong.sum(), 1):.2f} {right.sum() / max(flagged.sum(), 1):.3f} "
            f"{claim.precision:.3f} [{claim.low:.2f}, {claim.high:.2f}]",
        ))  # fmt: skip
    else:
        result.append((f"clips at {precision:g}", "refused"))
    result.append(
        (
            "clean altered",
            f"{100 * (flagged & people & ~wrong).sum() / max((people & ~wrong).sum(), 1):.2f} %",
        )
    )

    logits = np.asarray(trajectory.mean_logits[:])[rows]
    probability = np.exp(log_softmax(logits.astype(np.float32))).astype(np.float64)
    trained = np.asarray(trajectory.labels)[rows]
    ruled = paper_rule(trajectory)
    called = ruled.mislabelled[rows] & natural
    named = np.array([number(pid) if pid else -9 for pid in ruled.suggested_pid[rows]])
    paper_right = called & (named == true)
    if wrong.any():
        result.append(
            (
                "paper: mended, precision",
                f"{paper_right.sum() / wrong.sum():.2f} {paper_right.sum() / max(called.sum(), 1):.3f}",
            )
        )
    result += of_cleanlab(trained, probability, people, wrong)
    result += of_identities(identity_findings(trajectory), main, names, more, trained, probability)
    return result


def of_cleanlab(trained, probability, people, wrong):
    """cleanlab's ranking of labels."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    quality = get_label_quality_scores(trained, probability)
    found = find_label_issues(trained, probability) & people
    rows = [
        (
            "cleanlab find_label_issues: flagged, wrong",
            f"{found.sum()} {100 * (found & wrong).sum() / max(found.sum(), 1):.0f} %",
        )
    ]
    if wrong.any():
        rows.insert(0, ("cleanlab: AP", f"{average_precision(wrong[people], -quality[people]):.3f}"))
    return rows


def of_identities(findings, main, names, more, trained, probability):
    """Pairs and identities, ours and cleanlab's overlapping classes."""
    from cleanlab.dataset import find_overlapping_classes

    place = {str(name): index for index, name in enumerate(names)}
    persons = np.array([main.get(index, -2) for index in range(len(names))])
    _, count = np.unique(persons[persons > 0], return_counts=True)
    pairs = int((count * (count - 1) // 2).sum())
    same = [one for one in findings if one.kind == SAME]
    rows = []
    if pairs:
        right = np.array([main[place[one.pid]] == main[place[one.other_pid]] for one in same])
        rows.append((f"split pairs ({pairs}): found at 90 %", f"{at_precision(right, pairs, 0.9):.2f}"))
        table = find_overlapping_classes(trained, probability)
        first, second = table["Class Index A"].to_numpy(), table["Class Index B"].to_numpy()
        theirs = (persons[first] == persons[second]) & (persons[first] > 0)
        rows.append(
            ("cleanlab find_overlapping_classes: found at 90 %", f"{at_precision(theirs, pairs, 0.9):.2f}")
        )
    parts = [one for one in findings if one.kind == MORE]
    if more:
        right = np.array([one.pid in more for one in parts])
        rows.append(
            (
                f"identities of more than one ({len(more)}): found at 90 %",
                f"{at_precision(right, len(more), 0.9):.2f}",
            )
        )
    verdicts = sum(one.verdict != "" for one in findings)
    return [*rows, ("identities merged or parted unasked", str(verdicts))]


def main() -> None:
    """Print a table a run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", metavar="RUN=TRUTH")
    parser.add_argument("--precision", type=float, default=0.9)
    arguments = parser.parse_args()
    for given in arguments.runs:
        run, _, truth = given.partition("=")
        print(Path(run).name)
        for what, value in measure(Path(run), Path(truth), arguments.precision):
            print(f"  {what:55s} {value}", flush=True)


if __name__ == "__main__":
    main()
