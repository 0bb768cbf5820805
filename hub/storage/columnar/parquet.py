"""Tables of figures as Parquet files."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from hub.storage.columnar.lines import relation, written


def write_parquet(
    target: Path, columns: Sequence[tuple[str, int | None]], rows: Iterable[Sequence[str]]
) -> None:
    """The file holds the rows.

    Args:
        target: where it is written.
        columns: (name, digits after the point of its numbers; None = it holds texts).
        rows: values as text; an empty one is no value.
    """
    kinds = {
        f"c{n}": "VARCHAR" if digits is None else f"DECIMAL(38, {digits})"
        for n, (_, digits) in enumerate(columns)
    }
    names = ", ".join(
        f'c{n} AS "{name.replace(chr(34), "")}"' for n, (name, _) in enumerate(columns)
    )
    with (
        written([text or None for text in row] for row in rows) as name,
        duckdb.connect() as connection,
    ):
        connection.execute(
            f"COPY (SELECT {names} FROM {relation(name, kinds)}) TO '{target}' (FORMAT parquet)"
        )
