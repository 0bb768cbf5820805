"""The hub: well signed batches with anything in them, requests over the bus, CSV files."""

import asyncio
import random
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any, cast

import zstandard
from google.protobuf.message import Message as ProtoMessage

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import IdentifierMaker
from fieldmesh.codec import signature
from fieldmesh.codec.replication import Forwarded, write_forwarded
from fieldmesh.service.bus import Bus
from fieldmesh.wire.v1 import batch_pb2, enrol_pb2, replication_pb2
from hub.config import HubSettings
from hub.exchange.csv_import import import_csv
from hub.exchange.csv_kinds import kind_named
from hub.fleet.leases import lease
from hub.fleet.office import make_office
from hub.fleet.registry import Maker
from hub.relay.blobs import Blobs
from hub.relay.requests import Desk, Responder
from hub.relay.seeds import Seeds
from hub.storage import contents, journal
from hub.trust.enrolment import EnrolmentRequest, enrol
from hub.trust.renewal import renew
from tests.attacks.fuzz.mutation import mutated
from tests.attacks.fuzz.pure import mutating, well_said
from tests.attacks.fuzz.running import Prepared, Prepares
from tests.kit.company import GATEWAY_ID, PackingDevice, SmallCompany
from tests.kit.lane import Delivered, consumer_of

ORPHANS = "SELECT count(*) FROM order_line WHERE deleted = 0 AND order_id NOT IN (SELECT id FROM sales_order)"


@asynccontextmanager
async def batches(folder: Path) -> Prepares:
    """Batches that a device of ours has signed, whatever is in them: applied, refused row by row, or quarantined."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    company = await SmallCompany.founded(folder)
    device = await company.device()
    consumer = consumer_of(company)
    samples = [
        zstandard.decompress(device.pack(device.order(outlet)).forwarded.body)
        for outlet in company.outlets
    ]
    device.sequence = 0

    async def feed(content: bytes) -> None:
        device.sequence += 1
        message = Delivered(write_forwarded(_signed(device, content)))
        await consumer.take([message])  # type: ignore[list-item]
        assert message.acknowledged

    async def check() -> None:
        marks = await company.query("SELECT device_epoch, sequence FROM device_tick")
        assert marks == [(1, device.sequence)], "every batch was decided, in order"
        assert await company.query(ORPHANS) == [(0,)]
        async with company.database.read() as connection:
            assert await contents.prove(connection) == []
            await journal.verify(connection)

    try:
        yield Prepared(feed, mutating(samples, batch_pb2.BatchBody), check)
    finally:
        await company.database.close()


def _signed(device: PackingDevice, content: bytes) -> Forwarded:
    """The content as the body of the device's next batch."""
    header, body = well_said(content)
    told = batch_pb2.BatchHeader.FromString(header)
    told.device_id, told.sequence = device.device_id, device.sequence
    header = told.SerializeToString()
    return Forwarded(
        GATEWAY_ID, device.sequence, header, body, signature.sign(device.key, header),
        device.certificate, 1, "wire", device_suspended=False,
    )  # fmt: skip


_RANGES = replication_pb2.RepairRequest()
_RANGES.ranges.add(partition=4, table="outlet", last_byte=255)
REQUESTS: dict[str, ProtoMessage] = {
    "hello": replication_pb2.GatewayHello(mark_lsn=5, version="1"),
    "seed": replication_pb2.SeedRequest(partition=5),
    "seed_chunk": replication_pb2.SeedChunkRequest(seed_id=bytes(16), chunk=1),
    "lease": replication_pb2.LeaseRequest(device_id=bytes(16), presence=b"x"),
    "digests": replication_pb2.DigestsRequest(partitions=[4, 5], detail=True),
    "repair": _RANGES,
    "enrol": enrol_pb2.EnrolRequest(code="FM-A-B", csr=b"c", hardware_id="h"),
    "renew": replication_pb2.ForwardedRenew(certificate=b"c", csr=b"r"),
    "blob": replication_pb2.BlobPiece(sha256=bytes(32), size=9, data=b"piece"),
}
_METHODS = sorted(REQUESTS)


class NoBus:
    """A bus on which nothing is asked of the broker."""

    def administered(self) -> AbstractContextManager[None]:
        """Nothing is administered here."""
        return nullcontext()

    async def jetstream(self) -> None:
        """There is no broker.

        Raises:
            Rejected: always.
        """
        raise Rejected("not_found")


@asynccontextmanager
async def requests(folder: Path) -> Prepares:
    """What a gateway may ask of the hub over the bus."""
    office = await make_office(folder / "hub", HubSettings(), 'company = "Fuzz"\n')
    clock, database, trust = office.clock, office.database, office.trust
    maker = Maker(clock, IdentifierMaker(clock, random.Random(1)))
    seeds = Seeds(database, folder / "spool")
    seeds.clear()

    async def take_in(request: EnrolmentRequest) -> Any:
        return await enrol(database, trust, request)

    async def take_again(certificate: bytes, csr: bytes) -> Any:
        return await renew(database, trust, certificate, csr)

    async def lend(gateway: bytes, device: bytes) -> Any:
        return await lease(database, maker, gateway, device)

    responder = Responder(
        database, cast("Bus", NoBus()), clock,
        desk=Desk(take_in, take_again, lend, trust.authority.certificate),
        seeds=seeds, blobs=Blobs(folder / "blobs"), shards=1,
    )  # fmt: skip

    async def feed(content: bytes) -> None:
        method = _METHODS[content[0] % len(_METHODS)] if content else "nonsense"
        answer = await responder.answer(f"rpc.hub.{method}.{GATEWAY_ID.hex()}", content[1:])
        reply = replication_pb2.Reply.FromString(answer)
        if reply.problem.code:
            raise Rejected(reply.problem.code)

    def mutate(chance: random.Random) -> bytes:
        place = chance.randrange(len(_METHODS))
        sample = REQUESTS[_METHODS[place]]
        return bytes([place]) + mutated([sample.SerializeToString()], type(sample), chance)

    async def check() -> None:
        async with database.read() as connection:
            await journal.verify(connection)
        places = await asyncio.to_thread(lambda: {path.name for path in folder.iterdir()})
        assert places <= {"hub", "spool", "blobs"}, "nothing was written beside its folder"

    try:
        yield Prepared(feed, mutate, check)
    finally:
        await database.close()


CSV = (
    'code,name,legal_party\nA,Shop A,P1\nB,"Shop, B",P1\n',
    'code;name\nC;Кафе\nD;"two""quotes"\n',
    "code,name,latitude,status\nE,Shop,42.697,active\n",
)  # fmt: skip


@asynccontextmanager
async def csv_files(folder: Path) -> Prepares:
    """Files that head office is given by partners."""
    office = await make_office(folder / "hub", HubSettings(), 'company = "Fuzz"\n')
    path = folder / "outlet.csv"

    async def feed(content: bytes) -> None:
        path.write_bytes(content)
        kind = kind_named("outlet")
        done = await import_csv(office.database, kind, path, clock=office.clock, actor="fuzz")
        if done.problems:
            raise Rejected("csv_invalid")

    async def check() -> None:
        async with office.database.read() as connection:
            assert await contents.prove(connection) == []
            await journal.verify(connection)

    try:
        yield Prepared(feed, mutating([one.encode() for one in CSV], None), check)
    finally:
        await office.database.close()
