"""Lines that break at the worst byte: half an upload, an answer that never comes, half a snapshot."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.demo.network import Device, Gateway
from deploy.demo.processes import TRY_AGAIN, CommandFailedError
from tests.kit.line import FailingLine, Way
from tests.kit.network import (
    all_agree,
    eventually,
    orders_at_hub,
    patiently,
    small_network,
    two_ticks,
)

pytestmark = pytest.mark.chosen

LINES = 9
ORDERS = 5
LARGE = ("--offices", "2", "--reps", "2", "--outlets", "5", "--products", "3000")
"""A company whose snapshot has many pieces."""
PIECE = 256 * 1024
"""Bytes that the gateway sends at once; what comes of half a piece is sent again."""
SNAPSHOT_CUT_AT = 2 * PIECE + 100_000
"""Bytes: two pieces and a half, about a third of the snapshot."""
PATIENCE_S = "3"
"""Devices under test give a dead line up after so many seconds."""
CUT_AT = 1_500
"""Bytes: more than a gateway says in the seconds of a test, less than a batch."""


@asynccontextmanager
async def line_to(gateway: Gateway) -> AsyncIterator[tuple[FailingLine, str]]:
    """A failing line in front of the gateway, and the address under which devices reach it there."""
    async with FailingLine(gateway.port) as line:
        yield line, f"127.0.0.1:{line.port}"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIELDMESH_DEVICE_STALL_S", PATIENCE_S)
    monkeypatch.setenv("FIELDMESH_DEVICE_PATIENCE_S", PATIENCE_S)


async def order_much(device: Device) -> None:
    """Orders wait on the device whose batch is far larger than what a session says besides."""
    for _ in range(ORDERS):
        await device.ask("order", "--lines", str(LINES))


async def bytes_up_of_nothing(device: Device, line: FailingLine, address: str) -> int:
    """What a fast sync sends through the line when nothing waits: handshake, hello and farewell."""
    line.count_anew()
    await patiently(device, "fast", "--gateway", address)
    return line.passed[Way.UP]


async def cut_short(device: Device, mode: str, address: str) -> None:
    """The mode was run, and could not be ended."""
    with pytest.raises(CommandFailedError) as caught:
        await device.sync(mode, "--gateway", address)
    assert caught.value.code == TRY_AGAIN, caught.value


async def batches_held(gateway: Gateway) -> int:
    """How many batches the gateway has taken in."""
    return int(str((await gateway.ask("status"))["inbox_batches"]))


async def test_an_upload_cut_at_any_byte_is_sent_again_and_counts_once(tmp_path: Path) -> None:
    """Promises 1 and 2: half a batch is no batch, and one that the gateway holds is not made again.

    The line breaks in the middle of the batch, then after its last byte with the gateway's answer
    on its way: the device has no tick and has to send it all again.
    """
    async with small_network(tmp_path, gateways=1) as network:
        device, gateway = network.devices[0], network.gateways[0]
        async with line_to(gateway) as (line, address):
            nothing = await bytes_up_of_nothing(device, line, address)
            await order_much(device)
            line.cut_after(Way.UP, nothing + 1)
            await cut_short(device, "fast", address)
            assert await batches_held(gateway) == 0
            line.mend()
            line.mute_after_up(nothing + 1)
            await cut_short(device, "fast", address)
            assert line.is_mute
            assert await batches_held(gateway) == 1
            assert (await device.ask("status"))["at_gateway_rows"] == 0
            line.cut()
            line.mend()
            answer = await patiently(device, "fast", "--gateway", address)
            assert answer["rows_up"] == ORDERS * (1 + LINES)
            assert await batches_held(gateway) == 1
        await two_ticks(device)
        assert await orders_at_hub(network) == (ORDERS, ORDERS * LINES)
        await all_agree(network, device)


async def test_a_delivery_cut_before_the_broker_answers_counts_once(tmp_path: Path) -> None:
    """Promises 1 and 2: what the broker has not acknowledged is sent again, and the hub knows what it has.

    First the line breaks in the middle of the message, then after it: the hub has applied the
    batch, and neither the broker's acknowledgement nor the hub's receipt reaches the gateway.
    """
    line = FailingLine(0)
    async with small_network(tmp_path, gateways=1, line=line) as network:
        device, gateway = network.devices[0], network.gateways[0]

        async def is_cut() -> bool:
            return line.is_cut

        async def is_applied() -> bool:
            return await orders_at_hub(network) == (2 * ORDERS, 2 * ORDERS * LINES)

        async def nothing_waits() -> bool:
            return (await outbox_of(gateway))["waiting"] == 0

        await order_much(device)
        line.cut_after(Way.UP, CUT_AT)
        await patiently(device, "fast")
        await eventually("the line broke in the middle", is_cut)
        assert (await outbox_of(gateway))["waiting"] >= 1
        assert await orders_at_hub(network) == (0, 0)
        line.mend()
        await two_ticks(device)

        await order_much(device)
        line.mute()
        await patiently(device, "fast")
        await eventually("head office has the orders", is_applied)
        assert (await outbox_of(gateway))["unpublished"] >= 1
        line.cut()
        line.mend()
        await two_ticks(device)
        await eventually("nothing waits at the gateway", nothing_waits)
        assert await is_applied()
        await all_agree(network, device)


async def test_a_snapshot_cut_twice_goes_on_at_the_byte_and_is_swapped_in_whole(
    tmp_path: Path,
) -> None:
    """Promise 4: until the snapshot is here whole and proven, the device works with its old database.

    What came before a cut is not sent again: a large download would never end over a bad line.
    """
    async with small_network(tmp_path, gateways=1, size=LARGE) as network:
        device, gateway = network.devices[0], network.gateways[0]
        await device.ask("order", "--lines", str(LINES))
        before = await standing_of(device)
        size = int(str((await newest_session(gateway))["bytes_down"]))
        async with line_to(gateway) as (line, address):
            for _ in range(2):
                line.cut_after(Way.DOWN, SNAPSHOT_CUT_AT)
                await cut_short(device, "initialize", address)
                assert line.is_cut
                assert await standing_of(device) == before
                line.mend()
            line.count_anew()
            answer = await patiently(device, "initialize", "--gateway", address)
            came = line.passed[Way.DOWN]
        assert answer["resumed"]
        assert (await newest_session(gateway))["resumed"]
        assert came < size - 3 * PIECE, (came, size)
        after = await standing_of(device)
        assert after["database"] != before["database"]
        assert after["orders"] == before["orders"]
        await two_ticks(device)
        assert await orders_at_hub(network) == (1, LINES)
        await all_agree(network, device)


async def standing_of(device: Device) -> dict[str, object]:
    """The live database's name, that it is whole, and the orders that people see in it."""
    report = await device.ask("verify")
    return {
        "database": (await device.ask("status"))["database"],
        "equal": report["equal"],
        "rows": report["rows_checked"],
        "orders": await device.rows("SELECT count(*) AS orders FROM sales_order"),
    }


async def newest_session(gateway: Gateway) -> dict[str, object]:
    """The last session in the gateway's journal."""
    found = (await gateway.ask("sessions", "--most", "1"))["sessions"]
    assert isinstance(found, list)
    return dict(found[0])


async def outbox_of(gateway: Gateway) -> dict[str, int]:
    """What waits at the gateway for head office."""
    found = (await gateway.ask("status"))["outbox"]
    assert isinstance(found, dict)
    return found
