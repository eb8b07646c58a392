"""A data set whose run is published as lists, to import them again."""

import shutil

import numpy as np
from published_runs import write_images, write_verdicts

from fastreid_prune.formats import export_run, import_lists
from fastreid_prune.manifest import COLUMNS, Manifest, prune_run
from fastreid_prune.trajectory import Samples, load_trajectory


class Published:
    """A data set on disk and the lists of a run on it, whose folder is gone."""

    def __init__(self, scored_run, folder, formats=("lists",), **options):
        self.folder = folder
        self.run = scored_run(samples=60)
        self.samples = load_trajectory(self.run).samples
        write_verdicts(self.run, mislabelled=[2, 9, 11], outliers=[5, 6])
        self.root = folder / "data"
        write_images(self.root, self.samples.file_name)
        self.pruned = Manifest.read(prune_run(self.run, 0.3, output=folder / "pruned.csv").manifest.path)
        self.purified = Manifest.read(
            prune_run(self.run, 0.3, purify=True, output=folder / "purified.csv").manifest.path
        )
        if "market1501" in formats:
            options["manifest"] = folder / "purified.csv"
        export_run(self.run, folder / "out", formats, images=self.root, **options)
        self.lists = folder / "out" / "Market1501"
        shutil.rmtree(self.run)

    def read(self, lists=None, samples=None, **options):
        output = self.folder / "imported.csv"
        samples = self.samples if samples is None else samples
        self.summary = import_lists(lists or self.lists, output, samples, self.root, **options)
        return Manifest.read(output)


def shuffled(samples, seed=0):
    order = np.random.default_rng(seed).permutation(len(samples))
    return Samples.from_items(samples.file_name[order], samples.pid[order], samples.camid[order])


def same_decisions(one, other, names=COLUMNS[:6]):
    for name in names:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
