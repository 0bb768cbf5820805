"""Tables of figures as Parquet files."""

import csv
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb


def write_parquet(
    target: Path, columns: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]]
) -> None:
    """The file holds the rows.

    Args:
        target: where it is written.
        columns: (name, whether it holds numbers).
        rows: values as text; an empty one is no value.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
        file.flush()
        kinds = ", ".join(
            f"'c{n}': '{'DOUBLE' if number else 'VARCHAR'}'"
            for n, (_, number) in enumerate(columns)
        )
        names = ", ".join(
            f'c{n} AS "{name.replace(chr(34), "")}"' for n, (name, _) in enumerate(columns)
        )
        with duckdb.connect() as connection:
            connection.execute(
                f"COPY (SELECT {names} FROM read_csv('{file.name}', columns = {{{kinds}}}, header = false,"
                " auto_detect = false, delim = ',', quote = '\"', escape = '\"', nullstr = '', parallel = false))"
                f" TO '{target}' (FORMAT parquet)"
            )
