"""Where batch 1 of a new device epoch says that the device stood before."""

from pathlib import Path

import pytest

from device_agent.storage import state, ticks
from device_agent.storage.ticks import Place
from fieldmesh.service.database import connect


@pytest.mark.parametrize(
    ("held", "decided", "named"),
    [(9, (18, 13), 13), (24, (18, 13), 24), (0, (18, 13), 13), (9, (17, 40), 9), (0, (0, 0), 20)],
)
def test_what_head_office_has_decided_is_waited_for(
    tmp_path: Path, held: int, decided: tuple[int, int], named: int
) -> None:
    """Promise 1: a restored head office must get it from other gateways first; it would come too late."""
    connection = connect(tmp_path / "device.db")
    connection.execute(state.DDL)
    known = state.DeviceState(
        device_id=b"d" * 16,
        position_id=b"p" * 16,
        spare=0,
        document_prefix="K07",
        device_epoch=20,
        previous_epoch=18, previous_sequence=20, hub_epoch=decided[0], hub_sequence=decided[1],
    )  # fmt: skip
    state.insert_state(connection, known)
    ticks.stand_at(connection, Place(18, held))
    found = state.read_state(connection)
    connection.close()
    assert (found.previous_epoch, found.previous_sequence) == (18, named)
