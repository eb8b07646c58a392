"""The evaluator against fastreid's own functions, as its ReidEvaluator combines them."""

import multiprocessing
import socket
from collections import OrderedDict

import numpy as np
import pytest
import torch

import fastreid_prune

fastreid_prune.register()

from fastreid.config import get_cfg  # noqa: E402
from fastreid.evaluation import ReidEvaluator, inference_on_dataset, print_csv_format  # noqa: E402
from fastreid.evaluation.query_expansion import aqe  # noqa: E402
from fastreid.evaluation.rank import eval_market1501  # noqa: E402
from fastreid.evaluation.roc import evaluate_roc_py  # noqa: E402
from fastreid.utils import compute_dist  # noqa: E402
from sklearn.metrics import roc_curve  # noqa: E402

from fastreid_prune.evaluation.retrieved import Retrieved  # noqa: E402
from fastreid_prune.plugin.evaluator import ExactEvaluator  # noqa: E402

NUM_QUERY = 50


def samples(seed=0, num=360, num_ids=20, width=32):
    rng = np.random.default_rng(seed)
    ids, cams = rng.integers(num_ids, size=num), rng.integers(4, size=num)
    centres = rng.normal(size=(num_ids, width))
    features = 0.3 * (centres[ids] + 0.8 * rng.normal(size=(num, width)))
    return torch.from_numpy(features).float(), torch.from_numpy(ids), torch.from_numpy(cams)


def configuration(*options):
    cfg = get_cfg()
    cfg.merge_from_list(list(options))
    return cfg


def evaluated(cfg, features, ids, cams, batch=64):
    evaluator = ReidEvaluator(cfg, NUM_QUERY)
    evaluator.reset()
    for part in zip(features.split(batch), ids.split(batch), cams.split(batch), strict=True):
        evaluator.process({"targets": part[1], "camids": part[2]}, part[0])
    return evaluator.evaluate()


def by_fastreid(cfg, features, ids, cams, monkeypatch):
    """What ReidEvaluator.evaluate does, on the CPU and without Cython."""
    query, gallery = features[:NUM_QUERY], features[NUM_QUERY:]
    labels = [part.numpy() for array in (ids, cams) for part in (array[:NUM_QUERY], array[NUM_QUERY:])]
    test = cfg.TEST
    if test.AQE.ENABLED:
        query, gallery = aqe(query, gallery, test.AQE.QE_TIME, test.AQE.QE_K, test.AQE.ALPHA)
    distance = compute_dist.build_dist(query, gallery, test.METRIC)
    if test.RERANK.ENABLED:
        together = torch.cat([query, gallery])
        if test.METRIC == "cosine":
            together = torch.nn.functional.normalize(together, dim=1)
        monkeypatch.setattr(torch.Tensor, "cuda", lambda self: self)
        jaccard = compute_dist.compute_jaccard_distance(
            together, k1=test.RERANK.K1, k2=test.RERANK.K2, search_option=3
        )[:NUM_QUERY, NUM_QUERY:]
        distance = jaccard * (1 - test.RERANK.LAMBDA) + distance * test.RERANK.LAMBDA
    cmc, precisions, penalties = eval_market1501(distance, *labels, 50)
    results = {f"Rank-{k}": 100 * cmc[k - 1] for k in (1, 5, 10)}
    results.update({"mAP": 100 * np.mean(precisions), "mINP": 100 * np.mean(penalties)})
    results["metric"] = (results["mAP"] + results["Rank-1"]) / 2
    if test.ROC.ENABLED:
        scores, pair_labels = evaluate_roc_py(distance, *labels)
        fprs, tprs, _ = roc_curve(pair_labels, scores)
        for rate in (1e-4, 1e-3, 1e-2):
            results[f"TPR@FPR={rate:.0e}"] = tprs[np.argmin(np.abs(fprs - rate))]
    return results


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize(
    "options",
    [
        (),
        ("TEST.AQE.ENABLED", True),
        ("TEST.AQE.ENABLED", True, "TEST.AQE.QE_TIME", 2, "TEST.AQE.QE_K", 7, "TEST.AQE.ALPHA", 2.5),
        ("TEST.ROC.ENABLED", True),
        ("TEST.RERANK.ENABLED", True),
        ("TEST.RERANK.ENABLED", True, "TEST.RERANK.K1", 11, "TEST.RERANK.K2", 1, "TEST.RERANK.LAMBDA", 0.5),
        ("TEST.RERANK.ENABLED", True, "TEST.AQE.ENABLED", True, "TEST.ROC.ENABLED", True),
    ],
    ids=lambda options: ",".join(str(option).removeprefix("TEST.") for option in options) or "plain",
)
def test_gives_fastreids_numbers(metric, options, monkeypatch):
    cfg = configuration("TEST.METRIC", metric, *options)
    expected = by_fastreid(cfg, *samples(), monkeypatch)
    results = evaluated(cfg, *samples())
    assert list(results) == list(expected)
    for name, value in expected.items():
        assert results[name] == pytest.approx(value, abs=2e-4), name


