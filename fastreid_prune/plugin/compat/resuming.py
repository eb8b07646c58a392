"""`--resume` of a run that had ended."""

import functools

from fastreid_prune.plugin.compat.patch import Patch, always


def _resume_a_finished_run() -> None:
    from fastreid.engine.defaults import DefaultTrainer

    original = DefaultTrainer.train

    @functools.wraps(original)
    def train(self):
        if self.start_epoch >= self.max_epoch:
            # No epoch will run, but the hooks that follow the last one ask which it was, and train() asks for results.
            self.epoch = self.max_epoch - 1
            self._last_eval_results = self.test(self.cfg, self.model)
        return original(self)

    DefaultTrainer.train = train


PATCH = Patch(
    name="resume-finished",
    breaks="`--resume` of a finished run stops with an AttributeError instead of its results",
    versions="all",
    needed=always,
    apply=_resume_a_finished_run,
)
