"""One rep with a device: does the steps of the plan through the agent, and writes down what was saved and seen."""

import asyncio
import random
import sqlite3
from dataclasses import dataclass, field
from decimal import Decimal
from operator import gt
from pathlib import Path
from typing import Any

from device_agent.app import DeviceAgent
from device_agent.config import DeviceSettings
from device_agent.modes.progress import Progress
from device_agent.modes.progress import Step as Progressed
from device_agent.storage.database import connect
from device_agent.storage.home import Home
from device_agent.storage.keyring import Keyring
from device_agent.work.documents import NewOrder, NewPayment, NewVisit, TrackPoint
from device_agent.work.lines import OrderLine
from fieldmesh.basics.clock import SystemClock
from fieldmesh.basics.errors import Fenced, FieldmeshError
from fieldmesh.basics.identifiers import IdentifierMaker
from fieldmesh.session.transitions import Mode
from tests.chaos import reader
from tests.chaos.history import Recorder
from tests.chaos.shape import Post
from tests.chaos.work import Deed, Step

SETTINGS = DeviceSettings(discovery=False, stall_s=12.0, patience_s=2.5)
_PATIENCE = 8
"""A rep whose batches get no second tick for so many syncs goes to another gateway: the own one may be dishonest."""
_PAUSE_S = 0.3
_NOWHERE: tuple[int, ...] = (-(1 << 62), -1, -1)
"""Rows that wait (the fewer, the further), cursor, second tick: before the first look."""
_SHOWN = frozenset({Progressed.PACK, Progressed.UPLOAD, Progressed.SWAP, Progressed.DONE})
"""Steps of a sync before which a batch may have been packed."""


