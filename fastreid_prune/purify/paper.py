"""The paper's rule: the soft label's own class is the right one (Yang et al., TMLR 2024, arXiv 2412.10091).

Kept by name, for reference and reproduction. The paper's thresholds are not public: those here are ours, set so
that its Figure 3 (Market-1501: mislabelled 5.18 nats, two people 5.91, ceiling ln 751 = 6.62) comes out as drawn.
"""

from dataclasses import replace

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.io.work import Work
from fastreid_prune.purify.reasons import class_names
from fastreid_prune.purify.registry import Ruling, rule
from fastreid_prune.purify.soft_labels import soft_label_summary
from fastreid_prune.scored_run.injected import InjectedErrors
from fastreid_prune.scored_run.verdicts import CLEAN, MISLABELLED, OUTLIER, UNJUDGED, Verdicts
from fastreid_prune.trajectory import Trajectory


def paper_rule(
    trajectory: Trajectory, *, outlier_entropy: float = 0.85, least_probability: float = 0.0
) -> Verdicts:
    """Mislabelled where argmax of the soft label is not the given class; outlier where its entropy is very high.

    On modest models this flags many clean samples: see ``judge`` for verdicts to act on.

    Args:
        trajectory: what a run recorded.
        outlier_entropy: the entropy, as a fraction of ln C, from which a sample is an outlier.
        least_probability: what the soft label must give its best class for a sample to be relabelled.

    Returns:
        Verdicts; ``confidence`` is the soft label's probability of the best class, which is no probability of
        being right. Samples never visited are unjudged.

    Raises:
        FastreidPruneError: a threshold outside [0, 1].
    """
    for name, value in (("outlier_entropy", outlier_entropy), ("least_probability", least_probability)):
        if not 0 <= value <= 1:
            raise FastreidPruneError(f"{name}: {value} found, a fraction in [0, 1] expected.")
    soft = soft_label_summary(trajectory)
    names = class_names(trajectory)
    seen = np.isfinite(soft.entropy)
    outlier = seen & (soft.entropy >= outlier_entropy * np.log(trajectory.num_classes))
    differs = (soft.best != trajectory.labels) & (soft.best_probability >= least_probability)
    mislabelled = seen & differs & ~outlier
    verdict = np.full(len(seen), CLEAN, object)
    verdict[~seen], verdict[mislabelled], verdict[outlier] = UNJUDGED, MISLABELLED, OUTLIER
    suggested = np.where(mislabelled, names[soft.best], "")
    runner_up = np.where(mislabelled, names[soft.second], "")
    reason = np.full(len(seen), "", object)
    for row in np.flatnonzero(mislabelled):
        reason[row] = f"soft label: {100 * soft.best_probability[row]:.0f} % {names[soft.best[row]]}"
    for row in np.flatnonzero(outlier):
        reason[row] = f"soft label: entropy {soft.entropy[row]:.2f} nats"
    return Verdicts(verdict, suggested, runner_up, np.where(seen, soft.best_probability, np.nan), reason)


@rule(
    "paper",
    source="Yang et al., Data Pruning Can Do More, TMLR 2024, arXiv 2412.10091; the thresholds are this package's",
    direction="the soft label's first class is right; very high entropy is an outlier",
)
def by_the_paper(trajectory: Trajectory, precision: float, work: Work) -> Ruling:
    """See :func:`paper_rule`; it takes no precision, and nothing tells what its verdicts are worth."""
    injected = InjectedErrors.of(trajectory)
    rows = injected.dataset_rows
    given = replace(trajectory, labels=injected.label)
    verdicts, soft = paper_rule(given).take(rows), soft_label_summary(given)
    # the soft label's best probability is none that a label is right: nothing is left out for doubt
    verdicts = replace(verdicts, confidence=np.where(verdicts.against, verdicts.confidence, np.nan))
    thresholds = {
        "rule": "paper",
        "mislabelled": int(verdicts.mislabelled.sum()),
        "outliers": int(verdicts.outlier.sum()),
    }
    return Ruling(
        verdicts=verdicts,
        wrong=1 - soft.given_probability[rows],
        outlier=soft.entropy[rows] / np.log(trajectory.num_classes),
        thresholds=thresholds,
        sentences=[
            f"By the paper's rule, of {len(verdicts)} samples {thresholds['mislabelled']} are mislabelled and "
            f"{thresholds['outliers']} outliers. Its thresholds are not public, these are this package's; nothing "
            "shows what the verdicts are worth: on modest models most of what it relabels was right."
        ],
    )
