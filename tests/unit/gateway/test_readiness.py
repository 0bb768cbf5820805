"""When a device gets a download, and when it has to wait."""

from pathlib import Path

import pytest

from fieldmesh.basics.epochs import make_lsn
from fieldmesh.basics.errors import Retry
from fieldmesh.service.database import connect
from gateway.serving.readiness import check_ahead
from gateway.storage import cursors
from gateway.storage.database import prepare

KEPT, LOST, LOST_TWICE = 60, 75, make_lsn(2, 9)
EPOCHS = [cursors.EpochStart(1, 0), cursors.EpochStart(2, KEPT), cursors.EpochStart(3, KEPT + 5)]


@pytest.mark.parametrize("cursor", [KEPT, LOST, LOST_TWICE])
def test_a_device_from_a_lost_future_waits_for_what_it_had_before(
    tmp_path: Path, cursor: int
) -> None:
    """Promise 5: of head office's state nothing is lost up to the backup; a gateway behind that shows less."""
    connection = connect(tmp_path / "gateway.db")
    connection.execute("BEGIN")
    prepare(connection, b"g" * 16, 1_000)
    cursors.learn_epochs(connection, EPOCHS)
    connection.execute("UPDATE fm_state SET mark_lsn = ?", (KEPT - 1,))
    with pytest.raises(Retry) as caught:
        check_ahead(connection, cursor)
    assert caught.value.code == "gateway_behind"
    connection.execute("UPDATE fm_state SET mark_lsn = ?", (KEPT,))
    check_ahead(connection, cursor)
    connection.close()
