"""The score table of a trajectory: the data set's samples under the labels that it gives."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from fastreid_prune import scores
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.scored_run.injected import given_samples
from fastreid_prune.scored_run.metadata import RunMeta
from fastreid_prune.scored_run.rescoring import GivenScores
from fastreid_prune.scored_run.score_table import ScoreTable
from fastreid_prune.scored_run.verdicts import Verdicts
from fastreid_prune.trajectory import Trajectory

logger = logging.getLogger("fastreid.prune")


def score_table(
    trajectory: Trajectory,
    meta: RunMeta,
    methods: Sequence[str],
    *,
    known: ScoreTable | None = None,
    strict: bool = True,
    seed: int = 0,
    about: Mapping[str, str] | None = None,
) -> ScoreTable:
    """Score every sample of the data set by ``methods``.

    Args:
        trajectory: of the run, with named samples.
        meta: what it says of itself.
        methods: names of scores.
        known: an earlier table of the same trajectory: its scores and verdicts are kept.
        strict: whether a method that lacks what it needs is an error; else it is left out, and the log says so.
        seed: of ``random``.
        about: digests of the trajectory, for the record.

    Raises:
        FastreidPruneError: a method lacks what it needs, and ``strict``.
    """
    samples = given_samples(trajectory)
    values = {} if known is None else {n: column[: len(samples)] for n, column in known.scores.items()}
    under_given = GivenScores(trajectory)
    for method in methods:
        if method in values:
            continue
        options = {"seed": seed} if method == "random" else {}
        try:
            values[method] = under_given(method, scores.compute(trajectory, method, **options))
        except FastreidPruneError as error:
            if strict:
                raise
            if not scores.get(method).optional:
                logger.info(f"No score {method}: {error}")
    values = {name: values[name] for name in sorted(values)}
    about = dict(about or {})
    if known is None:
        verdicts = Verdicts.unjudged(len(samples))
        table = ScoreTable(samples.file_name, samples.pid, samples.camid, values, verdicts, about)
        return table.with_unreadable([dict(entry) for entry in meta.unreadable])
    gap = np.full(len(known) - len(samples), np.nan)
    columns = {name: np.concatenate([column, gap]) for name, column in values.items()}
    return replace(known, scores=columns, about=known.about | about)
