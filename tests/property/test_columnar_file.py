"""Every row that the database holds stands in the columnar copy as it is, whatever its texts are made of."""

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fieldmesh.data.types import Value, WireType
from hub.storage.columnar.file import ColumnarFile, append, replace
from hub.storage.columnar.shape import copied_columns

TABLE = "outlet"
COLUMNS = copied_columns(TABLE)
SIGNS = st.sampled_from(("\r", "\n", '"', "\\N", "\\", "\0", ",", " ", "\x1a", "\x85", "\ufeff"))
TEXTS = st.lists(SIGNS | st.characters(exclude_categories=["Cs"]), max_size=4).map("".join)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ColumnarFile]:
    """An empty copy."""
    found = ColumnarFile(
        tmp_path_factory.mktemp("copy") / "copy.duckdb", memory_bytes=64 << 20, threads=1
    )
    found.create()
    yield found
    found.close()


def row(place: int, texts: list[str | None]) -> tuple[Value, ...]:
    """An outlet whose columns of text hold the texts in turn."""
    found: list[Value] = []
    for number, column in enumerate(COLUMNS):
        if column.name == "id":
            found.append(place.to_bytes(16))
        elif column.name == "deleted":
            found.append(0)
        elif column.kind.wire is WireType.TEXT:
            found.append(texts[number % len(texts)])
        else:
            found.append(None)
    return tuple(found)


@settings(max_examples=60, deadline=None)
@given(
    given_texts=st.lists(
        st.lists(st.none() | TEXTS, min_size=1, max_size=4), min_size=1, max_size=8
    )
)
@example(given_texts=[["a\rb"], ["x\r", None], ["\r"], ["\\N", ""], ["a\r\nb", "\n"]])
def test_texts_stand_in_the_copy_as_they_are(
    file: ColumnarFile, given_texts: list[list[str | None]]
) -> None:
    """One carriage return in one comment would end every report of everybody, for good."""
    rows = [row(place, texts) for place, texts in enumerate(given_texts)]
    with file.transaction() as cursor:
        cursor.execute(f"DELETE FROM {TABLE}")
    for put in (append, replace):
        with file.transaction() as cursor:
            put(cursor, TABLE, rows)
        assert stored(file) == rows


def stored(file: ColumnarFile) -> list[tuple[Value, ...]]:
    """What the copy holds, by id."""
    cursor = file.cursor()
    found = cursor.execute(f"SELECT * FROM {TABLE} ORDER BY id").fetchall()
    cursor.close()
    return [(one[0].bytes, *one[1:]) for one in found]
