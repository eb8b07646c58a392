"""What a check is, and how checks are run."""

import json
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch


class NotChecked(Exception):
    """The check does not apply here; the message says why."""


@dataclass
class Context:
    """What checks share.

    Attributes:
        folder: for data and runs; removed at the end.
        device: "cuda", or "cpu" where there is no GPU.
        small: sizes cut down, to rehearse.
        figures: what a check measured, for the JSON.
    """

    folder: Path
    device: str
    small: bool
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def has_gpu(self) -> bool:
        """Whether the checks run on a GPU."""
        return self.device != "cpu"

    def needs_gpu(self) -> None:
        """Raise ``NotChecked`` where there is none."""
        if not self.has_gpu:
            raise NotChecked("needs a GPU")


@dataclass
class Outcome:
    """One line of the report: ``status`` is "ok", "FAILED" or "not checked"."""

    name: str
    status: str
    said: str
    seconds: float
    figures: dict[str, Any]


CHECKS: dict[str, Callable[[Context], str]] = {}


def check(name: str) -> Callable[[Callable[[Context], str]], Callable[[Context], str]]:
    """Register a check: a function that returns what it saw, and raises what is wrong."""

    def register(function: Callable[[Context], str]) -> Callable[[Context], str]:
        CHECKS[name] = function
        return function

    return register


def run_checks(context: Context, names: list[str], report: Path) -> bool:
    """Run the checks, print a line each, write ``report``; True if none failed."""
    outcomes: list[Outcome] = []
    for name in names:
        began, context.figures = time.perf_counter(), {}
        try:
            status, said = "ok", CHECKS[name](context)
        except NotChecked as reason:
            status, said = "not checked", str(reason)
        except Exception as error:
            status, said = "FAILED", f"{type(error).__name__}: {str(error).strip()[-1500:]}"
            traceback.print_exc()
        finally:
            if context.has_gpu:
                torch.cuda.empty_cache()
        outcomes.append(Outcome(name, status, said, round(time.perf_counter() - began, 1), context.figures))
        print(f"{status:11s} {name} ({outcomes[-1].seconds} s): {said}", flush=True)
        report.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=1, default=str))
    return all(outcome.status != "FAILED" for outcome in outcomes)
