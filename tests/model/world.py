"""The network of the model: what can happen to it, and what must hold in spite of it."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest import mock

from device_agent.modes import talk
from device_agent.modes.run import run
from fieldmesh.basics.clock import ManualClock, SystemClock
from fieldmesh.basics.errors import Fenced, Retry
from fieldmesh.codec.batch import decode_body, decode_header
from fieldmesh.session.transitions import Mode
from fieldmesh.wire.v1 import replication_pb2
from gateway.storage import outbox, partitions, provisional
from hub.exchange.prices import set_price
from hub.fleet.outlets import move_outlets
from hub.fleet.registry import change_home
from hub.fleet.subscriptions import today
from hub.storage import nodes
from hub.storage.org_changes import head_office_write, upsert_rows
from tests.model import promises
from tests.model.broker import Broker
from tests.model.disk import Disks
from tests.model.line import Weather
from tests.model.nodes import SimDevice, SimGateway, SimHub, connect_devices

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.model.template import Template

MOST_ROUNDS = 40
"""A network that nobody disturbs is at rest after so many rounds, or never."""
DEVICES, GATEWAYS = ("D1", "D2"), ("GW1", "GW2")
SECOND_US = 1_000_000


@dataclass(slots=True)
class Made:
    """What people did, to be found again."""

    orders: dict[str, list[str]] = field(default_factory=dict)
    """By device, ids in the order in which they were made."""
    lines: dict[str, int] = field(default_factory=dict)
    """By order, how many lines it has."""
    restored: set[str] = field(default_factory=set)
    """Devices that were restored from a copy."""
    hub_ticks: dict[str, tuple[int, int]] = field(default_factory=dict)


class World:
    """Hub, broker, two gateways and two devices in one process."""

    def __init__(self, template: Template, folder: Path) -> None:
        """A copy of the company; nothing runs yet."""
        shutil.rmtree(folder, ignore_errors=True)
        template.copy(folder)
        self.folder = folder
        self.clock = ManualClock(SystemClock().now())
        self.broker = Broker()
        self.hub = SimHub(folder / "hub", self.broker, self.clock)
        self.gateways = {
            name: SimGateway(folder / name, self.broker, self.clock) for name in GATEWAYS
        }
        self.devices = {
            name: SimDevice(folder / name, template.keys[name], self.clock) for name in DEVICES
        }
        self.weather = Weather()
        self.made = Made(orders={name: [] for name in DEVICES})
        self.disks = Disks()
        self._patches = ExitStack()

    async def open(self) -> None:
        """Everything runs, with the lines up."""
        connected = connect_devices(self.gateways, self.weather)
        self._patches.enter_context(mock.patch.multiple(talk, **connected))
        self._patches.enter_context(self.disks.watched())
        await self.hub.open()
        for node in (*self.gateways.values(), *self.devices.values()):
            await node.open()

    async def close(self) -> None:
        """Nothing runs any more, and the folder is gone."""
        for node in (*self.devices.values(), *self.gateways.values(), self.hub):
            await node.crash()
        self._patches.close()
        shutil.rmtree(self.folder)

    # --- what people do

    async def order(self, device: str, lines: int = 2, outlet: int = 0) -> None:
        """A rep takes an order at one of the outlets that the device has; without any, none."""
        agent = self.devices[device].agent
        found = await agent.sql("SELECT code FROM outlet WHERE status = 'active' ORDER BY code")
        if not found.rows:
            return
        code = str(found.rows[outlet % len(found.rows)][0])
        placed = await agent.order_from_list(outlet=code, lines=lines)
        self.made.orders[device].append(placed.order_id.hex())
        self.made.lines[placed.order_id.hex()] = len(placed.line_ids)

    @contextmanager
    def full_disk(self, name: str, good: int = 0) -> Iterator[None]:
        """In the block one commit of the node fails, after so many good ones."""
        with self.disks.full(self.folder / name, good):
            yield

    async def sync(self, device: str, gateway: str, mode: Mode, weather: Weather) -> str:
        """A session, in that weather. Returns its outcome, or the code of the problem."""
        agent = self.devices[device].agent
        self.weather.messages = weather.messages
        self.weather.gateway_goes_on = weather.gateway_goes_on
        try:
            report = await run(agent._context, mode, only=f"{gateway}:1")
        except (Retry, Fenced) as problem:
            await promises.ticks_never_go_back(self, device)
            return problem.code
        finally:
            self.weather.messages = None
        assert not report.repaired, f"{device} differed from {gateway} after {mode.value}"
        await promises.ticks_never_go_back(self, device)
        if report.outcome == "done" and mode in {Mode.FULL, Mode.INITIALIZE}:
            await promises.never_torn(self, device)
        return report.outcome

    async def set_price(self, number: int) -> None:
        """Head office changes a price, and every outlet's postal code with it, in one transaction."""
        office = self.hub.office
        async with head_office_write(
            office.database, self.clock, actor="model", kind="price", about={}
        ) as writer:
            lists = await writer.connection.exec_driver_sql("SELECT code FROM price_list LIMIT 1")
            products = await writer.connection.exec_driver_sql(
                "SELECT code FROM product ORDER BY code LIMIT 1 OFFSET ?", (number % 5,)
            )
            await set_price(
                writer,
                office.maker.identifiers,
                price_list=str(lists.scalar_one()),
                product=str(products.scalar_one()),
                unit=None,
                amount=promises.FIRST_AMOUNT + number,
                day=today(self.clock),
            )
            outlets = await writer.connection.exec_driver_sql("SELECT id FROM outlet")
            codes = [(row[0], f"{promises.AFTER_PRICE}{number}") for row in outlets.fetchall()]
            await upsert_rows(writer, "outlet", ("id", "postal_code"), codes)

    async def move_outlet(self, number: int, position: str) -> None:
        """An outlet is served by that position from now on."""
        office = self.hub.office
        async with head_office_write(
            office.database, self.clock, actor="model", kind="outlet_moved", about={}
        ) as writer:
            found = await writer.connection.exec_driver_sql("SELECT code FROM outlet ORDER BY code")
            codes = [str(row[0]) for row in found.fetchall()]
            outlets = [codes[number % len(codes)]]
            await move_outlets(writer, office.maker, outlets=outlets, position=position)

    async def change_home(self, device: str, gateway: str) -> None:
        """The device is at home at that gateway from now on."""
        office = self.hub.office
        async with head_office_write(
            office.database, self.clock, actor="model", kind="home", about={}
        ) as writer:
            found = await nodes.named_device(writer.connection, device)
            home = await nodes.named_gateway(writer.connection, gateway)
            await change_home(writer, office.maker, found, home)

    # --- what happens to nodes

    async def restart(self, name: str) -> None:
        """A process dies and starts again."""
        node = self._node(name)
        await node.crash()
        await node.open()

    async def lose_gateway(self, name: str) -> None:
        """A gateway's disk is lost; it comes back with its identity and nothing else."""
        gateway = self.gateways[name]
        await gateway.crash()
        gateway.lose_disk()
        await gateway.open()

    async def backup_hub(self) -> None:
        """Tonight's backup; last night's is kept."""
        newest, older = self._backups
        await self.hub.crash()
        if newest.exists():
            shutil.rmtree(older, ignore_errors=True)
            newest.rename(older)
        self.hub.backup(newest)
        await self.hub.open()

    async def restore_hub(self, *, older: bool = False) -> bool:
        """Head office goes on from the newest backup, or from the one before, if there is one."""
        backup = self._backups[older]
        if not backup.exists():
            return False
        await self.hub.crash()
        await self.hub.restore(backup)
        await self.hub.open()
        return True

    @property
    def _backups(self) -> tuple[Path, Path]:
        return self.folder / "backup", self.folder / "backup-before"

    async def save_image(self, name: str) -> None:
        """Somebody copies a device or a gateway as it is."""
        node = self._node(name)
        await node.crash()
        shutil.rmtree(self._image(name), ignore_errors=True)
        shutil.copytree(self.folder / name, self._image(name))
        await node.open()

    async def restore_image(self, name: str) -> None:
        """A node is what it was when it was copied; what only it held is gone, and nothing else."""
        elsewhere = await self._orders_beyond_devices()
        node = self._node(name)
        await node.crash()
        shutil.rmtree(self.folder / name)
        shutil.copytree(self._image(name), self.folder / name)
        await node.open()
        if name not in self.devices:
            return
        there = await self.devices[name].agent.sql("SELECT lower(hex(id)) FROM sales_order")
        kept = elsewhere | {str(row[0]) for row in there.rows}
        made = self.made.orders
        made[name] = [order for order in made[name] if order in kept]
        self.made.hub_ticks.pop(name, None)
        self.made.restored.add(name)

    def _image(self, name: str) -> Path:
        return self.folder / f"{name}.image"

    async def _orders_beyond_devices(self) -> set[str]:
        """Orders that a gateway has acknowledged or head office has applied."""
        rows = await self.at_hub(
            "SELECT lower(hex(id)) FROM sales_order"
            " WHERE lower(hex(id)) IN (SELECT value FROM json_each(?))"
        )
        found = {str(row[0]) for row in rows}
        for gateway in self.gateways.values():
            payloads = await gateway.parts.database.read(
                lambda c: c.execute("SELECT payload FROM fm_outbox WHERE kind = 'batch'").fetchall()
            )
            for (payload,) in payloads:
                signed = replication_pb2.ForwardedBatch.FromString(payload).batch
                for change in decode_body(decode_header(signed.header), signed.body):
                    if change.rows.table == "sales_order":
                        found |= {bytes(one).hex() for one in change.rows.column("id")}  # type: ignore[arg-type]
        return found

    def _node(self, name: str) -> SimHub | SimGateway | SimDevice:
        if name == "hub":
            return self.hub
        return self.gateways[name] if name in self.gateways else self.devices[name]

    # --- until nothing waits

    async def at_rest(self) -> None:
        """Everything that waits has come to its end, with the lines up and nobody at work."""
        for line in (self.hub.line, *(gateway.line for gateway in self.gateways.values())):
            line.up, line.lose_words, line.skip, line.deliveries = True, 0, 0, 1_000_000
        waits: dict[str, Any] = {}
        for _ in range(MOST_ROUNDS):
            await self._round()
            waits = await self._waits()
            if not waits:
                return
        msg = f"the network does not come to rest: {waits}"
        raise AssertionError(msg)

    async def _round(self) -> None:
        self.clock.advance(61 * SECOND_US)
        for name, device in (("D1", "GW1"), ("D2", "GW2")):
            outcome = await self.sync(name, device, Mode.FULL, Weather())
            if outcome in {"initialize_needed", "cloned_device"}:
                await self.sync(name, device, Mode.INITIALIZE, Weather())
        for gateway in self.gateways.values():
            await gateway.send()
        await self.hub.take(self.broker.waiting_up())
        await self.hub.relay_once()
        for gateway in self.gateways.values():
            await gateway.hear()
            await gateway.seed()
            await gateway.hear()
            await gateway.seed()

    async def _waits(self) -> dict[str, Any]:
        waits: dict[str, Any] = {}
        for name, device in self.devices.items():
            standing = (await device.agent.status()).standing
            if standing.waiting_batches or standing.saved_rows:
                waits[name] = standing
        for name, gateway in self.gateways.items():
            depth = await gateway.parts.database.read(outbox.depth)
            rows = await gateway.parts.database.read(partitions.list_partitions)
            shown = await gateway.parts.database.read(provisional.count_batches)
            open_ = [row for row in rows if row.state is not partitions.PartitionState.READY]
            if depth.entries or open_ or shown:
                waits[name] = (depth, open_, shown)
        if self.broker.waiting_up():
            waits["UP"] = len(self.broker.waiting_up())
        return waits

    async def at_hub(self, query: str) -> list[tuple[Any, ...]]:
        """What head office's database answers; ``?`` is the ids of all orders that people made, as JSON."""
        orders = json.dumps([one for made in self.made.orders.values() for one in made])
        async with self.hub.office.database.read() as connection:
            result = await connection.exec_driver_sql(query, (orders,))
            return [tuple(row) for row in result.fetchall()]
