"""Databases that are replaced while they are in use, put back from images, and copied."""

import errno
import shutil
from pathlib import Path

import pytest

from device_agent.app import DeviceAgent, enroll
from device_agent.modes.enrol import EnrolmentWish
from device_agent.storage import swap
from device_agent.storage.home import Home
from device_agent.storage.keyring import Keyring
from device_agent.storage.sealed import new_key
from fieldmesh.basics.errors import Fenced, Rejected
from fieldmesh.session.transitions import Mode
from tests.integration.device.company import identifier
from tests.integration.device.conftest import enrolled, opened
from tests.integration.device.gateway_double import GatewayDouble
from tests.integration.device.test_device_modes import rows_of, visit


@pytest.mark.parametrize("lost", [False, True], ids=["built", "gone"])
async def test_a_swap_that_was_cut_in_a_living_program_loses_nothing(
    gateway: GatewayDouble, device: DeviceAgent, monkeypatch: pytest.MonkeyPatch, *, lost: bool
) -> None:
    """Promise 1: the old database is retired, the new one was not named the live one yet; no process has ended."""
    await device.sync(Mode.INITIALIZE)
    made = await visit(device)

    def fails(_: Home, path: Path) -> None:
        if lost:
            path.unlink()
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patched:
        patched.setattr(Home, "make_current", fails)
        with pytest.raises(OSError, match="no space"):
            await device.sync(Mode.INITIALIZE)
    assert (await device.sync(Mode.FULL)).outcome == "done"
    assert (await rows_of(device, "SELECT id FROM visit")) == [(made,)]
    late = await visit(device)
    await device.close()
    async with await opened(device.home.folder) as again:
        assert (await again.sync(Mode.FAST)).outcome == "done"
        assert {row[0] for row in await rows_of(again, "SELECT id FROM visit")} == {made, late}
    assert len(gateway.batches) >= 2


