"""The network that is measured: one hub, one gateway, a rep whose device holds about 43,500 rows."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy.ext.asyncio import AsyncConnection

from deploy.demo import proxy
from deploy.demo.network import Device, Gateway, Network
from device_agent.app import DeviceAgent
from fieldmesh.basics.identifiers import stable_id
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from fieldmesh.service.database import connect
from fieldmesh.service.grpc_server import NodeKeys
from fieldmesh.service.tls import certificate_pem, key_pem, make_csr, make_key
from fieldmesh.session.transitions import Mode
from gateway.app.home import Home
from hub.fleet.office import Office, open_office
from hub.fleet.registry import NewDevice, add_device
from hub.fleet.subscriptions import Affected, refresh
from hub.storage.changes import ChangeWriter
from hub.storage.org_changes import head_office_write
from hub.trust.authority import NodeKind
from tests.bench.visits import Facts

PASSWORD = "sample-password"
PRICES, STOCK, QUESTIONS = 9_000, 3_000, 4


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a company is."""

    reps: int = 1
    outlets: int = 300
    products: int = 1_500
    orders: int = 3
    lines: int = 23
    offices: int = 1

    @property
    def words(self) -> list[str]:
        """For the command that loads a sample."""
        given = {"offices": self.offices, "reps": self.reps, "outlets": self.outlets, "products": self.products,
                 "orders": self.orders, "lines": self.lines}  # fmt: skip
        return [word for name, value in given.items() for word in (f"--{name}", str(value))]


REFERENCE = Shape()
"""One rep: 1,500 products in two units, 300 outlets with their last three orders (that is how many stay)."""
Line = tuple[Any, ...]
Values = tuple[Value, ...]
_SETTLED_S = 60.0
_LOAD_S = 900.0


@dataclass(frozen=True, slots=True)
class BareDevice:
    """A registered device as its keys: for clients that are no device agent."""

    device_id: bytes
    key: ec.EllipticCurvePrivateKey
    certificate: bytes
    keys: NodeKeys
    position: str


@dataclass(slots=True)
class Measured:
    """What is measured. ``repeat``: samples a key; ``quick``: fewer rows and devices, for a first look."""

    network: Network
    office: Office
    gateway: Gateway
    device: Device
    folder: Path
    repeat: int = 5
    quick: bool = False
    registered: int = 0
    changed: int = 0
    fresh: Path = field(init=False)

    def __post_init__(self) -> None:
        """The device's folder as it was enrolled is put aside: an empty device."""
        self.fresh = self.folder / "fresh-device"
        shutil.copytree(self.device.folder, self.fresh)

    def empty_device(self) -> None:
        """The device is as on the day of its enrolment: an identity, no rows."""
        shutil.rmtree(self.device.folder)
        shutil.copytree(self.fresh, self.device.folder)

    async def agent(self) -> DeviceAgent:
        """The device, opened by its rep."""
        return await DeviceAgent.open(self.device.folder, self.device.login, PASSWORD)

    @asynccontextmanager
    async def working_agent(self) -> AsyncIterator[DeviceAgent]:
        """The device with all its rows, settled."""
        async with await self.agent() as agent:
            if not (await agent.sql("SELECT 1 FROM outlet LIMIT 1")).rows:
                report = await agent.sync(Mode.INITIALIZE, gateway=self.gateway.address)
                if report.outcome != "done":
                    raise RuntimeError(f"the device did not initialize: {report}")
            await self.settle(agent)
            yield agent

    async def settle(self, agent: DeviceAgent) -> None:
        """Everything that the device sent is at head office, and its echo has come down."""
        until = time.monotonic() + _SETTLED_S
        while True:
            report = await agent.sync(Mode.FULL, gateway=self.gateway.address)
            caught_up = report.mark_lsn >= await self.hub_lsn()
            standing = (await agent.status()).standing
            waits = standing.saved_rows or standing.waiting_batches
            if caught_up and not waits and not report.rows_down:
                return
            if time.monotonic() > until:
                raise TimeoutError(f"the device does not settle: {report} {standing}")
            await asyncio.sleep(0.1)

    async def rows(self, text: str, values: Values = ()) -> list[Line]:
        """What a query finds in the hub's database."""
        async with self.office.database.read() as connection:
            return await _rows(connection, text, values)

    async def hub_lsn(self) -> int:
        """The newest LSN of the hub."""
        return int((await self.rows("SELECT lsn FROM fm_hub"))[0][0])

    async def change_prices(self, count: int) -> int:
        """So many prices change at head office, and the gateway has them. Returns the LSN."""
        self.changed += 1
        async with head_office_write(
            self.office.database, self.office.clock, actor="bench", kind="bench", about={}
        ) as writer:
            text = f"SELECT id, amount FROM price ORDER BY id LIMIT {count}"
            held = await _rows(writer.connection, text)
            rows: list[tuple[Value, ...]] = [(row[0], row[1] + self.changed) for row in held]
            await writer.update("price", from_rows("price", ("id", "amount"), rows))
            lsn = writer.lsn
        await self.reached(lsn)
        return lsn

    async def reached(self, lsn: int) -> None:
        """The gateway has applied everything up to the LSN."""
        while self.at_gateway("SELECT mark_lsn FROM fm_state")[0][0] < lsn:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    async def bare_devices(
        self,
        count: int,
        *,
        positions: Sequence[str] = ("REP0001",),
        gateway: str | Mapping[str, str] = "",
    ) -> list[BareDevice]:
        """Main devices, as many at each position, with certificates. ``gateway``: the home of all, or by position."""
        found = []
        async with head_office_write(
            self.office.database, self.office.clock, actor="bench", kind="bench", about={}
        ) as writer:
            text = 'SELECT code, id FROM "position"'
            known = {row[0]: row[1] for row in await _rows(writer.connection, text)}
            rows: list[tuple[Value, ...]] = []
            for code in positions:
                home = gateway if isinstance(gateway, str) else gateway[code]
                for _ in range(count):
                    found.append(await self._registered(writer, code, home))
                    rows.append((found[-1].device_id, known[code], "main", "active"))
            names = ("id", "position_id", "kind", "state")
            await writer.update("device", from_rows("device", names, rows))
            affected = Affected(positions=frozenset(known[code] for code in positions))
            maker = self.office.maker
            await refresh(writer, affected, clock=maker.clock, identifiers=maker.identifiers)
            lsn = writer.lsn
        await self.reached(lsn)
        return found

    async def _registered(self, writer: ChangeWriter, position: str, gateway: str) -> BareDevice:
        self.registered += 1
        code = f"BENCH-{self.registered:04d}"
        authority = self.office.trust.authority
        home = gateway or self.gateway.code
        new = NewDevice(code=code, position=None, gateway=home, spare=True)
        device_id = await add_device(writer, self.office.maker, new)
        key = make_key()
        issued = authority.issue_node(make_csr(key, code), NodeKind.DEVICE, device_id)
        root = certificate_pem(authority.certificate)
        keys = NodeKeys(key_pem(key), certificate_pem(issued.der), root)
        return BareDevice(device_id, key, issued.der, keys, position)

    def server_keys(self) -> NodeKeys:
        """What a server shows to devices: for a limit that is no gateway."""
        authority = self.office.trust.authority
        key = make_key()
        issued = authority.issue_node(make_csr(key, "bare"), NodeKind.GATEWAY, b"b" * 16)
        root = certificate_pem(authority.certificate)
        return NodeKeys(key_pem(key), certificate_pem(issued.der) + root, root)

    async def rows_at_hub(self, device_id: bytes, tables: Iterable[str]) -> dict[str, int]:
        """Rows at head office that the device made, by table."""
        found = {}
        for table in tables:
            text = f'SELECT count(*) FROM "{table}" WHERE origin_device_id = ?'
            found[table] = int((await self.rows(text, (device_id,)))[0][0])
        return found

    async def facts(self, position: str = "REP0001") -> Facts:
        """What visits at the position's outlets refer to."""
        found = await self.rows(
            "SELECT a.outlet_id FROM outlet_assignment AS a"
            ' JOIN "position" AS p ON p.id = a.position_id WHERE p.code = ? ORDER BY a.outlet_id',
            (position,),
        )
        outlets = [row[0] for row in found]
        found = await self.rows("SELECT id FROM product_unit ORDER BY id LIMIT 500")
        units = [row[0] for row in found]
        questions = [stable_id("question", n) for n in range(QUESTIONS)]
        return Facts(outlets, units, stable_id("survey_template", "shelf"), questions)

    def at_gateway(self, text: str) -> list[Line]:
        """What a query finds in the gateway's database; no process is started for it."""
        path = Home(self.gateway.folder).database
        with closing(connect(path, read_only=True)) as connection:
            return connection.execute(text).fetchall()


