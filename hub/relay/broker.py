"""The broker that the hub works with: its own child, or a cluster of servers that somebody else runs."""

import random
import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from typing_extensions import override

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.nats_server import NatsConfig, NatsServer
from hub.config import BusSettings
from hub.fleet.office import Office
from hub.fleet.running import kept_ports
from hub.relay.cluster import Cluster
from hub.relay.line import cluster_urls
from hub.relay.revocations import Revocations

_COPIES = 3
"""Of every message in a cluster: one server may be lost, and nothing stands still."""


class Broker(Protocol):
    """What the hub asks of either kind."""

    @property
    def restarts(self) -> int:
        """How often it died and was started again."""

    @property
    def port(self) -> int:
        """Where it listens on this machine; 0 = elsewhere."""

    @property
    def urls(self) -> Sequence[str]:
        """Where clients on this machine reach it; valid after `start`."""

    async def start(self) -> None:
        """It may be used."""

    async def watch(self) -> None:
        """It is looked after, for ever."""

    async def stop(self) -> None:
        """It is used no more."""

    async def reload(self, accounts: Mapping[str, str]) -> None:
        """It knows these accounts; users that they revoke are not let in again."""

    def state(self) -> str:
        """`ok`, or what is wrong with it."""

    def gave_up_a_stream(self) -> bool:
        """Whether it has stopped writing one, and has to be started again."""

    def start_again(self) -> None:
        """It ends in good order and begins anew."""


class OwnBroker(NatsServer):
    """The hub's child. Under port 0 it comes back on the port that it had last time: gateways were told that one."""

    def __init__(self, config: NatsConfig, kept_port: int) -> None:
        """Nothing runs yet."""
        super().__init__(config)
        self._kept_port = kept_port if config.port == 0 else 0

    @property
    def urls(self) -> Sequence[str]:
        """Where clients on this machine reach it."""
        return [self.url]

    def state(self) -> str:
        """`ok`, or what is wrong with it."""
        if not self.is_running:
            return "not running"
        return "can't write: the disk is full" if self.gave_up_a_stream() else "ok"

    @override
    async def start(self) -> None:
        """It answers on its port, and its streams are open."""
        kept, self._kept_port = self._kept_port, 0
        if not kept:
            await super().start()
            return
        free = self.config
        self.config, self.port = replace(free, port=kept), kept
        try:
            await super().start()
        except Rejected as error:
            if error.code != "port_in_use":
                raise
            self.config, self.port = free, 0
            await super().start()


async def make_broker(office: Office, revocations: Revocations, chain: Path, key: Path) -> Broker:
    """The broker that the settings name, with the accounts as they are now; it is not started."""
    bus, keys = office.settings.bus, office.trust.bus
    if bus.servers:
        return Cluster(
            cluster_urls(bus),
            keys,
            office.trust.authority.chain,
            office.clock,
            random.SystemRandom(),
        )
    return OwnBroker(
        _own_config(office, chain, key, await revocations.accounts()),
        kept_ports(office.home).get("bus", 0),
    )


def _own_config(office: Office, chain: Path, key: Path, accounts: Mapping[str, str]) -> NatsConfig:
    bus, keys = office.settings.bus, office.trust.bus
    return NatsConfig(
        folder=office.home.bus.absolute(),
        certificate=chain.absolute(),
        private_key=key.absolute(),
        operator_jwt=keys.operator_jwt(office.clock.now()),
        system_account=keys.system_account,
        accounts=accounts,
        host=bus.host,
        port=bus.port,
        program=bus.program,
        most_storage_bytes=bus.store_bytes,
    )


def copies(bus: BusSettings) -> int:
    """On how many servers each message stands before it is acknowledged."""
    return _COPIES if len(bus.servers) >= _COPIES else 1


def told_to_gateways(office: Office, port: int) -> str:
    """Where gateways reach the bus, comma separated, as they are told at enrolment.

    Args:
        office: the hub.
        port: of the hub's own broker.
    """
    settings = office.settings
    if told := settings.bus.advertise or settings.bus.servers:
        return ",".join(f"tls://{one}" for one in told)
    host = settings.bus.host
    if host in {"", "0.0.0.0", "::"}:  # noqa: S104 - only looked at, not bound
        host = settings.https.names[0] if settings.https.names else socket.gethostname()
    return f"tls://{host}:{port}"
