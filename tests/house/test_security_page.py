"""docs/security.md promises nothing that no test holds."""

import ast
import re

from tests.house.sources import ROOT, text

PAGE = "docs/security.md"
REFERENCE = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
ROW = re.compile(r"^\| (?!who |---|cannot |it cannot |the thief \|)(.+) \|$", re.MULTILINE)
_FIRST_TABLE_ENDS = "## An eavesdropper"


def _names(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def test_every_test_that_the_page_names_is_there() -> None:
    """A sentence whose test was renamed is held by nothing."""
    named = REFERENCE.findall(text(PAGE))
    assert len(named) > 40
    assert [f"{path}::{name}" for path, name in named if name not in _names(path)] == []


def test_every_sentence_of_the_tables_names_a_test() -> None:
    """What nobody tries to break is a hope, not a promise."""
    tables = text(PAGE).split(_FIRST_TABLE_ENDS, 1)[1]
    rows = [row for row in ROW.findall(tables) if not row.startswith("---")]
    assert len(rows) > 30
    assert [row for row in rows if not REFERENCE.search(row)] == []