async def test_half_built_databases_of_killed_syncs_go(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """Else each killed initialize would leave a file of megabytes for ever."""
    for name in ("8.db", "8.db-journal", "9.db"):
        (device.home.data / name).write_bytes(b"x")
    await device.sync(Mode.INITIALIZE, gateway=gateway.address)
    left = {path.name.partition("-")[0] for path in device.home.data.iterdir()}
    assert left == {"CURRENT", device.database_path.name}


async def test_an_open_agent_follows_a_swap_by_another_process(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """A database that was replaced takes no more work; the next sync goes on with the live one."""
    async with await opened(device.home.folder) as other:
        await other.sync(Mode.INITIALIZE)
    with pytest.raises(Rejected) as caught:
        await visit(device)
    assert caught.value.code == "database_replaced"
    await device.sync(Mode.FAST)
    await visit(device)
    assert (await device.sync(Mode.FAST)).rows_up == 1
    assert list(gateway.batches) == [(2, 1)]


async def left_behind(gateway: GatewayDouble, tmp_path: Path) -> tuple[Path, bytes]:
    """The folder of a device of which `image` was taken; the hub has a visit since then, whose id is told."""
    folder = await enrolled(gateway, tmp_path / "device")
    async with await opened(folder) as device:
        await device.sync(Mode.INITIALIZE)
    shutil.copytree(folder, tmp_path / "image")
    async with await opened(folder) as device:
        made = await visit(device)
        await device.sync(Mode.FAST)
        gateway.apply_at_hub()
    return folder, made


async def test_a_restored_image_loses_no_new_work(gateway: GatewayDouble, tmp_path: Path) -> None:
    """Promise 1: the hub has applied other batches under the numbers of what waits here."""
    gateway.prefix = "R5"
    folder, lost = await left_behind(gateway, tmp_path)
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "image", folder)
    async with await opened(folder) as device:
        made = await visit(device)
        gateway.faults.fence, gateway.keep_first = True, True
        with pytest.raises(Fenced):
            await device.sync(Mode.FAST)
        gateway.faults.fence = False
        report = await device.sync(Mode.INITIALIZE)
        assert report.rescue_file
        assert sorted(gateway.batches) == [(2, 1), (3, 1)]
        gateway.apply_at_hub()
        await device.sync(Mode.FULL)
        found = await rows_of(device, "SELECT id FROM visit WHERE lsn > 0")
        assert {row[0] for row in found} == {lost, made}
        assert (await device.status()).state.document_prefix == "R5R3"


async def test_a_full_sync_that_finds_out_about_a_clone_keeps_the_rows_and_says_so(
    gateway: GatewayDouble, tmp_path: Path
) -> None:
    """Promise 1: its gateway fences nobody yet, and the hub's tick is of a batch that the clone sent."""
    _, lost = await left_behind(gateway, tmp_path)
    async with await opened(tmp_path / "image") as device:
        made = await visit(device)
        gateway.keep_first = True
        for _ in range(2):
            with pytest.raises(Fenced) as caught:
                await device.sync(Mode.FULL)
            assert caught.value.code == "initialize_needed"
            assert (made,) in await rows_of(device, "SELECT id FROM visit")
        await device.sync(Mode.INITIALIZE)
        gateway.apply_at_hub()
        await device.sync(Mode.FULL)
        found = await rows_of(device, "SELECT id FROM visit WHERE lsn > 0")
        assert {row[0] for row in found} == {lost, made}


@pytest.mark.parametrize("sent", [(2, 9), (3, 1)], ids=["sequence", "epoch"])
async def test_a_tick_beyond_all_that_was_packed_is_about_a_clone(
    gateway: GatewayDouble, tmp_path: Path, sent: tuple[int, int]
) -> None:
    """Promise 1: the clone's ticks may come past this device's numbers at once, and would free what only it has."""
    await left_behind(gateway, tmp_path)
    async with await opened(tmp_path / "image") as device:
        made = await visit(device)
        gateway.keep_first = True
        gateway.batches[sent] = gateway.batches[2, 1]
        gateway.hub_tick = sent
        with pytest.raises(Fenced) as caught:
            await device.sync(Mode.FAST)
        assert caught.value.code == "initialize_needed"
        assert (await device.status()).standing.waiting_batches == 1
        assert (made,) in await rows_of(device, "SELECT id FROM visit")


async def test_what_an_image_knows_to_be_decided_does_not_lie_over_newer_rows(
    gateway: GatewayDouble, tmp_path: Path
) -> None:
    """Promise 4: head office has answered it, so nothing of it goes up again, and the answer counts."""
    contact, values = identifier(7), {"outlet_id": identifier(1001)}
    gateway.company.put("contact", contact, 11, name="Ana", **values)
    folder = await enrolled(gateway, tmp_path / "device")
    async with await opened(folder) as device:
        await device.sync(Mode.INITIALIZE)
        await device.sql("UPDATE contact SET name = 'Yesterday'")
        await device.sync(Mode.FAST)
        (gateway.hub_tick,) = gateway.batches
        await device.sync(Mode.FAST)
    shutil.copytree(folder, tmp_path / "image")
    async with await opened(folder) as device:
        await visit(device)
        await device.sync(Mode.FAST)
    gateway.company.put("contact", contact, 11, name="Today", **values)
    async with await opened(tmp_path / "image") as device:
        made = await visit(device)
        gateway.faults.fence, gateway.keep_first = True, True
        with pytest.raises(Fenced):
            await device.sync(Mode.FAST)
        gateway.faults.fence = False
        await device.sync(Mode.INITIALIZE)
        assert await rows_of(device, "SELECT name FROM contact") == [("Today",)]
        assert (made,) in await rows_of(device, "SELECT id FROM visit")


async def test_an_initialize_that_finds_out_about_a_clone_on_its_way_loses_no_new_work(
    gateway: GatewayDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 1: the clone's tick reaches the gateway after its Welcome, which knew of nothing."""
    await left_behind(gateway, tmp_path)
    others, gateway.hub_tick = gateway.batches.pop((2, 1)), (0, 0)
    take = gateway._take

    def with_a_tick(requests: object, hello: object) -> object:
        gateway.batches[2, 9], gateway.hub_tick = others, (2, 9)
        return take(requests, hello)

    async with await opened(tmp_path / "image") as device:
        made = await visit(device)
        monkeypatch.setattr(gateway, "_take", with_a_tick)
        await device.sync(Mode.INITIALIZE)
        assert (made,) in await rows_of(device, "SELECT id FROM visit")
        assert (3, 1) in gateway.batches


async def test_who_enrolled_before_a_crash_opens_nothing_and_puts_nothing_aside(
    gateway: GatewayDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 1: their key is of no database, and by force a sound one would be put aside with what waits."""

    def is_cut(*_: object) -> None:
        raise OSError(errno.EIO, "power cut")

    wish = EnrolmentWish(gateway.code, gateway.enrolment_address, "bob", "secret")
    with monkeypatch.context() as patched:
        patched.setattr(Home, "make_current", is_cut)
        with pytest.raises(OSError, match="power cut"):
            await enroll(tmp_path / "device", wish)
    home = Home(await enrolled(gateway, tmp_path / "device"))
    assert Keyring(home).logins() == ["ana"]
    with pytest.raises(Rejected) as caught:
        swap.begin_anew(home, new_key())
    assert caught.value.code == "sealed_file_damaged"
    await (await opened(home.folder)).close()
