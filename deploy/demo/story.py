"""A company works for a day. Every step goes through the three programs, as its people would run them."""

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from deploy.demo.network import Device, Gateway, Network
from deploy.demo.processes import TRY_AGAIN, CommandFailedError
from deploy.demo.telling import Answer, Teller

_TICK_S = 40.0
_PAUSE_S = 0.4
_MANY = 10_000
_ORDERS = "SELECT count(*) AS orders FROM sales_order WHERE state = 'saved'"


@dataclass(slots=True)
class Day:
    """The story and what it remembers.

    Attributes:
        network: where it happens.
        teller: who tells it.
        sample: folder with real orders; None = a generated company.
        placed: number of each order that a rep saved → its lines.
    """

    network: Network
    teller: Teller
    sample: Path | None = None
    offices: int = 2
    reps: int = 6
    placed: list[str] = field(default_factory=list)
    lines: int = 0
    work: dict[str, int] = field(default_factory=dict)
    sessions: int = 0

    async def live(self) -> None:
        """The whole day."""
        await self.found_company()
        await self.open_branches()
        await self.morning()
        await self.take_orders()
        await self.line_cut()
        await self.line_back()
        await self.price_change()
        await self.outlet_moves()
        await self.device_lost()
        await self.prove()

    # --- the parts of the day

    async def found_company(self) -> None:
        """A hub with a company in it."""
        kind = "real wholesale orders" if self.sample else "a generated company"
        self.teller.chapter("Head office", f"A hub is set up, and {kind} is loaded into it.")
        hub = self.network.hub
        await hub.init("Demo company")
        words = ["sample", "--offices", str(self.offices), "--reps", str(self.reps)]
        words += ["--work", str(self._work_folder)]
        if self.sample is not None:
            words += ["--from", str(self.sample), "--report", str(self.network.folder / "odd.csv")]
        else:
            words += ["--outlets", "40", "--products", "200"]
        with self.teller.console.status("  loading the company …"):
            answer = await hub.ask(*words)
        self.teller.say(f"{answer['rows']:,} rows are loaded.")
        odd = answer.get("odd")
        if isinstance(odd, dict) and odd:
            self.teller.say(
                f"{sum(odd.values()):,} odd things in the real data are listed in odd.csv:"
            )
            for what, count in sorted(odd.items(), key=lambda one: -one[1])[:6]:
                self.teller.say(f"   {count:>7,}  {what.replace('_', ' ')}")
        work = answer["work"]
        self.work = (
            {str(key): int(value) for key, value in work.items()} if isinstance(work, dict) else {}
        )
        await hub.start()
        self.teller.say("The hub serves: message bus, enrolment, ingest, relay.")

    async def open_branches(self) -> None:
        """Two gateways, a device for each of four reps."""
        self.teller.chapter(
            "Branches",
            "Two offices get a gateway each; four reps get a device. Everyone makes their own key.",
        )
        for number in (1, 2):
            await self.network.add_gateway(f"GW{number}", f"OF{number:02d}")
        self.teller.say("Both gateways are enrolled and load the partitions of their reps.")
        chosen = self._reps()
        jobs = [
            partial(self._equip, f"DEV-{rep}", rep, self.network.gateways[place % 2])
            for place, rep in enumerate(chosen)
        ]
        await self.teller.together("enrol devices", jobs, at_once=2)
        answers = await self._all("initialize", "initialize devices")
        rows = [int(str(answer["rows_down"])) for answer in answers]
        self.teller.check(
            "4 Whole", "every device has its working set",
            f"{min(rows):,} to {max(rows):,} rows a device", held=min(rows) > 0,
        )  # fmt: skip

    async def morning(self) -> None:
        """A full sync before the day begins."""
        self.teller.chapter("07:40", "Reps sync before they leave the office.")
        answers = await self._all("full", "morning full sync")
        self.teller.check(
            "4 Whole", "morning full sync", f"{len(answers)} devices are up to date",
            held=all(answer["outcome"] == "done" for answer in answers),
        )  # fmt: skip

    async def take_orders(self) -> None:
        """The first half of the day's orders, with both ticks."""
        self.teller.chapter("09:00", "Orders are taken offline and sent at the end of each visit.")
        await self._work_on(0, 6)
        await self._all("fast", "fast sync")
        await self._wait_for_two_ticks()

    async def line_cut(self) -> None:
        """The line to head office fails, and nobody has to stop."""
        self.teller.chapter("11:30", "The line to head office is cut. Gateways go on alone.")
        self.network.line.cut()
        await self._work_on(6, 3)
        answers = await self._all("fast", "fast sync without head office")
        answers += await self._all("full", "full sync without head office")
        served = all(answer["outcome"] == "done" for answer in answers)
        ticks = [tuple(_pair(answer["gateway_tick"])) for answer in answers[-len(self._devices) :]]
        far = [tuple(_pair(answer["hub_tick"])) for answer in answers[-len(self._devices) :]]
        self.teller.check(
            "8 Offline", "all devices were served with head office away",
            f"{len(answers)} sessions", held=served,
        )  # fmt: skip
        self.teller.check(
            "1 No loss", "new orders have one tick, not two",
            f"gateway {ticks[0]}, head office {far[0]}",
            held=all(near > hub for near, hub in zip(ticks, far, strict=True)),
        )  # fmt: skip

    async def line_back(self) -> None:
        """The line is back, and everything reaches head office once."""
        self.teller.chapter("12:10", "The line is back.")
        self.network.line.mend()
        await self._wait_for_two_ticks()
        await self._all("full", "full sync")

    async def price_change(self) -> None:
        """Head office changes a price; every device has it."""
        self.teller.chapter("13:00", "Head office changes a price.")
        price_list, product = await self._a_price()
        await self.network.hub.ask("price", "set", price_list, product, "77.70")
        query = (
            "SELECT count(*) > 0 AS here FROM price p JOIN product_unit u ON u.id = p.product_unit_id"
            f" JOIN product x ON x.id = u.product_id JOIN price_list l ON l.id = p.price_list_id"
            f" WHERE x.code = '{product}' AND l.code = '{price_list}' AND p.amount = 7770000"
        )
        seen = 0
        for device in self._devices:
            seen += await self._until(device, query, [{"here": 1}])
        self.teller.check(
            "5 Convergence", f"the new price of {product} is on every device",
            f"{seen} of {len(self._devices)}", held=seen == len(self._devices),
        )  # fmt: skip

    async def outlet_moves(self) -> None:
        """An outlet changes hands."""
        self.teller.chapter(
            "14:00", "An outlet is given to another rep, with its orders and debts."
        )
        first, second = self._devices[0], self._devices[1]
        rows = await first.rows(
            "SELECT code FROM outlet WHERE status = 'active' ORDER BY code LIMIT 1"
        )
        outlet = str(rows[0]["code"])
        count = (
            f"SELECT (SELECT count(*) FROM outlet WHERE code = '{outlet}') AS outlets,"
            " (SELECT count(*) FROM sales_order o JOIN outlet s ON s.id = o.outlet_id"
            f" WHERE s.code = '{outlet}') AS orders"
        )
        before = int(str((await first.rows(count))[0]["orders"]))
        await self.network.hub.ask("outlet", "move", outlet, "--to", second.login.upper())
        gone = await self._until(first, count, [{"outlets": 0, "orders": 0}])
        got = await self._until(second, count, [{"outlets": 1, "orders": before}])
        self.teller.check(
            "6 Scope", f"outlet {outlet} left {first.code} and reached {second.code}",
            f"removed, and arrived with its {before} orders", held=gone and got,
        )  # fmt: skip

    async def device_lost(self) -> None:
        """A spare device takes over, works, and hands back."""
        first = self._devices[2]
        self.teller.chapter(
            "15:00", f"{first.code} falls into a river. A spare from the cupboard takes its place."
        )
        gateway = self.network.gateways[0]
        made = await self.network.hub.ask(
            "device", "spare", "SPARE-1", "--gateway", gateway.code, "--for", first.code
        )
        spare = self.network.device("SPARE-1", first.login)
        await spare.enroll(str(made["code"]), gateway)
        await self._patiently(spare, "duplicate")
        orders = (await spare.rows(_ORDERS))[0]["orders"]
        self.teller.say(f"The spare has the working set, with {orders} of today's orders in it.")
        await self._place(spare, first.login.upper(), 9, 3)
        await self._patiently(spare, "upload")
        answer = await self._until_cleared(spare)
        self.teller.check(
            "1 No loss", "the spare handed over everything it made",
            "head office has it; the spare is cleared", held=answer,
        )  # fmt: skip
        self.teller.say(f"{first.code} turns up again, dry. It works again after a full sync.")
        back = await self._sync(first, "full")
        self.teller.check(
            "4 Whole", "the first device works again with the spare's orders",
            f"state {back['device_state']}", held=back["device_state"] == "active",
        )  # fmt: skip

    async def prove(self) -> None:
        """All tiers agree, and the journal is whole."""
        self.teller.chapter(
            "18:00", "Evening: everyone syncs, and all tiers prove that they agree."
        )
        await self._wait_for_two_ticks()
        await self._all("full", "evening full sync")
        deep = await self.teller.together(
            "devices work out every hash anew",
            [partial(one.ask, "verify") for one in self._devices],
            at_once=2,
        )
        self.teller.check(
            "5 Convergence", "devices = gateways", f"{len(deep)} devices recounted",
            held=all(_is_equal(answer) for answer in deep),
        )  # fmt: skip
        hub = await self._refused_as_answer("verify", "--deep")
        self.teller.check(
            "5 Convergence", "gateways = head office", str(hub.get("text") or "equal"), held=bool(hub.get("ok")),
        )  # fmt: skip
        await self._count_orders()
        audit = await self._refused_as_answer("audit", "verify")
        self.teller.check(
            "9 Audit", "the journal's chain is whole", f"{audit.get('entries', 0)} entries", held=bool(audit.get("ok")),
        )  # fmt: skip
        until, noted = time.monotonic() + _TICK_S, 0
        while noted < self.sessions and time.monotonic() < until:
            answer = await self.network.hub.ask(
                "audit", "list", "--kind", "sync_session", "--most", str(_MANY)
            )
            entries = answer["entries"]
            noted = len(entries) if isinstance(entries, list) else 0
        self.teller.check(
            "9 Audit", "every sync session stands in the journal",
            f"{noted} noted, {self.sessions} ended well", held=noted >= self.sessions,
        )  # fmt: skip

    # --- what they are made of

    @property
    def _work_folder(self) -> Path:
        return self.network.folder / "work"

    @property
    def _devices(self) -> list[Device]:
        return [one for one in self.network.devices if one.code.startswith("DEV-")]

    def _reps(self) -> list[str]:
        return sorted(self.work, key=lambda rep: -self.work[rep])[:4]

    async def _equip(self, code: str, rep: str, gateway: Gateway) -> Answer:
        await self.network.add_device(code, rep, gateway)
        return {}

    async def _all(self, mode: str, title: str) -> list[Answer]:
        jobs = [partial(self._patiently, device, mode) for device in self._devices]
        return await self.teller.together(title, jobs, at_once=2)

    async def _patiently(self, device: Device, mode: str) -> Answer:
        """The mode is done; a download that the gateway can't serve yet is asked for again."""
        until = time.monotonic() + _TICK_S
        while True:
            try:
                answer = await self._sync(device, mode)
            except CommandFailedError as error:
                if error.code != TRY_AGAIN or time.monotonic() > until:
                    raise
            else:
                if answer["outcome"] == "done" or time.monotonic() > until:
                    return answer
            await asyncio.sleep(_PAUSE_S)

    async def _sync(self, device: Device, mode: str) -> Answer:
        answer = await device.sync(mode)
        self.sessions += int(str(answer["sessions"]))
        return answer

    async def _work_on(self, skip: int, most: int) -> None:
        jobs = [
            partial(self._place, device, device.login.upper(), skip, most)
            for device in self._devices
        ]
        await self.teller.together("orders taken", jobs, at_once=2)

    async def _place(self, device: Device, rep: str, skip: int, most: int) -> Answer:
        file = self._work_folder / f"{rep}.jsonl"
        answer = await device.ask("orders", str(file), "--skip", str(skip), "--most", str(most))
        numbers = answer["numbers"]
        self.placed += [str(number) for number in numbers] if isinstance(numbers, list) else []
        self.lines += int(str(answer["lines"]))
        return answer

    async def _wait_for_two_ticks(self) -> None:
        started = time.monotonic()
        jobs = [partial(self._two_ticks, device) for device in self._devices]
        answers = await self.teller.together("second ticks", jobs, at_once=2)
        took = time.monotonic() - started
        self.teller.check(
            "2 Once", "head office has every batch", f"second ticks within {took:.1f} s",
            held=all(answer["done"] for answer in answers),
        )  # fmt: skip

    async def _two_ticks(self, device: Device) -> Answer:
        until = time.monotonic() + _TICK_S
        while time.monotonic() < until:
            answer = await self._patiently(device, "fast")
            if _pair(answer["hub_tick"]) >= _pair(answer["gateway_tick"]):
                return {"done": True}
            await asyncio.sleep(_PAUSE_S)
        return {"done": False}

    async def _until(self, device: Device, query: str, wanted: list[dict[str, object]]) -> bool:
        until = time.monotonic() + _TICK_S
        while time.monotonic() < until:
            await self._patiently(device, "full")
            if await device.rows(query) == wanted:
                return True
            await asyncio.sleep(_PAUSE_S)
        return False

    async def _until_cleared(self, spare: Device) -> bool:
        until = time.monotonic() + _TICK_S
        while time.monotonic() < until:
            answer = await self._patiently(spare, "upload")
            if answer.get("cleared"):
                return True
            await asyncio.sleep(_PAUSE_S)
        return False

    async def _a_price(self) -> tuple[str, str]:
        rows = await self._devices[0].rows(
            "SELECT l.code AS list, x.code AS product FROM price p JOIN price_list l ON l.id = p.price_list_id"
            " JOIN product_unit u ON u.id = p.product_unit_id JOIN product x ON x.id = u.product_id"
            " WHERE l.is_default = 1 ORDER BY x.code LIMIT 1"
        )
        return str(rows[0]["list"]), str(rows[0]["product"])

    async def _refused_as_answer(self, *words: str) -> Answer:
        try:
            return await self.network.hub.ask(*words)
        except CommandFailedError as error:
            return {**error.answer, "ok": False}

    async def _count_orders(self) -> None:
        held = await self._refused_as_answer("status")
        counted = held.get("made_on_devices", {})
        orders = int(str(counted.get("sales_order", 0))) if isinstance(counted, dict) else 0
        lines = int(str(counted.get("order_line", 0))) if isinstance(counted, dict) else 0
        self.teller.check(
            "1 No loss, 2 Once", "orders at head office = orders that reps saved",
            f"{orders} of {len(self.placed)} orders, {lines} of {self.lines} lines",
            held=orders == len(set(self.placed)) and lines == self.lines,
        )  # fmt: skip


def _pair(value: object) -> list[int]:
    return [int(one) for one in value] if isinstance(value, list) else [0, 0]


def _is_equal(answer: Answer) -> bool:
    return bool(answer.get("equal", answer.get("ok", False)))
