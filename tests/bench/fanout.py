"""hub.fanout.*: price changes imported at head office until they stand at every gateway, each a process of its own.

Cost = processor seconds of the hub's service, the bus and the gateways for 100,000 rows, a gateway. With five, ten
and twenty gateways: the others are stopped, and catch up before their turn. Half a million rows go to all twenty.
"""

import asyncio
import datetime
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from deploy.demo.network import Gateway
from fieldmesh.service.database import connect
from gateway.app.home import Home
from tests.bench.company import Measured, Shape
from tests.bench.figures import Figures
from tests.bench.gateway import cpu_seconds
from tests.bench.memory import measure_memory

FANOUT = Shape(reps=20, outlets=5, orders=1, lines=2)
QUICK_FANOUT = Shape(reps=4, outlets=5, orders=1, lines=2)
STEPS = {5: 100_000, 10: 100_000, 20: 500_000}
QUICK_STEPS = {2: 12_000, 4: 30_000}
"""Gateways → rows imported."""
_COST_ROWS = 100_000
_LONGEST_S = 1_200.0
_LOOK_S = 0.1
_FIRST_DAY = datetime.date(2025, 1, 1)
_SUM = "SELECT count(*), sum(amount) FROM price"


@dataclass(frozen=True, slots=True)
class Passed:
    """What one import came to."""

    rows: int
    gateways: int
    import_seconds: float
    seconds: float
    slowest_gap: float
    gateway_cpu: float
    hub_cpu: float
    bus_cpu: float

    @property
    def cost(self) -> float:
        """Processor seconds a gateway for 100,000 rows, without the import's own process."""
        used = self.gateway_cpu + self.hub_cpu + self.bus_cpu
        return used / self.gateways * _COST_ROWS / self.rows


async def measure_fanout(measured: Measured, figures: Figures) -> None:
    """Every step with more gateways than the one before."""
    steps = QUICK_STEPS if measured.quick else STEPS
    await _add_gateways(measured, max(steps))
    gateways = measured.network.gateways
    await _all_at(measured, gateways)
    for gateway in gateways[min(steps) :]:
        await gateway.service.stop()
    running = min(steps)
    for count, rows in steps.items():
        for gateway in gateways[running:count]:
            await gateway.start()
        running = count
        await _all_at(measured, gateways[:count])
        passed = await _pass(measured, gateways[:count], rows)
        _tell(figures, passed)
    _judge(figures, list(steps))
    await measure_memory(measured, figures)


def _tell(figures: Figures, passed: Passed) -> None:
    figures.put("hub.fanout.gateways", passed.gateways)
    figures.put("hub.fanout.rows", passed.rows)
    figures.put("hub.fanout.import_seconds", passed.import_seconds)
    figures.put("hub.fanout.seconds", passed.seconds)
    count = passed.gateways
    figures.put(f"hub.fanout.cost_{count}", passed.cost)
    each = _COST_ROWS / passed.rows
    figures.put(f"hub.fanout.cost_{count}_gateway_cpu", passed.gateway_cpu / count * each)
    figures.put(f"hub.fanout.cost_{count}_hub_cpu", passed.hub_cpu * each)
    figures.put(f"hub.fanout.cost_{count}_bus_cpu", passed.bus_cpu * each)


def _judge(figures: Figures, counts: Sequence[int]) -> None:
    first, last = (figures.values[f"hub.fanout.cost_{one}"] for one in (counts[0], counts[-1]))
    figures.put("hub.fanout.cost_ratio", last / first)
    key = f"hub.fanout.cost_{counts[-1]}"
    figures.expect(key, least=0.05, most=100.0, why="100,000 rows decoded and written")


async def _add_gateways(measured: Measured, count: int) -> None:
    """Each is the home of one rep."""
    for number in range(2, count + 1):
        gateway = await measured.network.add_gateway(f"GW{number}", "OF01")
        position = f"REP{number:04d}"
        await measured.bare_devices(1, positions=(position,), gateway=gateway.code)


