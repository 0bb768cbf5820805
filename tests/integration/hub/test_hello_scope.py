"""A gateway hears what is its own, also when its scope changes while it says hello."""

from typing import Any, cast

import pytest

from fieldmesh.service.bus import Bus
from fieldmesh.wire.v1 import replication_pb2
from hub.relay import requests
from hub.relay.consumers import Consumers, consumer_name, subjects_of
from hub.relay.requests import Desk, Responder
from tests.kit.company import GATEWAY_ID, SmallCompany
from tests.model.broker import Broker, JetStream, Line


async def test_a_partition_that_is_lost_during_a_hello_is_not_heard(
    company: SmallCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 6: the loss found no consumer to change, and the one that was just being made heard the partition."""
    broker, scope = Broker(), {1, 2}
    bus = cast("Bus", Line(broker))
    made = JetStream.add_consumer

    async def scope_of(*_: object) -> set[int]:
        return set(scope)

    async def lost_meanwhile(stream: JetStream, name: str, config: Any) -> Any:
        if 2 in scope:
            scope.discard(2)
            await Consumers(bus).change(GATEWAY_ID, scope)
        return await made(stream, name, config)

    monkeypatch.setattr(requests, "gateway_partitions", scope_of)
    monkeypatch.setattr(JetStream, "add_consumer", lost_meanwhile)
    responder = Responder(
        company.database, bus, company.clock,
        desk=Desk(*[cast("Any", None)] * 3, authority=b""),
        seeds=cast("Any", None), blobs=cast("Any", None), shards=1,
    )  # fmt: skip
    asked = replication_pb2.GatewayHello().SerializeToString()
    answer = await responder.answer(f"rpc.hub.hello.{GATEWAY_ID.hex()}", asked)
    reply = replication_pb2.Reply.FromString(answer)
    assert replication_pb2.GatewayWelcome.FromString(reply.value).partitions == [1]
    assert broker.listeners[consumer_name(GATEWAY_ID)].subjects == subjects_of([1])
