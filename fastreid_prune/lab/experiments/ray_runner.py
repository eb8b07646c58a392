"""Runs on a Ray cluster, the engine that fastreid's own FastTune uses.

Every node needs this package, the data and the sweep's folder under the same paths (a shared file system).
"""

import os
from dataclasses import replace

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.lab.experiments.execute import Settings, execute
from fastreid_prune.lab.experiments.run_folder import FAILED, RunFolder, State
from fastreid_prune.lab.experiments.runs import Run


class RayRunner:
    """Hands every run to Ray, which places it where its resources are free.

    Args:
        settings: of the sweep.
        address: of the cluster: "auto" for the one of this machine, "local" for a new one in this process.
        resources: of one run: ``cpus`` (1), ``gpus`` (0).

    Raises:
        FastreidPruneError: Ray is not installed, or there is no cluster.
    """

    def __init__(self, settings: Settings, address: str = "auto", resources: dict[str, float] | None = None):
        try:
            import ray
        except ImportError as error:
            raise FastreidPruneError("Ray is not installed: pip install 'fastreid_prune[ray]'.") from error
        self._ray, self._settings = ray, settings
        # retries are the sweep's own, which it writes down
        resources = resources or {}
        self._task = ray.remote(_execute).options(
            max_retries=0, num_cpus=resources.get("cpus", 1), num_gpus=resources.get("gpus", 0)
        )
        variables = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
        try:
            ray.init(
                address, log_to_driver=False, runtime_env={"env_vars": variables}, logging_level="warning"
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise FastreidPruneError(
                f"--address {address}: no Ray cluster there ({error!s:.200}). Start one with `ray start --head`, or "
                "give its address."
            ) from error
        # Ray queues what does not fit
        self.slots = 10_000
        self._under_way: dict[object, Run] = {}

    def start(self, run: Run) -> None:
        """Submit a run."""
        # cached digests travel with it
        self._under_way[self._task.remote(run, self._settings)] = run

    def finished(self) -> tuple[Run, State]:
        """Wait for the next run to end. A run whose worker died has failed, and goes on from its checkpoint."""
        (ended, *_), _ = self._ray.wait(list(self._under_way), num_returns=1)
        run = self._under_way.pop(ended)
        try:
            return run, self._ray.get(ended)
        except self._ray.exceptions.RayError as error:
            folder = RunFolder.of(self._settings.folder, run)
            state = folder.state
            what = str(error).strip().splitlines()[0][:200]
            state = replace(
                state, status=FAILED, failures=state.failures + 1, error=f"its Ray worker is gone: {what}"
            )
            with folder.locked():
                folder.write_state(state)
            return run, state

    def close(self, stop: bool) -> None:
        """Leave the cluster; with ``stop``, cancel what is under way."""
        if stop:
            for reference in self._under_way:
                self._ray.cancel(reference, force=True)
        self._ray.shutdown()


def _execute(run: Run, settings: Settings) -> State:
    return execute(run, settings)
