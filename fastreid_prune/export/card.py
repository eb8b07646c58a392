"""The data card: what the lists are, how they were made, how to load them. Nothing in it tells time or place."""

import json

import numpy as np

from fastreid_prune.export.publication import Publication
from fastreid_prune.version import __version__

# how the makers of these data sets distribute them, for the licence note
_TERMS = {
    "market1501": "Market-1501 is published by its authors for academic research.",
    "msmt17": "MSMT17 is given out by its authors under a release agreement for research.",
    "veri": "VeRi-776 is given out by its authors on request, for academic research.",
}


def text(publication: Publication) -> str:
    """The data card as Markdown."""
    table, verdicts, meta = publication.table, publication.table.verdicts, publication.meta
    scores = table.scores[publication.method]
    known = scores[np.isfinite(scores)]
    span = f"{known.min():.4g} to {known.max():.4g}, median {np.median(known):.4g}" if len(known) else "none"
    terms = _TERMS.get(publication.name.lower(), "")
    made = {
        "logits captured": meta.get("mode"),
        "epochs": meta.get("num_epochs"),
        "classes of the scoring model": meta.get("num_classes"),
        "seed": meta.get("seed"),
        "digest of its configuration": meta.get("config_digest"),
        "versions": ", ".join(
            f"{name} {version}" for name, version in sorted(meta.get("versions", {}).items())
        ),
    }
    made_rows = "\n".join(f"| {name} | {value} |" for name, value in made.items() if value not in (None, ""))
    judged = (
        f"Thresholds: `{json.dumps(table.thresholds, sort_keys=True)}`. They are this package's own; the paper's are "
        "not public."
        if table.judged
        else "The labels were not judged in this run: only unreadable images are listed as outliers."
    )
    return f"""# Important, mislabelled and outlier samples of {publication.name}

Lists made with fastreid_prune {__version__} after "Data Pruning Can Do More" (Yang et al., TMLR 2024,
arXiv 2412.10091). They hold file names, identities and numbers, and no images.

| | |
|---|---|
| samples | {len(table)} |
| identities | {len(set(table.pid))} |
| cameras | {len(set(table.camid))} |
| mislabelled | {int(verdicts.mislabelled.sum())} |
| outliers | {int(verdicts.outlier.sum())} |
| of these unreadable | {int(table.unreadable.sum())} |
| near-duplicates | {int((verdicts.verdict == "near_duplicate").sum())} |
| ranked by | `{publication.method}` ({span}); higher = harder = more worth keeping |

{judged}

## How they were made

| | |
|---|---|
{made_rows}

Every sample's logits were recorded in each epoch of one training run. The soft label is the softmax of their mean; the
`entropy` is that of the soft label, in nats.

## Files

| file | holds |
|---|---|
| `scores.csv`, `scores.parquet` | one row a sample: identity, camera, one column a method, verdict |
| `important.csv` | all samples from the hardest to the easiest |
| `mislabelled.csv` | given and suggested identity, confidence, runner-up, reason; surest first |
| `outliers.csv` | confidence and kind of evidence; surest first |
| `fpath_list.npy` | file names; a sample's index is its place here |
| `Ranking_list.npy` | file names, hardest first |
| `Mislabeled_outlier_samples.pickle` | `mislabeled` [M, 2]: sample index, predicted person; `outliers` [K]: index |
| `lists.json` | method, thresholds and digests, for programs |
| `SHA256SUMS` | check with `sha256sum -c SHA256SUMS` |

File names are relative to the folder that holds the data sets, with forward slashes.

## How to load them

```python
import csv, numpy as np

names = np.load("fpath_list.npy", allow_pickle=False)
hardest_first = np.load("Ranking_list.npy", allow_pickle=False)
mislabelled = list(csv.DictReader(open("mislabelled.csv", newline="", encoding="utf-8")))
```

The pickle holds two numpy arrays. Unpickling runs code of the file's choosing: read pickles of others with
`fastreid_prune.importing.read_plain_pickle`, which runs none, or use the CSV files. To train without 30 % of the
easiest samples:

```
fastreid-prune import . --root DATASETS --dataset {publication.name} --ratio 0.3 -o manifest.csv
```

## Licence

The images are not part of this. They and whatever is derived from them stay under the terms of {publication.name}.
{terms}
"""
