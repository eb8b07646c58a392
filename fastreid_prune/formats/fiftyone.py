"""FiftyOne's JSON: ``fiftyone.Dataset.from_json("fiftyone.json", rel_dir=DATASETS)``.

The soft label is the field ``soft_label`` with the mean logits, so that
``fiftyone.brain.compute_hardness(dataset, "soft_label")`` gives the entropy and with it the same ranking. The field
``train_label`` is the identity to train with.

What comes back is this file, or one that FiftyOne wrote: an image's identity is ``train_label``, or else
``ground_truth``; the tag ``outlier`` (or ``delete``, ``junk``, ...) removes it, the tag ``prune`` leaves it out.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.formats.corrected import REMOVAL_TAGS, Corrected
from fastreid_prune.formats.folders import Images
from fastreid_prune.formats.matching import NameIndex
from fastreid_prune.formats.publication import Publication
from fastreid_prune.formats.registry import Request, reader, writer
from fastreid_prune.io.json_stream import head, read_file
from fastreid_prune.manifest import PRUNE, RELABEL
from fastreid_prune.scores.top_classes import too_many, top_classes

_BLOCK_ROWS = 1024
_FIELDS = "fiftyone.core.fields"
_SOURCE = "https://docs.voxel51.com/user_guide/export_datasets.html"
_BATCH = 10_000
_CLASSIFICATION = f"{_FIELDS}.EmbeddedDocumentField(fiftyone.core.labels.Classification)"


@writer("fiftyone", "FiftyOne's JSON with soft labels, scores and verdicts", source=_SOURCE)
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
            "train_label": _CLASSIFICATION,
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
    assert trajectory is not None and trajectory.samples is not None
    names, mean_logits = trajectory.samples.class_names, cast(Any, trajectory.mean_logits)
    rows = publication.manifest_rows()
    action, new_pid = publication.manifest.action[rows], publication.manifest.new_pid[rows]
    # of very many classes the first one is named and the logits are left out: samples x classes fit into no file
    top = top_classes(trajectory) if too_many(mean_logits) else None
    for start in range(0, len(readable), _BLOCK_ROWS):
        block = readable[start : start + _BLOCK_ROWS]
        some = publication.rows[block]
        if top is None:
            logits = np.asarray(mean_logits[some], np.float64)
            shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
            likeliest = logits.argmax(axis=1)
            confidence = shifted.max(axis=1) / shifted.sum(axis=1)
        else:
            likeliest, confidence = top.classes[some, 0], np.exp(top.logits[some, 0] - top.log_total[some])
        for place, row in enumerate(block):
            scores = {f"score_{name}": float(values[row]) for name, values in table.scores.items()}
            trained = {"train_label": _classification(new_pid[row])} if new_pid[row] else {}
            yield {
                "filepath": table.file_name[row],
                "tags": [action[row]],
                "given": _classification(table.pid[row]),
                **trained,
                "soft_label": {
                    "_cls": "Classification",
                    "tags": [],
                    "label": names[likeliest[place]],
                    "confidence": float(confidence[place]),
                    **({} if top else {"logits": logits[place].tolist()}),
                },
                "camera": table.camid[row],
                "verdict": table.verdicts.verdict[row],
                "reason": table.verdicts.reason[row],
                **{name: value for name, value in scores.items() if np.isfinite(value)},
            }


def _classification(label: str) -> dict[str, Any]:
    return {"_cls": "Classification", "tags": [], "label": label}


def is_fiftyone(path: Path) -> bool:
    """Whether a path is, or a folder holds, FiftyOne's JSON."""
    return _json(path) is not None


def _json(path: Path) -> Path | None:
    for place in (path, path / "fiftyone.json", path / "samples.json"):
        if place.suffix.lower() == ".json" and place.is_file():
            start = head(place)
            if b'"samples"' in start and (b'"filepath"' in start or b'"sample_fields"' in start):
                return place
    return None


@reader("fiftyone", "FiftyOne's JSON with labels and tags", detect=is_fiftyone, source=_SOURCE)
def read(path: Path, request: Request) -> Corrected:
    """What the JSON says of the samples of a data set.

    Raises:
        FastreidPruneError: it is damaged, or too large.
    """
    place = _json(path) or path
    result = Corrected(request.samples, {"samples": place.name})
    index = NameIndex(request.samples.file_name)
    method = request.method
    batch: list[dict] = []
    for key, value in read_file(place):
        if key == "info" and isinstance(value, dict) and isinstance(value.get("method"), str):
            method = method or value["method"][:100]
        elif key == "samples" and isinstance(value, dict):
            batch.append(value)
            if len(batch) == _BATCH:
                _take(batch, method, index, result)
                batch.clear()
    if batch:
        _take(batch, method, index, result)
    return result


def _take(batch: list[dict], method: str | None, index: NameIndex, result: Corrected) -> None:
    names = [str(sample.get("filepath", "")) for sample in batch]
    said = [_said(sample) for sample in batch]
    unclear = [name for name, each in zip(names, said, strict=True) if each is None]
    result.tally.remark("say no identity, and keep their label", unclear)
    rows = result.take_named(index, names, said, any_name=True)
    for row, sample in zip(rows, batch, strict=True):
        if row >= 0:
            score = sample.get(f"score_{method}")
            result.score[row] = score if isinstance(score, (int, float)) else np.nan
            result.pruned[row] = PRUNE in _tags(sample)
    if method is not None and np.isfinite(result.score).any():
        result.method = method


def _tags(sample: dict) -> list[str]:
    tags = sample.get("tags")
    return [tag.lower() for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def _said(sample: dict) -> str | None:
    """The identity, or a tag that removes the image; None where nothing is said."""
    tags = _tags(sample)
    if REMOVAL_TAGS.intersection(tags):
        return "outlier"
    # a relabelled image without ``train_label`` is of a file that has none yet: its most likely identity is meant
    fields = ["train_label", *(["soft_label"] if RELABEL in tags else []), "ground_truth", "given"]
    for name in fields:
        value = sample.get(name)
        label = value.get("label") if isinstance(value, dict) else value
        if isinstance(label, str) and label:
            return label
    return None
