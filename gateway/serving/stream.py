"""The device's end of one session: messages in order, within limits, with a time-out on silence."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol, TypeVar, cast

from google.protobuf.message import DecodeError

from fieldmesh.basics.errors import Rejected, Retry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from fieldmesh.session.gateway_side import GatewaySession
    from fieldmesh.wire.v1 import session_pb2


_SLOWEST_BYTES_PER_S: Final = 8 * 1024
"""A large message may take so much longer than the silence that any device may keep."""
_T = TypeVar("_T")


async def in_time(step: Awaitable[_T], seconds: float) -> _T:
    """What the device does within that time.

    Raises:
        Retry: ``device_silent``.
    """
    try:
        async with asyncio.timeout(seconds):
            return await step
    except TimeoutError as error:
        raise Retry("device_silent", delay_s=1.0, seconds=f"{seconds:g}") from error


async def each_in_time(messages: AsyncIterator[_T], seconds: float) -> AsyncIterator[_T]:
    """The messages, none later than so long after the one before.

    Raises:
        Retry: ``device_silent``.
    """
    while (message := await in_time(anext(messages, None), seconds)) is not None:
        yield message


class RpcStream(Protocol):
    """What gRPC gives a handler: messages in and out."""

    async def read(self) -> session_pb2.DeviceMessage | object:
        """The next message, or ``grpc.aio.EOF``."""

    async def write(self, message: session_pb2.GatewayMessage) -> None:
        """Hand a message to the transport."""


class DeviceStream:
    """Reads and writes the messages of one session and counts their bytes."""

    def __init__(self, rpc: RpcStream, *, end: object, silence_s: float) -> None:
        """Wrap a gRPC stream.

        Args:
            rpc: the stream.
            end: what ``rpc.read`` gives when the device has closed its side.
            silence_s: longest time without a message, and for a small one to be taken, seconds.
        """
        self._rpc = rpc
        self._end = end
        self._silence_s = silence_s
        self.machine: GatewaySession | None = None
        self.bytes_up = 0
        self.bytes_down = 0

    async def receive(self) -> session_pb2.DeviceMessage:
        """The next message.

        Raises:
            Rejected: ``unexpected_message`` if it may not be said here, ``bad_message`` if it is
                no message.
            Retry: ``device_silent`` after too long a silence, ``session_cut`` when the device
                has closed its side.
        """
        try:
            message = await in_time(self._rpc.read(), self._silence_s)
        except DecodeError:
            raise Rejected("bad_message", place="session") from None
        if message is self._end:
            raise Retry("session_cut", delay_s=1.0)
        received = cast("session_pb2.DeviceMessage", message)
        self.bytes_up += received.ByteSize()
        kind = received.WhichOneof("message")
        if kind is None:
            raise Rejected("bad_message", place="session: empty, or of a kind that is not known")
        if self.machine is not None:
            self.machine.receive(kind)
        return received

    async def expect(self, kind: str) -> session_pb2.DeviceMessage:
        """The next message, which must be of that kind.

        Raises:
            Rejected: ``unexpected_message`` if it is another.
        """
        message = await self.receive()
        found = message.WhichOneof("message")
        if found != kind:
            raise Rejected("unexpected_message", expected=kind, found=str(found))
        return message

    async def send(self, message: session_pb2.GatewayMessage) -> None:
        """The message is on its way.

        Raises:
            Retry: ``device_silent`` when the device does not read.
        """
        if self.machine is not None:
            self.machine.send(str(message.WhichOneof("message")))
        size = message.ByteSize()
        self.bytes_down += size
        longest_s = self._silence_s + size / _SLOWEST_BYTES_PER_S
        await in_time(self._rpc.write(message), longest_s)