async def _pass(measured: Measured, gateways: Sequence[Gateway], rows: int) -> Passed:
    path = measured.folder / "prices.csv"
    units = await _units(measured)
    await asyncio.to_thread(_write_prices, path, units, rows, shift=len(gateways))
    service = measured.network.hub.service.pid
    bus = _children(service)
    pids = [one.service.pid for one in gateways]
    before = [_cpu(pids), _cpu([service]), _cpu(bus)]
    started = time.monotonic()
    answer = await measured.network.hub.ask("import", "price", str(path), timeout_s=_LONGEST_S)
    imported = time.monotonic()
    assert isinstance(answer["files"], list)
    told = answer["files"][0]
    assert (told["loaded"], told["changed"]) == (rows, rows), told
    await _all_at(measured, gateways)
    ended = time.monotonic()
    used = [_cpu(pids) - before[0], _cpu([service]) - before[1], _cpu(bus) - before[2]]
    return Passed(rows, len(gateways), imported - started, ended - started, ended - imported, *used)


async def _all_at(measured: Measured, gateways: Sequence[Gateway]) -> None:
    """Every one of these gateways has every price of head office.

    Raises:
        AssertionError: one does not get there.
    """
    lsn = await measured.hub_lsn()
    wanted = (await measured.rows(f"{_SUM} WHERE deleted = 0"))[0]
    until = time.monotonic() + _LONGEST_S
    with ExitStack() as stack:
        open_ = [
            stack.enter_context(closing(connect(Home(one.folder).database, read_only=True)))
            for one in gateways
        ]
        waits = list(open_)
        while waits:
            waits = [one for one in waits if not _is_there(one, lsn, wanted)]
            assert time.monotonic() < until, [_standing(one) for one in waits]
            await asyncio.sleep(_LOOK_S if waits else 0)


def _is_there(gateway: sqlite3.Connection, lsn: int, wanted: tuple[object, ...]) -> bool:
    """The sum is asked only when the mark is there: it reads every price."""
    (mark,) = gateway.execute("SELECT mark_lsn FROM fm_state").fetchone()
    return bool(mark >= lsn) and tuple(gateway.execute(_SUM).fetchone()) == wanted


def _standing(gateway: sqlite3.Connection) -> tuple[object, ...]:
    mark = gateway.execute("SELECT mark_lsn FROM fm_state").fetchone()
    return (*mark, *gateway.execute(_SUM).fetchone())


async def _units(measured: Measured) -> list[tuple[str, str]]:
    """Price lists and products with their units, as in a file."""
    lists = [row[0] for row in await measured.rows("SELECT code FROM price_list ORDER BY code")]
    found = await measured.rows(
        "SELECT p.code, u.unit_code FROM product_unit AS u"
        " JOIN product AS p ON p.id = u.product_id ORDER BY p.code, u.unit_code"
    )
    return [(code, f"{row[0]}/{row[1]}") for code in lists for row in found]


def _write_prices(path: Path, units: list[tuple[str, str]], rows: int, *, shift: int) -> None:
    """Every row is new, or another price than the one that an earlier shift gave."""
    with path.open("w", encoding="utf-8") as file:
        file.write("price_list,product_unit,valid_from,amount\n")
        for number, (code, unit, day) in zip(range(rows), _keys(units), strict=False):
            price = f"{(number * 7 + shift) % 90_000 / 1000 + 1:.3f}"
            file.write(f"{code},{unit},{day},{price}\n")


def _keys(units: list[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    day = _FIRST_DAY
    while True:
        for code, unit in units:
            yield code, unit, day.isoformat()
        day += datetime.timedelta(days=1)


def _cpu(pids: Sequence[int]) -> float:
    return sum(cpu_seconds(pid) for pid in pids)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(one) for one in path.read_text("ascii").split()]
    return found
