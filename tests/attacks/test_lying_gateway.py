"""A gateway that lies to a device: what the device believes, what it keeps, and how it gets away."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from device_agent.app import DeviceAgent
from device_agent.link.wipe_order import check_wipe_order
from device_agent.work.documents import NewVisit
from fieldmesh.basics.errors import Fenced, FieldmeshError, Rejected, Retry
from fieldmesh.basics.limits import EPOCHS_AHEAD
from fieldmesh.codec.hub_tick import HubTick, read_tick, sign_tick
from fieldmesh.codec.signature import sign
from fieldmesh.service import tls
from fieldmesh.session.transitions import Mode
from fieldmesh.wire.v1 import batch_pb2, enrol_pb2, session_pb2
from tests.attacks.lying_gateway import LyingGateway, ticks_of
from tests.integration.device.company import identifier

FAR = (99, 1_000_000)
OUTLET = identifier(1001)


async def work(device: DeviceAgent, liar: LyingGateway) -> None:
    """A visit was recorded and handed to the gateway, which keeps it from head office."""
    await device.record_visit(NewVisit(OUTLET, 1_000, 2_000))
    await sync(device, liar)


async def sync(device: DeviceAgent, at: LyingGateway, mode: Mode = Mode.FAST) -> str:
    """How a session there went: done, or the problem."""
    try:
        return (await device.sync(mode, gateway=at.address)).outcome
    except FieldmeshError as error:
        return error.code


async def waiting(device: DeviceAgent) -> int:
    """How many batches the device keeps because head office may not have them."""
    return (await device.status()).standing.waiting_batches


def saying(**claims: object) -> Callable[[session_pb2.GatewayMessage], None]:
    """Every message's ticks claim this."""

    def lie(message: session_pb2.GatewayMessage) -> None:
        ticks = ticks_of(message)
        if ticks is not None:
            ticks.MergeFrom(session_pb2.Ticks(**claims))  # type: ignore[arg-type]

    return lie


def proof(liar: LyingGateway, key: ec.EllipticCurvePrivateKey, **other: object) -> bytes:
    """A signed tick far above everything, with some of it changed."""
    values = {
        "device_id": liar.device_id, "device_epoch": FAR[0], "sequence": FAR[1], "sha256": bytes(32),
    }  # fmt: skip
    tick = HubTick(**{**values, **other})  # type: ignore[arg-type]
    return sign_tick(tick, lambda content: sign(key, content))


@pytest.mark.parametrize("mode", [Mode.FAST, Mode.FULL, Mode.INITIALIZE])
async def test_an_invented_second_tick_makes_a_device_forget_nothing(
    liar: LyingGateway, honest: LyingGateway, device: DeviceAgent, mode: Mode
) -> None:
    """Promise 1: a distributor's gateway that throws orders away must not be able to hide it."""
    liar.lie = saying(hub_epoch=FAR[0], hub_sequence=FAR[1])
    await work(device, liar)
    assert await sync(device, liar, mode) == "done"
    assert await waiting(device) == 1
    assert await sync(device, honest) == "done"
    assert list(honest.batches) == [(2, 1)]


@pytest.mark.parametrize(
    ("name", "other"),
    [("its own key", {}), ("another device", {"device_id": b"x" * 16})],
)
async def test_a_second_tick_that_the_hub_has_not_signed_for_this_device_is_refused(
    liar: LyingGateway, device: DeviceAgent, name: str, other: dict[str, object]
) -> None:
    """Promise 1: whoever has signed something for somebody has not signed this for this device."""
    await work(device, liar)
    key = liar.authority.hub_key if other else ec.generate_private_key(ec.SECP256R1())
    liar.lie = saying(hub_proof=proof(liar, key, **other))
    with pytest.raises((Retry, Rejected)) as caught:
        await device.sync(Mode.FAST, gateway=liar.address)
    assert caught.value.code == "hub_tick_invalid", name
    assert await waiting(device) == 1


async def test_an_old_second_tick_shown_again_changes_nothing(
    liar: LyingGateway, device: DeviceAgent
) -> None:
    """Promise 1: a true word of the hub is true for what it names, and no more."""
    await work(device, liar)
    liar.apply_at_hub()
    old = liar.proof()
    assert await sync(device, liar) == "done"
    assert await waiting(device) == 0
    await work(device, liar)
    liar.lie = saying(hub_proof=old, hub_epoch=FAR[0], hub_sequence=FAR[1])
    assert await sync(device, liar) == "done"
    assert await waiting(device) == 1


