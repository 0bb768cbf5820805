"""What is found by words is the same, whichever way it is looked for."""

from pathlib import Path

import pytest

from hub.desk.asking import write_cursor
from hub.storage import search
from tests.kit.workplace import SUPERVISOR, site

MANY = 1_000_000
WORDS = (
    "o",
    "O0001",
    "market",
    "street 1",
    "town 1 o",
    "owner",
    "zanzibar",
    "road station",
    "kiosk o0001",
)


async def test_common_words_find_what_rare_words_find(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a large company a common word would hide outlets, or show another branch's."""
    async with site(tmp_path) as company:
        await company.add("boss", "administrator")
        for login in ("boss", SUPERVISOR):
            async with company.person(login) as person:
                every = await person.ids("outlets")
                shown = 0
                for words in WORDS:
                    found = {}
                    for few in (MANY, 0):
                        monkeypatch.setattr(search, "FEW", few)
                        _, page = await person.json(f"/api/v1/outlets?limit=1&q={words}")
                        found[few] = (page["total"], await person.ids(f"outlets?q={words}"))
                    gathered, gone_through = found.values()
                    assert gathered == gone_through, words
                    assert gathered[0] == len(gathered[1])
                    assert gathered[1] <= every
                    shown += len(gathered[1])
                assert shown > 0


async def test_a_cursor_of_another_list_is_refused(tmp_path: Path) -> None:
    """Its values mean nothing here: a page that begins anywhere would look like an answer."""
    async with site(tmp_path) as company:
        await company.add("boss", "administrator")
        async with company.person("boss") as person:
            for after in ((1,), (b"w",), (b"w", "market"), (b"w", "market", b"0" * 16, 4)):
                for words in ("", "market"):
                    address = f"/api/v1/outlets?q={words}&after={write_cursor(after)}"
                    status, problem = await person.json(address)
                    assert (status, problem["code"]) == (400, "bad_filter"), (after, words)
