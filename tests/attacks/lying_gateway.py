"""A gateway with a good certificate that says what a test wants it to say."""
# ruff: noqa: ANN001 - names are gRPC's

from collections.abc import AsyncIterator, Callable
from pathlib import Path

from typing_extensions import override

from fieldmesh.wire.v1 import session_pb2
from tests.integration.device.company import Authority
from tests.integration.device.gateway_double import GatewayDouble

Lie = Callable[[session_pb2.GatewayMessage], None]


class LyingGateway(GatewayDouble):
    """`lie` changes every message before it leaves; `hello_heard` is what the device said of itself."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        """It tells the truth until it is told otherwise."""
        super().__init__(authority, folder)
        self.lie: Lie = _truth
        self.content: Callable[[bytes], bytes] = bytes

    @override
    async def Session(  # type: ignore[no-untyped-def]
        self, request_iterator, context
    ) -> AsyncIterator[session_pb2.GatewayMessage]:
        async for message in super().Session(request_iterator, context):
            self.lie(message)
            yield message

    @override
    def _snapshot(self) -> bytes:
        return self.content(super()._snapshot())


def _truth(_message: session_pb2.GatewayMessage) -> None:
    """The message stays as it is."""


def ticks_of(message: session_pb2.GatewayMessage) -> session_pb2.Ticks | None:
    """The ticks that a message carries, to be changed; None where it carries none."""
    match message.WhichOneof("message"):
        case "welcome":
            return message.welcome.ticks
        case "acknowledgement":
            return message.acknowledgement.ticks
        case "download_start":
            return message.download_start.ticks
        case "done":
            return message.done.ticks
        case _:
            return None
