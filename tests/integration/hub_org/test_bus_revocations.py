"""The broker is told of a user that is out once: each time it drops the lines of all gateways."""

from collections.abc import Mapping

import pytest

from fieldmesh.basics.errors import Retry
from fieldmesh.service.nats_identity import read_claims
from fieldmesh.service.tls import make_csr, make_key
from hub.fleet.office import Office
from hub.fleet.registry import revoke_gateway
from hub.relay.revocations import Revocations
from hub.storage import nodes
from hub.storage.org_changes import head_office_write
from tests.integration.hub_org.conftest import registered
from tests.integration.hub_org.test_replaced_nodes import bus_key, enrolled


class ToldBroker:
    """It notes which users are out each time that it is told."""

    def __init__(self, office: Office) -> None:
        """It was told nothing."""
        self.told: list[set[str]] = []
        self.away = False
        self._account = office.trust.bus.main_account

    async def reload(self, accounts: Mapping[str, str]) -> None:
        """It knows these accounts."""
        if self.away:
            raise Retry("bus_unreachable")
        self.told.append(set(read_claims(accounts[self._account])["nats"]["revocations"]))


async def test_a_start_of_the_hub_drops_nobodys_line(office: Office) -> None:
    """750 gateways came back twice at each start, once one had ever been replaced."""
    await registered(office)
    await enrolled(office, make_csr(make_key(), "x"), bus_key(1))
    await enrolled(office, make_csr(make_key(), "x"), bus_key(2))
    begun, broker = Revocations(office), ToldBroker(office)
    account = (await begun.accounts())[office.trust.bus.main_account]
    assert set(read_claims(account)["nats"]["revocations"]) == {bus_key(1)}
    await begun.tell(broker)
    assert broker.told == []
    async with head_office_write(
        office.database, office.clock, actor="test", kind="revoked", about={}
    ) as writer:
        gateway = await nodes.named_gateway(writer.connection, "G1")
        await revoke_gateway(writer, office.maker, gateway)
    for _ in range(2):
        await begun.tell(broker)
    assert broker.told == [{bus_key(1), bus_key(2)}]


async def test_a_broker_that_was_away_is_told_later(office: Office) -> None:
    """A cluster that nobody has told goes on to serve a gateway that was stolen."""
    await registered(office)
    await enrolled(office, make_csr(make_key(), "x"), bus_key(1))
    await enrolled(office, make_csr(make_key(), "x"), bus_key(2))
    watched, broker = Revocations(office), ToldBroker(office)
    broker.away = True
    with pytest.raises(Retry):
        await watched.tell(broker)
    broker.away = False
    await watched.tell(broker)
    assert broker.told == [{bus_key(1)}]
