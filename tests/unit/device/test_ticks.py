"""What the ticks of gateways say about batches that wait."""

import sqlite3
from pathlib import Path

import pytest

from device_agent.storage import outbox, state, ticks
from device_agent.storage.ticks import NOWHERE, Place
from fieldmesh.service.database import connect

HERE, THERE = b"g" * 16, b"h" * 16


def waiting(tmp_path: Path) -> sqlite3.Connection:
    """A device in epoch 2 with five batches of one row each, none of which has a tick."""
    connection = connect(tmp_path / "device.db")
    connection.executescript(f"{state.DDL};{ticks.DDL};{outbox.DDL}")
    known = state.DeviceState(b"d" * 16, b"p" * 16, 0, "K07", device_epoch=2, next_sequence=6)
    state.insert_state(connection, known)
    for sequence in range(1, 6):
        connection.execute(
            "INSERT INTO fm_outbox (device_epoch, sequence, header, body, signature, sha256,"
            " packed_at, rows) VALUES (2, ?, x'', x'', x'', x'', 0, 1)",
            (sequence,),
        )
    return connection


def tell(connection: sqlite3.Connection, gateway_id: bytes, held: Place) -> None:
    """The gateway says what it holds; the hub has nothing."""
    ticks.record_ticks(
        connection, gateway_id, gateway=held, hub=NOWHERE, hub_sha256=b"", hub_proof=b"", now=9
    )


def one_tick(connection: sqlite3.Connection) -> list[int]:
    """Batches that a person sees with one tick."""
    found = connection.execute("SELECT sequence FROM fm_outbox WHERE one_tick_at IS NOT NULL")
    return [sequence for (sequence,) in found]


@pytest.mark.parametrize("elsewhere", [0, 3])
@pytest.mark.parametrize("offers_again", [False, True])
def test_what_a_gateway_has_lost_has_no_tick_any_more(
    tmp_path: Path, elsewhere: int, *, offers_again: bool
) -> None:
    """Promise 1: a person who reads "at gateway" may think that the device can be lost."""
    connection = waiting(tmp_path)
    tell(connection, THERE, Place(2, elsewhere))
    tell(connection, HERE, Place(2, 5))
    assert one_tick(connection) == [1, 2, 3, 4, 5]
    if offers_again:
        ticks.forget_tick(connection, HERE)
    else:
        tell(connection, HERE, Place(2, 0))
    assert one_tick(connection) == [1, 2, 3][:elsewhere]
    connection.close()
