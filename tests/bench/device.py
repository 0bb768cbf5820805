"""initialize.*, fast.*, full.*: what the rep waits for."""

import asyncio
import random
import time

from device_agent.app import DeviceAgent
from fieldmesh.data.model import Tier
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from fieldmesh.session.transitions import Mode
from tests.bench.company import Measured
from tests.bench.day import ROWS, TOTAL, day_of_work
from tests.bench.figures import Figures
from tests.bench.limits import bare_server, insert_all, one_bare_call
from tests.bench.proof import prove_equal

CHANGES = 1_500
_CALLS = 3
LEAST_ROWS, MOST_ROWS = 42_000, 45_000


async def measure_initialize(measured: Measured, figures: Figures) -> None:
    """Empty devices become complete; the gateway has no finished snapshot for any of them."""
    seconds: list[float] = []
    again: list[float] = []
    limits: list[float] = []
    count, rows = 0, dict[str, list[tuple[Value, ...]]]()
    for _ in range(measured.repeat):
        await measured.change_prices(1)
        for samples in (seconds, again):
            measured.empty_device()
            async with await measured.agent() as agent:
                assert not (await agent.sql("SELECT 1 FROM product LIMIT 1")).rows
                started = time.perf_counter()
                report = await agent.sync(Mode.INITIALIZE, gateway=measured.gateway.address)
                samples.append(time.perf_counter() - started)
                assert report.outcome == "done", report
                count = await prove_equal(agent, measured)
                rows = await _rows_of(agent)
        limits.append(await asyncio.to_thread(insert_all, measured.folder / "limit.db", rows))
    assert LEAST_ROWS < count < MOST_ROWS, count
    figures.put("initialize.rows", count)
    figures.put_samples("initialize.seconds", seconds)
    figures.put_samples("initialize.again_seconds", again)
    figures.put_samples("initialize.limit_seconds", limits)
    figures.expect(
        "initialize.limit_seconds", least=0.05, most=0.6, why="about 43,500 inserts on an idle machine",
        doubts=["initialize.ratio"],
    )  # fmt: skip
    _ratio(figures, "initialize")


async def measure_fast(measured: Measured, figures: Figures) -> None:
    """A day's upload over a new connection."""
    await _days(measured, figures, Mode.FAST, changes=0, commits=1)


async def measure_full(measured: Measured, figures: Figures) -> None:
    """A day's upload, and the day's changes down, over a new connection."""
    await _days(measured, figures, Mode.FULL, changes=CHANGES, commits=2)


async def _days(
    measured: Measured, figures: Figures, mode: Mode, *, changes: int, commits: int
) -> None:
    """One day a sample; the limit is measured beside each, with as many bytes."""
    name, choose = mode.value, random.Random(11)
    keys = (await measured.bare_devices(1))[0].keys
    seconds: list[float] = []
    limits: list[float] = []
    sizes: list[int] = []
    async with (
        measured.working_agent() as agent,
        bare_server(measured.folder, measured.server_keys(), commits) as port,
    ):
        device_id = (await agent.status()).state.device_id
        before = await measured.rows_at_hub(device_id, ROWS)
        for _ in range(measured.repeat):
            if changes:
                await measured.change_prices(changes)
            await day_of_work(agent, choose)
            started = time.perf_counter()
            report = await agent.sync(mode, gateway=measured.gateway.address)
            seconds.append(time.perf_counter() - started)
            assert (report.rows_up, report.rows_down) == (TOTAL, changes), report
            sizes.append(report.bytes_up + report.bytes_down)
            content = choose.randbytes(sizes[-1])
            limits += [await one_bare_call(port, keys, content) for _ in range(_CALLS)]
            await measured.settle(agent)
            await prove_equal(agent, measured)
        await _all_at_hub(measured, agent, before, measured.repeat)
    figures.put_samples(f"{name}.seconds", seconds)
    figures.put(f"{name}.rows_up", TOTAL)
    figures.put(f"{name}.rows_down", changes)
    figures.put_samples(f"{name}.bytes", sizes)
    figures.put_samples(f"{name}.limit_seconds", limits)
    why = "a TLS handshake, a call and a commit on an idle machine"
    limit, ratio = f"{name}.limit_seconds", f"{name}.ratio"
    figures.expect(limit, least=0.0015, most=0.010, why=why, doubts=[ratio])
    _ratio(figures, name)


def _ratio(figures: Figures, name: str) -> None:
    """Of the medians; and of the best samples, which other programs on the machine disturb least."""
    seconds, limit = f"{name}.seconds", f"{name}.limit_seconds"
    figures.put(f"{name}.ratio", figures.values[seconds] / figures.values[limit])
    best = figures.spreads[seconds].least / figures.spreads[limit].least
    figures.put(f"{name}.best_ratio", best)


async def _all_at_hub(
    measured: Measured, agent: DeviceAgent, before: dict[str, int], days: int
) -> None:
    """Head office has every row of these days once, and refused none."""
    device_id = (await agent.status()).state.device_id
    found = await measured.rows_at_hub(device_id, ROWS)
    assert {name: found[name] - before[name] for name in ROWS} == {
        name: days * count for name, count in ROWS.items()
    }, (found, before)
    assert not (await agent.rejects()).rows


async def _rows_of(agent: DeviceAgent) -> dict[str, list[tuple[Value, ...]]]:
    found = {}
    for table in TABLES.values():
        if table.is_at(Tier.DEVICE):
            held = await agent.sql(f'SELECT * FROM "{table.name}"')
            found[table.name] = [tuple(map(_whole, row)) for row in held.rows]
    return found


def _whole(value: object) -> Value:
    assert value is None or isinstance(value, int | str | bytes)
    return value