def test_stands_in_for_fastreids_evaluator():
    assert ReidEvaluator is ExactEvaluator
    results = evaluated(configuration(), *samples())
    assert isinstance(results, OrderedDict)
    results["dataset"] = "Market1501"
    print_csv_format(results)


def test_forgets_the_previous_test_set():
    cfg = configuration()
    evaluator = ReidEvaluator(cfg, NUM_QUERY)
    for seed in range(2):
        features, ids, cams = samples(seed)
        evaluator.reset()
        evaluator.process({"targets": ids, "camids": cams}, features)
        assert evaluator.evaluate() == evaluated(cfg, *samples(seed))


class FlattenedImages(torch.nn.Module):
    """A model whose feature is the image, columns weighted, so that a flipped image has another one."""

    def forward(self, inputs):
        return (inputs["images"] * torch.arange(1.0, 9.0)).flatten(1)


def test_flipped_images_count_half():
    features, ids, cams = samples(width=32)
    images = features.reshape(-1, 1, 4, 8)
    batches = [
        {"images": part[0], "targets": part[1], "camids": part[2]}
        for part in zip(images.split(64), ids.split(64), cams.split(64), strict=True)
    ]
    loader = torch.utils.data.DataLoader(batches, batch_size=None)
    model, cfg = FlattenedImages(), configuration("TEST.FLIP.ENABLED", True)
    both = (model({"images": images}) + model({"images": images.flip(3)})) / 2
    results = inference_on_dataset(model, loader, ReidEvaluator(cfg, NUM_QUERY), cfg.TEST.FLIP.ENABLED)
    assert results == evaluated(cfg, both, ids, cams)
    assert results != evaluated(cfg, model({"images": images}), ids, cams)


OPTIONS = (
    (),
    ("TEST.AQE.ENABLED", True, "TEST.RERANK.ENABLED", True, "TEST.ROC.ENABLED", True),
    ("TEST.METRIC", "euclidean", "TEST.RERANK.ENABLED", True),
)


def evaluate_in_process(rank, port, queue):
    torch.distributed.init_process_group(
        "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2
    )
    arrays = samples()
    half = len(arrays[0]) // 2
    own = slice(0, half) if rank == 0 else slice(half, None)
    queue.put((rank, [evaluated(configuration(*one), *(array[own] for array in arrays)) for one in OPTIONS]))
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


def test_two_processes_give_the_numbers_of_one():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    workers = [context.Process(target=evaluate_in_process, args=(rank, port, queue)) for rank in range(2)]
    for worker in workers:
        worker.start()
    results = dict(queue.get(timeout=400) for _ in workers)
    for worker in workers:
        worker.join(60)
    alone = [evaluated(configuration(*one), *samples()) for one in OPTIONS]
    assert results[0] == alone
    assert len({result["mAP"] for result in alone}) == len(OPTIONS)
    assert results[1] == [{}] * len(OPTIONS)


def test_what_each_query_found_is_kept_on_request(tmp_path, monkeypatch):
    monkeypatch.setattr("fastreid.data.build._root", str(tmp_path))
    features, ids, cams = samples()
    cfg = configuration("OUTPUT_DIR", str(tmp_path / "run"), "PRUNE.KEEP_RETRIEVED", "5")
    evaluator = ExactEvaluator(cfg, NUM_QUERY)
    paths = [str(tmp_path / "set" / f"{place}.jpg") for place in range(len(ids))]
    evaluator.process({"targets": ids, "camids": cams, "img_paths": paths}, features)
    results = evaluator.evaluate()
    kept = Retrieved.read(tmp_path / "run" / "prune" / "retrieved.npz")
    assert kept.query.tolist() == [f"set/{place}.jpg" for place in range(NUM_QUERY)]
    assert kept.nearest.shape == (NUM_QUERY, 5)
    assert 100 * np.nanmean(kept.average_precision) == pytest.approx(results["mAP"])
    first = [kept.right(row)[0] for row in range(NUM_QUERY)]
    assert 100 * np.mean(first) == pytest.approx(results["Rank-1"])
