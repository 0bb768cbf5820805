"""gateway.init_storm.*: a hundred devices initialize at once while a hundred others sync fast."""

import asyncio
import random
import time

from tests.bench.company import BareDevice, Measured, Shape
from tests.bench.crowd_line import Visits, crowd
from tests.bench.figures import Figures, percentile
from tests.bench.gateway import cpu_seconds, rows_arrive
from tests.bench.memory import measure_memory

STORM = Shape(reps=100, outlets=60)
QUICK_STORM = Shape(reps=10, outlets=60)
_SESSIONS_A_SECOND = 20.0
_QUIET_S, _LONGEST_S = 30.0, 300.0
_READY_S = 600.0
_ENOUGH = 200
"""Fewer samples tell little of a p99."""


async def measure_storm(measured: Measured, figures: Figures) -> None:
    """Each initializing device has a post, and so a snapshot, of its own."""
    positions = await _positions(measured)
    workers = await measured.bare_devices(1, positions=positions)
    beginners = await measured.bare_devices(1, positions=positions)
    await _all_ready(measured)
    quiet = await _quiet(measured, workers)
    busy, sessions, initialized = await _storm(measured, workers, beginners, figures)
    assert len(initialized) == len(beginners), initialized
    figures.put("gateway.init_storm.devices", len(beginners))
    figures.put("gateway.init_storm.seconds", max(initialized))
    figures.put("gateway.init_storm.median_seconds", percentile(initialized, 0.5))
    figures.put("gateway.init_storm.fast_quiet_p99", percentile(quiet, 0.99))
    figures.put("gateway.init_storm.fast_p99", percentile(busy, 0.99))
    figures.put("gateway.init_storm.fast_samples", len(busy))
    ratio = percentile(busy, 0.99) / percentile(quiet, 0.99)
    figures.put("gateway.init_storm.fast_p99_ratio", ratio)
    if len(busy) < _ENOUGH:
        figures.note(f"gateway.init_storm: the p99 is of {len(busy)} samples only")
    await rows_arrive(measured, [one.device_id for one in workers], sessions)
    await measure_memory(measured, figures)


async def _positions(measured: Measured) -> list[str]:
    found = await measured.rows(
        'SELECT DISTINCT p.code FROM "position" AS p'
        " JOIN outlet_assignment AS a ON a.position_id = p.id ORDER BY p.code"
    )
    return [str(row[0]) for row in found]


async def _all_ready(measured: Measured) -> None:
    """The gateway holds every partition of its posts."""
    until = time.monotonic() + _READY_S
    while True:
        told: dict[str, int] = dict(
            measured.at_gateway("SELECT state, count(*) FROM fm_partition GROUP BY state")
        )
        if set(told) == {"ready"} and told["ready"] > len(await _positions(measured)):
            return
        assert time.monotonic() < until, f"the gateway's partitions do not get ready: {told}"
        await asyncio.sleep(0.5)


async def _quiet(measured: Measured, workers: list[BareDevice]) -> list[float]:
    visits = _by_chance(workers, _QUIET_S, first=0)
    async with crowd(measured, "quiet", visits) as clients:
        await clients.run()
        return clients.seconds()


async def _storm(
    measured: Measured, workers: list[BareDevice], beginners: list[BareDevice], figures: Figures
) -> tuple[list[float], int, list[float]]:
    """Seconds of fast sessions in the storm, how many were ever run, seconds of each initialize."""
    quiet = {one.device.device_id: len(one.at) for one in _by_chance(workers, _QUIET_S, first=0)}
    visits = [
        Visits(one.device, one.mode, one.at, quiet[one.device.device_id])
        for one in _by_chance(workers, _LONGEST_S, first=1)
    ]
    begin = [Visits(one, "initialize", [0.0]) for one in beginners]
    async with (
        crowd(measured, "workers", visits) as fast,
        crowd(measured, "beginners", begin) as storm,
        asyncio.TaskGroup() as group,
    ):
        fast.start()
        heard = group.create_task(fast.ended())
        since, cpu = time.monotonic(), cpu_seconds(measured.gateway.service.pid)
        await storm.run()
        until = time.monotonic()
        cpu = cpu_seconds(measured.gateway.service.pid) - cpu
        fast.stop()
        await heard
        figures.put("gateway.init_storm.gateway_cpu_seconds", cpu)
        sessions = sum(quiet.values()) + len(fast.told)
        return fast.seconds(since=since, until=until), sessions, storm.seconds()


def _by_chance(devices: list[BareDevice], seconds: float, *, first: int) -> list[Visits]:
    """Each device syncs at moments of its own; together so many a second."""
    chance = random.Random(first)
    each_s = len(devices) / _SESSIONS_A_SECOND
    found = []
    for device in devices:
        at, moment = [], chance.expovariate(1 / each_s)
        while moment < seconds:
            at.append(moment)
            moment += chance.expovariate(1 / each_s)
        found.append(Visits(device, "fast", at))
    return found
