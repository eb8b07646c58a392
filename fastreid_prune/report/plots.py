"""The page's figures."""

from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from fastreid_prune.report.plot_style import FAINT, GIVEN, INK, KEPT, OTHER, WARN, figure, to_svg
from fastreid_prune.report.ratio_table import Cuts
from fastreid_prune.report.scoring_model import ScoringModel
from fastreid_prune.report.source import Source
from fastreid_prune.trajectory.per_epoch_logits import open_epoch

BINS = 48
# the other identities whose logits are drawn faintly behind, where the logits of every epoch were kept
BACKGROUND = 12


@dataclass(frozen=True)
class Histogram:
    """The histogram of the scores, with what the page's script needs to move a threshold over it.

    Attributes:
        svg: the figure; bar i is the group ``histogram-bar-i``, the threshold's line ``histogram-threshold``.
        edges: [B + 1], the bars' limits.
        origin: the score at which the threshold's line is drawn.
        pixels: of the figure's own width, for one unit of score.
    """

    svg: str
    edges: list[float]
    origin: float
    pixels: float


def score_histogram(scores: np.ndarray, suspect: np.ndarray, unit: str) -> Histogram:
    """All samples by score, suspects in front."""
    known = np.isfinite(scores)
    low, high = (scores[known].min(), scores[known].max()) if known.any() else (0.0, 1.0)
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    every, some = (np.histogram(scores[which], edges)[0] for which in (known, known & suspect))
    with figure(820, 290) as (made, axes):
        width = np.diff(edges) * 0.86
        for place, patch in enumerate(axes.bar(edges[:-1], every, width, align="edge", color=KEPT)):
            patch.set_gid(f"bar-{place}")
        axes.bar(edges[:-1], some, width, align="edge", color=WARN)
        axes.axvline(edges[0], color=INK, linewidth=1.2).set_gid("threshold")
        axes.set_xlim(edges[0] - width[0], edges[-1])
        axes.set_xlabel(unit).set_gid("unit")
        axes.set_ylabel("samples").set_gid("samples")
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        svg = to_svg(
            made, "histogram", "Histogram of the scores of all samples, and of the suspects among them."
        )
        pixels = axes.transData.transform([[1, 0]])[0, 0] - axes.transData.transform([[0, 0]])[0, 0]
    return Histogram(svg, edges.tolist(), float(edges[0]), float(pixels))


def noise_plot(cuts: Cuts) -> str:
    """Suspects among what is kept, by ratio: whether pruning alone concentrates what is wrong."""
    with figure(390, 270) as (made, axes):
        axes.plot(100 * cuts.ratio, cuts.suspects / np.maximum(cuts.kept, 1), color=WARN)
        axes.axhline(cuts.suspects[0] / max(cuts.kept[0], 1), color=FAINT, linewidth=1)
        axes.set_xlabel("pruned, %")
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_ylabel("suspects among kept")
        return to_svg(made, "noise", "Share of suspects among the samples that each ratio keeps.")


def learning_plots(model: ScoringModel) -> list[str]:
    """Loss and accuracy of the scoring run, epoch by epoch."""
    drawn: list[str] = []
    for title, values in (("loss, nats", model.loss), ("given label predicted", model.accuracy)):
        with figure(290, 220) as (made, axes):
            axes.plot(np.arange(1, len(values) + 1), values, color=INK)
            axes.set_title(title)
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            if values is model.accuracy:
                axes.set_ylim(0, 1)
                axes.yaxis.set_major_formatter(PercentFormatter(1))
            drawn.append(
                to_svg(
                    made,
                    f"learning-{len(drawn)}",
                    f"{title.capitalize()}, over the epochs of the scoring run.",
                )
            )
    return drawn


def trajectory_plot(source: Source, row: int, title: str) -> str:
    """The logits of one sample over the epochs, as in the paper's Figure 2.

    The given identity, the best other one, and, where the logits of every epoch were kept, other identities behind.
    """
    epochs, place = source.trajectory.epochs, source.rows[row]
    seen = np.flatnonzero(epochs.visits[:, place])
    with figure(290, 210) as (made, axes):
        for logits in _background(source, row):
            axes.plot(seen + 1, logits[seen], color=KEPT, linewidth=0.7, alpha=0.6)
        axes.plot(seen + 1, epochs.best_other_logit[seen, place], color=OTHER, linestyle=(0, (4, 2)))
        axes.plot(seen + 1, epochs.given_logit[seen, place], color=GIVEN)
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.set_ylabel("logit")
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        return to_svg(
            made,
            f"trajectory-{row}",
            f"Logits of the given and the best other identity over the epochs: {title}",
        )


def comparison_plot(histories: dict[str, tuple[list[float], list[float]]]) -> str:
    """Results of runs over their iterations: name -> (iterations, (Rank-1 + mAP) / 2 in percent)."""
    styles = ["-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2))]
    with figure(560, 280) as (made, axes):
        for place, (name, (steps, values)) in enumerate(histories.items()):
            colour = (INK, GIVEN, OTHER, KEPT, WARN)[place % 5]
            # a name is shown as it is: not as mathematics, and not hidden for its first character
            line = axes.plot(
                steps, values, color=colour, linestyle=styles[place % 4], marker="o", markersize=3
            )
            line[0].set_label(" " + name.replace("$", r"\$"))
        axes.set_xlabel("iteration")
        axes.set_ylabel("(Rank-1 + mAP) / 2, %")
        axes.legend(loc="best")
        return to_svg(
            made, "comparison", "Accuracy of the scoring run and the retrained runs over their iterations."
        )


def _background(source: Source, row: int) -> np.ndarray:
    """[K, T] logits of the identities that come closest in the end, where those of every epoch were kept; else none."""
    if source.per_epoch is None:
        return np.zeros((0, 0))
    count = len(sorted(source.per_epoch.glob("epoch_*.npy")))
    logits = np.array(
        [open_epoch(source.per_epoch, epoch)[source.rows[row]] for epoch in range(count)], np.float32
    )
    order = np.argsort(-np.nanmean(logits, axis=0), kind="stable")
    return logits[:, order[order != source.labels[row]][1 : BACKGROUND + 1]].T
