"""What a gateway hears of DOWN, and how it comes to hear less."""

from typing import cast

from fieldmesh.service.bus import Bus
from hub.relay.consumers import Consumers, consumer_name, subjects_of
from tests.model.broker import Broker, Line

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
