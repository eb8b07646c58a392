"""FiftyOne's JSON: ``fiftyone.Dataset.from_json("fiftyone.json", rel_dir=DATASETS)``.

The soft label is the field ``soft_label`` with the mean logits, so that
``fiftyone.brain.compute_hardness(dataset, "soft_label")`` gives the entropy and with it the same ranking.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.export.folders import Images
from fastreid_prune.export.publication import Publication

_BLOCK_ROWS = 1024
_FIELDS = "fiftyone.core.fields"
_CLASSIFICATION = f"{_FIELDS}.EmbeddedDocumentField(fiftyone.core.labels.Classification)"


def write(publication: Publication, folder: Path, images: Images) -> None:
    """Write ``fiftyone.json``, a sample for each image that could be read. Its size is about 20 N C bytes."""
    if publication.trajectory is None:
        raise FastreidPruneError(
            "format fiftyone: needs the run's trajectory (its mean logits), which is not there."
        )
    methods = list(publication.table.scores)
    head = {
        "name": publication.name,
        "media_type": "image",
        "sample_fields": {
            "filepath": f"{_FIELDS}.StringField",
            "tags": f"{_FIELDS}.ListField({_FIELDS}.StringField)",
            "given": _CLASSIFICATION,
            "soft_label": _CLASSIFICATION,
            "camera": f"{_FIELDS}.StringField",
            "verdict": f"{_FIELDS}.StringField",
            "reason": f"{_FIELDS}.StringField",
            **{f"score_{method}": f"{_FIELDS}.FloatField" for method in methods},
        },
        "info": {"method": publication.method},
    }
    with open(folder / "fiftyone.json", "w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "samples": [')
        for number, sample in enumerate(_samples(publication)):
            file.write((",\n" if number else "\n") + json.dumps(sample, ensure_ascii=False, allow_nan=False))
        file.write("\n]}\n")


def _samples(publication: Publication) -> Iterator[dict[str, Any]]:
    readable = np.flatnonzero(publication.rows >= 0)
    table, trajectory = publication.table, publication.trajectory
    names = trajectory.samples.class_names
    action = publication.manifest.action[publication.manifest_rows()]
    for start in range(0, len(readable), _BLOCK_ROWS):
        block = readable[start : start + _BLOCK_ROWS]
        logits = np.asarray(trajectory.mean_logits[publication.rows[block]], np.float64)
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        likeliest = logits.argmax(axis=1)
        confidence = shifted.max(axis=1) / shifted.sum(axis=1)
        for place, row in enumerate(block):
            scores = {f"score_{name}": float(values[row]) for name, values in table.scores.items()}
            yield {
                "filepath": table.file_name[row],
                "tags": [action[row]],
                "given": {"_cls": "Classification", "tags": [], "label": table.pid[row]},
                "soft_label": {
                    "_cls": "Classification",
                    "tags": [],
                    "label": names[likeliest[place]],
                    "confidence": float(confidence[place]),
                    "logits": logits[place].tolist(),
                },
                "camera": table.camid[row],
                "verdict": table.verdicts.verdict[row],
                "reason": table.verdicts.reason[row],
                **{name: value for name, value in scores.items() if np.isfinite(value)},
            }
