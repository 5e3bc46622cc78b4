"""What a measure found: a table of numbers, its controls among its rows, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        name: what was measured, or which control.
        values: one a column; None where there is no number.
        why: the reason, if there is none at all.
    """

    name: str
    values: tuple[float | None, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Table:
    """One measure.

    Attributes:
        title: what it is.
        note: unit, and over what.
        columns: their names.
        rows: the agent's first, then those of the controls.
        why: the reason, if there are none.
    """

    title: str
    note: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    why: str = ""

    def row(self, name: str) -> Row:
        """The row of that name. Raises KeyError."""
        return {row.name: row for row in self.rows}[name]

    def value(self, row: str, column: str) -> float | None:
        """One number. Raises KeyError, and ValueError for an unknown column."""
        values = self.row(row).values
        return values[self.columns.index(column)] if values else None


def absent(title: str, why: str) -> Table:
    """A measure that cannot be taken, and the reason."""
    return Table(title, why=why)


def show(table: Table, console: Console) -> None:
    """Print a table; what is not there is a dash, with the reason."""
    console.print()
    if table.why:
        console.print(Text.assemble((table.title, "bold"), f"  —  ({table.why})"))
        return
    console.print(Text(table.title, style="bold"))
    console.print(Text(table.note, style="dim"))
    drawn = RichTable(box=None, pad_edge=False, show_edge=False)
    drawn.add_column("")
    for column in table.columns:
        drawn.add_column(column, justify="right")
    for row in table.rows:
        values = row.values or (None,) * len(table.columns)
        drawn.add_row(row.name, *(_text(value) for value in values))
    console.print(drawn)
    for row in table.rows:
        if row.why:
            console.print(Text(f"{row.name}: — ({row.why})"))


def _text(value: float | None) -> str:
    if value is None:
        return "—"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.{3 if abs(value) < 10 else 1 if abs(value) < 1000 else 0}f}"
