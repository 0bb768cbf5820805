"""A real gateway: sessions over gRPC and TLS in which every message may be wrong, and files carried by hand."""

import asyncio
import contextlib
import logging
import random
import struct
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import grpc.aio

from fieldmesh.basics.errors import Retry
from fieldmesh.service import tls
from fieldmesh.service.grpc_problems import from_rpc_error
from fieldmesh.service.grpc_server import open_channel
from fieldmesh.wire.v1 import batch_pb2, session_pb2
from gateway.app.building import Gateway
from gateway.serving.carrier import import_file
from tests.attacks.fuzz.mutation import mutated
from tests.attacks.fuzz.pure import mutating
from tests.attacks.fuzz.running import Prepared, Prepares
from tests.integration.gateway.world import Device, World, order, place_region

_ENDED = (grpc.aio.AioRpcError, grpc.aio.UsageError, asyncio.InvalidStateError)
"""What a write meets when the gateway has ended the call."""
SESSION = "/fieldmesh.wire.v1.Gateway/Session"
_UNTYPED = frozenset({grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL})
_LATE = "Internal error from Core"
"""What gRPC's client says of a call that was ended while it was still writing; why is lost then."""
_MODES = (1, 1, 2, 3, 4, 5)


class Errors(logging.Handler):
    """What was logged as an error while a target was fed: something that nobody foresaw."""

    def __init__(self) -> None:
        """Nothing was logged."""
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """The record is remembered."""
        self.found.append(f"{record.name}: {record.getMessage()} {record.exc_info}")

    @classmethod
    def watching(cls) -> "Errors":
        """Errors of the whole process are seen from now on."""
        handler = cls()
        logging.getLogger().addHandler(handler)
        return handler

    def end(self) -> None:
        """They are seen no more."""
        logging.getLogger().removeHandler(self)


@asynccontextmanager
async def sessions(folder: Path) -> Prepares:
    """Dialogues, each message of which may be spoilt, left out, doubled or out of place."""
    world, errors = World(folder), Errors.watching()
    hostile, honest = world.device(), world.device()
    try:
        async with world.running() as gateway:
            _, _, outlets = await place_region(gateway, [hostile, honest])
            recorded = [
                session_pb2.DeviceMessage(batch=hostile.pack(order(outlets[0]))).SerializeToString()
                for _ in range(3)
            ]
            channel = open_channel(
                f"127.0.0.1:{gateway.ports['gateway']}",
                tls.certificate_pem(hostile.authority),
                hostile.keys(),
            )

            async def feed(content: bytes) -> None:
                await _say(channel, list(_messages(content)))

            async def check() -> None:
                talk = await world.talk(
                    gateway, honest, honest.hello(2), [honest.pack(order(outlets[1]))]
                )
                assert talk.one("done").outcome == session_pb2.OUTCOME_DONE
                assert talk.one("acknowledgement").ticks.gateway_sequence == honest.sequence
                assert errors.found == []

            async with channel:
                yield Prepared(feed, lambda chance: _dialogue(hostile, recorded, chance), check)
    finally:
        errors.end()


def _dialogue(device: Device, recorded: list[bytes], chance: random.Random) -> bytes:
    """A session as a device says it, but not quite."""
    mode = chance.choice(_MODES)
    hello = device.hello(mode, cursor_lsn=chance.choice((0, 50)))
    said = [
        session_pb2.DeviceMessage(hello=hello).SerializeToString(),
        *chance.sample(recorded, chance.randrange(3)),
        session_pb2.DeviceMessage(
            upload_end=session_pb2.UploadEnd(last_sequence=device.sequence)
        ).SerializeToString(),
        session_pb2.DeviceMessage(applied=session_pb2.Applied(lsn=100)).SerializeToString(),
    ]
    place = chance.randrange(len(said))
    match chance.randrange(5):
        case 0:
            del said[place]
        case 1:
            said.insert(chance.randrange(len(said)), said[place])
        case _:
            said[place] = mutated([said[place], *recorded], session_pb2.DeviceMessage, chance)
    return b"".join(struct.pack(">I", len(one)) + one for one in said)


def _messages(content: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(content):
        (size,) = struct.unpack_from(">I", content, start)
        yield content[start + 4 : start + 4 + size]
        start += 4 + size


async def _say(channel: grpc.aio.Channel, said: list[bytes]) -> None:
    """The session is held; how the gateway ends it is raised.

    Raises:
        RuntimeError: the gateway ended it without a word of ours.
    """
    call = channel.stream_stream(SESSION)()
    try:
        # It may have ended the call before all was said; why is told by its status only.
        with contextlib.suppress(*_ENDED, OSError):
            for message in said:
                await call.write(message)
            await call.done_writing()
        with contextlib.suppress(grpc.aio.AioRpcError):
            while await call.read() is not grpc.aio.EOF:
                pass
        code, details = await call.code(), await call.details()
        begun, ended = await call.initial_metadata(), await call.trailing_metadata()
    finally:
        call.cancel()
    if details == _LATE:
        raise Retry("session_cut")
    if code in _UNTYPED:
        raise RuntimeError(f"{code}: {details}")
    if code is not grpc.StatusCode.OK:
        raise from_rpc_error(grpc.aio.AioRpcError(code, begun, ended, details=details))


@asynccontextmanager
async def carrier_files(folder: Path) -> Prepares:
    """Files that somebody brings on a stick."""
    world = World(folder)
    device = world.device()
    async with world.running() as gateway:
        batches = [device.pack(order(b"o" * 16)) for _ in range(3)]
        file = batch_pb2.CarrierFile(
            format=1, device_certificate=device.certificate, batches=batches
        ).SerializeToString()

        async def feed(content: bytes) -> None:
            await _import(gateway, content, device)

        async def check() -> None:
            await _import(gateway, file, device)
            held = await gateway.database.read(
                lambda c: c.execute("SELECT count(*) FROM fm_inbox WHERE differs = 0").fetchone()
            )
            assert held[0] == len(batches)

        yield Prepared(feed, mutating([file], batch_pb2.CarrierFile), check)


async def _import(gateway: Gateway, content: bytes, device: Device) -> None:
    done = await import_file(
        content,
        database=gateway.database,
        signals=gateway.signals,
        clock=gateway.clock,
        authority=device.authority,
    )
    if not done["batches"]:
        raise Retry("bad_carrier_file")
