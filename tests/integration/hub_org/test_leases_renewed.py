"""A lease that is renewed just as its time is over goes on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fieldmesh.basics.clock import ManualClock
from hub.fleet import leases
from hub.fleet.leases import end_leases, lease
from hub.fleet.office import Office
from hub.fleet.registry import NewGateway, add_gateway
from hub.storage import nodes
from hub.storage.changes import ChangeWriter
from hub.storage.org_changes import head_office_write
from hub.storage.scopes import gateway_partitions
from tests.integration.hub_org.conftest import registered, targets


async def test_a_lease_that_was_renewed_a_moment_ago_is_not_ended(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was chosen by what stood before: the roaming device lost its rows although it was told of 72 hours more."""
    await registered(office)
    async with head_office_write(
        office.database, office.clock, actor="test", kind="registered", about={}
    ) as writer:
        away = await add_gateway(writer, office.maker, NewGateway("G2"))
    async with office.database.read() as connection:
        device = await nodes.named_device(connection, "D1")
    grant = await lease(office.database, office.maker, away, device.device_id)
    assert isinstance(office.clock, ManualClock)
    office.clock.advance(grant.expires_at - office.clock.now() + 1)

    @asynccontextmanager
    async def renewed_before(*place: Any, **about: Any) -> AsyncIterator[ChangeWriter]:
        monkeypatch.undo()
        await lease(office.database, office.maker, away, device.device_id)
        async with head_office_write(*place, **about) as writer:
            yield writer

    monkeypatch.setattr(leases, "head_office_write", renewed_before)
    assert await end_leases(office.database, office.maker) == 0
    async with office.database.read() as connection:
        assert await targets(office, "R1") <= await gateway_partitions(connection, away)
