"""A gateway that rewrites a batch well: the body unpacks and fits the header, only the signature does not."""

import hashlib
import sqlite3
from pathlib import Path

import zstandard

from deploy.demo.network import Gateway
from fieldmesh.wire.v1 import batch_pb2, replication_pb2
from tests.kit.network import eventually, orders_at_hub, patiently, small_network, two_ticks

LINES = 2


async def test_a_batch_that_a_gateway_rewrote_well_is_found_by_its_signature(
    tmp_path: Path,
) -> None:
    """Promise 7: hashes alone would let it pass. The order comes by an honest gateway, and the stream goes on."""
    async with small_network(tmp_path) as network:
        device, (first, second) = network.devices[0], network.gateways
        await two_ticks(device)
        network.line.cut()
        await device.ask("order", "--lines", str(LINES))
        await patiently(device, "fast", "--gateway", first.address)
        await first.service.stop()
        rewrite_waiting_batches(first)
        await first.start()
        network.line.mend()

        async def is_quarantined() -> bool:
            entries = (await network.hub.ask("quarantine", "list"))["entries"]
            return isinstance(entries, list) and bool(entries) and bool(entries[0]["bytes"])

        await eventually("the rewritten batch is in quarantine", is_quarantined)
        assert await orders_at_hub(network) == (0, 0)
        await patiently(device, "fast", "--gateway", second.address)
        await device.ask("order", "--lines", str(LINES))
        await patiently(device, "fast", "--gateway", second.address)

        async def both_there() -> bool:
            return await orders_at_hub(network) == (2, 2 * LINES)

        await eventually("both orders are at head office", both_there)


def rewrite_waiting_batches(gateway: Gateway) -> None:
    """Batches on their way get another body of the same rows, and a header that fits it."""
    connection = sqlite3.connect(gateway.folder / "data" / "gateway.db")  # noqa: TID251 - a dishonest gateway's own tool
    held = connection.execute(
        "SELECT outbox_number, payload FROM fm_outbox WHERE kind = 'batch' AND receipted_at IS NULL"
    ).fetchall()
    assert held
    for number, payload in held:
        connection.execute(
            "UPDATE fm_outbox SET payload = ? WHERE outbox_number = ?", (rewritten(payload), number)
        )
    connection.commit()
    connection.close()


def rewritten(payload: bytes) -> bytes:
    """The batch packed anew, as only the device may do it."""
    forwarded = replication_pb2.ForwardedBatch.FromString(payload)
    header = batch_pb2.BatchHeader.FromString(forwarded.batch.header)
    rows = zstandard.ZstdDecompressor().decompress(forwarded.batch.body)
    forwarded.batch.body = zstandard.ZstdCompressor(level=1).compress(rows)
    header.packed_at += 1
    header.body_sha256 = hashlib.sha256(forwarded.batch.body).digest()
    forwarded.batch.header = header.SerializeToString()
    return forwarded.SerializeToString()
