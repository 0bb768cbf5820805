"""The network that is measured: one hub, one gateway, a rep whose device holds about 43,500 rows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from deploy.demo.network import Device, Gateway, Network
from deploy.demo.proxy import Line
from fieldmesh.codec.columns import from_rows
from fieldmesh.service.grpc_server import NodeKeys
from fieldmesh.service.tls import certificate_pem, key_pem, make_csr, make_key
from hub.fleet.office import Office, open_office
from hub.fleet.registry import NewDevice, add_device
from hub.storage.org_changes import head_office_write
from hub.trust.authority import NodeKind

PASSWORD = "sample-password"
REFERENCE = (
    "--offices",
    "1",
    "--outlets",
    "300",
    "--products",
    "1500",
    "--orders",
    "3",
    "--lines",
    "26",
)
"""One rep: 1,500 products, 6,000 prices, 300 outlets with their last three orders of 26 lines each."""


@dataclass(frozen=True, slots=True)
class BareDevice:
    """A registered device as its keys: for clients that are no device agent."""

    device_id: bytes
    key: ec.EllipticCurvePrivateKey
    certificate: bytes
    keys: NodeKeys


@dataclass(slots=True)
class Measured:
    """What is measured."""

    network: Network
    office: Office
    gateway: Gateway
    device: Device
    registered: int = 0

    async def bare_devices(self, count: int, *, position: str = "REP0001") -> list[BareDevice]:
        """Spares of a position, registered at the hub, with certificates."""
        authority = self.office.trust.authority
        found = []
        async with head_office_write(
            self.office.database, self.office.clock, actor="bench", kind="bench", about={}
        ) as writer:
            for _ in range(count):
                self.registered += 1
                code = f"BENCH-{self.registered:04d}"
                new = NewDevice(code=code, position=None, gateway=self.gateway.code, spare=True)
                device_id = await add_device(writer, self.office.maker, new)
                key = make_key()
                issued = authority.issue_node(make_csr(key, code), NodeKind.DEVICE, device_id)
                keys = NodeKeys(
                    key_pem(key),
                    certificate_pem(issued.der),
                    certificate_pem(authority.certificate),
                )
                found.append(BareDevice(device_id, key, issued.der, keys))
            row = await writer.connection.exec_driver_sql(
                'SELECT id FROM "position" WHERE code = ?', (position,)
            )
            position_id = bytes(row.scalar_one())
            rows = [(one.device_id, position_id, "main", "active") for one in found]
            names = ("id", "position_id", "kind", "state")
            await writer.update("device", from_rows("device", names, rows))
        return found

    async def gateway_mark(self) -> int:
        """The newest LSN that the gateway has applied."""
        return int(str((await self.gateway.ask("status"))["mark_lsn"]))


@asynccontextmanager
async def measured(folder: Path) -> AsyncIterator[Measured]:
    """The network runs; the rep's device is enrolled, not initialized."""
    async with Line(0) as line:
        network = Network(folder, line, PASSWORD)
        try:
            await network.hub.init("Bench")
            await network.hub.ask("sample", "--reps", "1", *REFERENCE)
            await network.hub.start()
            gateway = await network.add_gateway("GW1", "OF01")
            device = await network.add_device("D1", "REP0001", gateway)
            office = await open_office(network.hub.folder)
            try:
                yield Measured(network, office, gateway, device)
            finally:
                await office.database.close()
        finally:
            await network.close()
