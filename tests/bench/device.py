"""initialize.*, fast.*, full.*: what the rep waits for."""

import asyncio
import time
from pathlib import Path

import sqlcipher3.dbapi2 as sqlcipher

from device_agent.app import DeviceAgent
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.model import Tier
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from fieldmesh.service.grpc_server import NodeKeys
from fieldmesh.session.transitions import Mode
from hub.storage.org_changes import head_office_write
from tests.bench.company import PASSWORD, Measured
from tests.bench.limits import bare_call, insert_all, median

RUNS = 5
ORDERS, LINES = 30, 20
CHANGES = 1_500


async def measure_device(measured: Measured, folder: Path) -> dict[str, float]:
    """The figures of one device."""
    agent = await DeviceAgent.open(measured.device.folder, measured.device.login, PASSWORD)
    async with agent:
        figures = await _initialize(agent, folder)
        bare = (await measured.bare_devices(1))[0]
        figures |= await _fast(agent, measured, folder, bare.keys)
        figures |= await _full(agent, measured, folder, bare.keys)
    return figures


async def _initialize(agent: DeviceAgent, folder: Path) -> dict[str, float]:
    seconds = []
    for _ in range(RUNS):
        started = time.perf_counter()
        report = await agent.sync(Mode.INITIALIZE)
        seconds.append(time.perf_counter() - started)
        assert report.outcome == "done"
    rows = _rows_of(agent)
    count = sum(len(lines) for lines in rows.values())
    assert count > 40_000, count
    limits = [await asyncio.to_thread(insert_all, folder / "limit.db", rows) for _ in range(RUNS)]
    return {
        "initialize.rows": count,
        "initialize.seconds": median(seconds),
        "initialize.limit_seconds": median(limits),
        "initialize.ratio": median(seconds) / median(limits),
    }


async def _fast(
    agent: DeviceAgent, measured: Measured, folder: Path, keys: NodeKeys
) -> dict[str, float]:
    seconds, size = [], 0
    for _ in range(RUNS):
        await _day_of_work(agent)
        started = time.perf_counter()
        report = await agent.sync(Mode.FAST)
        seconds.append(time.perf_counter() - started)
        assert report.rows_up == ORDERS * (LINES + 1)
        size = report.bytes_up
    bare = await bare_call(folder, _server_keys(measured), keys, size, 1)
    return {
        "fast.seconds": median(seconds),
        "fast.limit_seconds": bare,
        "fast.ratio": median(seconds) / bare,
        "fast.round_trips": 1,
        "fast.bytes_up": size,
    }


async def _full(
    agent: DeviceAgent, measured: Measured, folder: Path, keys: NodeKeys
) -> dict[str, float]:
    seconds, size = [], 0
    for run in range(RUNS):
        await agent.sync(Mode.FULL)
        await _change_prices(measured, run)
        await _day_of_work(agent)
        started = time.perf_counter()
        report = await agent.sync(Mode.FULL)
        seconds.append(time.perf_counter() - started)
        assert report.rows_down >= CHANGES, report
        size = report.bytes_up + report.bytes_down
    bare = await bare_call(folder, _server_keys(measured), keys, size, 2)
    return {
        "full.seconds": median(seconds),
        "full.limit_seconds": bare,
        "full.ratio": median(seconds) / bare,
    }


async def _day_of_work(agent: DeviceAgent) -> None:
    codes = (await agent.sql(f"SELECT code FROM outlet ORDER BY random() LIMIT {ORDERS}")).rows
    for row in codes:
        await agent.order_from_list(outlet=str(row[0]), lines=LINES)


async def _change_prices(measured: Measured, run: int) -> None:
    office = measured.office
    async with head_office_write(
        office.database, office.clock, actor="bench", kind="bench", about={}
    ) as writer:
        result = await writer.connection.exec_driver_sql(
            f"SELECT id, amount FROM price ORDER BY id LIMIT {CHANGES}"
        )
        rows: list[tuple[Value, ...]] = [(row[0], row[1] + run + 1) for row in result.fetchall()]
        await writer.update("price", from_rows("price", ("id", "amount"), rows))
        lsn = writer.lsn
    while await measured.gateway_mark() < lsn:  # noqa: ASYNC110 - another process tells
        await asyncio.sleep(0.05)


def _rows_of(agent: DeviceAgent) -> dict[str, list[tuple[Value, ...]]]:
    connection = sqlcipher.connect(str(agent.database_path))
    connection.execute(f"PRAGMA key = \"x'{agent.database_key.hex()}'\"")
    found = {
        table.name: connection.execute(f'SELECT * FROM "{table.name}"').fetchall()
        for table in TABLES.values()
        if table.is_at(Tier.DEVICE)
    }
    connection.close()
    return found


def _server_keys(measured: Measured) -> NodeKeys:
    from fieldmesh.service.tls import certificate_pem, key_pem, make_csr, make_key  # noqa: PLC0415
    from hub.trust.authority import NodeKind  # noqa: PLC0415

    authority = measured.office.trust.authority
    key = make_key()
    issued = authority.issue_node(make_csr(key, "bare"), NodeKind.GATEWAY, b"b" * 16)
    root = certificate_pem(authority.certificate)
    return NodeKeys(key_pem(key), certificate_pem(issued.der) + root, root)