async def test_a_tick_of_a_clone_says_nothing_of_this_device(
    liar: LyingGateway, device: DeviceAgent
) -> None:
    """Promise 1: the hub's word names the batch, so another one under the same number does not count.

    Nor does, until the device has initialized, a true word on a batch that follows: it would pass over the own one.
    """
    await work(device, liar)
    tick = {"device_epoch": 2, "sequence": 1, "sha256": b"other" * 6 + b"ab"}
    liar.lie = saying(hub_proof=proof(liar, liar.authority.hub_key, **tick))
    assert await sync(device, liar) == "initialize_needed"
    assert await waiting(device) == 1
    liar.lie = saying()
    await work(device, liar)
    liar.apply_at_hub()
    assert await sync(device, liar) == "initialize_needed", "each time, until it is done"
    assert await waiting(device) == 2


async def test_a_tick_is_no_wipe_order_and_a_wipe_order_is_no_tick(liar: LyingGateway) -> None:
    """Both are signed with the hub's key; one must never be taken for the other."""
    key = liar.authority.hub_key
    public = tls.public_key_der(key)
    signed = batch_pb2.SignedHubTick.FromString(proof(liar, key))
    order = enrol_pb2.WipeOrder(device_id=liar.device_id, ordered_at=1).SerializeToString()
    for content in (signed.tick, b"fieldmesh hub tick\0" + signed.tick):
        made = enrol_pb2.SignedWipeOrder(order=content, signature=signed.signature)
        with pytest.raises(Rejected) as caught:
            check_wipe_order(made.SerializeToString(), hub_key=public, device_id=liar.device_id)
        assert caught.value.code == "wipe_order_invalid"
    told = batch_pb2.SignedHubTick(tick=order, signature=sign(key, order))
    with pytest.raises(Rejected) as refused:
        read_tick(told.SerializeToString(), hub_key=public, device_id=liar.device_id)
    assert refused.value.code == "hub_tick_invalid"


async def test_an_invented_first_tick_is_true_for_that_gateway_only(
    liar: LyingGateway, honest: LyingGateway, device: DeviceAgent
) -> None:
    """Promise 1: every gateway that is met is offered what has no second tick."""
    liar.lie = saying(gateway_epoch=FAR[0], gateway_sequence=FAR[1])
    await work(device, liar)
    assert await sync(device, honest) == "done"
    assert list(honest.batches) == [(2, 1)]


async def test_a_gateway_that_says_the_image_is_old_makes_nothing_be_forgotten(
    liar: LyingGateway, honest: LyingGateway, device: DeviceAgent
) -> None:
    """Promise 1: rows that a gateway shows as confirmed are no proof that head office has the batch."""
    await work(device, liar)
    rows = (await device.sql("SELECT id FROM visit")).rows
    liar.company.put("visit", rows[0][0], 11, outlet_id=OUTLET)  # type: ignore[arg-type]

    def lie(message: session_pb2.GatewayMessage) -> None:
        if message.WhichOneof("message") == "welcome":
            message.welcome.next_sequence = 50

    liar.lie = lie
    await sync(device, liar, Mode.INITIALIZE)
    assert await waiting(device) == 1
    assert await sync(device, honest) == "done"
    assert list(honest.batches) == [(3, 1)]


@pytest.mark.parametrize("granted", [1, 2, 3 + EPOCHS_AHEAD, 2**32 - 1])
async def test_an_epoch_that_goes_back_or_far_ahead_is_refused(
    liar: LyingGateway, honest: LyingGateway, device: DeviceAgent, granted: int
) -> None:
    """Promise 3: a gateway can neither make numbers come twice nor use up all epochs of a device."""

    def lie(message: session_pb2.GatewayMessage) -> None:
        if message.WhichOneof("message") == "welcome":
            message.welcome.granted_epoch = granted

    liar.lie = lie
    assert await sync(device, liar, Mode.INITIALIZE) == "bad_message"
    assert (await device.status()).state.device_epoch == 2
    assert await sync(device, honest, Mode.INITIALIZE) == "done"


