"""gateway.sessions_*: new mTLS sessions, many devices at a time, at one gateway process."""

import asyncio
import os
import time
from pathlib import Path

from tests.bench.company import Measured
from tests.bench.crowd_line import Visits, crowd
from tests.bench.figures import Figures, percentile
from tests.bench.visits import LINES, POINTS, VISIT_ROWS

CLIENTS, SESSIONS = 64, 6
_BARE = 370.0
"""What a bare gRPC handler with a commit reaches: more is not plausible."""
_SETTLED_S = 60.0


async def measure_sessions(measured: Measured, figures: Figures) -> None:
    """Fast sessions of a visit each; every row is at head office in the end, once."""
    devices = await measured.bare_devices(CLIENTS)
    rates, costs, seconds = [], [], []
    for run in range(measured.repeat):
        visits = [Visits(one, "fast", [0.0] * SESSIONS, run * SESSIONS) for one in devices]
        async with crowd(measured, "sessions", visits) as clients:
            cpu = cpu_seconds(measured.gateway.service.pid)
            started = time.monotonic()
            await clients.run()
            rates.append(CLIENTS * SESSIONS / (time.monotonic() - started))
            cpu = cpu_seconds(measured.gateway.service.pid) - cpu
            costs.append(CLIENTS * SESSIONS / cpu)
            found = clients.seconds()
            assert len(found) == CLIENTS * SESSIONS, len(found)
            seconds += found
        ids = [one.device_id for one in devices]
        await rows_arrive(measured, ids, (run + 1) * CLIENTS * SESSIONS)
    figures.put_samples("gateway.sessions_per_second", rates)
    figures.put_samples("gateway.sessions_per_cpu_second", costs)
    figures.put("gateway.sessions_p99", percentile(seconds, 0.99))
    figures.put("gateway.sessions_rows", VISIT_ROWS)
    figures.expect(
        "gateway.sessions_per_second", least=1.0, most=2 * _BARE, why="a bare call is slower"
    )


async def rows_arrive(measured: Measured, device_ids: list[bytes], visits: int) -> None:
    """Head office has so many visits of the devices, and their order lines; no more, no fewer.

    Raises:
        AssertionError: it has more.
        TimeoutError: it has fewer after a minute.
    """
    marks = ", ".join("?" * len(device_ids))
    wanted = {"visit": visits, "order_line": LINES * visits, "gps_point": POINTS * visits}
    async with asyncio.timeout(_SETTLED_S):
        while True:
            found = {}
            for table in wanted:
                text = f"SELECT count(*) FROM {table} WHERE origin_device_id IN ({marks})"
                found[table] = int((await measured.rows(text, tuple(device_ids)))[0][0])
            if found == wanted:
                return
            assert all(found[name] <= wanted[name] for name in wanted), (found, wanted)
            await asyncio.sleep(0.2)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
