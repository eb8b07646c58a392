"""fastreid's evaluator: it ranks by exact similarities, on a GPU where there is one, and makes lists by faiss."""

import itertools
import logging
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fastreid.evaluation.evaluator import DatasetEvaluator
from fastreid.utils import comm

from fastreid_prune.evaluation import Ranking, Reranking, evaluate_ranking, evaluate_roc, expand
from fastreid_prune.evaluation.retrieved import retrieved
from fastreid_prune.plugin.items import relative_name
from fastreid_prune.plugin.ranks import gather_rows
from fastreid_prune.plugin.reading import data_root

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]
logger = logging.getLogger("fastreid.evaluation")


class ExactEvaluator(DatasetEvaluator):
    """What ``fastreid.evaluation.ReidEvaluator`` does: same arguments, settings and names of results.

    ``TEST.AQE``, ``TEST.RERANK``, ``TEST.ROC`` and ``TEST.METRIC`` are read from the configuration;
    ``TEST.FLIP`` acts before features get here. With several processes, features are gathered in the first,
    and nothing larger.

    Args:
        cfg: fastreid's configuration.
        num_query: the first ``num_query`` samples are the queries, the rest the gallery.
        output_dir: kept for subclasses.
    """

    def __init__(self, cfg: Any, num_query: int, output_dir: str | None = None) -> None:
        self.cfg = cfg
        self._num_query = num_query
        self._output_dir = output_dir
        self._cpu_device = torch.device("cpu")
        self._predictions: list[dict[str, Any]] = []

    def reset(self) -> None:
        """Forget the samples of the previous evaluation."""
        self._predictions = []

    def process(self, inputs: dict[str, Any], outputs: torch.Tensor) -> None:
        """Keep the features ``outputs`` [B, D] of a batch, with its identities and cameras."""
        self._predictions.append(
            {
                "feats": outputs.to(self._cpu_device, torch.float32),
                "pids": torch.as_tensor(inputs["targets"]).cpu(),
                "camids": torch.as_tensor(inputs["camids"]).cpu(),
                "names": list(inputs.get("img_paths", [])),
            }
        )

    def evaluate(self) -> OrderedDict:
        """Rank-1, Rank-5, Rank-10, mAP, mINP, metric in percent, in the first process; nothing in others."""
        predictions = self._gathered() if comm.get_world_size() > 1 else self._predictions
        if not comm.is_main_process():
            return OrderedDict()
        features, ids, cams = (
            torch.cat([prediction[name] for prediction in predictions]).numpy()
            for name in ("feats", "pids", "camids")
        )
        names = list(itertools.chain(*(prediction["names"] for prediction in predictions)))
        self._results = self._measure(features, ids, cams, names)
        return self._results.copy()

    def _gathered(self) -> list[dict[str, Any]]:
        """The batches of all ranks as one, on rank 0: tensors as they are, names pickled."""
        group = comm._get_global_gloo_group()
        own = self._predictions
        names = list(itertools.chain(*comm.gather([name for batch in own for name in batch["names"]], dst=0)))
        joined: dict[str, Any] = {"names": names}
        for name in ("feats", "pids", "camids"):
            joined[name] = gather_rows(torch.cat([batch[name] for batch in own]), group)
        return [joined]

    def _measure(
        self, features: np.ndarray, ids: np.ndarray, cams: np.ndarray, names: list[str]
    ) -> OrderedDict:
        test, rerank = self.cfg.TEST, None
        if test.AQE.ENABLED:
            logger.info("Test with AQE setting")
            features = expand(features, test.AQE.QE_K, test.AQE.ALPHA, test.AQE.QE_TIME)
        if test.RERANK.ENABLED:
            logger.info("Test with rerank setting")
            rerank = Reranking(test.RERANK.K1, test.RERANK.K2, test.RERANK.LAMBDA)
        first = self._num_query
        retrieval = (features[:first], features[first:], ids[:first], ids[first:], cams[:first], cams[first:])
        ranking = evaluate_ranking(*retrieval, metric=test.METRIC, rerank=rerank)
        if ranking.num_skipped:
            logger.info(
                f"{ranking.num_skipped} of {ranking.num_queries} queries have no match and are left out"
            )
        if self.cfg.PRUNE.KEEP_RETRIEVED > 0 and len(names) == len(features) and rerank is None:
            self._keep(ranking, retrieval, names)
        results = OrderedDict((name, 100 * value) for name, value in ranking.summary().items())
        if test.ROC.ENABLED:
            for rate, value in evaluate_roc(*retrieval, metric=test.METRIC, rerank=rerank).items():
                results[f"TPR@FPR={rate:.0e}"] = value
        return results

    def _keep(self, ranking: Ranking, retrieval: Arrays, names: list[str]) -> None:
        """Write what each query found into ``OUTPUT_DIR/prune/retrieved.npz``, over an earlier evaluation's."""
        names = [relative_name(name, data_root()) for name in names]
        first, count = self._num_query, self.cfg.PRUNE.KEEP_RETRIEVED
        kept = retrieved(
            ranking, *retrieval, names[:first], names[first:], count, metric=self.cfg.TEST.METRIC
        )
        path = Path(self.cfg.OUTPUT_DIR) / "prune" / "retrieved.npz"
        kept.write(path)
        logger.info(f"The {count} closest images of each query: {path}")