async def test_an_invented_future_is_healed_by_initialize_at_another_gateway(
    liar: LyingGateway, honest: LyingGateway, device: DeviceAgent
) -> None:
    """Promise 4: after a gateway has driven the cursor up, the others say so, and one command mends it."""
    await work(device, liar)

    def lie(message: session_pb2.GatewayMessage) -> None:
        if message.WhichOneof("message") == "download_start":
            message.download_start.mark_lsn = 1 << 61

    liar.lie = lie
    assert await sync(device, liar, Mode.FULL) == "done"
    assert await sync(device, honest, Mode.FULL) == "gateway_behind"
    assert list(honest.batches) == [(2, 1)]
    assert await sync(device, honest, Mode.INITIALIZE) == "done"
    assert await sync(device, honest, Mode.FULL) == "done"
    assert await waiting(device) == 1


async def test_an_old_state_is_not_applied_over_a_newer_one(
    liar: LyingGateway, honest: LyingGateway, device: DeviceAgent
) -> None:
    """Promise 4: a gateway that shows yesterday again is behind, and the device says so."""
    for number in range(3):
        honest.company.put(
            "outlet", identifier(1000 + number), 11, code=f"NEW{number}", name="Shop"
        )
    assert await sync(device, honest, Mode.FULL) == "done"
    assert await sync(device, liar, Mode.FULL) == "gateway_behind"
    codes = (await device.sql("SELECT count(*) FROM outlet WHERE code LIKE 'NEW%'")).rows
    assert codes == [(3,)]


async def test_a_gateway_can_fence_and_refuse_but_erase_nothing(
    liar: LyingGateway, honest: LyingGateway, device: DeviceAgent
) -> None:
    """Promise 1: the worst of a gateway's words costs an initialize at another one."""
    await work(device, liar)
    liar.faults.wipe_order = b"\xff\xff no order at all"
    assert await sync(device, liar) == "wipe_order_invalid"
    liar.faults.wipe_order = b""
    liar.faults.fence = True
    with pytest.raises(Fenced):
        await device.sync(Mode.FAST, gateway=liar.address)
    assert await waiting(device) == 1
    assert await sync(device, honest, Mode.INITIALIZE) == "done"
    assert await sync(device, honest) == "done"
    assert len(honest.batches) == 1


SCHEMES = (
    "CREATE VIEW message AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS id FROM n",
    "CREATE TRIGGER evil AFTER INSERT ON fm_digest BEGIN SELECT 1; END",
    "CREATE VIRTUAL TABLE evil USING fts5(a)",
)


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_snapshot_that_would_do_something_when_read_is_refused(
    liar: LyingGateway, device: DeviceAgent, tmp_path: Path, scheme: str
) -> None:
    """Promise 4: a snapshot is rows; a file with anything else never becomes the database."""

    def with_scheme(content: bytes) -> bytes:
        path = tmp_path / "evil.db"
        path.write_bytes(content)
        connection = sqlite3.connect(path)  # noqa: TID251 - a file that no good program makes
        connection.execute("DROP TABLE message")
        connection.execute(scheme)
        connection.commit()
        connection.close()
        return path.read_bytes()

    liar.content = with_scheme
    before = device.database_path
    assert await sync(device, liar, Mode.INITIALIZE) == "bad_download"
    assert device.database_path == before


async def test_a_snapshot_of_garbage_or_of_another_size_is_refused(
    liar: LyingGateway, device: DeviceAgent
) -> None:
    """Promise 4: the device goes on with the database that it has."""
    before = device.database_path
    for content in (b"", b"no database", b"SQLite format 3\0" + bytes(5_000)):
        liar.content = lambda _plain, content=content: content  # type: ignore[misc]
        assert await sync(device, liar, Mode.INITIALIZE) in {"bad_download", "download_damaged"}
    liar.content = bytes
    for size in (1, (1 << 31) + 1, (1 << 64) - 1):
        liar.lie = saying_size(size)
        assert await sync(device, liar, Mode.INITIALIZE) == "download_too_large"
    assert device.database_path == before


def saying_size(size: int) -> Callable[[session_pb2.GatewayMessage], None]:
    """The snapshot is announced as unpacking to that many bytes."""

    def lie(message: session_pb2.GatewayMessage) -> None:
        if message.WhichOneof("message") == "download_start":
            message.download_start.uncompressed_size = size

    return lie
