"""Rows on their way to DuckDB: lines of a temporary file, in which any text stands as it is."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from fieldmesh.data.types import Value

_NULL = "\\N"


@contextmanager
def written(rows: Iterable[Sequence[Value]]) -> Iterator[str]:
    """The name of a file that holds the rows, as long as the block lasts."""
    with tempfile.NamedTemporaryFile(
        "w", suffix=".csv", encoding="utf-8", newline="", errors="replace"
    ) as file:
        file.writelines(",".join(map(_cell, row)) + "\n" for row in rows)
        file.flush()
        yield file.name


def _cell(value: Value) -> str:
    """Every text is quoted: DuckDB reads a bare carriage return as the end of a line, a bare mark of null as null."""
    if value is None:
        return _NULL
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    return value.hex() if isinstance(value, bytes) else str(value)


def relation(name: str, kinds: Mapping[str, str]) -> str:
    """What a question says for the rows of the file; column → DuckDB's type."""
    columns = ", ".join(f"'{one}': '{kind}'" for one, kind in kinds.items())
    return (
        f"read_csv('{name}', columns = {{{columns}}}, header = false, auto_detect = false, delim = ',',"
        f" quote = '\"', escape = '\"', nullstr = '{_NULL}', allow_quoted_nulls = false, new_line = '\\n',"
        " parallel = false)"
    )
