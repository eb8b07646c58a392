"""Runs on a Ray cluster, the engine that fastreid's own FastTune uses.

Every node needs this package, the data and the sweep's folder under the same paths (a shared file system).
"""

import os
from collections.abc import Mapping
from concurrent.futures import Future

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.lab.experiments.execute import Settings, execute
from fastreid_prune.lab.experiments.run_folder import State
from fastreid_prune.lab.experiments.runs import Run


class RayPool:
    """Hands every run to Ray, which places it where its resources are free, and again where its worker died.

    Args:
        settings: of the sweep.
        address: of the cluster: "auto" for the one of this machine, "local" for a new one in this process.
        resources: of one run: ``cpus`` (1), ``gpus`` (0).

    Raises:
        FastreidPruneError: Ray is not installed, or there is no cluster.
    """

    slots = 10_000  # Ray queues what does not fit

    def __init__(self, settings: Settings, address: str, resources: Mapping[str, float]):
        try:
            import ray
        except ImportError as error:
            raise FastreidPruneError("Ray is not installed: pip install 'fastreid_prune[ray]'.") from error
        self._ray, self._settings = ray, settings
        self.lost: tuple[type[Exception], ...] = (ray.exceptions.RayError,)
        self._task = ray.remote(execute).options(
            max_retries=settings.retries,
            num_cpus=resources.get("cpus", 1),
            num_gpus=resources.get("gpus", 0),
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

    def submit(self, run: Run) -> Future[State]:
        """Hand a run to Ray."""
        future: Future[State] = self._task.remote(run, self._settings).future()
        return future

    def close(self) -> None:
        """Leave the cluster; Ray ends the workers of this sweep, and with them their trainings."""
        self._ray.shutdown()
