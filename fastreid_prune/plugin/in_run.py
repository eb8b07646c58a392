"""The hook that prunes a training while it runs."""

import logging
from typing import Any

import numpy as np
import torch
from fastreid.engine.train_loop import HookBase
from fastreid.utils import comm

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.manifest import Manifest
from fastreid_prune.plugin.capture import CaptureHook
from fastreid_prune.plugin.in_run_plan import InRunPlan
from fastreid_prune.plugin.indexed import class_numbers
from fastreid_prune.plugin.rescaling import Rescaling
from fastreid_prune.plugin.seeding import derived_seed
from fastreid_prune.plugin.subset import train_on
from fastreid_prune.selection.dynamic import EpochChoice
from fastreid_prune.trajectory.records import Visits

logger = logging.getLogger("fastreid.prune")


class InRunPruning(HookBase):
    """Trains on everything until the plan says otherwise, then on what is chosen: same weights, same schedule.

    The classes stay: an identity that pruning leaves without images keeps its row in the classifier. The choice is part
    of the checkpoint, so that a resumed run goes on with it.

    Attributes:
        rows: ``[K]`` int64, what is trained on now.
        pids: row -> identity, of the samples whose label is another than the data set was loaded with.
        iterations: of each epoch so far.
    """

    def __init__(self, trainer: Any, plan: InRunPlan, capture: CaptureHook) -> None:
        self.plan, self.capture = plan, capture
        self.dataset = trainer.data_loader.dataset
        self.whole = np.arange(len(self.dataset), dtype=np.int64)
        self.rows, self.weight = self.whole, np.ones(len(self.whole), dtype=np.float32)
        self.pids: dict[int, str] = {}
        self.wrong = np.zeros(len(self.whole), dtype=bool)
        self.iterations: list[int] = []
        self.seed = trainer.cfg.PRUNE.SEED
        self.rescaling = Rescaling(capture.model) if plan.dynamic else None

    def state_dict(self) -> dict[str, Any]:
        """For fastreid's checkpointer: what the epochs after this checkpoint train on."""
        return {
            "rows": torch.from_numpy(self.rows.copy()),
            "weight": torch.from_numpy(self.weight.copy()),
            "wrong": torch.from_numpy(self.wrong.copy()),
            "pids": dict(self.pids),
            "iterations": list(self.iterations),
            "seed": self.seed,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """From fastreid's checkpointer, when it resumes.

        Raises:
            FastreidPruneError: it is of another training set.
        """
        if len(state["weight"]) != len(self.whole):
            raise FastreidPruneError(
                f"--resume: the checkpoint is of a training set of {len(state['weight'])} images, this one has "
                f"{len(self.whole)}. Start anew, without --resume."
            )
        self.rows, self.weight, self.wrong = (state[name].numpy() for name in ("rows", "weight", "wrong"))
        self.pids, self.iterations, self.seed = dict(state["pids"]), list(state["iterations"]), state["seed"]

    def before_train(self) -> None:
        """Go on with what a resumed run had chosen, or make the choice of the first epoch."""
        if self.seed < 0:
            self.seed = comm.shared_random_seed()
        if self.trainer.start_epoch == 0:
            self._plan_epoch(0)
        elif len(self.rows) < len(self.whole) or self.pids:
            self._go_on()

    def after_epoch(self) -> None:
        """What the next epoch trains on, before this epoch's checkpoint is written."""
        self.iterations.append(self.trainer.iters_per_epoch)
        if self.trainer.epoch + 1 < self.plan.epochs:
            self._plan_epoch(self.trainer.epoch + 1)

    def after_train(self) -> None:
        """Leave the model as it was."""
        if self.rescaling:
            self.rescaling.close()

    def _plan_epoch(self, epoch: int) -> None:
        if self.plan.returns(epoch):
            self.rows, self.weight = np.flatnonzero(~self.wrong), np.ones_like(self.weight)
            logger.info(f"From epoch {epoch} on: all {len(self.rows)} images that are not judged wrong.")
            self._go_on()
        elif self.plan.chooses(epoch):
            if self.plan.dynamic:
                self._choose_dynamically(epoch)
            else:
                self._choose_from_files(epoch)
            try:
                self._go_on()
            except FastreidPruneError as error:
                logger.warning(
                    f"Nothing is pruned from epoch {epoch} on: what would be kept fills no batch. {error}"
                )
                self.rows, self.weight = np.flatnonzero(~self.wrong), np.ones_like(self.weight)
                self._go_on()

    def _choose_dynamically(self, epoch: int) -> None:
        assert self.plan.dynamic is not None
        random = np.random.default_rng(derived_seed(self.seed, epoch + 1))
        loss = last_loss(self.capture.recorder.log.epochs, len(self.whole))
        choice: EpochChoice = self.plan.dynamic.choose(loss, self.trainer.cfg.PRUNE.RATIO, random)
        self.rows, self.weight = choice.rows.astype(np.int64), choice.weight

    def _choose_from_files(self, epoch: int) -> None:
        self.capture.write()
        decided: dict[str, tuple[str, str]] | None = None
        if comm.is_main_process():
            manifest = Manifest.read(self.capture.folder / "manifest.csv")
            columns = manifest.file_name, manifest.new_pid, manifest.action
            decided = {name: (pid, action) for name, pid, action in zip(*map(list, columns), strict=True)}
        decided = comm.all_gather(decided)[0]
        items, known = self.dataset.img_items, {str(pid) for pid in class_numbers(self.dataset)}
        # what the manifest does not name was composed for the scoring alone, and an identity without a class of its own
        # cannot be trained with
        told = [decided.get(name, ("", "outlier")) for name in self.capture.samples.file_name.tolist()]
        self.wrong = np.array([action == "outlier" or pid not in known for pid, action in told])
        self.rows = np.flatnonzero([action in ("keep", "relabel") for _, action in told] & ~self.wrong)
        self.pids = {
            row: pid for row, (pid, _) in enumerate(told) if not self.wrong[row] and str(items[row][1]) != pid
        }
        logger.info(
            f"From epoch {epoch} on: {len(self.rows)} of {len(decided)} images, "
            f"{len(self.pids.keys() & set(self.rows.tolist()))} of them under another identity than until now; as "
            f"{self.capture.folder / 'manifest.csv'} says."
        )

    def _go_on(self) -> None:
        items, by_name = self.dataset.img_items, {str(pid): pid for pid in class_numbers(self.dataset)}
        for row, pid in self.pids.items():
            items[row] = (items[row][0], by_name[pid], *items[row][2:])
        if self.rescaling:
            self.rescaling.weight = torch.from_numpy(self.weight) if (self.weight != 1).any() else None
        train_on(self.trainer, self.rows)


def last_loss(epochs: list[Visits], samples: int) -> np.ndarray:
    """The loss of each sample at its last visit by any rank, ``[N]``; NaN where there was none. Collective."""
    result = np.full(samples, np.nan)
    for visits in epochs:
        parts = comm.all_gather((visits.step, visits.sample, visits.loss))
        step, sample, loss = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        order = np.argsort(step, kind="stable")
        # of a row that occurs several times, the last assignment stays
        result[sample[order]] = loss[order]
    return result
