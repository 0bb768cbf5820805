"""A disk that takes no more while a download comes."""

import dataclasses
import errno

import pytest
from sqlcipher3 import dbapi2 as sqlcipher

from device_agent.app import DeviceAgent
from device_agent.storage import parts, snapshot
from fieldmesh.basics.errors import Retry
from fieldmesh.session.transitions import Mode
from tests.integration.device.conftest import SETTINGS
from tests.integration.device.test_device_modes import rows_of


async def test_a_disk_that_is_full_while_a_snapshot_is_built_is_named_and_relieved(
    device: DeviceAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person who reads that the download is bad would look in the wrong place; half a database would stay."""
    device._context.settings = dataclasses.replace(SETTINGS, patience_s=0.1)

    def fails(_: object) -> None:
        raise sqlcipher.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(snapshot, "_copy_tables", fails)
        with pytest.raises(Retry) as caught:
            await device.sync(Mode.INITIALIZE)
    assert caught.value.code == "disk_full"
    left = {path.name.partition("-")[0] for path in device.home.data.iterdir()}
    assert left == {"CURRENT", device.database_path.name}
    assert (await device.sync(Mode.INITIALIZE)).outcome == "done"


async def test_a_disk_that_takes_no_piece_is_told_and_stands_in_the_journal(
    device: DeviceAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception that nobody knows would end the program that calls sync."""
    device._context.settings = dataclasses.replace(SETTINGS, patience_s=0.1, small_download_bytes=0)

    def fails(_key: bytes, _piece: bytes, place: str) -> bytes:
        raise OSError(errno.ENOSPC, f"no space for {place}")

    with monkeypatch.context() as patched:
        patched.setattr(parts, "_record", fails)
        with pytest.raises(Retry) as caught:
            await device.sync(Mode.INITIALIZE)
    assert caught.value.code == "disk_full"
    assert await rows_of(device, "SELECT DISTINCT outcome FROM fm_session") == [("cut",)]
    assert (await device.sync(Mode.INITIALIZE)).outcome == "done"
