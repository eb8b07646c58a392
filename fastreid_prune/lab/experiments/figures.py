"""The figures of a sweep: accuracy against pruned fraction (the paper's Figures 4 and 5), time against accuracy."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fastreid_prune.lab.experiments.statistics import (
    Setting,
    mean,
    methods,
    of_method,
    ratios,
    unpruned,
    values,
)
from fastreid_prune.lab.experiments.table import UNPRUNED, Row

# Okabe and Ito's colours, which the colour-blind can tell apart; markers tell them apart in print
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#7F7F7F")
_MARKERS = "osD^vP*X"
_STYLE: dict[Any, object] = {
    "svg.hashsalt": "fastreid_prune",
    "svg.fonttype": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "font.size": 10,
}


def draw(table: Sequence[Row], setting: Setting, stem: str, folder: str | os.PathLike) -> list[Path]:
    """Write both figures of a setting, as SVG and PNG, into ``folder``; the SVGs' paths."""
    with matplotlib.rc_context(_STYLE):
        figures = {"accuracy": _accuracy(table, setting), "time": _time(table, setting)}
        paths = []
        for name, figure in figures.items():
            for suffix in (".svg", ".png"):
                path = Path(folder) / f"{name}-{stem}{suffix}"
                dates = {"Date": None, "Creator": None} if suffix == ".svg" else {"Software": None}
                figure.savefig(path, dpi=150, metadata=dates)
            paths.append(path.with_suffix(".svg"))
    return paths


def _accuracy(table: Sequence[Row], setting: Setting) -> Figure:
    figure, axes = _axes("pruned, %", "(Rank-1 + mAP) / 2, %")
    whole = mean(unpruned(table, setting))
    if whole.seeds:
        axes.axhline(whole.mean, color="#888888", linewidth=1, label="unpruned")
        if whole.std == whole.std:
            axes.axhspan(
                whole.mean - whole.std, whole.mean + whole.std, color="#888888", alpha=0.18, linewidth=0
            )
    for place, method in enumerate(methods(table)):
        points = [(ratio, mean(of_method(table, setting, method, ratio))) for ratio in ratios(table)]
        points = [(100 * ratio, point) for ratio, point in points if point.seeds]
        if not points:
            continue
        x = [ratio for ratio, _ in points]
        y = [point.mean for _, point in points]
        spread = [0.0 if point.std != point.std else point.std for _, point in points]
        colour, marker = _look(place)
        axes.plot(x, y, color=colour, marker=marker, markersize=4.5, linewidth=1.4, label=method)
        if any(spread):
            low, high = ([a + sign * b for a, b in zip(y, spread, strict=True)] for sign in (-1, 1))
            axes.fill_between(x, low, high, color=colour, alpha=0.13, linewidth=0)
            if len(x) == 1:
                axes.errorbar(x, y, spread, color=colour, capsize=3, linewidth=1)
    _legend(axes)
    return figure


def _time(table: Sequence[Row], setting: Setting) -> Figure:
    figure, axes = _axes("training, minutes", "(Rank-1 + mAP) / 2, %")
    seconds = values(table, "training_seconds", recipe=setting.recipe, method=UNPRUNED)
    whole = unpruned(table, setting)
    if whole and seconds:
        axes.plot(mean(seconds).mean / 60, mean(whole).mean, "k_", markersize=16, label="unpruned")
    for place, method in enumerate(methods(table)):
        points = [
            (mean(of_method(table, setting, method, ratio, "training_seconds")).mean / 60, found.mean)
            for ratio in ratios(table)
            if (found := mean(of_method(table, setting, method, ratio))).seeds
        ]
        if points:
            colour, marker = _look(place)
            axes.plot(
                *zip(*points, strict=True),
                color=colour,
                marker=marker,
                markersize=4.5,
                linewidth=0.8,
                label=method,
            )
    _legend(axes)
    return figure


def _axes(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.2, 3.9), layout="constrained")
    axes = figure.subplots()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    return figure, axes


def _look(place: int) -> tuple[str, str]:
    return _COLOURS[place % len(_COLOURS)], _MARKERS[place % len(_MARKERS)]


def _legend(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
