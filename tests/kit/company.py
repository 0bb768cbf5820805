"""A very small company in a hub database, and a device that packs signed batches, for tests of ingest."""

import random
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from fieldmesh.basics.clock import ManualClock
from fieldmesh.basics.identifiers import IdentifierMaker
from fieldmesh.codec import signature
from fieldmesh.codec.batch import BatchDraft, Change, Event, Operation, encode_batch
from fieldmesh.codec.columns import from_rows
from fieldmesh.codec.replication import Forwarded, read_up_message, write_forwarded
from fieldmesh.data.policy import PartitionKind
from fieldmesh.data.types import Value
from fieldmesh.replica.partition import GLOBAL, partition_id, patch_id
from fieldmesh.service.tls import make_csr
from hub.fleet.registry import Maker
from hub.ingest.decisions import place_of
from hub.ingest.ingest import Ingest
from hub.ingest.verify import Checked, Verifier
from hub.storage.changes import ChangeWriter
from hub.storage.database import HubDatabase, sqlite_url
from hub.trust.authority import Authority, NodeKind
from hub.trust.signing import OrderSigner

GATEWAY_ID = b"g" * 16


@dataclass
class SmallCompany:
    """One rep with outlets, one product, a hub database that ingests."""

    database: HubDatabase
    clock: ManualClock
    identifiers: IdentifierMaker
    authority: Authority
    verifier: Verifier
    ingest: Ingest
    hub_key: bytes
    position_id: bytes
    outlets: list[bytes]
    unit_id: bytes
    patch: int

    @classmethod
    async def founded(cls, folder: Path, *, outlets: int = 3) -> "SmallCompany":
        """The company stands in a new database in the folder."""
        clock = ManualClock()
        identifiers = IdentifierMaker(clock, random.Random(7))
        database = HubDatabase(sqlite_url(folder / "hub.db"))
        await database.create(clock.now())
        authority = Authority.create(folder / "trust", clock, "Test")
        verifier = Verifier(authority.chain)

        def check(payload: bytes) -> Checked:
            held = read_up_message(payload)
            assert isinstance(held, Forwarded)
            return verifier.check(held, payload)

        signer = OrderSigner.create(folder / "trust")
        ingest = Ingest(database, Maker(clock, identifiers), check=check, sign=signer.sign)
        position, role, unit, product = (identifiers.new() for _ in range(4))
        patch_key = patch_id([position])
        shops = [identifiers.new() for _ in range(outlets)]
        company = cls(
            database, clock, identifiers, authority, verifier, ingest, signer.public_key, position,
            shops, unit, partition_id(PartitionKind.PATCH, patch_key),
        )  # fmt: skip
        await company.insert("role", ("id", "code", "kind"), [(role, "rep", "rep")])
        await company.insert("position", ("id", "role_id", "code"), [(position, role, "R1")])
        targets = (GLOBAL, company.patch, partition_id(PartitionKind.POSITION, position))
        await company.insert(
            "subscription",
            ("id", "position_id", "target_partition", "target_kind"),
            [(identifiers.new(), position, one, "patch") for one in targets],
        )
        await company.insert("product", ("id", "code", "name"), [(product, "P1", "Cola")])
        await company.insert("product_unit", ("id", "product_id"), [(unit, product)])
        await company.insert(
            "outlet",
            ("id", "patch_id", "code", "name"),
            [(one, patch_key, f"O{n}", f"Shop {n}") for n, one in enumerate(shops)],
        )
        return company

    async def insert(
        self, table: str, names: tuple[str, ...], rows: list[tuple[Value, ...]]
    ) -> int:
        """Rows of head office stand. Returns the LSN."""
        async with self.database.write() as connection:
            writer = ChangeWriter(connection, self.clock)
            await writer.open()
            await writer.insert(table, from_rows(table, names, rows))
            await writer.close()
            return writer.lsn

    async def query(self, text: str, *values: Value) -> list[tuple[Value, ...]]:
        """Rows of a query on the hub's database."""
        async with self.database.read() as connection:
            result = await connection.exec_driver_sql(text, values)
            return [tuple(row) for row in result.fetchall()]

    async def device(self, code: str = "D1", **columns: Value) -> "PackingDevice":
        """A device of the position stands, with a certificate."""
        device_id = self.identifiers.new()
        values = {"position_id": self.position_id, **columns}
        await self.insert("device", ("id", "code", *values), [(device_id, code, *values.values())])
        key = ec.generate_private_key(ec.SECP256R1())
        csr = make_csr(key, code)
        certificate = self.authority.issue_node(csr, NodeKind.DEVICE, device_id).der
        return PackingDevice(self, device_id, key, certificate)


@dataclass
class PackingDevice:
    """Packs and signs batches as a device does."""

    company: SmallCompany
    device_id: bytes
    key: ec.EllipticCurvePrivateKey
    certificate: bytes
    epoch: int = 1
    sequence: int = 0
    packed: list[Checked] = field(default_factory=list)

    def order(self, outlet: bytes, *, lines: int = 2, number: str = "N1") -> list[Change]:
        """An order with lines, as changes."""
        new = self.company.identifiers.new
        order = new()
        header = from_rows(
            "sales_order", ("id", "outlet_id", "number", "amount"), [(order, outlet, number, 100)]
        )
        body = from_rows(
            "order_line",
            ("id", "order_id", "line_number", "product_unit_id", "quantity", "amount"),
            [(new(), order, n + 1, self.company.unit_id, 1000, 50) for n in range(lines)],
        )
        return [Change(Operation.INSERT, header, []), Change(Operation.INSERT, body, [])]

    def pack(
        self,
        changes: list[Change],
        *,
        sequence: int | None = None,
        event: Event | None = None,
        gateway: bytes = GATEWAY_ID,
        after: Checked | None = None,
    ) -> Checked:
        """The next batch, as a gateway forwards it, checked by the hub; it names ``after`` as the one before it."""
        if sequence is None:
            self.sequence += 1
        draft = BatchDraft(
            self.device_id,
            self.epoch,
            sequence or self.sequence,
            self.company.clock.now(),
            *(place_of(after) if after else (0, 0)),
            after.sha256 if after else b"",
            event=event,
        )
        header, body = encode_batch(draft, changes)
        forwarded = Forwarded(
            gateway,
            len(self.packed) + 1,
            header,
            body,
            signature.sign(self.key, header),
            self.certificate,
            self.company.clock.now(),
            "wire",
            device_suspended=False,
        )
        checked = self.company.verifier.check(forwarded, write_forwarded(forwarded))
        self.packed.append(checked)
        return checked
