"""Head office at work: prices, pairs, moves, spares; each is one hub transaction, written down with its LSN."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldmesh.basics.errors import FieldmeshError
from fieldmesh.data.types import Value
from hub.fleet.office import Office, open_office
from hub.fleet.outlets import move_outlets
from hub.fleet.registry import NewDevice, add_device, authorise_spare, change_home
from hub.storage import nodes
from hub.storage.changes import ChangeWriter
from hub.storage.org_changes import head_office_write, update_rows
from hub.trust.authority import NodeKind
from hub.trust.enrolment import new_code
from tests.chaos.history import Recorder
from tests.chaos.reader import FIRST_AMOUNT, WORD
from tests.chaos.shape import Shape
from tests.chaos.work import Change, OfficeStep, office_step

_PAIR_PRICE = (
    "SELECT p.id FROM price AS p JOIN price_list AS l ON l.id = p.price_list_id"
    " JOIN product_unit AS u ON u.id = p.product_unit_id JOIN product AS x ON x.id = u.product_id"
    " WHERE l.code = 'PL-BASE' AND x.code = 'P00000' ORDER BY p.id LIMIT 1"
)
_PAIR_PRODUCT = "SELECT id FROM product WHERE code = 'P00000'"
_SCOPES = "SELECT lower(hex(position_id)), target_partition FROM subscription WHERE deleted = 0"


@dataclass(slots=True)
class HeadOffice:
    """People at head office. They work on the hub's database as its commands do, also while the hub is down."""

    folder: Path
    shape: Shape
    history: Recorder
    seed: int
    closed: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by who moves the hub's folder; nobody works meanwhile."""
    _office: Office | None = None
    _number: int = 0
    _spares: dict[str, str] = field(default_factory=dict)
    """By spare, the device that it was authorised for since the newest backup."""

    async def work(self, stopped: asyncio.Event) -> None:
        """Steps of the plan, until it is stopped; one that the database could not take is written down as such."""
        while not stopped.is_set():
            self._number += 1
            found = office_step(self.seed, self.shape, self._number)
            try:
                async with asyncio.timeout(found.pause_s):
                    await stopped.wait()
            except TimeoutError:
                await self.do(found)

    async def do(self, step: OfficeStep) -> None:
        """The step is done, or it is written down that it could not be."""
        self.history.note("office_step", n=step.number, change=step.change.value)
        try:
            match step.change:
                case Change.PAIR:
                    await self.set_pair(step.number)
                case Change.PRICE:
                    await self._set_price(step)
                case Change.MOVE:
                    await self._move(step)
        except FieldmeshError as error:
            self.history.note("office_refused", n=step.number, code=error.code)

    async def set_pair(self, number: int) -> None:
        """A price, a product's name and postal codes in every rep's area change in one transaction."""
        async with self._writing("pair") as writer:
            price = (await _rows(writer, _PAIR_PRICE))[0][0]
            product = (await _rows(writer, _PAIR_PRODUCT))[0][0]
            codes = ", ".join(f"'O{n + 1:04d}-0000'" for n in range(len(self.shape.posts)))
            outlets = await _rows(writer, f"SELECT id FROM outlet WHERE code IN ({codes})")
            word = f"{WORD}{number}"
            await update_rows(writer, "price", ("id", "amount"), [(price, FIRST_AMOUNT + number)])
            await update_rows(writer, "product", ("id", "name"), [(product, word)])
            await update_rows(
                writer, "outlet", ("id", "postal_code"), [(one[0], word) for one in outlets]
            )
            lsn = writer.lsn
        self.history.note("office", n=number, change="pair", lsn=lsn)

    async def _set_price(self, step: OfficeStep) -> None:
        async with self._writing("price") as writer:
            text = "SELECT p.id FROM price AS p JOIN product_unit AS u ON u.id = p.product_unit_id JOIN product AS x"
            rows = await _rows(
                writer, f"{text} ON x.id = u.product_id WHERE x.code = 'P{step.product:05d}'"
            )
            changed = [(row[0], step.cents * 1000) for row in rows]
            await update_rows(writer, "price", ("id", "amount"), changed)
            lsn = writer.lsn
        self.history.note("office", n=step.number, change="price", lsn=lsn)

    async def _move(self, step: OfficeStep) -> None:
        """An outlet is served by another rep."""
        outlet = f"O{step.rep + 1:04d}-{step.outlet:04d}"
        await self.move([outlet], self.shape.posts[step.to_rep].position, step.number)

    async def move(self, outlets: list[str], position: str, number: int = 0) -> None:
        """The outlets are served by that position; who may see what is written down with the LSN.

        Raises:
            FieldmeshError: nothing was moved.
        """
        async with self._writing("move") as writer:
            await move_outlets(writer, self._opened().maker, outlets=outlets, position=position)
            lsn, scopes = writer.lsn, await _scopes(writer)
        self.history.note("office", n=number, change="move", lsn=lsn, outlets=outlets, to=position)
        self.history.note("scope", lsn=lsn, positions=scopes)

    async def note_scopes(self) -> int:
        """Who may see what is written down as it stands now. Returns the newest LSN."""
        await self.opened()
        async with self._opened().database.read() as connection:
            lsn = int((await connection.exec_driver_sql("SELECT lsn FROM fm_hub")).scalar_one())
            rows = (await connection.exec_driver_sql(_SCOPES)).fetchall()
        self.history.note("scope", lsn=lsn, positions=_by_position([tuple(row) for row in rows]))
        return lsn

    async def lsn(self) -> int:
        """The newest LSN."""
        office = await self.opened()
        async with office.database.read() as connection:
            return int((await connection.exec_driver_sql("SELECT lsn FROM fm_hub")).scalar_one())

    async def add_device(self, code: str, position: str, gateway: str) -> str:
        """A main device is registered. Returns its one-time code."""
        async with self._writing("device_added") as writer:
            office = self._opened()
            device = await add_device(writer, office.maker, NewDevice(code, position, gateway))
            return await new_code(writer.connection, office.trust, NodeKind.DEVICE, device)

    async def add_spare(self, code: str, first: str, gateway: str) -> str:
        """A spare for a device is registered. Returns its one-time code."""
        async with self._writing("spare_added") as writer:
            office = self._opened()
            new = NewDevice(code, gateway=gateway, spare=True)
            device = await add_device(writer, office.maker, new)
            await self._authorise(writer, code, first)
            return await new_code(writer.connection, office.trust, NodeKind.DEVICE, device)

    async def gateway_id(self, code: str) -> bytes:
        """The id of the gateway of that code.

        Raises:
            FieldmeshError: the database cannot be read now.
        """
        async with self.closed:
            office = await self.opened()
            async with office.database.read() as connection:
                return (await nodes.named_gateway(connection, code)).gateway_id

    async def device_code(self, device: str) -> str:
        """A one-time code with which a device whose certificate has ended enrols again.

        Raises:
            FieldmeshError: there is none now.
        """
        async with self._writing("device_code") as writer:
            found = await nodes.named_device(writer.connection, device)
            return await new_code(
                writer.connection, self._opened().trust, NodeKind.DEVICE, found.device_id
            )

    async def change_home(self, device: str, gateway: str) -> None:
        """The device's home is that gateway from now on.

        Raises:
            FieldmeshError: nothing was changed.
        """
        async with self._writing("home") as writer:
            found = await nodes.named_device(writer.connection, device)
            home = await nodes.named_gateway(writer.connection, gateway)
            await change_home(writer, self._opened().maker, found, home)

    async def authorise(self, spare: str, first: str) -> None:
        """The spare may stand in."""
        async with self._writing("spare_authorised") as writer:
            await self._authorise(writer, spare, first)
        self._spares[spare] = first

    def note_backup(self) -> None:
        """A backup begins: what was entered until now is in it."""
        self._spares.clear()

    async def enter_again(self) -> None:
        """The spares that the backup does not know are authorised before head office starts, as its runbook says."""
        for spare, first in list(self._spares.items()):
            try:
                await self.authorise(spare, first)
            except FieldmeshError as error:
                self.history.note("office_refused", n=0, code=error.code)

    async def _authorise(self, writer: ChangeWriter, spare: str, first: str) -> None:
        await authorise_spare(
            writer,
            self._opened().maker,
            spare=await nodes.named_device(writer.connection, spare),
            first=await nodes.named_device(writer.connection, first),
        )

    async def opened(self) -> Office:
        """The hub's database, keys and settings."""
        if self._office is None:
            self._office = await open_office(self.folder)
        return self._office

    async def close(self) -> None:
        """Nothing of the hub is open here; the next step opens it again."""
        if self._office is not None:
            await self._office.database.close()
            self._office = None

    def _opened(self) -> Office:
        assert self._office is not None
        return self._office

    @asynccontextmanager
    async def _writing(self, kind: str) -> AsyncIterator[ChangeWriter]:
        async with self.closed:
            office = await self.opened()
            async with head_office_write(
                office.database, office.clock, actor="campaign", kind=kind, about={}
            ) as writer:
                yield writer


async def _scopes(writer: ChangeWriter) -> dict[str, list[int]]:
    return _by_position(await _rows(writer, _SCOPES))


def _by_position(rows: list[tuple[Any, ...]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for position, partition in rows:
        found.setdefault(str(position), []).append(int(partition))
    return found


async def _rows(writer: ChangeWriter, text: str) -> list[tuple[Value, ...]]:
    result = await writer.connection.exec_driver_sql(text)
    return [tuple(row) for row in result.fetchall()]
