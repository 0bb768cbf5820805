"""gateway.*: new mTLS sessions, many at a time; everybody initializing while others sync. device.rss as well."""

import asyncio
import os
import random
import time
from pathlib import Path

from deploy.demo.processes import program
from fieldmesh.basics.clock import SystemClock
from fieldmesh.basics.identifiers import IdentifierMaker
from fieldmesh.codec import signature
from fieldmesh.codec.batch import BatchDraft, Change, Operation, encode_batch
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.schema import SCHEMA_VERSION
from fieldmesh.service.grpc_server import open_channel
from fieldmesh.wire.v1 import batch_pb2, session_pb2, session_pb2_grpc
from tests.bench.company import BareDevice, Measured
from tests.bench.figures import Figures

CLIENTS, SESSIONS = 64, 5
STORM = 20


async def measure_gateway(measured: Measured, told: Figures) -> None:
    """The figures of the gateway."""
    devices = await measured.bare_devices(CLIENTS, position="SUP01-000")
    ids = IdentifierMaker(SystemClock(), random.Random(2))
    started = time.perf_counter()
    quiet: list[float] = []
    async with asyncio.TaskGroup() as group:
        for device in devices:
            group.create_task(_sessions(measured, device, ids, SESSIONS, quiet))
    seconds = time.perf_counter() - started
    figures = {"gateway.sessions_per_second": CLIENTS * SESSIONS / seconds}
    figures |= await _storm(measured, devices, ids)
    figures["device.rss"] = await _device_memory(measured)
    told.values |= figures


async def _sessions(
    measured: Measured,
    device: BareDevice,
    ids: IdentifierMaker,
    count: int,
    seconds: list[float],
    first: int = 1,
) -> None:
    for sequence in range(first, first + count):
        started = time.perf_counter()
        await _session(
            measured, device, session_pb2.MODE_FAST, _batch(device, ids, sequence), sequence
        )
        seconds.append(time.perf_counter() - started)


async def _session(
    measured: Measured,
    device: BareDevice,
    mode: session_pb2.Mode.ValueType,
    batch: batch_pb2.SignedBatch | None,
    sequence: int,
) -> int:
    """One session over a connection of its own. Returns the bytes that came down."""
    channel = open_channel(measured.gateway.address, device.keys.authority, device.keys)
    size = 0
    try:
        call = session_pb2_grpc.GatewayStub(channel).Session()
        hello = session_pb2.Hello(
            device_id=device.device_id, device_epoch=1, mode=mode, schema_version=SCHEMA_VERSION,
            protocol_version=1, device_time=SystemClock().now(), session_id=os.urandom(16),
            last_sequence=sequence,
        )  # fmt: skip
        await call.write(session_pb2.DeviceMessage(hello=hello))
        if batch is not None:
            await call.write(session_pb2.DeviceMessage(batch=batch))
        end = session_pb2.UploadEnd(last_sequence=sequence)
        await call.write(session_pb2.DeviceMessage(upload_end=end))
        while True:
            message = await call.read()
            kind = message.WhichOneof("message")
            size += message.ByteSize()
            if kind == "download_end":
                applied = session_pb2.Applied(lsn=0)
                await call.write(session_pb2.DeviceMessage(applied=applied))
            if kind == "done":
                ticks = message.done.ticks
                assert batch is None or ticks.gateway_sequence >= sequence, message
                return size
    finally:
        await channel.close()


async def _storm(
    measured: Measured, devices: list[BareDevice], ids: IdentifierMaker
) -> dict[str, float]:
    """Many devices initialize at once while others sync fast."""
    half = devices[:STORM]
    quiet: list[float] = []
    for device in half:
        await _sessions(measured, device, ids, 1, quiet, SESSIONS + 1)
    busy: list[float] = []
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for device in devices[STORM : 2 * STORM]:
            group.create_task(_initialize(measured, device))
        for device in half:
            group.create_task(_sessions(measured, device, ids, 1, busy, SESSIONS + 2))
    seconds = time.perf_counter() - started
    return {
        "gateway.init_storm.devices": STORM,
        "gateway.init_storm.seconds": seconds,
        "gateway.init_storm.fast_p99": max(busy),
        "gateway.init_storm.fast_p99_ratio": max(busy) / max(quiet),
    }


async def _initialize(measured: Measured, device: BareDevice) -> None:
    while True:
        try:
            size = await _session(measured, device, session_pb2.MODE_INITIALIZE, None, SESSIONS)
        except Exception as error:
            if "RESOURCE_EXHAUSTED" not in str(error):
                raise
            await asyncio.sleep(0.2)
            continue
        if size > 100_000:
            return
        await asyncio.sleep(0.2)


def _batch(device: BareDevice, ids: IdentifierMaker, sequence: int) -> batch_pb2.SignedBatch:
    now = SystemClock().now()
    rows = from_rows("gps_point", ("id", "at"), [(ids.new(), now) for _ in range(6)])
    draft = BatchDraft(device.device_id, 1, sequence, now)
    header, body = encode_batch(draft, [Change(Operation.INSERT, rows, [])])
    return batch_pb2.SignedBatch(
        header=header, body=body, signature=signature.sign(device.key, header)
    )


async def _device_memory(measured: Measured) -> float:
    device = measured.device
    process = await asyncio.create_subprocess_exec(
        program("fieldmesh-device"), "sync", "initialize", "--home", str(device.folder), "--login", device.login,
        "--password-file", str(device.password_file), stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    peak = 0.0
    while process.returncode is None:
        try:
            for line in Path(f"/proc/{process.pid}/status").read_text("utf-8").splitlines():
                if line.startswith("VmHWM:"):
                    peak = max(peak, int(line.split()[1]) / 1024)
        except OSError:
            break
        await asyncio.sleep(0.01)
    await process.wait()
    return peak