async def _complete(office: Office) -> None:
    """Prices with a second date, a second lot of each stock, and a questionnaire."""
    async with head_office_write(
        office.database, office.clock, actor="bench", kind="bench", about={}
    ) as writer:
        held = await _rows(
            writer.connection,
            "SELECT price_list_id, product_unit_id, amount FROM price ORDER BY id",
        )
        rows: list[tuple[Value, ...]] = [
            (stable_id("second price", row[0], row[1]), row[0], row[1], "2024-01-01", row[2] + 1000)
            for row in held[: PRICES - len(held)]
        ]
        names: tuple[str, ...] = ("id", "price_list_id", "product_unit_id", "valid_from", "amount")
        await writer.insert("price", from_rows("price", names, rows))
        held = await _rows(
            writer.connection,
            "SELECT warehouse_id, product_id, quantity, as_of FROM stock ORDER BY id",
        )
        rows = [
            (stable_id("second lot", row[0], row[1]), row[0], row[1], "L2", row[2] // 2, row[3])
            for row in held[: STOCK - len(held)]
        ]
        names = ("id", "warehouse_id", "product_id", "lot", "quantity", "as_of")
        await writer.insert("stock", from_rows("stock", names, rows))
        template = stable_id("survey_template", "shelf")
        rows = [(template, "SHELF", "The shelf")]
        await writer.insert(
            "survey_template", from_rows("survey_template", ("id", "code", "name"), rows)
        )
        rows = [(stable_id("question", n), template, n, f"Question {n}") for n in range(QUESTIONS)]
        names = ("id", "template_id", "order_number", "text")
        await writer.insert("question", from_rows("question", names, rows))


async def _rows(connection: AsyncConnection, text: str, values: Values = ()) -> list[Line]:
    result = await connection.exec_driver_sql(text, values)
    return [tuple(row) for row in result.fetchall()]


@asynccontextmanager
async def measured(folder: Path, shape: Shape = REFERENCE) -> AsyncIterator[Measured]:
    """The network runs; the first rep's device is enrolled, not initialized."""
    async with proxy.Line(0) as line:
        network = Network(folder / "net", line, PASSWORD)
        try:
            await network.hub.init("Bench")
            await network.hub.ask("sample", *shape.words, timeout_s=_LOAD_S)
            office = await open_office(network.hub.folder)
            try:
                await _complete(office)
                await network.hub.start()
                gateway = await network.add_gateway("GW1", "OF01")
                device = await network.add_device("D1", "REP0001", gateway)
                yield Measured(network, office, gateway, device, folder)
            finally:
                await office.database.close()
        finally:
            await network.close()
