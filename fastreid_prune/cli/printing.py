"""The short table that a command closes with."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table


def print_table(title: str, rows: Iterable[tuple], header: tuple[str, ...] = ()) -> None:
    """Print rows; the first column is text, the others are numbers set to the right."""
    rows = [tuple(str(value) for value in row) for row in rows]
    width = max((len(row) for row in rows), default=len(header))
    table = Table(show_header=bool(header))
    for place in range(width):
        table.add_column(header[place] if place < len(header) else "", justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
    console = Console()
    console.print(title, soft_wrap=True, highlight=False)
    console.print(table)
