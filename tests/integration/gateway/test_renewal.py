"""A gateway's own certificate, renewed while it runs for longer than the certificate holds."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from fieldmesh.service import tls
from fieldmesh.wire.v1 import enrol_pb2, replication_pb2
from hub.trust.authority import NodeKind
from tests.integration.gateway.hub_double import BusDouble, HubDouble
from tests.integration.gateway.world import CONFIG, World

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

ALWAYS_DUE = replace(CONFIG, renew_before_s=1e9)
ELSEWHERE = "tls://elsewhere:4222"


class RenewingHub(HubDouble):
    """Renews for ever, but for the second time, and remembers which certificates it was shown."""

    def __init__(self, world: World) -> None:
        """As the double; nobody has asked."""
        super().__init__()
        self.world = world
        self.shown: list[bytes] = []
        self.gave: list[bytes] = []

    def answer(self, method: str, payload: bytes) -> bytes:
        """The hub's reply to a request."""
        if method != "renew":
            return super().answer(method, payload)
        request = replication_pb2.ForwardedRenew.FromString(payload)
        self.shown.append(request.certificate)
        if len(self.shown) == 2:
            problem = replication_pb2.Problem(code="hub_busy", retry_after_ms=1)
            return replication_pb2.Reply(problem=problem).SerializeToString()
        issued = self.world.authority.issue_node(
            request.csr, NodeKind.GATEWAY, self.world.gateway_id
        )
        self.gave.append(issued.der)
        reply = enrol_pb2.EnrolReply(certificate=issued.der, bus_url=ELSEWHERE)
        return replication_pb2.Reply(value=reply.SerializeToString()).SerializeToString()


async def test_a_renewal_that_failed_goes_on_with_the_newest_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It went on with the one of the process's start: after a year that has ended, and no hub renews it."""
    world = World(tmp_path)
    hub = RenewingHub(world)
    told: list[list[str]] = []
    monkeypatch.setattr(BusDouble, "hub", hub, raising=False)
    monkeypatch.setattr(BusDouble, "trust", lambda _, __, urls: told.append(list(urls)))
    monkeypatch.setattr("gateway.app.building.Bus", BusDouble)
    hub.mark()
    async with world.running(ALWAYS_DUE) as gateway, asyncio.timeout(20):
        first = gateway.identity.certificate
        while len(hub.gave) < 2:
            gateway.signals.line_up.give()
            await asyncio.sleep(0.05)
    assert first != hub.gave[0]
    assert hub.shown[:3] == [first, hub.gave[0], hub.gave[0]]
    assert told[0] == [ELSEWHERE], "the new address counts before the next start"
    assert tls.is_issued_by(hub.gave[1], world.authority.certificate)
