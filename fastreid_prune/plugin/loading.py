"""What the data loaders of fastreid are told from outside: on which device batches go, and how many workers serve."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

# A context: fastreid's loader has no argument for the device.
_device: ContextVar[str] = ContextVar("device of the loader that is being made", default="cuda")


@contextlib.contextmanager
def loading_for(device: str) -> Iterator[None]:
    """Data loaders made inside the block put their batches on ``device`` (as in ``MODEL.DEVICE``)."""
    token = _device.set(device)
    try:
        yield
    finally:
        _device.reset(token)


def loading_device() -> str:
    """The device of the loader that is being made: that of the innermost :func:`loading_for`."""
    return _device.get()
