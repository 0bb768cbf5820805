"""web.*: the back office at work: 150 requests a second of its mix, over a year of data, one hub process.

The load is open: every request has a moment, and its time counts from that moment, so that a slow answer makes the
ones behind it late too. People sign in before; each keeps up to six connections, as a browser does.
"""

import asyncio
import random
import ssl
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp

from fieldmesh.service.tls import certificate_pem
from tests.bench.company import PASSWORD, Measured, Shape
from tests.bench.figures import Figures, percentile
from tests.bench.gateway import cpu_seconds
from tests.bench.memory import measure_memory
from tests.kit.workplace import Person

WEB = Shape(reps=50, outlets=100, products=500, orders=24, lines=5)
"""120,000 orders with 600,000 lines: a year of 50 reps."""
QUICK_WEB = Shape(reps=4, outlets=20, products=100, orders=6, lines=3)
REQUESTS_A_SECOND = 150.0
SECONDS, QUICK_SECONDS = 40.0, 20.0
REACH_S = 0.2
RATES, STEP_SECONDS = (25.0, 50.0, 75.0, 100.0, 125.0, 150.0, 175.0, 200.0), 8.0
"""Machines differ, and this one serves its load too: how many requests a second it answers within the reach."""
PEOPLE = 24
LINES = 6
"""Connections that a browser opens."""
KNOWN = 100
"""Records of each kind that a person opens."""
_ALONE = 8
"""Requests of each kind one after the other, before the load: what one person waits for."""
_MOST_SHOWN = 300
_LOOK_S, _MOST_LOOKS, _IDLE = 3.0, 60, 0.05
"""Seconds between two looks, and the share of a processor that a hub with nothing to do uses."""
_WORDS = ("Market", "Kiosk", "Store", "12", "007", "a")

MIX = (
    ("today", 12, "/today"),
    ("map", 4, "/today/map"),
    ("list", 14, "/outlets"),
    ("search", 16, "/outlets?q={word}"),
    ("record", 16, "/outlets/{outlet}"),
    ("orders", 12, "/orders"),
    ("order", 10, "/orders/{order}"),
    ("products", 6, "/products?q={word}"),
    ("api", 10, "/api/v1/outlets?limit=100"),
)
"""Kind, share, address."""


@dataclass(slots=True)
class _Desk:
    """Somebody of the back office, and what they open."""

    person: Person
    outlets: Sequence[str]
    orders: Sequence[str]


