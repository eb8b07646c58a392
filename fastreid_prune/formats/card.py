"""The data card: what the lists are, how they were made, how to load them. Nothing in it tells time or place."""

from typing import Any

import numpy as np

from fastreid_prune import scores
from fastreid_prune.formats.publication import Publication
from fastreid_prune.scored_run.score_table import IDENTITY_COLUMNS, VERDICT_COLUMNS
from fastreid_prune.version import __version__

# how the makers of these data sets distribute them, for the licence note
_TERMS = {
    "market1501": "Market-1501 is published by its authors for academic research.",
    "msmt17": "MSMT17 is given out by its authors under a release agreement for research.",
    "veri": "VeRi-776 is given out by its authors on request, for academic research.",
}
_THRESHOLDS = {
    "precision": "share of the verdicts that should be right",
    "wrong_share": "wrong labels in the whole set, by estimate",
    "outlier_share": "outliers in the whole set, by estimate",
    "injected_labels": "wrong labels that were injected to measure this",
    "labels_found": "of these found",
    "injected_outliers": "outliers that were injected to measure this",
    "outliers_found": "of these found",
    "name_right": "right identity suggested, of the injected wrong labels found",
}

# what runs of earlier versions call them
_EARLIER = {
    "injected_labels": "planted_switched",
    "labels_found": "switched_found",
    "injected_outliers": "planted_composed",
    "outliers_found": "composed_found",
}


def text(publication: Publication) -> str:
    """The data card as Markdown, with the header that Hugging Face's data sets have."""
    name, purify = publication.name, " --purify" if publication.table.judged else ""
    registered = name in publication.meta.dataset  # with the trainer; else it was read from its folder
    dataset = name if registered else "DATASETS"
    place = f"the folder that holds\n{name}'s own folder" if registered else "the data set's folder"
    return f"""---
license: other
pretty_name: Important, mislabelled and outlier samples of {name}
{_configs(publication)}---

# Important, mislabelled and outlier samples of {name}

For training a re-identification model on {name} with fewer images or better labels: which training images matter
most, which carry another person's identity, which show no known identity. These are file names, identities and
numbers; the images are not here. Whatever reads CSV reads them. Made with fastreid_prune {__version__} after "Data
Pruning Can Do More" (Yang et al., TMLR 2024, arXiv 2412.10091).

{_counts(publication)}

## How they were made

{_table(_made(publication))}

Each sample's logits were recorded in every epoch of one training run. The soft label is the softmax of their mean; the
score `entropy` is the soft label's, in nats: from 0 (the model is certain) to {np.log(_classes(publication)):.2f}.

{_judged(publication)}

## Files

{_files(publication)}

File names are relative to the folder that holds the data sets and have forward slashes. An identity such as
`market1501_2` is person 2 of the data set market1501, a camera `market1501_0` is its first.

## Use them

In this folder, with numpy alone, all samples but outliers and the easiest 30 %, as (file name, identity) pairs:

```python
import csv

import numpy as np

hardest_first = np.load("Ranking_list.npy", allow_pickle=False).tolist()
samples = {{row["file_name"]: row for row in csv.DictReader(open("scores.csv", newline="", encoding="utf-8"))}}
good = [name for name in hardest_first if samples[name]["verdict"] != "outlier"]
kept = good[: len(good) - 30 * len(good) // 100]
training_set = [(name, samples[name]["suggested_pid"] or samples[name]["pid"]) for name in kept]
```

The paper's three files, where a sample is known by its index in `fpath_list.npy`:

```python
import pickle

import numpy as np

names = np.load("fpath_list.npy", allow_pickle=False)
wrong = pickle.load(open("Mislabeled_outlier_samples.pickle", "rb"))
for index, person in wrong["mislabeled"]:
    print(names[int(index)], "shows person", person)
print("no known identity:", names[wrong["outliers"]])
```

Unpickling runs code of the file's choosing: compare the checksums first, or read the CSV files. In fastreid_prune,
`fastreid_prune.io.pickles.read_plain_pickle` reads such a file without running anything.

With fastreid and fastreid_prune, the same as a manifest, and a training on it; DATASETS is {place}:

```
fastreid-prune import . --root DATASETS --dataset {dataset} --ratio 0.3{purify} -o manifest.csv
FASTREID_DATASETS=DATASETS fastreid-prune run tools/train_net.py --config-file CONFIG.yml PRUNE.MANIFEST manifest.csv
```

Whether the files are as they were published: `sha256sum -c SHA256SUMS`.

## Licence

The images are not part of this. They, and what is derived from them, stay under the terms of {name}.
{_TERMS.get(name.lower(), "Ask those who made it for them.")} Who publishes these lists says here on what terms.
"""


