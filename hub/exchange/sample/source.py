"""What a sample company gives: rows by table, parents before children, and the day's work of its reps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from fieldmesh.codec.columns import TableRows, from_rows
from fieldmesh.data.types import Value


@dataclass(frozen=True, slots=True)
class WorkLine:
    """One product of an order that a rep is to take. `quantity` in pieces, scaled by 10^3."""

    product: str
    unit: str
    quantity: int


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """One order of the day that devices replay."""

    position: str
    outlet: str
    lines: tuple[WorkLine, ...]
    is_return: bool = False


class CompanySource(Protocol):
    """A company."""

    def tables(self) -> Iterator[TableRows]:
        """Rows, parents before children; a table may come in many pieces."""

    def work(self) -> Iterator[WorkOrder]:
        """The day's orders, by position."""


def rows_of(
    table: str, names: Sequence[str], rows: Sequence[tuple[Value, ...]], size: int = 20_000
) -> Iterator[TableRows]:
    """The rows in pieces of at most ``size``."""
    for start in range(0, len(rows), size):
        yield from_rows(table, tuple(names), rows[start : start + size])
