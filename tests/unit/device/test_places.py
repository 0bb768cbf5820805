"""Where batch 1 of a new device epoch says that the device stood before."""

from pathlib import Path

import pytest

from device_agent.storage import state, ticks
from device_agent.storage.ticks import NOWHERE, Place
from fieldmesh.service.database import connect

HERE, THERE = b"g" * 16, b"h" * 16


@pytest.mark.parametrize(
    ("held", "decided", "elsewhere", "named"),
    [
        (Place(18, 9), Place(18, 13), NOWHERE, Place(18, 13)),
        (Place(18, 24), Place(18, 13), NOWHERE, Place(18, 24)),
        (NOWHERE, Place(18, 13), NOWHERE, Place(18, 13)),
        (Place(18, 9), Place(17, 40), NOWHERE, Place(18, 9)),
        (Place(17, 1), Place(16, 1), Place(17, 3), Place(17, 3)),
        (Place(19, 0), Place(18, 1), NOWHERE, Place(18, 1)),
        (NOWHERE, NOWHERE, NOWHERE, NOWHERE),
        (Place(18, 9), NOWHERE, Place(20, 1), Place(18, 9)),
    ],
)
def test_what_somebody_holds_is_waited_for_and_nothing_else(
    tmp_path: Path, held: Place, decided: Place, elsewhere: Place, named: Place
) -> None:
    """Promise 1: what others hold would come too late; what nobody took would be waited for for ever.

    The device itself packed up to (18, 20) and could not send the last of them: a clone had been there.
    """
    connection = connect(tmp_path / "device.db")
    connection.executescript(state.DDL + ";" + ticks.DDL)
    known = state.DeviceState(
        device_id=b"d" * 16,
        position_id=b"p" * 16,
        spare=0,
        document_prefix="K07",
        device_epoch=20,
        previous_epoch=18, previous_sequence=20,
        hub_epoch=decided.device_epoch, hub_sequence=decided.sequence,
    )  # fmt: skip
    state.insert_state(connection, known)
    for gateway, place in ((HERE, Place(19, 7)), (THERE, elsewhere)):
        connection.execute(
            "INSERT INTO fm_tick VALUES (?, ?, ?, 0)",
            (gateway, place.device_epoch, place.sequence),
        )
    ticks.stand_at(connection, HERE, held)
    found = state.read_state(connection)
    connection.close()
    assert Place(found.previous_epoch, found.previous_sequence) == named
