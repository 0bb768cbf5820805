"""The page of CSV formats is true."""

from pathlib import Path

from hub.exchange.csv_kinds import all_kinds

PAGE = Path(__file__).parents[3] / "docs" / "guide" / "csv-files.md"


def test_the_page_tells_every_kind_and_every_column() -> None:
    """Without it people would learn of columns by trying."""
    parts = PAGE.read_text("utf-8").split("\n### ")
    told = {part.split("\n", 1)[0]: part for part in parts[1:]}
    assert list(told) == [kind.name for kind in all_kinds()]
    for kind in all_kinds():
        lines = [line for line in told[kind.name].splitlines() if line.startswith("| `")]
        assert [line.split("`")[1] for line in lines] == list(kind.fields), kind.name
