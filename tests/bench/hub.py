"""hub.ingest*: batches from the UP stream to committed rows; lag.*: how soon head office has what a gateway has."""

import asyncio
import random
import time
from collections.abc import Sequence
from pathlib import Path

from fieldmesh.basics.clock import SystemClock
from fieldmesh.basics.identifiers import IdentifierMaker
from fieldmesh.codec import signature
from fieldmesh.codec.batch import BatchDraft, Change, Operation, encode_batch
from fieldmesh.codec.columns import from_rows
from fieldmesh.codec.replication import Forwarded, write_forwarded
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from hub.app import line_to_bus, running_ports
from tests.bench.company import BareDevice, Measured
from tests.bench.figures import Figures
from tests.bench.limits import insert_all, median

DEVICES, BATCHES = 8, 10
ORDERS, LINES = 30, 20
LAG_BATCHES, LAG_LINES = 100, 24
LAG_EVERY_S = 0.05
_GATEWAY = b"bench-gateway-id"


async def measure_hub(measured: Measured, told: Figures) -> None:
    """The figures of the hub."""
    devices = await measured.bare_devices(DEVICES)
    outlets, unit = await _facts(measured)
    ids = IdentifierMaker(SystemClock(), random.Random(1))
    made: list[tuple[str, bytes]] = []
    rows: dict[str, list[tuple[Value, ...]]] = {"sales_order": [], "order_line": []}
    for sequence in range(1, BATCHES + 1):
        for device in devices:
            changes = _work(ids, outlets, unit, ORDERS, LINES)
            for change in changes:
                rows[change.rows.table] += change.rows.rows()
            made.append(_forwarded(device, sequence, changes))
    ports = running_ports(measured.office.home)
    assert ports is not None
    bus = line_to_bus(measured.office, f"tls://127.0.0.1:{ports['bus']}")
    try:
        figures = await _ingest(measured, bus, made, len(made) * ORDERS * (LINES + 1))
        figures |= await _lag(measured, bus, devices[0], ids, outlets, unit)
    finally:
        await bus.close()
    count = sum(len(lines) for lines in rows.values())
    limit = [await asyncio.to_thread(_plain, measured.folder / "plain.db", rows) for _ in range(3)]
    figures["hub.ingest_ratio"] = figures["hub.ingest_rows_per_second"] / (count / median(limit))
    told.values |= figures


async def _ingest(
    measured: Measured, bus: object, made: Sequence[tuple[str, bytes]], expected: int
) -> dict[str, float]:
    before = await _rows_at_hub(measured)
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number, (subject, content) in enumerate(made):
            group.create_task(bus.publish(subject, content, f"bench.{number}"))  # type: ignore[attr-defined]
    while await _rows_at_hub(measured) - before < expected:
        await asyncio.sleep(0.02)
        assert time.perf_counter() - started < 120
    seconds = time.perf_counter() - started
    return {"hub.ingest_rows": expected, "hub.ingest_rows_per_second": expected / seconds}


async def _lag(
    measured: Measured,
    bus: object,
    device: BareDevice,
    ids: IdentifierMaker,
    outlets: list[bytes],
    unit: bytes,
) -> dict[str, float]:
    lags = []
    for number in range(LAG_BATCHES):
        sequence = BATCHES + 1 + number
        subject, content = _forwarded(device, sequence, _work(ids, outlets, unit, 1, LAG_LINES))
        started = time.perf_counter()
        await bus.publish(subject, content, f"lag.{number}")  # type: ignore[attr-defined]
        while await _mark(measured, device) < sequence:  # noqa: ASYNC110 - another process tells
            await asyncio.sleep(0.002)
        lags.append(time.perf_counter() - started)
        await asyncio.sleep(max(0.0, LAG_EVERY_S - lags[-1]))
    lags.sort()
    return {"lag.p50": lags[len(lags) // 2], "lag.p99": lags[int(len(lags) * 0.99) - 1]}


def _work(
    ids: IdentifierMaker, outlets: list[bytes], unit: bytes, orders: int, lines: int
) -> list[Change]:
    heads: list[tuple[Value, ...]] = [
        (ids.new(), outlets[n % len(outlets)], f"B{n}", 100) for n in range(orders)
    ]
    items: list[tuple[Value, ...]] = [
        (ids.new(), head[0], n + 1, unit, 1000, 500_000, 500)
        for head in heads
        for n in range(lines)
    ]
    names = ("id", "order_id", "line_number", "product_unit_id", "quantity", "price", "amount")
    return [
        Change(
            Operation.INSERT,
            from_rows("sales_order", ("id", "outlet_id", "number", "amount"), heads),
            [],
        ),
        Change(Operation.INSERT, from_rows("order_line", names, items), []),
    ]


def _forwarded(device: BareDevice, sequence: int, changes: list[Change]) -> tuple[str, bytes]:
    now = SystemClock().now()
    header, body = encode_batch(BatchDraft(device.device_id, 1, sequence, now), changes)
    signed = signature.sign(device.key, header)
    held = Forwarded(
        _GATEWAY,
        sequence,
        header,
        body,
        signed,
        device.certificate,
        now,
        "wire",
        device_suspended=False,
    )
    return f"up.0.{_GATEWAY.hex()}", write_forwarded(held)


def _plain(path: Path, rows: dict[str, list[tuple[Value, ...]]]) -> float:
    filled = {
        name: [
            tuple(
                column.neutral if value is None and not column.nullable else value
                for column, value in zip(TABLES[name].wire_columns, line, strict=True)
            )
            for line in lines
        ]
        for name, lines in _by_column(rows).items()
    }
    return insert_all(path, filled)


def _by_column(
    rows: dict[str, list[tuple[Value, ...]]],
) -> dict[str, list[tuple[Value, ...]]]:
    given = {
        "sales_order": ("id", "outlet_id", "number", "amount"),
        "order_line": (
            "id",
            "order_id",
            "line_number",
            "product_unit_id",
            "quantity",
            "price",
            "amount",
        ),
    }
    found = {}
    for name, lines in rows.items():
        places = [
            given[name].index(column) if column in given[name] else None
            for column in TABLES[name].wire_names
        ]
        found[name] = [
            tuple(None if place is None else line[place] for place in places) for line in lines
        ]
    return found


async def _facts(measured: Measured) -> tuple[list[bytes], bytes]:
    async with measured.office.database.read() as connection:
        outlets = await connection.exec_driver_sql("SELECT id FROM outlet WHERE deleted = 0")
        unit = await connection.exec_driver_sql("SELECT id FROM product_unit LIMIT 1")
        return [bytes(row[0]) for row in outlets.fetchall()], bytes(unit.scalar_one())


async def _rows_at_hub(measured: Measured) -> int:
    async with measured.office.database.read() as connection:
        result = await connection.exec_driver_sql(
            "SELECT coalesce(sum(rows), 0) FROM fm_inbox WHERE decision = 'applied'"
        )
        return int(result.scalar_one())


async def _mark(measured: Measured, device: BareDevice) -> int:
    async with measured.office.database.read() as connection:
        result = await connection.exec_driver_sql(
            "SELECT sequence FROM fm_device_mark WHERE device_id = ?", (device.device_id,)
        )
        row = result.first()
        return int(row[0]) if row else 0