def _configs(publication: Publication) -> str:
    """The tables that have rows: Hugging Face's reader refuses one that has none."""
    verdicts = publication.table.verdicts
    everything = len(publication) > 0
    filled = {
        "important": everything,
        "mislabelled": verdicts.mislabelled.any(),
        "outliers": verdicts.outlier.any(),
        "scores": everything,
    }
    lines = [f"- config_name: {name}\n  data_files: {name}.csv\n" for name, rows in filled.items() if rows]
    return "".join(["configs:\n", *lines]) if lines else ""


def _classes(publication: Publication) -> int:
    return publication.meta.num_classes or len(set(publication.table.pid)) or 1


def _counts(publication: Publication) -> str:
    table, verdicts = publication.table, publication.table.verdicts
    values = table.scores[publication.method]
    known = values[np.isfinite(values)]
    span = f"{known.min():.4g} to {known.max():.4g}, median {np.median(known):.4g}" if len(known) else "none"
    near = int((verdicts.verdict == "near_duplicate").sum())
    rows: dict[str, Any] = {
        "samples": len(table),
        "identities": len(set(table.pid)),
        "cameras": len(set(table.camid)),
        "mislabelled": int(verdicts.mislabelled.sum()),
        "outliers": int(verdicts.outlier.sum()),
        "of these unreadable": int(table.unreadable.sum()),
        "near-duplicates": near or None,
        "ranked by": f"`{publication.method}` ({span}); higher = harder = more worth keeping",
    }
    return _table(rows)


_CAPTURED = {"train": "in training", "eval": "in a clean pass after each epoch"}


def _made(publication: Publication) -> dict[str, Any]:
    meta = publication.meta
    versions = sorted(meta.versions.items())
    return {
        "logits captured": _CAPTURED.get(meta.mode or ""),
        "epochs": meta.num_epochs,
        "classes of the scoring model": meta.num_classes,
        "seed": meta.seed,
        "digest of its configuration": meta.config_digest,
        "versions": ", ".join(f"{name} {version}" for name, version in versions),
    }


def _judged(publication: Publication) -> str:
    table = publication.table
    if not table.judged:
        return "The labels were not judged in this run: only unreadable images are listed as outliers."
    thresholds = table.thresholds
    said = {
        words: _number(thresholds.get(key, thresholds.get(_EARLIER.get(key, key))))
        for key, words in _THRESHOLDS.items()
    }
    return f"""A sample is called mislabelled or an outlier where the evidence of the run (logits, features of the last
epoch) makes it likely enough. The thresholds are this package's own; the paper's are not public.

{_table(said)}"""


def _number(value: Any) -> Any:
    return f"{value:.4g}" if isinstance(value, float) else value


def _files(publication: Publication) -> str:
    table = publication.table
    names = ", ".join(f"`{name}`" for name in (*IDENTITY_COLUMNS, *table.scores, *VERDICT_COLUMNS))
    rows = {
        "`scores.csv`, `scores.parquet`": f"one row a sample: {names}",
        "`important.csv`": "all samples from the hardest to the easiest",
        "`mislabelled.csv`": "given and suggested identity, confidence, runner-up, reason; surest first",
        "`outliers.csv`": "confidence and kind of evidence; surest first",
        "`fpath_list.npy`": "file names; a sample's index is its place here",
        "`Ranking_list.npy`": "file names, hardest first",
        "`Mislabeled_outlier_samples.pickle`": "`mislabeled` [M, 2]: index, predicted person; `outliers` [K]: index",
        "`lists.json`": "method, thresholds and digests, for programs",
        "`SHA256SUMS`": "the files' digests",
    }
    columns = {
        "`pid`, `given_pid`": "the identity that the data set gives",
        **{f"`{name}`": f"high: {_direction(name)}" for name in table.scores},
        "`verdict`": "clean, mislabelled, outlier or near_duplicate; empty in a run that was not judged",
        "`suggested_pid`, `runner_up_pid`": "the identity that a mislabelled sample shows, and the next likely",
        "`confidence`": "probability that the verdict is right, 0 to 1",
        "`reason`, `evidence`": "in words",
    }
    return f"{_table(rows, 'file', 'holds')}\n\n{_table(columns, 'column', 'is')}"


def _direction(method: str) -> str:
    return scores.get(method).direction if method in scores.available() else "more worth keeping"


def _table(rows: dict[str, Any], *header: str) -> str:
    """Rows as Markdown; those with nothing to say are left out."""
    said = {key: value for key, value in rows.items() if value not in (None, "")}
    return "\n".join(
        [
            f"| {' | '.join(header or ('', ''))} |",
            "|---|---|",
            *(f"| {key} | {value} |" for key, value in said.items()),
        ]
    )
