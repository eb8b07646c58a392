"""fastreid's training loop for a run whose epochs change their length."""

import logging
from typing import Any

from fastreid.engine import train_loop
from fastreid.utils.events import EventStorage

logger = logging.getLogger("fastreid.prune")


def train(trainer: Any, start_epoch: int, max_epoch: int, start_iteration: int) -> None:
    """As ``TrainerBase.train``, but an epoch has as many iterations as ``trainer.iters_per_epoch`` says when it begins.

    Args:
        trainer: fastreid's.
        start_epoch: the first one to train.
        max_epoch: the one to stop before.
        start_iteration: how many iterations were made before.
    """
    trainer.iter = trainer.start_iter = start_iteration
    logger.info(f"Starting training from epoch {start_epoch}")
    with EventStorage(start_iteration) as trainer.storage:
        try:
            trainer.before_train()
            for trainer.epoch in range(start_epoch, max_epoch):
                trainer.before_epoch()
                for _ in range(trainer.iters_per_epoch):
                    trainer.before_step()
                    trainer.run_step()
                    trainer.after_step()
                    trainer.iter += 1
                trainer.after_epoch()
        except Exception:
            # as fastreid's loop does, under its name: what a person can mend is filtered there
            logging.getLogger(train_loop.__name__).exception("Exception during training:")
            raise
        finally:
            trainer.after_train()
