"""Each gateway's durable consumer on DOWN.

The hub alone makes and changes it, so a gateway hears its own partitions and nothing else. Promise 6 (Scope).

A filter holds for what was published before, too. A gateway that loses a partition and is behind would go on to a mark
without all rows that the partition had then, and give it to devices until it hears of the loss. So a consumer that
loses a subject is deleted: the gateway says hello, and is told what it hears before it hears anything. Promise 4
(Whole).

Measured: changing the filter of a consumer takes 1 ms, 600 filters 30 ms; it goes on from its position, and open
pulls survive.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo, DeliverPolicy
from nats.js.errors import NotFoundError

from fieldmesh.service.bus import Bus
from hub.relay.streams import DOWN

_ACK_WAIT_S = 60.0
_LOOKS = 20
"""For the oldest message of DOWN: near its age limit it may end between two questions."""
MARK_SUBJECT = "down.mark"


def consumer_name(gateway_id: bytes) -> str:
    """The gateway's durable consumer on DOWN."""
    return f"gw_{gateway_id.hex()}"


def subjects_of(partitions: Iterable[int]) -> list[str]:
    """What a gateway with these partitions hears: they, and the marks."""
    return [MARK_SUBJECT, *(f"down.{partition}" for partition in sorted(partitions))]


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a consumer begins.

    Attributes:
        consumer: its name.
        next_delivery: its number of the delivery that comes next.
    """

    consumer: str
    next_delivery: int


@dataclass(frozen=True, slots=True)
class _Held:
    """A message of DOWN."""

    lsn: int
    is_mark: bool


class Consumers:
    """Makes and changes consumers."""

    def __init__(self, bus: Bus) -> None:
        """Through the hub's line to the bus."""
        self._bus = bus

    async def begin_after(
        self, gateway_id: bytes, partitions: Iterable[int], *, down_sequence: int, mark_lsn: int
    ) -> Beginning:
        """The gateway's consumer delivers what comes after that place of the stream.

        Args:
            gateway_id: whose consumer.
            partitions: that it may hear.
            down_sequence: stream sequence of the last mark that the gateway has applied; 0 = none.
            mark_lsn: of that mark.
        """
        with self._bus.administered():
            return await self._begin(gateway_id, partitions, down_sequence, mark_lsn)

    async def _begin(
        self, gateway_id: bytes, partitions: Iterable[int], down_sequence: int, mark_lsn: int
    ) -> Beginning:
        stream = await self._bus.jetstream()
        name, subjects = consumer_name(gateway_id), subjects_of(partitions)
        held = await _info(stream, name)
        if held is not None and _stands_at(held, down_sequence):
            await self._filter(stream, held, subjects)
            return Beginning(name, (held.delivered.consumer_seq if held.delivered else 0) + 1)
        if held is not None:
            await stream.delete_consumer(DOWN, name)
        start = await _start(stream, down_sequence, mark_lsn)
        await stream.add_consumer(
            DOWN,
            ConsumerConfig(
                durable_name=name,
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=start,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=_ACK_WAIT_S,
                max_ack_pending=-1,
                filter_subjects=subjects,
            ),
        )
        return Beginning(name, 1)

    async def change(self, gateway_id: bytes, partitions: Iterable[int]) -> None:
        """From now on the gateway hears these partitions; where it hears fewer than before, after its next hello.

        A gateway that never came has no consumer yet.
        """
        stream = await self._bus.jetstream()
        name, subjects = consumer_name(gateway_id), subjects_of(partitions)
        with self._bus.administered():
            held = await _info(stream, name)
            if held is None:
                return
            if set(held.config.filter_subjects or ()) - set(subjects):
                await stream.delete_consumer(DOWN, name)
            else:
                await self._filter(stream, held, subjects)

    async def oldest_lsn(self, published_lsn: int) -> int:
        """A gateway whose mark is below this LSN has missed something that DOWN no longer holds.

        Where the stream begins anew (its store was lost), everything before its first message was
        published in the old one; an empty one has lost all that was ever published.

        Args:
            published_lsn: up to where everything was published before this was asked.
        """
        stream = await self._bus.jetstream()
        with self._bus.administered():
            for _ in range(_LOOKS):
                state = (await stream.stream_info(DOWN)).state
                if not state.messages:
                    return published_lsn
                held = await _message_at(stream, state.first_seq)
                if held is not None:
                    return held.lsn if held.is_mark or state.first_seq > 1 else held.lsn - 1
        return published_lsn

    async def _filter(
        self, stream: JetStreamContext, held: ConsumerInfo, subjects: list[str]
    ) -> None:
        config = held.config
        if sorted(config.filter_subjects or []) == sorted(subjects):
            return
        config.filter_subject = None
        config.filter_subjects = subjects
        await stream.add_consumer(DOWN, config)


async def _info(stream: JetStreamContext, name: str) -> ConsumerInfo | None:
    try:
        found: ConsumerInfo = await stream.consumer_info(DOWN, name)
    except NotFoundError:
        return None
    return found


async def _start(stream: JetStreamContext, down_sequence: int, mark_lsn: int) -> int:
    """The first sequence to deliver: after the gateway's mark, or all that is there.

    A sequence says nothing about a stream whose store was lost meanwhile: only the mark that the
    gateway has applied, found at its place, shows that it is the same stream.
    """
    state = (await stream.stream_info(DOWN)).state
    is_here = down_sequence > 0 and state.first_seq <= down_sequence <= state.last_seq
    if is_here and await _message_at(stream, down_sequence) == _Held(mark_lsn, is_mark=True):
        return down_sequence + 1
    return max(state.first_seq, 1)


async def _message_at(stream: JetStreamContext, sequence: int) -> _Held | None:
    """The message at that place; None = there is none (any more)."""
    try:
        held = await stream.get_msg(DOWN, sequence)
    except NotFoundError:
        return None
    lsn, _, rest = (held.headers or {}).get("Nats-Msg-Id", "0").partition(".")
    return _Held(int(lsn), rest.startswith("mark."))


def _stands_at(held: ConsumerInfo, down_sequence: int) -> bool:
    floor = held.ack_floor.stream_seq if held.ack_floor is not None else 0
    delivered = held.delivered.stream_seq if held.delivered is not None else 0
    return (
        not held.num_ack_pending
        and not held.num_waiting
        and floor == down_sequence
        and delivered == down_sequence
    )
