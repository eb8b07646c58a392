"""How far a training has come: a small file that the training writes and whoever started it reads."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

# the environment variable that asks for the file and names it
PROGRESS = "FASTREID_PRUNE_PROGRESS"


@dataclass(frozen=True)
class TrainingProgress:
    """How far a training has come.

    Attributes:
        iteration, iterations: done, of all.
        epoch, epochs: the one under way, from 1, of all.
        loss: smoothed over the last batches; None before the first.
    """

    iteration: int
    iterations: int
    epoch: int
    epochs: int
    loss: float | None

    def write(self, path: Path) -> None:
        """Write the file whole, so that it can be read at any moment."""
        part = path.with_name(path.name + ".part")
        part.write_text(json.dumps(asdict(self)), encoding="utf-8")
        os.replace(part, path)

    @classmethod
    def read(cls, path: Path) -> "TrainingProgress | None":
        """What the file says; None where there is none yet."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
