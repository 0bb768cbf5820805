"""A file that can't be loaded as a whole is refused before a line of it is, with file, line and column."""

from pathlib import Path

import pytest

from fieldmesh.basics.errors import Rejected
from hub.exchange.csv_kinds import kind_named
from hub.exchange.csv_reading import check_file


@pytest.mark.parametrize(
    ("content", "place", "word"),
    [
        (b"code,name\nA,ok\nB,Ad\xe9\n", "org_unit.csv:3:name", "UTF-8"),
        (b"code;name\nB\xff;x\n", "org_unit.csv:2:code", "UTF-8"),
        (b"\xff\xfec\x00o\x00d\x00e\x00", "org_unit.csv:1:-", "UTF-8"),
        (b'code,name\n"A,x",ok\nB,"un"closed\nC,ok\n', "org_unit.csv:3:name", "quote"),
        (b'code,name\nA,ok\nB,"never closed\nC,ok\n', "org_unit.csv:3:name", "quote"),
        (b'code,name\n"A\nB",ok\n"C"x,ok\n', "org_unit.csv:4:code", "quote"),
        (b"name\nok\n", "org_unit.csv:1:code", "missing"),
        (b"code,nameless\nA,ok\n", "org_unit.csv:1:nameless", "Did you mean name?"),
        (b"code,name,Code\nA,ok,B\n", "org_unit.csv:1:code", "twice"),
        (b"", "org_unit.csv:1", "empty"),
        (b"code,name\nA," + b"x" * 2_000_000 + b"\n", "org_unit.csv:2:name", "too long"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_with_its_place(
    tmp_path: Path, content: bytes, place: str, word: str
) -> None:
    """Without it the first ten thousand lines would be loaded before the bad one is met."""
    path = tmp_path / "org_unit.csv"
    path.write_bytes(content)
    with pytest.raises(Rejected) as refused:
        check_file(kind_named("org_unit"), path)
    assert (refused.value.code, refused.value.place) == ("csv_invalid", place)
    assert word in str(refused.value)


def test_a_good_file_passes_with_every_kind_of_quote_and_line_end(tmp_path: Path) -> None:
    """A check that is stricter than the loading would refuse files that were loaded for years."""
    path = tmp_path / "org_unit.csv"
    path.write_bytes('\ufeff"code",name\r\nA,"two\r\nlines"\r\n"B","a ""word"""\r\n\r\n'.encode())
    check_file(kind_named("org_unit"), path)
    with pytest.raises(Rejected) as refused:
        check_file(kind_named("org_unit"), tmp_path / "missing.csv")
    assert refused.value.code == "file_unreadable"
