"""Progress bars with an estimate of the time left, on standard error, for steps that may take minutes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress


@contextmanager
def bar(description: str, total: int, shown: bool = True) -> Iterator[Callable[[int], None]]:
    """Inside the block, what is yielded is told how much more is done of ``total``.

    >>> with bar("counting", 2, shown=False) as advance:
    ...     advance(2)
    """
    console = Console(stderr=True)
    # into a file it would write empty lines
    with Progress(console=console, transient=True, disable=not (shown and console.is_terminal)) as progress:
        task = progress.add_task(description, total=total)
        yield lambda more: progress.update(task, advance=more)
