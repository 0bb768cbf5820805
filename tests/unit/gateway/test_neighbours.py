"""Where a device may sync, as its gateway tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from fieldmesh.codec.columns import from_rows
from fieldmesh.data.schema import TABLES
from fieldmesh.service.database import Database
from gateway.serving.neighbours import Neighbours
from gateway.storage import cache
from gateway.storage.database import prepare
from gateway.storage.signals import Signals

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator
    from pathlib import Path

OFFICE, OTHER_OFFICE = b"o" * 16, b"p" * 16
PLACES: Final = {
    "GW1": (OFFICE, "active"),
    "GW2": (OFFICE, "active"),
    "GW3": (OTHER_OFFICE, "active"),
    "GW4": (OTHER_OFFICE, "active"),
    "GW5": (OTHER_OFFICE, "revoked"),
    **{f"GW{number}": (bytes([number]) * 16, "active") for number in range(6, 30)},
}
IDS: Final = {code: code.encode().ljust(16) for code in PLACES}


@pytest.fixture
async def neighbours(tmp_path: Path) -> AsyncIterator[Neighbours]:
    """Of gateway GW1, which knows the company's gateways."""
    known = TABLES["gateway"]
    rows = [
        {"id": IDS[code], "lsn": 1, "code": code, "name": code, "org_unit_id": office, "status": status,
         "addresses": f"{code}.example:7443"}
        for code, (office, status) in PLACES.items()
    ]  # fmt: skip
    made = from_rows(
        "gateway",
        known.wire_names,
        [[row.get(name, known.column(name).neutral) for name in known.wire_names] for row in rows],  # type: ignore[misc]
    )

    def fill(connection: sqlite3.Connection) -> None:
        prepare(connection, IDS["GW1"], 1)
        cache.apply_rows(connection, made.with_column("row_hash", [0] * len(rows)))

    database = Database(tmp_path / "gateway.db")
    await database.write(fill)
    told = Neighbours(database, Signals(), IDS["GW1"])
    await told.refresh()
    yield told
    await database.close()


@pytest.mark.parametrize(
    ("home", "expected"),
    [
        ("GW1", ["GW1", "GW2"]),
        ("GW2", ["GW1", "GW2"]),
        ("GW3", ["GW1", "GW3", "GW2", "GW4"]),
        ("GW5", ["GW1", "GW2"]),
        (None, ["GW1", "GW2"]),
    ],
)
def test_a_guest_is_told_its_way_home(
    neighbours: Neighbours, home: str | None, expected: list[str]
) -> None:
    """The nearest first: where it is, where it belongs, what stands beside either; nobody who is revoked."""
    told = neighbours(IDS[home] if home else None)
    assert [one.name for one in told] == expected
    assert told[0].addresses == ["GW1.example:7443"]
