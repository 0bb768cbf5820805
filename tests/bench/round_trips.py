"""fast.round_trips: how often a device waits for the far end after its first request.

Counted by what waiting costs: the same session over a short and over a long line. What the long line
adds, divided by what it adds to one round trip, is how often the session has waited. A bare gRPC call
of as many bytes over the same lines waits for the same handshakes and once for its answer.
"""

import random
import time
from collections.abc import Awaitable, Callable

from fieldmesh.session.transitions import Mode
from tests.bench.company import Measured
from tests.bench.day import TOTAL, day_of_work
from tests.bench.far_line import FarLine
from tests.bench.figures import Figures
from tests.bench.limits import bare_server, median, one_bare_call

NEAR_S, FAR_S = 0.010, 0.110
"""One way."""
_RUNS = 3


async def measure_round_trips(measured: Measured, figures: Figures) -> None:
    """The fast session of a day's upload."""
    choose = random.Random(13)
    keys = (await measured.bare_devices(1))[0].keys
    async with measured.working_agent() as agent:
        size = 0

        async def fast(port: int) -> float:
            nonlocal size
            await day_of_work(agent, choose)
            started = time.perf_counter()
            report = await agent.sync(Mode.FAST, gateway=f"127.0.0.1:{port}")
            seconds = time.perf_counter() - started
            assert report.rows_up == TOTAL, report
            size = report.bytes_up
            await measured.settle(agent)
            return seconds

        session = await _waits(measured.gateway.port, fast)
    async with bare_server(measured.folder, measured.server_keys(), 1) as port:
        bare = await _waits(port, lambda line: one_bare_call(line, keys, bytes(size)))
    figures.put("fast.line_round_trips", session)
    figures.put("fast.limit_line_round_trips", bare)
    figures.expect("fast.limit_line_round_trips", least=2.5, most=4.5, why="TCP, TLS 1.3, one call")
    figures.put("fast.round_trips", round(1 + session - bare, 1))


async def _waits(port: int, run: Callable[[int], Awaitable[float]]) -> float:
    """How many round trips one run waits for, handshakes and all."""
    seconds = []
    for delay_s in (NEAR_S, FAR_S):
        async with FarLine(port, delay_s) as line:
            seconds.append(median([await run(line.port) for _ in range(_RUNS)]))
    return (seconds[1] - seconds[0]) / (2 * (FAR_S - NEAR_S))
