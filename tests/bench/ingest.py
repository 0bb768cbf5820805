"""hub.ingest*: days of devices from the UP stream to committed rows with their change outbox.

All processes share the machine: the bus, the hub's relay and the gateway, which applies the rows too. So the processor
time of the hub and of the gateway is told beside the rate.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fieldmesh.basics.clock import SystemClock
from fieldmesh.basics.identifiers import IdentifierMaker
from fieldmesh.codec.replication import Forwarded, write_forwarded
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from hub.fleet.running import running_ports
from hub.relay.line import line_to_bus
from tests.bench.company import BareDevice, Measured
from tests.bench.figures import Figures
from tests.bench.gateway import cpu_seconds
from tests.bench.limits import insert_all
from tests.bench.visits import NAMES, VISIT_ROWS, Facts, Rows, signed_batch, visit_rows

if TYPE_CHECKING:
    from fieldmesh.service.bus import Bus

DEVICES, DAYS, VISITS = 8, 10, 30
ROWS = DEVICES * DAYS * VISITS * VISIT_ROWS
_GATEWAY = b"bench-gateway-id"
_LONGEST_S = 120.0


async def measure_ingest(measured: Measured, figures: Figures) -> None:
    """Eight devices come back with ten days each, 630 rows a day, all at once."""
    devices = await measured.bare_devices(DEVICES)
    facts = await measured.facts()
    ids = IdentifierMaker(SystemClock(), random.Random(1))
    rates, limits, ratios = [], [], []
    hub, gateway = measured.network.hub.service.pid, measured.gateway.service.pid
    hub_us, gateway_us = [], []
    ports = running_ports(measured.office.home)
    assert ports is not None
    bus = line_to_bus(measured.office, [f"tls://127.0.0.1:{ports['bus']}"])
    try:
        for run in range(measured.repeat):
            made, rows = _days(devices, facts, ids, run * DAYS)
            before = cpu_seconds(hub), cpu_seconds(gateway)
            rates.append(ROWS / await _ingest(measured, bus, made))
            await measured.reached(await measured.hub_lsn())
            hub_us.append((cpu_seconds(hub) - before[0]) / ROWS * 1e6)
            gateway_us.append((cpu_seconds(gateway) - before[1]) / ROWS * 1e6)
            path = measured.folder / "plain.db"
            limits.append(ROWS / await asyncio.to_thread(insert_all, path, _whole(rows)))
            ratios.append(rates[-1] / limits[-1])
    finally:
        await bus.close()
    figures.put("hub.ingest_rows", ROWS)
    figures.put_samples("hub.ingest_rows_per_second", rates)
    figures.put_samples("hub.ingest_limit_rows_per_second", limits)
    figures.put_samples("hub.ingest_ratio", ratios)
    figures.put_samples("hub.ingest_cpu_us_per_row", hub_us)
    figures.put_samples("hub.ingest_gateway_cpu_us_per_row", gateway_us)
    figures.expect(
        "hub.ingest_limit_rows_per_second", least=60_000, most=1_000_000,
        why="plain executemany on an idle machine", doubts=["hub.ingest_ratio"],
    )  # fmt: skip


def _days(
    devices: Sequence[BareDevice], facts: Facts, ids: IdentifierMaker, before: int
) -> tuple[list[tuple[str, bytes]], Rows]:
    """Subjects and contents for the bus, and all rows in them."""
    choose, now = random.Random(before), SystemClock().now()
    made: list[tuple[str, bytes]] = []
    every: Rows = {table: [] for table in NAMES}
    for sequence in range(before + 1, before + DAYS + 1):
        for device in devices:
            rows = visit_rows(facts, ids.new, choose, count=VISITS, now=now)
            for table, lines in rows.items():
                every[table] += lines
            batch = signed_batch(rows, device.device_id, device.key, sequence, now=now)
            held = Forwarded(
                _GATEWAY, sequence, batch.header, batch.body, batch.signature,
                device.certificate, now, "wire", device_suspended=False,
            )  # fmt: skip
            made.append((f"up.0.{_GATEWAY.hex()}", write_forwarded(held)))
    return made, every


async def _ingest(measured: Measured, bus: "Bus", made: Sequence[tuple[str, bytes]]) -> float:
    """Seconds from the first publishing until every row is committed."""
    before = await _applied(measured)
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, (subject, content) in enumerate(made):
            group.create_task(bus.publish(subject, content, f"bench.{before}.{number}"))
    while (found := await _applied(measured) - before) < ROWS:
        await asyncio.sleep(0.02)
        assert time.perf_counter() - started < _LONGEST_S, found
    seconds = time.perf_counter() - started
    assert found == ROWS, found
    return seconds


async def _applied(measured: Measured) -> int:
    found = await measured.rows(
        'SELECT coalesce(sum("rows"), 0) FROM fm_inbox WHERE decision = ? AND gateway_id = ?',
        ("applied", _GATEWAY),
    )
    return int(found[0][0])


def _whole(rows: Rows) -> Rows:
    """The rows with all columns that the tables have, as they would be inserted by hand."""
    found: Rows = {}
    for name, lines in rows.items():
        table, given = TABLES[name], NAMES[name]
        places = [given.index(one) if one in given else None for one in table.wire_names]
        neutral: list[Value] = [
            None if column.nullable else column.neutral for column in table.wire_columns
        ]
        found[name] = [
            tuple(
                default if place is None else line[place]
                for place, default in zip(places, neutral, strict=True)
            )
            for line in lines
        ]
    return found
