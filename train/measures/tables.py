"""The result of a measure: a table of numbers with controls among its rows, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        name: of what was measured, or of the control.
        values: one per column; None where there is no number.
        why: the reason, if there are no numbers.
    """

    name: str
    values: tuple[float | None, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Table:
    """One measure.

    Attributes:
        title: name of the measure.
        note: unit, and what it is computed over.
        columns: names of the columns.
        rows: first the agent's, then the controls'.
        why: the reason, if there are no rows.
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
    """The table of a measure that cannot be computed, with the reason."""
    return Table(title, why=why)


def show(table: Table, console: Console) -> None:
    """Print a table. A missing number is a dash; the reasons for missing rows follow below the table."""
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
