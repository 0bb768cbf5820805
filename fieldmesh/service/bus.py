"""Messages over NATS JetStream: publish until acknowledged, pull in order, ask and answer.

One connection per `Bus`, made at the first use and made again after a break, by whoever needs it
next; between attempts every call fails at once with the time to wait. There is no hidden buffer:
what was not acknowledged was not sent, and the caller still holds it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

import nats.errors
import nkeys
from nats.aio.client import Client
from nats.js.errors import NotFoundError

from fieldmesh.basics.backoff import Backoff
from fieldmesh.basics.errors import FieldmeshError, Rejected, Retry
from fieldmesh.basics.limits import MESSAGE_BYTES
from fieldmesh.service.bus_client import (
    BROKEN,
    close_client,
    context_of,
    give_up_waiting,
    next_message,
    note,
)
from fieldmesh.service.bus_pull import BusMessage, Puller
from fieldmesh.service.tls import HUB_NAME

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

LOG = logging.getLogger(__name__)

INBOX: Final = "_INBOX"
"""Where the hub is answered; a gateway has an inbox with its own name."""
CONNECT_S: Final = 5.0
PUBLISH_S: Final = 10.0
PING_S: Final = 10
MOST_PUBLISHING: Final = 256
MOST_ANSWERING: Final = 32
MOST_PENDING_BYTES: Final = 64 * 1024 * 1024
FIRST_DELAY_S: Final = 0.2
MOST_DELAY_S: Final = 5.0
REFUSED_DELAY_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Published:
    """What the broker has acknowledged: it stands on disk.

    Attributes:
        sequence: place in the stream.
        duplicate: a message with this id was there already; this one was dropped.
    """

    sequence: int
    duplicate: bool


class Bus:
    """A node's line to the message bus."""

    def __init__(
        self,
        urls: Sequence[str],
        *,
        jwt: Callable[[], str],
        seed: bytes,
        authority: bytes,
        name: str,
        random: random.Random,
        inbox_prefix: str = INBOX,
    ) -> None:
        """Nothing is connected yet.

        Args:
            urls: ``tls://host:port`` of the brokers.
            jwt: the user's NATS JWT; asked at each connect, so that a renewed one is used.
            seed: the user's NATS seed; signs the broker's challenge, never leaves this process.
            authority: the hub's authorities, DER, one behind the other: the only ones that are trusted.
            name: how the broker's pages name this connection.
            random: for jitter.
            inbox_prefix: replies come here; a gateway may listen only under its own.
        """
        self._urls = list(urls)
        self._jwt = jwt
        self._seed = seed
        self._name = name
        self._inbox_prefix = inbox_prefix
        self._tls = context_of(authority)
        self._client: Client | None = None
        self._connecting = asyncio.Lock()
        self._random = random
        self._backoff = Backoff(FIRST_DELAY_S, MOST_DELAY_S, random)
        self._not_before = 0.0
        self._problem: Retry | None = None
        self._publishing = asyncio.Semaphore(MOST_PUBLISHING)
        self._pullers: dict[tuple[str, str], Puller] = {}
        self._closed = False
        self.reconnects = 0

    @property
    def is_connected(self) -> bool:
        """Whether the line stands now."""
        return self._client is not None and self._client.is_connected

    async def connect(self) -> None:
        """The line stands.

        Raises:
            Retry: `bus_unreachable` or `bus_refused`, with the time to wait.
        """
        await self._line()

    def trust(self, authority: bytes, urls: Sequence[str]) -> None:
        """Connections that are made from now on go to these brokers and believe these authorities (DER)."""
        self._tls = context_of(authority)
        self._urls = list(urls)

    async def close(self) -> None:
        """The line is down for good. Repeating it is harmless."""
        self._closed = True
        client, self._client = self._client, None
        if client is not None:
            await close_client(client)

    async def publish(
        self, subject: str, data: bytes, message_id: str, *, timeout_s: float = PUBLISH_S
    ) -> Published:
        """The broker holds the message on disk, once.

        Raises:
            Retry: `bus_unreachable`: it may or may not be there; publish it again with the same id.
            Rejected: `frame_too_large`.
        """
        if len(data) > MESSAGE_BYTES:
            raise Rejected("frame_too_large", place=subject, size=len(data))
        async with self._publishing:
            stream = await self.jetstream()
            try:
                answer = await stream.publish(
                    subject, data, timeout=timeout_s, headers={"Nats-Msg-Id": message_id}
                )
            except BROKEN as error:
                self._fail(error)
        return Published(answer.seq, bool(answer.duplicate))

    async def send(self, subject: str, data: bytes) -> None:
        """The message is on its way; nobody promises that it arrives.

        Raises:
            Retry: `bus_unreachable`.
        """
        client = await self._line()
        try:
            await client.publish(subject, data)
        except BROKEN as error:
            self._fail(error)

    async def pull(
        self, stream: str, consumer: str, batch: int, timeout_s: float
    ) -> list[BusMessage]:
        """The next messages of a consumer in their order; empty if none came in time.

        It returns as soon as there is one, with all that came with it.

        Raises:
            Retry: `bus_unreachable`: the line is away, or there is no such consumer.
        """
        client = await self._line()
        puller = self._pullers.get((stream, consumer))
        try:
            if puller is None or puller.client is not client:
                puller = await Puller.open(client, stream, consumer)
                self._pullers[stream, consumer] = puller
            return await puller.pull(batch, timeout_s)
        except BROKEN as error:
            self._pullers.pop((stream, consumer), None)
            self._fail(error)

    async def stop_pulling(self, stream: str, consumer: str) -> None:
        """What was delivered and not yet given out is dropped; the next `pull` begins anew."""
        puller = self._pullers.pop((stream, consumer), None)
        if puller is not None:
            await puller.close()

    async def request(self, subject: str, data: bytes, *, timeout_s: float) -> bytes:
        """The answer.

        Raises:
            Retry: `bus_unreachable`: nobody answers, or not in time.
        """
        client = await self._line()
        try:
            answer = await client.request(subject, data, timeout=timeout_s)
        except BROKEN as error:
            self._fail(error)
        return answer.data

    async def respond(self, subject: str, handler: Callable[[bytes], Awaitable[bytes]]) -> NoReturn:
        """Requests of the hub on the subject are answered by ``handler``, until the line breaks.

        Raises:
            Retry: `bus_unreachable`.
        """

        async def answer(_: str, data: bytes) -> bytes:
            return await handler(data)

        await self.respond_all(subject, answer, inbox_of=lambda _: INBOX)

    async def respond_all(
        self,
        subject: str,
        handler: Callable[[str, bytes], Awaitable[bytes]],
        *,
        inbox_of: Callable[[str], str],
    ) -> NoReturn:
        """As `respond`; ``handler`` also gets the subject, for subjects with wildcards.

        ``inbox_of`` gives for a subject where its asker may be answered. The broker does not check where a request
        wants its answer, so the answer could be aimed at what its asker may not say itself, and what the broker
        delivers from a stream could be aimed here: neither wants it in that inbox, and neither is heard.

        At most `MOST_ANSWERING` requests are answered at once; others wait in the connection. A
        handler that raises leaves its request without an answer, and the others untouched.
        """
        client = await self._line()
        places = asyncio.Semaphore(MOST_ANSWERING)
        try:
            listening = await client.subscribe(subject, pending_bytes_limit=MOST_PENDING_BYTES)
            async with asyncio.TaskGroup() as group:
                try:
                    while client.is_connected:
                        message = await next_message(listening)
                        if message is not None:
                            await places.acquire()
                            inbox = inbox_of(message.subject)
                            group.create_task(_answer(message, handler, places, inbox))
                finally:
                    with contextlib.suppress(*BROKEN):
                        await listening.unsubscribe()
        except* BROKEN as broken:
            raise self._translated(broken.exceptions[0]) from broken
        raise self._translated(nats.errors.ConnectionClosedError())

    async def jetstream(self) -> JetStreamContext:
        """The broker's administration: streams and consumers (the hub's part only).

        Raises:
            Retry: `bus_unreachable` or `bus_refused`.
        """
        return (await self._line()).jetstream(timeout=PUBLISH_S)

    @contextlib.contextmanager
    def administered(self) -> Iterator[None]:
        """What the broker's administration can't do now, because it is away or electing a leader, is a `Retry`.

        That a stream, a consumer or a message is not there is an answer, and stays `NotFoundError`.

        Raises:
            Retry: `bus_unreachable`.
        """
        try:
            yield
        except NotFoundError:
            raise
        except BROKEN as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> NoReturn:
        raise self._translated(error) from error

    def _translated(self, error: BaseException) -> FieldmeshError:
        if isinstance(error, nats.errors.MaxPayloadError):
            return Rejected("frame_too_large", place="bus")
        return Retry("bus_unreachable", url=self._urls[0], text=str(error) or type(error).__name__)

    async def _line(self) -> Client:
        client = self._client
        if client is not None and client.is_connected:
            return client
        if self._closed:
            raise Retry("bus_unreachable", url=self._urls[0], text="closed")
        async with self._connecting:
            client = self._client
            if client is not None and client.is_connected:
                return client
            wait_s = self._not_before - asyncio.get_running_loop().time()
            if wait_s > 0 and self._problem is not None:
                problem = self._problem
                raise Retry(problem.code, delay_s=wait_s, url=self._urls[0])
            return await self._connect_again()

    async def _connect_again(self) -> Client:
        old, self._client = self._client, None
        self._pullers.clear()
        if old is not None:
            await close_client(old)
            # When the broker restarts, everybody comes back: not all in the same moment.
            await asyncio.sleep(self._random.uniform(0.0, FIRST_DELAY_S))
        client = Client()
        try:
            async with asyncio.timeout(CONNECT_S * len(self._urls)):
                await client.connect(**self._options(client))
        except (*BROKEN, ValueError) as error:
            await close_client(client)
            refused = isinstance(error, nats.errors.AuthorizationError) or "uthorization" in str(
                error
            )
            delay_s = self._backoff.next_delay()
            if refused:
                delay_s = max(delay_s, REFUSED_DELAY_S)
            code = "bus_refused" if refused else "bus_unreachable"
            text = str(error) or type(error).__name__
            self._problem = Retry(code, delay_s=delay_s, url=self._urls[0], text=text)
            self._not_before = asyncio.get_running_loop().time() + delay_s
            raise self._problem from error
        self._backoff.reset()
        self._client = client
        self.reconnects += 1
        LOG.info("bus_connected", extra={"connection": self._name})
        return client

    def _options(self, client: Client) -> dict[str, Any]:
        async def given_up() -> None:
            give_up_waiting(client)

        return {
            "servers": self._urls,
            "name": self._name,
            "allow_reconnect": False,
            "connect_timeout": int(CONNECT_S),
            "ping_interval": PING_S,
            "max_outstanding_pings": 2,
            "pending_size": MOST_PENDING_BYTES,
            "drain_timeout": 5,
            "tls": self._tls,
            "tls_hostname": HUB_NAME,
            "inbox_prefix": self._inbox_prefix,
            "user_jwt_cb": lambda: bytearray(self._jwt().encode("ascii")),
            "signature_cb": self._sign,
            "error_cb": note,
            "closed_cb": given_up,
        }

    def _sign(self, nonce: str) -> bytes:
        pair = nkeys.from_seed(bytearray(self._seed))
        return base64.b64encode(pair.sign(nonce.encode()))


async def _answer(
    message: Msg,
    handler: Callable[[str, bytes], Awaitable[bytes]],
    places: asyncio.Semaphore,
    inbox: str,
) -> None:
    try:
        if not message.reply.startswith(f"{inbox}."):
            LOG.warning("request_refused", extra={"subject": message.subject})
            return
        await message.respond(await handler(message.subject, message.data))
    except BROKEN as error:
        LOG.info("answer_lost", extra={"subject": message.subject, "problem": str(error)})
    except Exception:
        # As in the supervisor: one request that fails must not take the others with it.
        LOG.exception("answer_failed", extra={"subject": message.subject})
    finally:
        places.release()
