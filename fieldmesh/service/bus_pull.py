"""Pulling from a JetStream consumer: what is there comes at once, in order, without a gap.

One request for many messages, up to so many bytes, stays open at the broker; each call of `Puller.pull` takes what has
arrived. The library's own fetch would wait for a full batch after the first message.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import nats.errors

from fieldmesh.basics.errors import Retry

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

_OPEN_S: Final = 30.0
_NANOSECONDS: Final = 1_000_000_000
_MOST_PENDING: Final = 65_536
_MOST_PENDING_BYTES: Final = 128 * 1024 * 1024
MOST_PULLED_BYTES: Final = 16 * 1024 * 1024
"""On their way at once: far below what a line holds, and above any message."""
_NO_RESPONDERS: Final = "503"
_HEARTBEAT: Final = "100"


@dataclass(frozen=True, slots=True)
class BusMessage:
    """A message of a stream.

    Attributes:
        subject: where it was published.
        data: its bytes.
        stream_sequence: its place in the stream.
        consumer_sequence: number of this delivery; numbers without a gap mean that none is lost.
        deliveries: how often it was delivered, with this one.
    """

    subject: str
    data: bytes
    stream_sequence: int
    consumer_sequence: int
    deliveries: int
    inner: Msg

    async def ack(self) -> None:
        """The broker will not deliver it again (if this word reaches it).

        Raises:
            Retry: `bus_unreachable`.
        """
        await self._say(b"+ACK")

    async def refuse(self, delay_s: float = 0.0) -> None:
        """The broker will deliver it again after ``delay_s`` seconds.

        Raises:
            Retry: `bus_unreachable`.
        """
        delay = json.dumps({"delay": int(delay_s * _NANOSECONDS)})
        await self._say(b"-NAK " + delay.encode("ascii"))

    async def working(self) -> None:
        """The broker waits as long again before it delivers it a second time.

        Raises:
            Retry: `bus_unreachable`.
        """
        await self._say(b"+WPI")

    async def _say(self, word: bytes) -> None:
        try:
            await self.inner._client.publish(self.inner.reply, word)  # noqa: SLF001 - the message's own client
        except (nats.errors.Error, OSError) as error:
            url = self.inner._client.connected_url  # noqa: SLF001 - the same
            place = url.netloc if url else "…"
            raise Retry("bus_unreachable", url=place, text=str(error)) from error


class Puller:
    """One consumer, pulled over one connection."""

    def __init__(self, client: Client, listening: Subscription, inbox: str, ask: str) -> None:
        """Use `open`."""
        self.client = client
        self._listening = listening
        self._inbox = inbox
        self._ask = ask
        self._wanted = 0
        self._open_until = 0.0

    @classmethod
    async def open(cls, client: Client, stream: str, consumer: str) -> Self:
        """Messages may be pulled; nothing was asked for yet."""
        inbox = client.new_inbox()
        listening = await client.subscribe(
            inbox,
            pending_msgs_limit=_MOST_PENDING,
            pending_bytes_limit=_MOST_PENDING_BYTES,
        )
        return cls(client, listening, inbox, f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}")

    async def close(self) -> None:
        """The broker has nobody to deliver to any more. Harmless when the line is away."""
        with contextlib.suppress(nats.errors.Error, OSError):
            await self._listening.unsubscribe()

    async def pull(self, batch: int, timeout_s: float) -> list[BusMessage]:
        """What has arrived, up to ``batch``; waits for the first up to ``timeout_s`` seconds.

        Raises:
            nats.errors.Error: the line is away, or nobody knows the consumer.
        """
        found: list[BusMessage] = []
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_s
        while len(found) < batch:
            waiting = self._listening.pending_msgs > 0
            if found and not waiting:
                break
            if not waiting:
                await self._ask_for(batch, loop.time())
            message = await self._next(until - loop.time())
            if message is None:
                break
            if self._take(message, found) and not found and loop.time() >= until:
                break
        return found

    async def _ask_for(self, batch: int, now: float) -> None:
        if self._wanted > 0 and now < self._open_until:
            return
        self._wanted = batch
        self._open_until = now + _OPEN_S
        request = {
            "batch": batch,
            "max_bytes": MOST_PULLED_BYTES,
            "expires": int((_OPEN_S - 1.0) * _NANOSECONDS),
        }
        await self.client.publish(self._ask, json.dumps(request).encode("ascii"), self._inbox)

    async def _next(self, timeout_s: float) -> Msg | None:
        if not self.client.is_connected:
            raise nats.errors.ConnectionClosedError
        try:
            return await self._listening.next_msg(timeout=max(timeout_s, 0.001))
        except TimeoutError:
            if not self.client.is_connected:
                raise nats.errors.ConnectionClosedError from None
            return None

    def _take(self, message: Msg, found: list[BusMessage]) -> bool:
        """A message is added to ``found``; returns whether it was only the broker's word."""
        status = (message.headers or {}).get("Status") if not message.data else None
        if status is None:
            place = message.metadata
            found.append(
                BusMessage(
                    subject=message.subject,
                    data=message.data,
                    stream_sequence=place.sequence.stream,
                    consumer_sequence=place.sequence.consumer,
                    deliveries=place.num_delivered or 1,
                    inner=message,
                )
            )
            self._wanted -= 1
            return False
        if status == _NO_RESPONDERS:
            self._wanted = 0
            raise nats.errors.NoRespondersError
        if status != _HEARTBEAT:
            # The request has ended: its time is over, or the consumer has changed. Ask anew.
            self._wanted = 0
        return True
