"""A sync session between a device and a gateway without a network; the line may be cut at any message."""
# ruff: noqa: D102, D107 - the names are those of the real thing

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

from device_agent.link.messages import HubKnown
from device_agent.link.stream import SessionStream
from fieldmesh.session.transitions import Mode
from gateway.serving.server import GatewayService

_GONE = object()


@dataclass(slots=True)
class Weather:
    """What happens to the next session.

    Attributes:
        messages: the line is cut after so many messages; None = it holds.
        gateway_goes_on: only the way back is cut: what the device said has its effect.
    """

    messages: int | None = None
    gateway_goes_on: bool = False


class _Cut(Exception):  # noqa: N818 - it is no error, it is weather
    """The handler's call is over."""


class Call:
    """Both ends of one call."""

    def __init__(self, service: GatewayService, certificate_pem: bytes, weather: Weather) -> None:
        self._pem = certificate_pem
        self._left = weather.messages
        self._goes_on = weather.gateway_goes_on
        self._cut = False
        self._up: asyncio.Queue[Any] = asyncio.Queue()  # noqa: TID251 - bounded by the session itself
        self._down: asyncio.Queue[Any] = asyncio.Queue()  # noqa: TID251
        self._status: tuple[grpc.StatusCode, str, Any] = (grpc.StatusCode.OK, "", ())
        self._end_of_line = (grpc.StatusCode.UNAVAILABLE, "the line was cut", ())
        self._service = service
        self._handler: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """The gateway's handler, to its end."""
        try:
            await self._service.Session(_nothing(), Handler(self))  # type: ignore[arg-type]
        except _Cut:
            pass
        finally:
            self._down.put_nowait(_GONE)

    # the device's end

    async def read(self) -> Any:
        if self._cut:
            raise self._error(self._end_of_line)
        message = await self._down.get()
        if message is not _GONE:
            return message
        if self._cut:
            raise self._error(self._end_of_line)
        return grpc.aio.EOF

    async def write(self, message: Any) -> None:
        if self._pass():
            self._up.put_nowait(message)

    async def done_writing(self) -> None:
        self._up.put_nowait(_GONE)

    def cancel(self) -> None:
        self._up.put_nowait(_GONE)

    async def code(self) -> grpc.StatusCode:
        return self._status[0]

    async def details(self) -> str:
        return self._status[1]

    async def initial_metadata(self) -> Any:
        return ()

    async def trailing_metadata(self) -> Any:
        return self._status[2]

    # the gateway's end

    async def heard(self) -> Any:
        message = await self._up.get()
        return grpc.aio.EOF if message is _GONE else message

    def said(self, message: Any) -> None:
        if self._pass():
            self._down.put_nowait(message)
        elif not self._goes_on:
            raise _Cut

    def ended(self, status: tuple[grpc.StatusCode, str, Any]) -> None:
        self._status = status

    @property
    def pem(self) -> bytes:
        return self._pem

    def _pass(self) -> bool:
        """Whether one more message gets through."""
        if self._left is None:
            return True
        if self._left:
            self._left -= 1
            return True
        if not self._cut:
            self._cut = True
            self._down.put_nowait(_GONE)
            self._up.put_nowait(_GONE)
        return False

    def _error(self, status: tuple[grpc.StatusCode, str, Any]) -> grpc.aio.AioRpcError:
        metadata = grpc.aio.Metadata()
        return grpc.aio.AioRpcError(status[0], metadata, metadata, details=status[1])


class Handler:
    """What gRPC hands to the gateway's handler."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def read(self) -> Any:
        return await self._call.heard()

    async def write(self, message: Any) -> None:
        self._call.said(message)

    def auth_context(self) -> dict[str, list[bytes]]:
        return {"x509_pem_cert": [self._call.pem]}

    async def abort(self, code: grpc.StatusCode, details: str, trailing: Any) -> None:
        self._call.ended((code, details, trailing))
        raise _Cut


@asynccontextmanager
async def open_session(
    service: GatewayService, certificate_pem: bytes, weather: Weather, mode: Mode, hub: HubKnown
) -> AsyncIterator[SessionStream]:
    """A session with the gateway; when the block is left, both ends have ended."""
    call = Call(service, certificate_pem, weather)
    failure: BaseException | None = None
    async with asyncio.TaskGroup() as group:
        group.create_task(call.run())
        try:
            yield SessionStream(call, mode, 30.0, "model", hub)  # type: ignore[arg-type]
            await call.done_writing()
        except BaseException as error:  # noqa: BLE001 - it goes on, after the gateway's end has ended
            failure = error
        finally:
            call.cancel()
    if failure is not None:
        raise failure


async def _nothing() -> AsyncIterator[Any]:
    return
    yield
