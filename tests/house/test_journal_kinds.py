"""Whatever the hub writes into its journal, the journal's page says in words."""

import ast
import re
from collections.abc import Iterator

from hub.web.pages.events import KINDS
from tests.house.sources import python_files, tree

WRITERS = {
    "append",
    "head_office_write",
    "acting",
    "writing",
    "_acting",
    "_journal",
    "_new_code",
    "_note",
    "_write",
}
"""Functions that get the kind of an entry; ``append`` and others by its name."""
KIND = re.compile(r"[a-z]+(_[a-z]+)+")


def written() -> Iterator[tuple[str, str]]:
    """Every kind that stands in a call, with its place."""
    for name in python_files():
        if not name.startswith("hub/"):
            continue
        for node in ast.walk(tree(name)):
            if not isinstance(node, ast.Call):
                continue
            called = node.func
            title = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            if title in WRITERS:
                yield from ((kind, f"{name}:{node.lineno}") for kind in kinds_in(node, title))


def kinds_in(call: ast.Call, title: str) -> Iterator[str]:
    """The kinds among the plain arguments of the call."""
    given = [word.value for word in call.keywords if word.arg == "kind"]
    given += [] if title == "append" else call.args
    for part in given:
        if isinstance(part, ast.Constant | ast.IfExp):
            for one in ast.walk(part):
                if isinstance(one, ast.Constant) and KIND.fullmatch(str(one.value)):
                    yield str(one.value)


def test_every_kind_of_entry_has_words() -> None:
    """A kind without words stands in English before Bulgarians, and is no sentence for anybody."""
    found = list(written())
    assert len({kind for kind, _ in found}) > 40
    assert sorted({f"{kind} ({place})" for kind, place in found if kind not in KINDS}) == []
