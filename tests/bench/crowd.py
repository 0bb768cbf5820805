"""Many devices in one process, without databases: real TLS, signed batches, each session over a new connection.

python -m tests.bench.crowd PLAN      says "ready", waits for a line, then tells of each session in JSON
                                      when its input ends, no new session begins
"""

import asyncio
import contextlib
import hashlib
import json
import random
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc.aio
from cryptography.hazmat.primitives.asymmetric import ec

from fieldmesh.basics.clock import SystemClock
from fieldmesh.basics.errors import Retry
from fieldmesh.basics.identifiers import IdentifierMaker
from fieldmesh.data.schema import SCHEMA_VERSION
from fieldmesh.service.grpc_problems import from_rpc_error
from fieldmesh.service.grpc_server import NodeKeys, open_channel
from fieldmesh.service.tls import load_key
from fieldmesh.wire.v1 import batch_pb2, session_pb2, session_pb2_grpc
from tests.bench.visits import Facts, signed_batch, visit_rows


@dataclass(slots=True)
class Visitor:
    """One device."""

    address: str
    device_id: bytes
    key: ec.EllipticCurvePrivateKey
    keys: NodeKeys
    facts: Facts
    sequence: int
    ids: IdentifierMaker
    choose: random.Random
    mode: str = "fast"
    at: list[float] = field(default_factory=list)
    brings: int = 1
    packed: list[batch_pb2.SignedBatch] = field(default_factory=list)

    @classmethod
    def planned(cls, plan: dict[str, Any], one: dict[str, Any]) -> "Visitor":
        """The device of a plan."""
        seed = random.Random(f"{one['device']} {one['sequence']}")
        visitor = cls(
            one["address"],
            bytes.fromhex(one["device"]),
            load_key(one["key"].encode()),
            NodeKeys(one["key"].encode(), one["chain"].encode(), plan["authority"].encode()),
            Facts(
                [bytes.fromhex(outlet) for outlet in one["outlets"]],
                [bytes.fromhex(unit) for unit in plan["units"]],
                bytes.fromhex(plan["template"]),
                [bytes.fromhex(question) for question in plan["questions"]],
            ),
            one["sequence"],
            IdentifierMaker(SystemClock(), seed),
            seed,
            one["mode"],
            one["at"],
            one["brings"],
        )
        if visitor.brings > 1:
            visitor.pack()
        return visitor

    def pack(self) -> None:
        """The batches of all its sessions are ready, as on a device whose rep worked all day."""
        now = SystemClock().now()
        for number in range(1, len(self.at) + 1):
            self.packed.append(self._batch(self.sequence + number, now))
        self.packed.reverse()

    async def fast(self) -> dict[str, object]:
        """Its visits go up. What came of it."""
        self.sequence += 1
        if not self.packed:
            self.packed.append(self._batch(self.sequence, SystemClock().now()))
        batch = self.packed.pop()
        started = time.monotonic()
        while True:
            try:
                done, _, size = await self._session(session_pb2.MODE_FAST, batch)
            except Retry as error:
                await asyncio.sleep(error.delay_s * self.choose.uniform(1.0, 1.25))
                continue
            assert done.ticks.gateway_sequence == self.sequence, done
            return {"mode": "fast", "started": started, "seconds": time.monotonic() - started,
                    "bytes": size}  # fmt: skip

    async def initialize(self) -> dict[str, object]:
        """The snapshot came, whole."""
        started, tries = time.monotonic(), 0
        while True:
            tries += 1
            delay_s = 0.5
            try:
                done, came, size = await self._session(session_pb2.MODE_INITIALIZE, None)
            except Retry as error:
                delay_s = max(delay_s, error.delay_s)
            else:
                if done.outcome == session_pb2.OUTCOME_DONE:
                    assert came, done
                    return {"mode": "initialize", "started": started, "tries": tries,
                            "seconds": time.monotonic() - started, "bytes": size}  # fmt: skip
                delay_s = max(delay_s, done.retry_after_ms / 1000)
            await asyncio.sleep(delay_s * self.choose.uniform(1.0, 1.25))

    async def _session(
        self, mode: session_pb2.Mode.ValueType, batch: batch_pb2.SignedBatch | None
    ) -> tuple[session_pb2.Done, bool, int]:
        channel = open_channel(self.address, self.keys.authority, self.keys)
        try:
            return await self._talk(channel, mode, batch)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        finally:
            await channel.close()

    async def _talk(
        self,
        channel: grpc.aio.Channel,
        mode: session_pb2.Mode.ValueType,
        batch: batch_pb2.SignedBatch | None,
    ) -> tuple[session_pb2.Done, bool, int]:
        call: Any = session_pb2_grpc.GatewayStub(channel).Session()
        hello = session_pb2.Hello(
            device_id=self.device_id, device_epoch=1, mode=mode, schema_version=SCHEMA_VERSION,
            protocol_version=1, device_time=SystemClock().now(), session_id=self.ids.new(),
            last_sequence=self.sequence,
        )  # fmt: skip
        await _say(call, session_pb2.DeviceMessage(hello=hello))
        if batch is not None:
            await _say(call, session_pb2.DeviceMessage(batch=batch))
        end = session_pb2.UploadEnd(last_sequence=self.sequence)
        await _say(call, session_pb2.DeviceMessage(upload_end=end))
        size, came, meant, content = 0, False, b"", hashlib.sha256()
        while True:
            message = await call.read()
            if message is grpc.aio.EOF:
                code, metadata = await call.code(), await call.trailing_metadata()
                raise grpc.aio.AioRpcError(
                    code, await call.initial_metadata(), metadata, details=await call.details()
                )
            kind = message.WhichOneof("message")
            size += message.ByteSize()
            if kind == "download_start":
                meant = message.download_start.sha256
            elif kind == "chunk":
                content.update(message.chunk.data)
            elif kind == "download_end":
                came = content.digest() == meant
                assert came, "the download's digest differs"
                applied = session_pb2.Applied(lsn=0)
                await _say(call, session_pb2.DeviceMessage(applied=applied))
            elif kind == "done":
                return message.done, came, size

    def _batch(self, sequence: int, now: int) -> batch_pb2.SignedBatch:
        rows = visit_rows(self.facts, self.ids.new, self.choose, count=self.brings, now=now)
        return signed_batch(rows, self.device_id, self.key, sequence, now=now)


async def _say(call: Any, message: session_pb2.DeviceMessage) -> None:
    """It is on its way; a call that has ended says so when it is read."""
    with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
        await call.write(message)


async def _crowd(plan: dict[str, Any]) -> None:
    visitors = [Visitor.planned(plan, one) for one in plan["devices"]]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    stopped = asyncio.Event()
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        ending = group.create_task(_until_input_ends(stopped))
        work = [group.create_task(_one(visitor, began, stopped)) for visitor in visitors]
        for task in work:
            await task
        sys.stdout.write("end\n")
        sys.stdout.flush()
        await ending


async def _until_input_ends(stopped: asyncio.Event) -> None:
    await asyncio.to_thread(sys.stdin.read)
    stopped.set()


async def _one(visitor: Visitor, began: float, stopped: asyncio.Event) -> None:
    for at in visitor.at:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, began + at - time.monotonic())):
                await stopped.wait()
        if stopped.is_set():
            return
        told = await (visitor.fast() if visitor.mode == "fast" else visitor.initialize())
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_crowd(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
