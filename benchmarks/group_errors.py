"""Errors that come in groups: what clips and identities tell, beside cleanlab and the paper's rule, on the same runs.

    python benchmarks/group_errors.py RUN=TRUTH.csv ... [--precision 0.9] [--weights LIKENESS,SHARE]

Each RUN is a scored run's folder, made on a test bed of ``fastreid-prune plant --pattern tracklet|split|...`` with
clips injected; TRUTH the test bed's truth.csv. An identity's true person is the one of its number, or whom most of its
images show; a wrong label shows another. Average precisions rank all images that nothing was done to; of pairs and
identities, what the first candidates find as far down as 90 % of them are right. WEIGHTS are those of clips, fitted to
other sets (``fit_clip_weights.py``).
"""

import argparse
from pathlib import Path

import numpy as np

from fastreid_prune.datasets.truth import NO_ID, read_truth
from fastreid_prune.purify.clip_evidence import ChoiceWeights
from fastreid_prune.purify.clip_verdicts import judge_clips
from fastreid_prune.purify.identity_findings import identity_findings
from fastreid_prune.purify.judge import assess
from fastreid_prune.purify.kind_quality import CLIPS, CLIPS_OUT, TrueIdentities, at_precision, of_each_kind
from fastreid_prune.purify.metrics import average_precision
from fastreid_prune.purify.paper import paper_rule
from fastreid_prune.purify.soft_labels import log_softmax
from fastreid_prune.scored_run.identity_table import SAME
from fastreid_prune.scored_run.injected import InjectedErrors
from fastreid_prune.scored_run.verdicts import Verdicts
from fastreid_prune.trajectory import load_trajectory


def measure(run: Path, truth: Path, precision: float, weights: ChoiceWeights | None) -> list[tuple[str, str]]:
    """What is measured of one run, in words."""
    trajectory = load_trajectory(run)
    injected, samples = InjectedErrors.of(trajectory), trajectory.samples
    shown = {row.file: row.true_id for row in read_truth(truth)}
    rows = np.flatnonzero(injected.dataset_rows)
    names = np.array(samples.class_names, object)
    person = np.array([shown[name] for name in samples.file_name[rows]])
    known = TrueIdentities(names[injected.label[rows]], samples.camid[rows], person)
    natural = ~injected.moved[rows]
    people = natural & (person != NO_ID)
    wrong = known.wrong & natural
    result = [("wrong labels", str(wrong.sum()))]

    single = assess(trajectory, precision=precision).verdicts
    clips = judge_clips(trajectory, precision, single, weights)
    verdicts = clips.apply(Verdicts.unjudged(len(rows)))
    score = np.full(len(rows), -np.inf)
    inside = clips.clip >= 0
    score[inside] = np.where(clips.evidence.decidable, clips.evidence.wrong, -50)[clips.clip[inside]]
    if wrong.any():
        result.append(("clips: AP", f"{average_precision(wrong[people], score[people]):.3f}"))
    findings = identity_findings(trajectory)
    kinds = {one.kind: one for one in of_each_kind(known, natural, verdicts, findings)}
    for kind, claim in zip((CLIPS, CLIPS_OUT), clips.claims[:2], strict=True):
        said = "refused"
        if claim.stands and not kinds[kind].given:
            said = "none"
        elif claim.stands:
            found = kinds[kind].right / max(wrong.sum(), 1)
            said = f"{found:.2f} {kinds[kind].precision:.3f}"
        if claim.stands:
            said += f" {claim.precision:.3f} [{claim.low:.2f}, {claim.high:.2f}]"
        result.append((f"{kind} at {precision:g}: of wrong images, precision, claimed", said))
    doubted = natural & inside
    doubted[doubted] = clips.in_doubt[clips.clip[doubted]]
    share = f"{(doubted & wrong).sum() / max(wrong.sum(), 1):.2f} {wrong[doubted].mean() if doubted.any() else 0:.3f}"
    result.append(("clips left out for doubt: of wrong images, wrong", share))
    clean = people & ~wrong
    result.append(
        ("clean altered", f"{100 * ((verdicts.against | doubted) & clean).sum() / max(clean.sum(), 1):.2f} %")
    )

    ruled = paper_rule(trajectory).take(rows)
    called = ruled.mislabelled & natural
    right = called & wrong & known.shows(ruled.suggested_pid)
    share = f"{right.sum() / max(wrong.sum(), 1):.2f} {right.sum() / max(called.sum(), 1):.3f}"
    result.append(("paper: named rightly of wrong images, precision", share))
    logits = np.asarray(trajectory.mean_logits[:])[rows].astype(np.float32)
    probability, trained = np.exp(log_softmax(logits)).astype(np.float64), np.asarray(trajectory.labels)[rows]
    result += of_cleanlab(trained, probability, people, wrong)
    for one in list(kinds.values())[-2:]:
        found = f"{one.found_surely} {one.given} {one.right}"
        result.append((f"{one.kind} ({one.errors}): found at 90 %, listed, right", found))
    if kinds[SAME].errors:
        result.append(
            ("cleanlab's overlapping classes: found at 90 %", overlapping(trained, probability, names, known))
        )
    return result


def of_cleanlab(
    trained: np.ndarray, probability: np.ndarray, people: np.ndarray, wrong: np.ndarray
) -> list[tuple[str, str]]:
    """cleanlab's ranking of labels."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    found = find_label_issues(trained, probability) & people
    share = 100 * (found & wrong).sum() / max(found.sum(), 1)
    rows = [("cleanlab find_label_issues: flagged, wrong", f"{found.sum()} {share:.0f} %")]
    if wrong.any():
        quality = get_label_quality_scores(trained, probability)
        rows.insert(0, ("cleanlab: AP", f"{average_precision(wrong[people], -quality[people]):.3f}"))
    return rows


def overlapping(
    trained: np.ndarray, probability: np.ndarray, names: np.ndarray, known: TrueIdentities
) -> str:
    """Of the pairs that are one person, those that cleanlab's ranking of classes finds."""
    from cleanlab.dataset import find_overlapping_classes

    table = find_overlapping_classes(trained, probability)
    pairs = zip(names[table["Class Index A"]], names[table["Class Index B"]], strict=True)
    return str(at_precision(np.array([frozenset(pair) in known.pairs for pair in pairs], bool)))


def main() -> None:
    """Print a table a run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", metavar="RUN=TRUTH")
    parser.add_argument("--precision", type=float, default=0.9)
    parser.add_argument("--weights", metavar="LIKENESS,SHARE")
    arguments = parser.parse_args()
    weights = None if arguments.weights is None else ChoiceWeights(*map(float, arguments.weights.split(",")))
    for given in arguments.runs:
        run, _, truth = given.partition("=")
        print(Path(run).name)
        for what, value in measure(Path(run), Path(truth), arguments.precision, weights):
            print(f"  {what:62s} {value}", flush=True)


if __name__ == "__main__":
    main()
