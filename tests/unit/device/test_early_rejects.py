"""A reject comes with a tick, before the delta that holds it."""

from pathlib import Path

from device_agent.storage import schema
from device_agent.storage.database import connect
from device_agent.storage.digests import differing
from device_agent.storage.state import DeviceState
from fieldmesh.data.schema import TABLES
from fieldmesh.replica.digest import Digest

KEY, DEVICE = bytes(32), b"d" * 16


def test_a_reject_that_came_before_its_delta_is_no_difference(tmp_path: Path) -> None:
    """A roaming device hears of it from one gateway, and syncs with another that has not heard: it stays in sight."""
    path = tmp_path / "device.db"
    schema.create_database(path, KEY, DeviceState(DEVICE, DEVICE, 1, "X"), lambda _: None)
    connection = connect(path, KEY)
    values = {column.name: column.neutral for column in TABLES["reject"].wire_columns}
    values |= {"id": bytes(15) + b"1", "partition": 7, "lsn": 900, "row_hash": 5}
    connection.execute("UPDATE fm_state SET applying = 1")
    marks = ", ".join("?" * len(values))
    connection.execute(
        f"INSERT INTO reject ({', '.join(values)}) VALUES ({marks})", tuple(values.values())
    )
    told = Digest(7, 1, 5, 0)
    assert differing(connection, [], {7}, 899) == []
    assert differing(connection, [told], {7}, 899) == []
    assert differing(connection, [told], {7}, 900) == []
    assert differing(connection, [], {7}, 900)[0] == told
    connection.close()
