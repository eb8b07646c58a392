"""A plain PyTorch loop, from the recorder to the page and back to a data set to train on."""

import numpy as np
import pytest
import torch
from digits_loop import digits, train

from fastreid_prune import Manifest, Samples, ScoredRun, inject_label_noise
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.trajectory import load_trajectory


@pytest.fixture(scope="module", params=[10, 20])
def loop(request, tmp_path_factory):
    """Digits with 5 % wrong labels and injected ones, trained and recorded: their arrays and the run."""
    classes = request.param
    images, labels, true = digits(classes=classes)
    injected = inject_label_noise(labels)
    recorder = train(images, injected.labels, classes)
    folder = tmp_path_factory.mktemp("loop")
    run = ScoredRun.from_recorder(recorder, labels, folder / "run", injected=injected)
    # the paper's rule always has verdicts: these tests are about names and rows, not about what verdicts are worth
    run.judge(rule="paper")
    return images, labels, true, injected, run


def test_the_runs_samples_carry_the_labels_that_the_loop_gave_not_those_it_trained_with(loop):
    _, labels, _, injected, run = loop
    assert run.samples.pid.tolist() == [str(label) for label in labels]
    assert run.injected.moved.sum() == len(injected.rows) > 0
    trained = [run.samples.class_names.index(pid) for pid in run.trajectory.samples.pid]
    assert trained == injected.labels.tolist()


def test_new_names_are_the_loops_own_classes(loop):
    """With 20 classes the order of the names is not that of the class numbers: mixed up, few would be right."""
    _, labels, true, _, run = loop
    relabelled = np.flatnonzero(run.verdicts.mislabelled & (labels != true))
    right = [run.verdicts.suggested_pid[row] == str(true[row]) for row in relabelled]
    assert len(relabelled) >= 30 and np.mean(right) >= 0.8


def test_a_manifest_leads_back_to_the_data_set(loop):
    images, labels, _, _, run = loop
    data = list(zip(images, labels.tolist(), strict=True))
    manifest = run.prune(0.3, "el2n")
    kept = manifest.subset(data)
    assert len(kept) == len(data) - int(0.3 * len(data)) == len(manifest.indices())
    scores = run.scores["el2n"]
    assert scores[kept.indices].min() >= np.delete(scores, kept.indices).max()
    batch = next(iter(torch.utils.data.DataLoader(kept, batch_size=8)))
    assert batch[1].tolist() == labels[kept.indices[:8]].tolist()
    again = Manifest.read(manifest.path)
    with pytest.raises(FastreidPruneError, match="Give the data set"):
        again.indices()
    np.testing.assert_array_equal(again.indices(labels), manifest.indices())
    np.testing.assert_array_equal(again.subset(data, labels).targets, kept.targets)


def test_a_subset_has_the_corrected_labels(loop):
    images, labels, _, _, run = loop
    manifest = run.prune(0.0, purify=True)
    kept = manifest.subset(list(zip(images, labels.tolist(), strict=True)))
    changed = labels[kept.indices] != kept.targets
    new = {f: p for f, p in zip(manifest.file_name, manifest.new_pid, strict=True)}
    assert changed.any() and [new[f"{row:06d}"] for row in kept.indices] == [str(t) for t in kept.targets]


def test_page_and_lists_of_data_without_images(loop, tmp_path):
    run = loop[-1]
    summary = run.report(tmp_path / "page.html")
    assert summary.pictures == 0 and "no pictures" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "scores.csv" in " ".join(run.export(tmp_path / "lists").files)


def test_a_loop_without_injected_errors_has_scores_and_names(tmp_path):
    images, labels, _ = digits(classes=20)
    recorder = train(images, labels, 20, epochs=2)
    names = [f"class {label:02d}" for label in labels]
    run = ScoredRun.from_recorder(recorder, names, tmp_path)
    assert run.samples.class_names[12] == "class 12" and len(run.scores["entropy"]) == len(labels)
    assert len(run.prune(0.5, "auto").indices()) == len(labels) - len(labels) // 2
    assert load_trajectory(tmp_path).samples.class_names == run.samples.class_names


def test_names_in_another_order_than_the_class_numbers_are_matched_by_what_was_trained():
    images, labels, _ = digits(classes=20)
    samples = Samples.from_items([f"{row}.png" for row in range(len(labels))], labels.astype(str))
    assert samples.label.tolist() != labels.tolist()
    found = train(images, labels, 20, epochs=1, samples=samples).trajectory().samples
    assert found.label.tolist() == labels.tolist() and found.class_names[11] == "11"


def test_labels_that_contradict_the_names_are_refused_with_an_example(tmp_path):
    images, labels, _ = digits()
    recorder = train(images, labels, epochs=1)
    shifted = np.roll(labels, 1)
    row = int(np.flatnonzero(shifted != labels)[0])
    with pytest.raises(
        FastreidPruneError, match=rf"sample {row} .*is named '{shifted[row]}'.*class {labels[row]}"
    ):
        ScoredRun.from_recorder(recorder, shifted, tmp_path)
    with pytest.raises(FastreidPruneError, match="1796 given, and the recorder has num_samples=1797"):
        ScoredRun.from_recorder(recorder, labels[:-1], tmp_path)


def test_labels_changed_on_purpose_have_to_be_said(tmp_path):
    images, labels, _ = digits()
    injected = inject_label_noise(labels)
    recorder = train(images, injected.labels, epochs=1)
    with pytest.raises(FastreidPruneError, match="injected="):
        ScoredRun.from_recorder(recorder, labels, tmp_path)
