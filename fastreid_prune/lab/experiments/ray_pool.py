"""Runs on a Ray cluster, the engine that fastreid's own FastTune uses.

Every node needs this package, the data and the sweep's folder under the same paths (a shared file system).
"""

from collections.abc import Mapping
from concurrent.futures import Future

from fastreid_prune.io.ray_cluster import connect
from fastreid_prune.lab.experiments.execute import Settings, execute
from fastreid_prune.lab.experiments.run_folder import State
from fastreid_prune.lab.experiments.runs import Run


class RayPool:
    """Hands every run to Ray, which places it where its resources are free, and again where its worker died.

    Args:
        settings: of the sweep.
        address: of the cluster, see :func:`.ray_cluster.connect`.
        resources: of one run: ``cpus`` (1), ``gpus`` (0).

    Raises:
        FastreidPruneError: Ray is not installed, or there is no cluster.
    """

    slots = 10_000  # Ray queues what does not fit

    def __init__(self, settings: Settings, address: str, resources: Mapping[str, float]):
        ray = connect(address)
        self._ray, self._settings = ray, settings
        self.lost: tuple[type[Exception], ...] = (ray.exceptions.RayError,)
        self._task = ray.remote(execute).options(
            max_retries=settings.retries,
            num_cpus=resources.get("cpus", 1),
            num_gpus=resources.get("gpus", 0),
        )

    def submit(self, run: Run) -> Future[State]:
        """Hand a run to Ray."""
        future: Future[State] = self._task.remote(run, self._settings).future()
        return future

    def close(self) -> None:
        """Leave the cluster; Ray ends the workers of this sweep, and with them their trainings."""
        self._ray.shutdown()