@dataclass(slots=True)
class FieldDevice:
    """A device that is worked with. `open` first, `close` last; after a kill it is made anew and opened again."""

    post: Post
    folder: Path
    password: str
    history: Recorder
    gateways: dict[str, str]
    """Code → address of its line."""
    agent: DeviceAgent | None = None
    _key: bytes = b""
    _look: sqlite3.Connection | None = None
    _look_path: Path = Path()
    _packed: set[tuple[int, int, str]] = field(default_factory=set)
    _sessions: set[str] = field(default_factory=set)
    _ids: IdentifierMaker = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is open."""
        self._ids = IdentifierMaker(SystemClock(), random.Random(self.post.device))

    @property
    def code(self) -> str:
        """Of the device."""
        return self.post.device

    async def open(self) -> None:
        """The rep has signed in."""
        home = Home(self.folder)
        if not self._key:
            self._key = Keyring(home).open(self.post.login, self.password)
        self.agent = await DeviceAgent.open_with_key(
            home, self._key, self.post.login, settings=SETTINGS
        )
        self.note_packed()

    async def close(self) -> None:
        """Nothing of the device is open, and no glance opens it again: it would go on reading a file that is gone."""
        agent, self.agent = self.agent, None
        if self._look is not None:
            self._look.close()
            self._look = None
        if agent is not None:
            await agent.close()

    def note(self, kind: str, **facts: Any) -> None:
        """It is in the history, in the name of this device."""
        self.history.note(kind, d=self.code, **facts)

    async def do(self, step: Step) -> None:
        """The step is done, or its refusal is written down.

        Raises:
            FieldmeshError: never; anything else is a defect of the agent.
        """
        self.note("step", n=step.number, deed=step.deed.value)
        try:
            if step.deed is Deed.SYNC:
                await self.sync(step.mode, step.gateway)
            elif step.deed is Deed.LOOK:
                self.look()
            else:
                rows = await self._write(step)
                contents = reader.contents(self._screen(), rows)
                self.note(
                    "wrote", n=step.number, deed=step.deed.value, rows=rows, contents=contents
                )
        except FieldmeshError as error:
            self.note("refused", n=step.number, deed=step.deed.value, code=error.code)

    # --- work

    async def _write(self, step: Step) -> list[list[str]]:
        """Rows that are durable now, as table and id."""
        agent = self.opened()
        outlets = await agent.sql("SELECT id FROM outlet ORDER BY code")
        if not outlets.rows and step.deed is not Deed.TRACK:
            return []
        outlet = bytes(outlets.rows[step.outlet % len(outlets.rows)][0]) if outlets.rows else b""
        now = SystemClock().now()
        match step.deed:
            case Deed.ORDER:
                rows = await self._order(agent, outlet, step)
            case Deed.VISIT:
                visit = await agent.record_visit(NewVisit(outlet, now - 600_000_000, now))
                rows = [["visit", visit.hex()]]
            case Deed.PAYMENT:
                amount = Decimal(step.amount) / 100
                payment = await agent.record_payment(NewPayment(outlet, amount))
                rows = [["payment", payment.hex()]]
            case Deed.CONTACT:
                rows = await self._contact(agent, outlet, step, now)
            case Deed.FORGET:
                rows = await self._forget(agent)
            case Deed.FORBIDDEN:
                rows = await self._forbidden(agent, now)
            case _:
                point = TrackPoint(now, Decimal("42.5"), Decimal("23.5"))
                rows = [["gps_point", (await agent.record_track_point(point)).hex()]]
        return rows

    async def _order(self, agent: DeviceAgent, outlet: bytes, step: Step) -> list[list[str]]:
        units = await agent.sql(
            "SELECT DISTINCT p.product_unit_id FROM price AS p JOIN product_unit AS u"
            " ON u.id = p.product_unit_id WHERE u.is_order_unit = 1 ORDER BY p.product_unit_id"
        )
        chosen = [units.rows[(step.outlet + n * 7) % len(units.rows)][0] for n in range(step.lines)]
        lines = [OrderLine(bytes(unit), Decimal(n + 1)) for n, unit in enumerate(chosen)]
        comment = f"{self.code} step {step.number}"
        made = await agent.place_order(NewOrder(outlet, lines, comment=comment))
        return [
            ["sales_order", made.order_id.hex()],
            *(["order_line", one.hex()] for one in made.line_ids),
        ]

    async def _contact(
        self, agent: DeviceAgent, outlet: bytes, step: Step, now: int
    ) -> list[list[str]]:
        """A contact has another telephone, which head office or a colleague may change too; or there is a new one."""
        held = await agent.sql(
            "SELECT id FROM contact WHERE outlet_id = ? ORDER BY id LIMIT 1", (outlet,)
        )
        if held.rows and step.amount % 3:
            contact = bytes(held.rows[0][0])
            told = {"row": contact.hex(), "phone": f"{self.code} step {step.number}"}
            self.note("changed", done=False, **told)
            done = await agent.sql(
                "UPDATE contact SET phone = ?, changed_at = ? WHERE id = ?",
                (told["phone"], now, contact),
            )
            if done.rows_changed:
                self.note("changed", done=True, **told)
            return []
        contact = self._ids.new()
        await agent.sql(
            "INSERT INTO contact (id, created_at, changed_at, outlet_id, name) VALUES (?, ?, ?, ?, ?)",
            (contact, now, now, outlet, f"Buyer {step.number} of {self.code}"),
        )
        return [["contact", contact.hex()]]

    async def _forget(self, agent: DeviceAgent) -> list[list[str]]:
        """A contact that a rep added is not there any more, whoever may be changing it just now."""
        held = await agent.sql(
            "SELECT id FROM contact WHERE name LIKE 'Buyer %' ORDER BY id LIMIT 1"
        )
        for (contact,) in held.rows:
            row = f"contact/{bytes(contact).hex()}"
            self.note("removed", done=False, row=row)
            done = await agent.sql("DELETE FROM contact WHERE id = ?", (contact,))
            if done.rows_changed:
                self.note("removed", done=True, row=row)
        return []

    async def _forbidden(self, agent: DeviceAgent, now: int) -> list[list[str]]:
        """A rep writes what only technicians may: head office must refuse it, in words."""
        work = self._ids.new()
        self.note("forbidden", row=f"service_work/{work.hex()}")
        await agent.sql(
            "INSERT INTO service_work (id, created_at, changed_at, request_id, works) VALUES (?, ?, ?, ?, ?)",
            (work, now, now, work, "a rep repairs a cooler"),
        )
        return [["service_work", work.hex()]]

    # --- syncs and looks

    async def sync(self, mode: str, gateway: str) -> str:
        """The mode was run; returns its outcome. A device that must initialize does so, as a person is told to."""
        agent = self.opened()
        outcome, problem = "failed", ""
        self.note("sync", mode=mode, gateway=gateway)
        try:
            report = await agent.sync(
                Mode(mode), progress=self._progress, gateway=self.gateways.get(gateway, "")
            )
            outcome, problem = report.outcome, report.problem
            self.note(
                "synced", mode=mode, gateway=gateway, outcome=outcome, problem=problem, state=report.device_state,
                cleared=report.cleared, rescue=report.rescue_file, repaired=report.repaired,
            )  # fmt: skip
        except Fenced as error:
            self.note("synced", mode=mode, gateway=gateway, outcome="fenced", problem=error.code)
            if error.code == "initialize_needed" and mode != "initialize":
                self.look()
                return await self.sync("initialize", gateway)
            outcome = "fenced"
        except FieldmeshError as error:
            self.note("synced", mode=mode, gateway=gateway, outcome="failed", problem=error.code)
        self.look()
        return outcome

    def look(self, *, glance: bool = False) -> None:
        """What a person sees at this moment, also in the middle of a sync, is written down.

        A glance is none of the rep's own steps: it counts as no operation.
        """
        self.note_packed()
        screen = self._screen()
        screen.execute("BEGIN")
        facts = reader.standing(screen)
        shown = {
            "pair": reader.pair(screen),
            "torn": reader.torn_orders(screen),
            "newest": reader.newest_order(screen),
            "sessions": reader.new_sessions(screen, self._sessions),
        }
        screen.execute("COMMIT")
        self.note("seen", glance=glance, **facts, **shown)

    def _progress(self, progress: Progress) -> None:
        if progress.step in _SHOWN:
            self.note_packed()

    def note_packed(self) -> None:
        """Batches that wait are in the history, with their rows."""
        for batch in reader.packed(self._screen(), self._packed):
            self.note("packed", **batch)

    def _screen(self) -> sqlite3.Connection:
        """A connection to the live database that is not the agent's, as any program may have one."""
        agent = self.opened()
        if self._look is None or self._look_path != agent.database_path:
            if self._look is not None:
                self._look.close()
            self._look_path = agent.database_path
            self._look = connect(self._look_path, agent.database_key)
        return self._look

    async def rest(self, lsn: int, deadline_s: float) -> dict[str, Any]:
        """The device holds what head office holds as of ``lsn`` or later, and head office has everything of it.

        Returns where it stands; `at_rest` is false when it came no further for ``deadline_s`` seconds: up and
        down, or beyond ``lsn``, is no further.
        """
        others = [code for code in self.gateways if code != self.post.home]
        furthest = _NOWHERE
        tries, moved_at = 0, 0.0
        while True:
            outcome = await self.sync("full", self.post.home)
            tries += 1
            status = await self.opened().status()
            state = status.state
            waits = status.standing.saved_rows + status.standing.waiting_batches
            heard = (state.seen_epoch, state.seen_sequence) >= (state.hub_epoch, state.hub_sequence)
            if outcome == "done" and not waits and heard and state.cursor_lsn >= lsn:
                return {"at_rest": True, "cursor": state.cursor_lsn}
            stands = (-waits, min(state.cursor_lsn, lsn), state.hub_sequence)
            if any(map(gt, stands, furthest)):
                furthest, moved_at = tuple(map(max, stands, furthest)), SystemClock().monotonic()
            if SystemClock().monotonic() > moved_at + deadline_s:
                return {
                    "at_rest": False,
                    "cursor": state.cursor_lsn,
                    "waits": waits,
                    "outcome": outcome,
                }
            if waits and others and tries % _PATIENCE == 0:
                await self.sync("fast", others[tries // _PATIENCE % len(others)])
            await asyncio.sleep(_PAUSE_S)

    def opened(self) -> DeviceAgent:
        """The agent.

        Raises:
            RuntimeError: nobody has opened it.
        """
        if self.agent is None:
            raise RuntimeError(f"{self.code} is not open")
        return self.agent


class Clone(FieldDevice):
    """A copy of a device in somebody else's hands: nobody relies on what it shows, but what it packs may count."""

    def note(self, kind: str, **facts: Any) -> None:
        """What it does is no deed of the rep."""
        if kind == "packed":
            super().note(kind, copied=True, **facts)
        else:
            super().note(f"clone_{kind}", **facts)
