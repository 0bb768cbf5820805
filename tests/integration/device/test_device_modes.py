"""The five sync modes of a device, against a gateway double over real gRPC and TLS."""

import hashlib
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from device_agent.app import DeviceAgent, enroll
from device_agent.modes.enrol import EnrolmentWish
from device_agent.storage.home import Home
from device_agent.work.documents import NewVisit
from fieldmesh.basics.errors import Fenced, Rejected, Retry
from fieldmesh.session.transitions import Mode
from fieldmesh.wire.v1 import enrol_pb2, session_pb2
from tests.integration.device.company import identifier
from tests.integration.device.conftest import SETTINGS, enrolled, opened
from tests.integration.device.gateway_double import GatewayDouble

OUTLET = identifier(1001)


async def visit(device: DeviceAgent) -> bytes:
    """A visit was recorded; its id."""
    return await device.record_visit(NewVisit(OUTLET, 1_000, 2_000))


async def rows_of(device: DeviceAgent, statement: str) -> list[tuple[object, ...]]:
    """What a query gives."""
    return list((await device.sql(statement)).rows)


async def test_initialize_brings_the_whole_working_set(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """Without it a new device has nothing to work with."""
    report = await device.sync(Mode.INITIALIZE)
    assert report.outcome == "done"
    assert (await device.tables())["stock"] == 4000
    state = (await device.status()).state
    assert state.device_epoch == 2
    assert state.cursor_lsn == gateway.company.lsn
    assert (await device.verify()).wrong == {}


async def test_fast_takes_up_what_was_made_and_sends_it_once(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """Promise 2: a second sync has nothing to send."""
    await device.sync(Mode.INITIALIZE)
    await visit(device)
    first = await device.sync(Mode.FAST)
    second = await device.sync(Mode.FAST)
    assert (first.batches_sent, first.rows_up) == (1, 1)
    assert second.batches_sent == 0
    assert list(gateway.batches) == [(2, 1)]


async def test_hello_tells_of_the_batches_packed_before_it(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """A gateway that holds less than Hello says would not know a restored image from a healthy device."""
    await device.sync(Mode.INITIALIZE)
    for _ in range(2):
        await visit(device)
        await device.sync(Mode.FAST)
    first, second = gateway.sessions[-2:]
    assert (first.last_sequence, first.last_sha256) == (0, b"")
    header = gateway.batches[2, 1].header
    assert (second.last_sequence, second.last_sha256) == (1, hashlib.sha256(header).digest())
    assert list(gateway.batches) == [(2, 1), (2, 2)]


async def test_a_batch_is_kept_until_its_second_tick(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """Promise 1: one tick is not enough to forget."""
    await device.sync(Mode.INITIALIZE)
    await visit(device)
    await device.sync(Mode.FAST)
    assert (await device.status()).standing.at_gateway_rows == 1
    gateway.apply_at_hub()
    await device.sync(Mode.FAST)
    assert (await device.status()).standing.waiting_batches == 0


async def test_full_brings_changes_removals_and_the_echo(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """Promise 5: after a full sync the device's rows are the gateway's."""
    await device.sync(Mode.INITIALIZE)
    await visit(device)
    await device.sync(Mode.FAST)
    gateway.apply_at_hub()
    gateway.company.put("outlet", OUTLET, 11, code="NEW", name="Shop")
    gateway.company.remove("outlet", identifier(1002))
    report = await device.sync(Mode.FULL)
    assert report.outcome == "done"
    assert not report.repaired
    assert await rows_of(device, "SELECT count(*) FROM outlet") == [(4,)]
    assert await rows_of(device, "SELECT code FROM outlet WHERE code = 'NEW'") == [("NEW",)]
    assert await rows_of(device, "SELECT count(*) FROM visit WHERE lsn > 0") == [(1,)]


async def test_an_unanswered_row_keeps_what_the_person_wrote(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """Promise 4: a device never shows a state older than its own acknowledged writes."""
    visit_id = identifier(77)
    gateway.company.put("visit", visit_id, 11, outlet_id=OUTLET, result_code="old")
    await device.sync(Mode.INITIALIZE)
    await device.sql("UPDATE visit SET result_code = 'mine'")
    gateway.company.put("visit", visit_id, 11, outlet_id=OUTLET, result_code="theirs")
    report = await device.sync(Mode.FULL)
    assert not report.repaired
    assert await rows_of(device, "SELECT result_code FROM visit") == [("mine",)]


async def test_rows_that_came_before_their_second_tick_stay(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """Promise 4: the hub's answer takes nothing away that it has confirmed, not even until a repair."""
    await device.sync(Mode.INITIALIZE)
    await visit(device)
    await device.sync(Mode.FAST)
    gateway.apply_at_hub()
    ticked, gateway.hub_tick = gateway.hub_tick, (0, 0)
    await device.sync(Mode.FULL)
    gateway.hub_tick = ticked
    report = await device.sync(Mode.FULL)
    assert not report.repaired
    assert await rows_of(device, "SELECT count(*) FROM visit WHERE lsn > 0") == [(1,)]


async def test_what_the_hub_decided_otherwise_before_its_second_tick_comes_by_a_repair(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """Promise 5: what a person wrote stands until the hub has answered, then what the hub has."""
    visit_id = identifier(77)
    gateway.company.put("visit", visit_id, 11, outlet_id=OUTLET, result_code="old")
    await device.sync(Mode.INITIALIZE)
    await device.sql("UPDATE visit SET result_code = 'mine'")
    gateway.company.put("visit", visit_id, 11, outlet_id=OUTLET, result_code="theirs")
    await device.sync(Mode.FULL)
    assert await rows_of(device, "SELECT result_code FROM visit") == [("mine",)]
    gateway.hub_tick = max(gateway.batches)
    report = await device.sync(Mode.FULL)
    assert report.repaired
    assert await rows_of(device, "SELECT result_code FROM visit") == [("theirs",)]


async def test_partitions_come_and_go(gateway: GatewayDouble, device: DeviceAgent) -> None:
    """Promise 6: what leaves the subscription leaves the device; what is new comes whole."""
    await device.sync(Mode.INITIALIZE)
    gateway.company.partitions = {11}
    await device.sync(Mode.FULL)
    assert (await device.tables())["stock"] == 0
    gateway.company.partitions = {11, 12}
    report = await device.sync(Mode.FULL)
    assert (await device.tables())["stock"] == 4000
    assert not report.repaired


async def test_a_cut_download_goes_on_at_the_byte(gateway: GatewayDouble, tmp_path: Path) -> None:
    """Hotel Wi-Fi: what came is not asked for again."""
    device = await opened(await enrolled(gateway, tmp_path / "device"))
    async with device:
        device._context.settings = type(device._context.settings)(
            discovery=False, patience_s=3.0, stall_s=5.0, small_download_bytes=0
        )
        gateway.faults.cut_after_chunks = 1
        report = await device.sync(Mode.INITIALIZE)
        assert report.resumed
        assert gateway.sessions[-1].resume_offset == 64 << 10
        assert (await device.tables())["stock"] == 4000
        assert list((device.home.download).glob("*")) == []


async def test_initialize_carries_what_waits_into_the_new_database(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """Promise 1: an initialization destroys nothing that was not yet at head office."""
    await device.sync(Mode.INITIALIZE)
    await visit(device)
    report = await device.sync(Mode.INITIALIZE)
    assert report.batches_sent == 1
    assert await rows_of(device, "SELECT count(*) FROM visit") == [(1,)]
    assert (await device.status()).standing.waiting_batches == 1
    gateway.apply_at_hub()
    await device.sync(Mode.FULL)
    assert await rows_of(device, "SELECT count(*) FROM visit WHERE lsn > 0") == [(1,)]


async def test_a_fenced_device_initializes_and_what_waits_goes_up_renumbered(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """A restored image must not lose its new work, nor repeat old numbers."""
    await device.sync(Mode.INITIALIZE)
    await visit(device)
    gateway.faults.fence = True
    with pytest.raises(Fenced, match="initialized"):
        await device.sync(Mode.FAST)
    gateway.faults.fence = False
    gateway.batches.clear()
    report = await device.sync(Mode.INITIALIZE)
    assert report.outcome == "done"
    assert list(gateway.batches) == [(3, 1)]
    assert (await device.status()).state.must_initialize == 0


async def test_a_spare_takes_over_and_hands_back(gateway: GatewayDouble, tmp_path: Path) -> None:
    """Duplicate and upload: the spare works, hands over, is locked, and cleared at two ticks."""
    gateway.spare, gateway.prefix = True, "S01"
    gateway.stands_in_for = identifier(9)
    device = await opened(await enrolled(gateway, tmp_path / "spare"))
    async with device:
        report = await device.sync(Mode.DUPLICATE)
        assert report.outcome == "done"
        assert sorted(gateway.batches) == [(2, 1)]
        await visit(device)
        report = await device.sync(Mode.UPLOAD)
        assert not report.cleared
        with pytest.raises(Rejected) as caught:
            await visit(device)
        assert caught.value.code == "device_locked"
        gateway.apply_at_hub()
        report = await device.sync(Mode.UPLOAD)
        assert report.cleared
        assert sum((await device.tables()).values()) == 0
        status = await device.status()
        assert not status.locked
        assert status.state.first_device_id == b""
        assert (await device.sync(Mode.DUPLICATE)).outcome == "done"
        told = [
            one.handover_epoch for one in gateway.sessions if one.mode == session_pb2.MODE_DUPLICATE
        ]
        assert told == [0, 2], "a gateway may not have heard of it"
        assert (await device.status()).state.handover_epoch == 0


async def test_a_device_that_is_no_spare_may_not_duplicate(device: DeviceAgent) -> None:
    """Two devices of one position would write at once."""
    with pytest.raises(Rejected) as caught:
        await device.sync(Mode.DUPLICATE)
    assert caught.value.code == "not_a_spare"


async def test_a_wipe_order_of_the_hub_erases_the_device(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """A stolen device tells nothing."""
    await device.sync(Mode.INITIALIZE)
    gateway.faults.wipe_order = wipe_order(gateway, gateway.authority.hub_key)
    with pytest.raises(Fenced) as caught:
        await device.sync(Mode.FAST)
    assert caught.value.code == "device_wiped"
    assert not device.home.is_enrolled
    assert not device.home.data.exists()


async def test_a_wipe_order_of_somebody_else_is_refused(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """A gateway alone cannot erase a device."""
    await device.sync(Mode.INITIALIZE)
    gateway.faults.wipe_order = wipe_order(gateway, ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(Rejected) as caught:
        await device.sync(Mode.FAST)
    assert caught.value.code == "wipe_order_invalid"
    assert device.home.is_enrolled


async def test_a_deferred_download_is_waited_for(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """A gateway that is still being filled serves a moment later."""
    gateway.faults.defer = 2
    report = await device.sync(Mode.INITIALIZE)
    assert report.outcome == "done"
    assert report.sessions == 3


async def test_a_silent_gateway_is_given_up(gateway: GatewayDouble, tmp_path: Path) -> None:
    """A line that stands still does not hang the device."""
    device = await opened(await enrolled(gateway, tmp_path / "device"))
    async with device:
        device._context.settings = type(device._context.settings)(
            discovery=False, patience_s=0.5, stall_s=0.3
        )
        gateway.faults.silent = True
        with pytest.raises(Retry) as caught:
            await device.sync(Mode.FAST)
        assert caught.value.code == "line_stalled"


async def test_an_unreadable_database_is_replaced_only_by_force(
    gateway: GatewayDouble, tmp_path: Path
) -> None:
    """A damaged device works again, and nobody is surprised by what is lost."""
    folder = await enrolled(gateway, tmp_path / "device")
    async with await opened(folder) as device:
        await device.sync(Mode.INITIALIZE)
        await visit(device)
        await device.sync(Mode.FAST)
        path = device.database_path
    path.write_bytes(b"x" * 8192)
    with pytest.raises(Rejected) as caught:
        await opened(folder)
    assert caught.value.code == "database_unreadable"
    async with await DeviceAgent.open(
        folder, "ana", "secret", settings=SETTINGS, begin_anew=True
    ) as device:
        await device.sync(Mode.INITIALIZE, gateway=gateway.address)
        assert (await device.tables())["stock"] == 4000
        assert (await device.status()).state.document_prefix == "K07R2"
        assert list(device.home.rescue.glob("*.damaged"))
    with pytest.raises(Rejected) as caught:
        await DeviceAgent.open(folder, "ana", "secret", settings=SETTINGS, begin_anew=True)
    assert caught.value.code == "initialize_needed"


async def test_a_database_with_one_damaged_page_may_be_replaced_by_force(
    gateway: GatewayDouble, tmp_path: Path
) -> None:
    """It opens, and fails at some row: without force the device would be good for nothing."""
    folder = await enrolled(gateway, tmp_path / "device")
    async with await opened(folder) as device:
        await device.sync(Mode.INITIALIZE)
        path = device.database_path
    with path.open("r+b") as stream:
        stream.seek(path.stat().st_size // 2)
        stream.write(bytes(64))
    async with await DeviceAgent.open(
        folder, "ana", "secret", settings=SETTINGS, begin_anew=True
    ) as device:
        await device.sync(Mode.INITIALIZE, gateway=gateway.address)
        assert (await device.tables())["stock"] == 4000


async def test_what_a_killed_initialize_left_unsealed_in_memory_goes_with_the_next(
    gateway: GatewayDouble, tmp_path: Path
) -> None:
    """Nobody reads there what is sealed on the disk; another device's is left alone."""
    folder = await enrolled(gateway, tmp_path / "device")
    async with await opened(folder) as device:
        mine, other = device.home.scratch, Home(tmp_path / "other").scratch
        left, theirs = (one.folder / f"{one.beginning}killed" for one in (mine, other))
        left.write_bytes(b"rows")
        theirs.write_bytes(b"rows")
        try:
            await device.sync(Mode.INITIALIZE)
            assert not left.exists()
            assert theirs.exists()
        finally:
            other.clear()
    assert not list(mine.folder.glob(f"{mine.beginning}*"))


def wipe_order(gateway: GatewayDouble, key: ec.EllipticCurvePrivateKey) -> bytes:
    """An order to erase the device, signed with the key."""
    order = enrol_pb2.WipeOrder(device_id=gateway.device_id, ordered_at=1, reason="stolen")
    content = order.SerializeToString()
    signature = key.sign(content, ec.ECDSA(SHA256()))
    return enrol_pb2.SignedWipeOrder(order=content, signature=signature).SerializeToString()


async def test_a_login_opens_the_device_however_it_is_typed(
    gateway: GatewayDouble, tmp_path: Path
) -> None:
    """Phones begin a name with a capital letter; at the workplace it is taken, so it is here."""
    verifier = PasswordHasher(memory_cost=64, time_cost=1).hash("secret")
    gateway.people.append(enrol_pb2.SignIn(login="ana", person="Ana", verifier=verifier))
    wish = EnrolmentWish(gateway.code, gateway.enrolment_address, "Ana", "secret")
    await enroll(tmp_path, wish)
    for typed in ("ana", "Ana"):
        agent = await DeviceAgent.open(tmp_path, typed, "secret")
        assert agent.login == "ana"
        await agent.close()