@dataclass(slots=True)
class _Times:
    """Seconds a request, by kind; what was no answer."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failed: list[str] = field(default_factory=list)

    @property
    def every(self) -> list[float]:
        """Seconds of all requests."""
        return [one for found in self.seconds.values() for one in found]


async def measure_web(measured: Measured, figures: Figures) -> None:
    """95 of 100 requests are answered within so many seconds; and at how many a second that still is `REACH_S`."""
    seconds = QUICK_SECONDS if measured.quick else SECONDS
    alone, choose = _Times(), random.Random(17)
    await _at_rest(measured.network.hub.service.pid)
    async with _people(measured) as desks:
        for _ in range(_ALONE):
            for kind, _share, address in MIX:
                desk = choose.choice(desks)
                await _ask(desk, kind, address, time.perf_counter(), alone, choose)
        pid = measured.network.hub.service.pid
        used = cpu_seconds(pid)
        times = await _load(desks, REQUESTS_A_SECOND, seconds, choose)
        used = cpu_seconds(pid) - used
        figures.put("web.rate", await _rate(desks, choose))
    assert not alone.failed, alone.failed[:5]
    figures.put("web.failed", len(times.failed))
    if times.failed:
        figures.note(f"web: not all were answered, such as {times.failed[0]}")
    every = times.every
    assert len(every) == int(REQUESTS_A_SECOND * seconds), len(every)
    figures.put("web.requests_per_second", REQUESTS_A_SECOND)
    figures.put("web.p50", percentile(every, 0.50))
    figures.put("web.p95", percentile(every, 0.95))
    figures.put("web.p99", percentile(every, 0.99))
    figures.put("web.cpu_ms_per_request", used * 1000 / len(every))
    for kind, _, _ in MIX:
        figures.put(f"web.{kind}_p95", percentile(times.seconds[kind], 0.95))
        figures.put_samples(f"web.{kind}_alone", alone.seconds[kind])
    await measure_memory(measured, figures)


async def _at_rest(pid: int) -> None:
    """The hub has taken in the company: its copy for reports is filled once, after the first start."""
    for _ in range(_MOST_LOOKS):
        used = cpu_seconds(pid)
        await asyncio.sleep(_LOOK_S)
        if cpu_seconds(pid) - used < _LOOK_S * _IDLE:
            return
    raise TimeoutError("the hub does not come to rest")


async def _load(
    desks: Sequence[_Desk], a_second: float, seconds: float, choose: random.Random
) -> _Times:
    """Requests of the mix have come at their moments."""
    times, began = _Times(), time.perf_counter()
    plan = [(choose.choice(desks), *_request(choose)) for _ in range(int(a_second * seconds))]
    async with asyncio.TaskGroup() as group:
        for number, (desk, kind, address) in enumerate(plan):
            due = began + number / a_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(_ask(desk, kind, address, due, times, choose))
    return times


async def _rate(desks: Sequence[_Desk], choose: random.Random) -> float:
    """The most requests a second, in steps, of which none fails and 95 of 100 are in time; 0 = not even the first."""
    best = 0.0
    for a_second in RATES:
        times = await _load(desks, a_second, STEP_SECONDS, choose)
        if times.failed or percentile(times.every, 0.95) > REACH_S:
            break
        best = a_second
    return best


def _request(choose: random.Random) -> tuple[str, str]:
    kinds = [kind for kind, _, _ in MIX]
    kind = choose.choices(kinds, [share for _, share, _ in MIX])[0]
    return kind, next(address for name, _, address in MIX if name == kind)


async def _ask(
    desk: _Desk, kind: str, address: str, due: float, times: _Times, choose: random.Random
) -> None:
    path = address.format(
        word=choose.choice(_WORDS),
        outlet=choose.choice(desk.outlets),
        order=choose.choice(desk.orders),
    )
    async with desk.person.browser.get(desk.person.base + path) as answer:
        text = await answer.text()
        if answer.status != HTTPStatus.OK:
            times.failed.append(f"{answer.status} {path}: {text[-_MOST_SHOWN:]}")
    times.seconds[kind].append(time.perf_counter() - due)


@asynccontextmanager
async def _people(measured: Measured) -> AsyncIterator[list[_Desk]]:
    """Supervisors who have signed in, with outlets and orders that they may see."""
    authority = certificate_pem(measured.office.trust.authority.certificate).decode("ascii")
    trust = ssl.create_default_context(cadata=authority)
    base = f"https://localhost:{measured.network.hub.https_port}"
    found = await measured.rows("SELECT login FROM app_user WHERE login LIKE 'sup%' ORDER BY login")
    logins = [str(row[0]) for row in found]
    async with AsyncExitStack() as stack:
        desks = []
        for number in range(PEOPLE):
            connector = aiohttp.TCPConnector(ssl=trust, limit=LINES)
            browser = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
            person = Person(browser, base)
            await person.get("/sign-in")
            login = logins[number % len(logins)]
            status, text = await person.post("/sign-in", {"login": login, "password": PASSWORD})
            assert status == HTTPStatus.OK, text
            known = [await _some(person, view) for view in ("outlets", "orders")]
            desks.append(_Desk(person, *known))
        yield desks


async def _some(person: Person, view: str) -> list[str]:
    status, page = await person.json(f"/api/v1/{view}?limit={KNOWN}")
    assert status == HTTPStatus.OK, page
    return [row["id"] for row in page["rows"]]
