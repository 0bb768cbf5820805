"""Bytes, batches and sessions that no good program sends: each is refused by its name, and the next one is served."""

import asyncio
import contextlib
import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from deploy.demo.network import Network
from fieldmesh.codec.batch import BatchHeader
from fieldmesh.data.schema import SCHEMA_VERSION
from fieldmesh.wire.v1 import batch_pb2, table_pb2
from tests.kit.network import eventually, orders_at_hub, patiently, two_ticks
from tests.kit.raw_session import RawDevice, raw_device
from tests.kit.standing import Standing, refused, standing_network, told

LINES = 2
MIB = 1 << 20
OUTLETS = "SELECT lower(hex(id)) AS id FROM outlet WHERE status = 'active'"
BOMB_BYTES = 1 << 30
"""What a bomb unpacks to; it travels as some tens of kilobytes."""
MOST_GROWTH_BYTES = 100 * MIB


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """A network whose devices don't wait long for a gateway."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIELDMESH_DEVICE_PATIENCE_S", "1")
        with standing_network(tmp_path_factory.mktemp("input")) as made:
            yield made


def test_garbage_on_every_port_ends_that_line_only(standing: Standing) -> None:
    """Promise 8: a port scanner in the branch must not stop anybody's work."""

    async def work(network: Network) -> None:
        gateway = network.gateways[0]
        ports = (
            gateway.port, gateway.enrolment_port, gateway.metrics_port, network.hub.https_port,
            network.line.target_port,
        )  # fmt: skip
        before = network.hub.service.pid, gateway.service.pid
        for port in ports:
            for content in (
                b"\x00\xff" * 50_000,
                b"GET / HTTP/1.1\r\n\r\n",
                b"\x16\x03\x01\xff\xff",
            ):
                await _throw(port, content)
        network.hub.service.check()
        gateway.service.check()
        assert before == (network.hub.service.pid, gateway.service.pid)
        await network.devices[0].ask("order", "--lines", str(LINES))
        await two_ticks(network.devices[0])
        logs = network.hub.service.log, gateway.service.log
        assert not any("Traceback" in log.read_text("utf-8") for log in logs)

    standing.run(work)


async def _throw(port: int, content: bytes) -> None:
    """The bytes are sent to the port; whatever it says is heard to the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(OSError):
        writer.write(content)
        writer.write_eof()
        async with asyncio.timeout(10):
            while await reader.read(65_536):
                pass
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def test_a_session_that_breaks_the_rules_is_refused_by_name(standing: Standing) -> None:
    """Truncated, oversized, out of order, in another's name: a typed word each, and nothing is kept of it."""

    async def work(network: Network) -> None:
        device, other = network.devices[:2]
        gateway = network.gateways[0]
        raw = await raw_device(network, device, gateway)
        stranger = await raw_device(network, other, gateway)
        held = (await gateway.ask("status"))["inbox_batches"]
        for name, messages, expected in (
            ("another's hello", [raw.hello(device_id=stranger.device_id)], "another_node"),
            ("no hello", [raw.upload_end(1)], "unexpected_message"),
            ("garbage", [b"\xff\xff garbage"], "bad_message"),
            ("half a message", [raw.hello()[:-3]], "bad_message"),
            ("oversized", [bytes(9 * MIB)], "frame_too_large"),
            ("ended early", [raw.hello()], "session_cut"),
            ("many areas", [raw.hello(partitions=range(50_000))], "bad_hello"),
            ("old protocol", [raw.hello(protocol_version=99)], "protocol_not_spoken"),
        ):
            _, problem = await raw.say(*messages)
            assert problem is not None, name
            assert problem.code == expected, (name, problem)
        assert (await gateway.ask("status"))["inbox_batches"] == held
        await patiently(device, "fast")
        assert "Traceback" not in gateway.service.log.read_text("utf-8")

    standing.run(work)


def test_a_batch_that_is_not_the_devices_own_or_not_whole_is_not_acknowledged(
    standing: Standing,
) -> None:
    """Promise 7: the gateway says what is wrong with it, and stores none of it."""

    async def work(network: Network) -> None:
        device, other = network.devices[:2]
        gateway = network.gateways[0]
        raw = await raw_device(network, device, gateway)
        stranger = await raw_device(network, other, gateway)
        held = (await gateway.ask("status"))["inbox_batches"]
        body = zstandard.compress(b"")
        good = _header(raw, 1, body)
        foreign = dataclasses.replace(good, device_id=stranger.device_id)
        for name, message, expected in (
            ("another's", raw.batch(foreign, body), "foreign_batch"),
            ("altered", raw.batch(good, body + b"x"), "altered_batch"),
            ("signed by another", stranger.batch(good, body), "signature_invalid"),
            ("no header", raw.signed(b"\xffx", body, b"z"), "bad_batch"),
            ("long header", raw.signed(bytes(5_000), body, b"z"), "batch_too_large"),
            ("large", raw.batch(good, bytes(5 * MIB)), "batch_too_large"),
        ):
            heard, problem = await raw.say(raw.hello(), message, raw.upload_end(good.sequence))
            assert problem is not None, name
            assert problem.code == expected, (name, problem)
            assert "acknowledgement" not in heard, name
        assert (await gateway.ask("status"))["inbox_batches"] == held
        await device.ask("order", "--lines", str(LINES))
        await two_ticks(device)

    standing.run(work)


