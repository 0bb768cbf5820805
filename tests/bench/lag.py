"""lag.*: how soon head office has what a gateway has taken, and how soon a gateway has what head office changed.

One way after the other, 500 rows a second, steady. Up: from the moment at which the gateway took the batch (before its
commit) to the moment at which another reader of the hub's database sees it. Down: from the return of the hub's commit
to the moment at which another reader of the gateway's database sees its mark. Readers look every few milliseconds.
"""

import asyncio
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from fieldmesh.basics.clock import SystemClock
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from fieldmesh.service.database import connect
from gateway.app.home import Home
from hub.storage.org_changes import head_office_write
from tests.bench.company import BareDevice, Measured
from tests.bench.crowd_line import Crowd, Visits, crowd
from tests.bench.figures import Figures, percentile
from tests.bench.gateway import cpu_seconds, rows_arrive
from tests.bench.visits import VISIT_ROWS

ROWS_A_SECOND = 500.0
DEVICES, PRICES = 64, 25
SECONDS, QUICK_SECONDS = 40.0, 10.0
_LOOK_S = 0.004
_LONGEST_S = 60.0
Key = tuple[bytes, int]
"""A device's batch, by sequence."""


async def measure_lag(measured: Measured, figures: Figures) -> None:
    """Both legs, and the worse of the two."""
    seconds = QUICK_SECONDS if measured.quick else SECONDS
    devices = await measured.bare_devices(DEVICES)
    async with crowd(measured, "lag", _steady(devices, seconds)) as clients:
        up = await _up(measured, figures, clients, {one.device_id for one in devices})
    down = await _down(measured, seconds)
    assert len(up) == len(clients.told), (len(up), len(clients.told))
    await rows_arrive(measured, [one.device_id for one in devices], len(clients.told))
    for name, lags, rows in (("up", up, VISIT_ROWS), ("down", down, PRICES)):
        figures.put(f"lag.{name}_samples", len(lags))
        figures.put(f"lag.{name}_rows_per_second", len(lags) * rows / seconds)
        figures.put(f"lag.{name}_p50", percentile(lags, 0.50))
        figures.put(f"lag.{name}_p99", percentile(lags, 0.99))
        least = 0.9 * ROWS_A_SECOND
        why = "the load is 500 rows a second"
        figures.expect(f"lag.{name}_rows_per_second", least=least, most=600.0, why=why)
    for share in ("p50", "p99"):
        worse = max(figures.values[f"lag.up_{share}"], figures.values[f"lag.down_{share}"])
        figures.put(f"lag.{share}", worse)


def _steady(devices: list[BareDevice], seconds: float) -> list[Visits]:
    """Each device at moments of its own; together so many rows a second."""
    chance = random.Random(5)
    each_s = len(devices) * VISIT_ROWS / ROWS_A_SECOND
    found = []
    for device in devices:
        moment, at = chance.uniform(0, each_s), []
        while moment < seconds:
            at.append(moment)
            moment += each_s
        found.append(Visits(device, "fast", at))
    return found


async def _up(
    measured: Measured, figures: Figures, clients: Crowd, devices: set[bytes]
) -> list[float]:
    stop, seen = asyncio.Event(), dict[Key, int]()
    pids = {"hub": measured.network.hub.service.pid, "gateway": measured.gateway.service.pid}
    with (
        _reader(measured.office.home.database_file) as hub,
        _reader(Home(measured.gateway.folder).database) as gateway,
    ):
        async with asyncio.TaskGroup() as group:
            group.create_task(_watch_hub(hub, seen, stop))
            began, before = time.monotonic(), {name: cpu_seconds(pid) for name, pid in pids.items()}
            await clients.run()
            for name, pid in pids.items():
                used = (cpu_seconds(pid) - before[name]) / (time.monotonic() - began)
                figures.put(f"lag.up_{name}_cpu_share", used)
            taken = _taken(gateway, devices)
            await _until(lambda: taken.keys() <= seen.keys())
            stop.set()
    return [(seen[key] - at) / 1e6 for key, at in taken.items()]


async def _down(measured: Measured, seconds: float) -> list[float]:
    stop, marks = asyncio.Event(), dict[int, int]()
    with _reader(Home(measured.gateway.folder).database) as gateway:
        async with asyncio.TaskGroup() as group:
            group.create_task(_watch_gateway(gateway, marks, stop))
            committed = await _change_prices(measured, seconds)
            await _until(lambda: max(marks) >= max(committed))
            stop.set()
        await _same_prices(measured, gateway)
    return [(_reached(marks, lsn) - at) / 1e6 for lsn, at in committed.items()]


@contextmanager
def _reader(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(path, read_only=True)) as connection:
        yield connection


async def _watch_hub(hub: sqlite3.Connection, seen: dict[Key, int], stop: asyncio.Event) -> None:
    clock = SystemClock()
    last = int(hub.execute("SELECT coalesce(max(rowid), 0) FROM fm_inbox").fetchone()[0])
    while not stop.is_set():
        rows = hub.execute(
            "SELECT rowid, device_id, sequence FROM fm_inbox WHERE rowid > ? ORDER BY rowid",
            (last,),
        ).fetchall()
        now = clock.now()
        for row_id, device_id, sequence in rows:
            seen[(device_id, sequence)] = now
            last = row_id
        await asyncio.sleep(_LOOK_S)


async def _watch_gateway(
    gateway: sqlite3.Connection, marks: dict[int, int], stop: asyncio.Event
) -> None:
    """Each new mark, and when it was seen."""
    clock = SystemClock()
    while not stop.is_set():
        mark = int(gateway.execute("SELECT mark_lsn FROM fm_state").fetchone()[0])
        marks.setdefault(mark, clock.now())
        await asyncio.sleep(_LOOK_S)


async def _change_prices(measured: Measured, seconds: float) -> dict[int, int]:
    """Prices change, steadily. When each LSN was committed."""
    office, clock = measured.office, SystemClock()
    held = await measured.rows("SELECT id, amount FROM price ORDER BY id")
    committed: dict[int, int] = {}
    began, every_s = time.monotonic(), PRICES / ROWS_A_SECOND
    for number in range(int(seconds / every_s)):
        await asyncio.sleep(max(0.0, began + number * every_s - time.monotonic()))
        start = number * PRICES % (len(held) - PRICES)
        rows: list[tuple[Value, ...]] = [
            (price, amount + number + 1) for price, amount in held[start : start + PRICES]
        ]
        async with head_office_write(
            office.database, office.clock, actor="bench", kind="bench", about={}
        ) as writer:
            await writer.update("price", from_rows("price", ("id", "amount"), rows))
            lsn = writer.lsn
        committed[lsn] = clock.now()
        if time.monotonic() - began > 2 * seconds:
            break
    return committed


def _taken(gateway: sqlite3.Connection, devices: set[bytes]) -> dict[Key, int]:
    rows = gateway.execute("SELECT device_id, sequence, received_at FROM fm_inbox").fetchall()
    return {(device, sequence): at for device, sequence, at in rows if device in devices}


def _reached(marks: dict[int, int], lsn: int) -> int:
    return min(at for mark, at in marks.items() if mark >= lsn)


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(_LONGEST_S):
        while not holds():  # noqa: ASYNC110 - another process acts
            await asyncio.sleep(0.05)


async def _same_prices(measured: Measured, gateway: sqlite3.Connection) -> None:
    query = "SELECT count(*) AS n, sum(amount) AS amount FROM price"
    held = gateway.execute(query).fetchone()
    assert [held] == await measured.rows(f"{query} WHERE deleted = 0"), held
