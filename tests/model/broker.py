"""A message bus in memory that may lose, double, hold back and forget, as a real one may.

It keeps what JetStream promises: a stream's order, a place for each consumer, ids that are dropped when
they come again. Everything else is up to whoever drives the model.
"""
# ruff: noqa: D102, D107 - the names are those of the real thing

import fnmatch
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from nats.js.api import ConsumerConfig
from nats.js.errors import NotFoundError

from fieldmesh.basics.errors import Retry


@dataclass(slots=True)
class Message:
    """What lies in a stream, as `BusMessage` gives it."""

    subject: str
    data: bytes
    message_id: str
    stream_sequence: int
    consumer_sequence: int = 0
    deliveries: int = 1
    acknowledged: bool = False
    deaf: bool = False
    """The word "acknowledged" is lost on its way."""

    async def ack(self) -> None:
        if not self.deaf:
            self.acknowledged = True

    async def working(self) -> None:
        """Nobody here delivers again for time alone."""

    async def refuse(self, _delay_s: float = 0.0) -> None:
        """It stays where it is; after an acknowledgement this says nothing, as with the real thing."""


@dataclass(slots=True)
class Stream:
    """Messages in order; the first ones may have been dropped for their age."""

    messages: list[Message] = field(default_factory=list)
    last: int = 0
    ids: set[str] = field(default_factory=set)

    def put(self, subject: str, data: bytes, message_id: str) -> None:
        if message_id in self.ids:
            return
        self.ids.add(message_id)
        self.last += 1
        self.messages.append(Message(subject, data, message_id, self.last))

    @property
    def first(self) -> int:
        return self.messages[0].stream_sequence if self.messages else self.last + 1


@dataclass(slots=True)
class Listener:
    """A durable consumer of DOWN."""

    subjects: list[str]
    place: int
    """Stream sequence of what was delivered last."""
    delivered: int = 0

    def hears(self, subject: str) -> bool:
        return any(fnmatch.fnmatchcase(subject, one) for one in self.subjects)


class Broker:
    """UP, DOWN, and requests to the hub."""

    def __init__(self) -> None:
        self.up = Stream()
        self.down = Stream()
        self.listeners: dict[str, Listener] = {}
        self.answer: Callable[[str, bytes], Awaitable[bytes]] | None = None

    def lose_store(self) -> None:
        """Streams, their places and whoever listened are gone; the hub has made empty streams anew."""
        self.up, self.down = Stream(), Stream()
        self.listeners.clear()

    def waiting_up(self) -> list[Message]:
        return [message for message in self.up.messages if not message.acknowledged]


class Line:
    """One node's line to the broker; it may be cut, and it may lose the broker's word."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.up = True
        self.lose_words = 0
        """So many publications take place, and the publisher does not hear of it."""
        self.deliveries = 1_000_000
        """So many messages are still delivered before the line is quiet."""
        self.skip = 0
        """So many deliveries are lost on the way."""

    async def publish(self, subject: str, data: bytes, message_id: str) -> object:
        self._check()
        stream = self.broker.up if subject.startswith("up.") else self.broker.down
        stream.put(subject, data, message_id)
        if self.lose_words:
            self.lose_words -= 1
            raise Retry("bus_unreachable")
        return None

    async def request(self, subject: str, data: bytes, *, timeout_s: float) -> bytes:
        del timeout_s
        self._check()
        assert self.broker.answer is not None
        return await self.broker.answer(subject, data)

    async def stop_pulling(self, _stream: str, _consumer: str) -> None:
        """Nothing is open here."""

    async def pull(self, stream: str, consumer: str, batch: int, timeout_s: float) -> list[Message]:
        """What is there; when nothing is, the line is quiet for so long that it counts as cut."""
        del stream, timeout_s
        self._check()
        listener = self.broker.listeners.get(consumer)
        if listener is None:
            raise Retry("bus_unreachable")
        found: list[Message] = []
        for message in self.broker.down.messages:
            if len(found) == min(batch, self.deliveries):
                break
            if message.stream_sequence <= listener.place or not listener.hears(message.subject):
                continue
            listener.place = message.stream_sequence
            listener.delivered += 1
            self.deliveries -= 1
            if self.skip:
                self.skip -= 1
                continue
            found.append(
                Message(
                    message.subject,
                    message.data,
                    message.message_id,
                    message.stream_sequence,
                    listener.delivered,
                )
            )
        if not found:
            raise Retry("bus_unreachable")
        return found

    async def jetstream(self) -> "JetStream":
        self._check()
        return JetStream(self.broker)

    def administered(self) -> AbstractContextManager[None]:
        """The broker of the model never elects a leader."""
        return nullcontext()

    async def close(self) -> None:
        """Nothing is open here."""

    def _check(self) -> None:
        if not self.up:
            raise Retry("bus_unreachable")


class JetStream:
    """What the hub asks of JetStream about consumers of DOWN."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def consumer_info(self, _stream: str, name: str) -> Any:
        held = self._broker.listeners.get(name)
        if held is None:
            raise NotFoundError
        return SimpleNamespace(
            config=ConsumerConfig(durable_name=name, filter_subjects=list(held.subjects)),
            ack_floor=SimpleNamespace(stream_seq=-1),
            delivered=SimpleNamespace(stream_seq=held.place, consumer_seq=held.delivered),
            num_ack_pending=1,
            num_waiting=0,
        )

    async def delete_consumer(self, _stream: str, name: str) -> None:
        del self._broker.listeners[name]

    async def stream_info(self, _stream: str) -> Any:
        down = self._broker.down
        return SimpleNamespace(
            state=SimpleNamespace(
                messages=len(down.messages), first_seq=down.first, last_seq=down.last
            )
        )

    async def add_consumer(self, _stream: str, config: ConsumerConfig) -> None:
        subjects = list(config.filter_subjects or [])
        held = self._broker.listeners.get(str(config.durable_name))
        if held is not None:
            held.subjects = subjects
            return
        place = (config.opt_start_seq or 1) - 1
        self._broker.listeners[str(config.durable_name)] = Listener(subjects, place)

    async def get_msg(self, _stream: str, sequence: int) -> Any:
        for message in self._broker.down.messages:
            if message.stream_sequence == sequence:
                return SimpleNamespace(headers={"Nats-Msg-Id": message.message_id})
        raise NotFoundError
