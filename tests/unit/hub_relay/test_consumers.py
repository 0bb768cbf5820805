"""What a gateway hears of DOWN, and how it comes to hear less."""

from typing import Any, cast

import pytest

from fieldmesh.service.bus import Bus
from hub.relay.consumers import Consumers, consumer_name, subjects_of
from tests.model.broker import Broker, JetStream, Line

GATEWAY = b"g" * 16


async def test_a_gateway_that_hears_less_must_say_hello_first() -> None:
    """Promise 4: a filter that shrinks takes from a gateway that is behind what belongs to its next mark."""
    broker = Broker()
    consumers = Consumers(cast("Bus", Line(broker)))
    await consumers.begin_after(GATEWAY, [1], down_sequence=0, mark_lsn=0)
    await consumers.change(GATEWAY, [1, 2])
    assert broker.listeners[consumer_name(GATEWAY)].subjects == subjects_of([1, 2])
    await consumers.change(GATEWAY, [2])
    assert consumer_name(GATEWAY) not in broker.listeners
    await consumers.change(GATEWAY, [2, 3])
    assert consumer_name(GATEWAY) not in broker.listeners


async def test_the_oldest_message_may_end_between_two_questions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Promise 5: the answer 0 said that nothing was missed, and a gateway that had was not seeded anew."""
    broker = Broker()
    for lsn in (7, 8):
        broker.down.put("down.1", b"", f"{lsn}.1.0")
    asked = JetStream.get_msg

    async def ended_meanwhile(stream: JetStream, name: str, sequence: int) -> Any:
        if sequence == 1 and broker.down.messages[0].stream_sequence == 1:
            del broker.down.messages[0]
        return await asked(stream, name, sequence)

    monkeypatch.setattr(JetStream, "get_msg", ended_meanwhile)
    assert await Consumers(cast("Bus", Line(broker))).oldest_lsn(8) == 8