def test_bombs_that_a_device_signed_well_end_in_quarantine_and_the_stream_goes_on(
    standing: Standing,
) -> None:
    """Promise 7: head office unpacks no more than is allowed, names each, and serves everybody else meanwhile."""

    async def work(network: Network) -> None:
        device, other = network.devices[:2]
        raw = await raw_device(network, other, network.gateways[0])
        before, _ = await orders_at_hub(network)
        grown_from = _peak_bytes(network.hub.service.pid)
        bodies = _bad_bodies()
        messages = [
            raw.batch(_header(raw, place, body, size=size, rows=rows), body)
            for place, (body, size, rows) in enumerate(bodies, 1)
        ]
        end = raw.upload_end(raw.last_sequence + len(bodies))
        heard, problem = await raw.say(raw.hello(), *messages, end)
        assert (heard[:2], problem) == (["welcome", "acknowledgement"], None)

        async def is_quarantined() -> bool:
            entries = (await network.hub.ask("quarantine", "list"))["entries"]
            assert isinstance(entries, list)
            return len(entries) == len(bodies)

        await eventually("each bad batch is in quarantine", is_quarantined)
        assert _peak_bytes(network.hub.service.pid) - grown_from < MOST_GROWTH_BYTES
        await device.ask("order", "--lines", str(LINES))
        await two_ticks(device)
        await other.ask("order", "--lines", str(LINES))
        error = await refused(other.sync("fast"))
        code, text = told(error)
        assert (code, "sync initialize" in text) == ("initialize_needed", True)
        await patiently(other, "initialize")
        await two_ticks(other)
        assert (await orders_at_hub(network))[0] == before + 2

    standing.run(work)


def _bad_bodies() -> list[tuple[bytes, int, int]]:
    """Bodies with the size and the rows that their headers claim."""
    packer = zstandard.ZstdCompressor()
    lump = packer.compressobj()
    bomb = b"".join([*(lump.compress(bytes(MIB)) for _ in range(BOMB_BYTES // MIB)), lump.flush()])
    many = batch_pb2.BatchBody()
    for _ in range(5_000):
        many.changes.add(operation=batch_pb2.OPERATION_INSERT, data=table_pb2.TableData())
    crowd = many.SerializeToString()
    text = packer.compress(b"no table data at all")
    return [
        (bomb, 1_000, 1),
        (bomb, BOMB_BYTES, 1),
        (packer.compress(bytes(1_000))[:-5], 1_000, 1),
        (b"not packed at all", 1_000, 1),
        (text, 20, 1),
        (text, 20, 60_000),
        (packer.compress(crowd), len(crowd), 5_000),
    ]


def _header(
    raw: RawDevice, place: int, body: bytes, *, size: int = 0, rows: int = 0
) -> BatchHeader:
    """The header of the device's next batch but some, which fits the body."""
    return BatchHeader(
        device_id=raw.device_id, device_epoch=raw.device_epoch, sequence=raw.last_sequence + place,
        previous_epoch=0, previous_sequence=0, previous_sha256=b"", packed_at=1, clock_offset=0,
        schema_version=SCHEMA_VERSION, body_sha256=hashlib.sha256(body).digest(),
        body_uncompressed_size=size, rows=rows, event=None,
    )  # fmt: skip


def _peak_bytes(pid: int) -> int:
    """The most memory that the process has held."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def test_a_row_moved_into_a_foreign_area_is_refused_and_the_rest_goes_on(
    standing: Standing,
) -> None:
    """Promise 6: whoever edits the database on the device gets a reject with a reason, not another's area."""

    async def work(network: Network) -> None:
        device, other = network.devices[:2]
        before, _ = await orders_at_hub(network)
        own = {str(row["id"]) for row in await device.rows(OUTLETS)}
        foreign = next(
            str(row["id"]) for row in await other.rows(OUTLETS) if str(row["id"]) not in own
        )
        await device.ask("order", "--lines", str(LINES))
        error = await refused(device.ask("sql", "UPDATE sales_order SET partition = 12345"))
        assert told(error)[0] == "sql_refused"
        await device.ask("sql", f"UPDATE sales_order SET outlet_id = x'{foreign}' WHERE lsn = 0")
        await device.ask("order", "--lines", str(LINES))
        await two_ticks(device)

        async def is_told() -> bool:
            await patiently(device, "fast")
            rejects = (await device.ask("rejects"))["rejects"]
            assert isinstance(rejects, list)
            return {"outside_scope"} <= {one["code"] for one in rejects}

        await eventually("the rep was told why", is_told)
        await patiently(device, "full")
        assert (await orders_at_hub(network))[0] == before + 1

    standing.run(work)
