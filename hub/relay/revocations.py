"""Users of the bus that are out: gateways that were revoked, and keys that a gateway had before."""

import asyncio
import logging
from collections.abc import Mapping
from typing import NoReturn, Protocol

from hub.fleet.office import Office
from hub.storage.nodes import revoked_bus_keys

LOG = logging.getLogger(__name__)
_LOOK_S = 5.0


class Told(Protocol):
    """The broker, as far as it is told of accounts."""

    async def reload(self, accounts: Mapping[str, str]) -> None:
        """It knows these accounts; users that they revoke are not let in again."""


class Revocations:
    """What the broker was told, and since when each user is out: told twice, it would drop every line once more."""

    def __init__(self, office: Office) -> None:
        """The broker was told nothing yet."""
        self._office = office
        self._told: dict[str, int] = {}

    async def accounts(self) -> dict[str, str]:
        """The accounts of the bus as of now, public key → JWT. The broker starts with them: it was told."""
        self._told = await self._since()
        return self._signed(self._told)

    async def watch(self, broker: Told) -> NoReturn:
        """Users that are out from now on lose their line to the bus.

        Raises:
            Retry: the broker can't be told; the caller runs it again.
        """
        while True:
            await self.tell(broker)
            await asyncio.sleep(_LOOK_S)

    async def tell(self, broker: Told) -> None:
        """The broker knows every user that is out; it hears nothing where it does.

        Raises:
            Retry: it can't be told.
        """
        since = await self._since()
        if since != self._told:
            await broker.reload(self._signed(since))
            LOG.info("bus_users_revoked", extra={"count": len(since) - len(self._told)})
            self._told = since

    async def _since(self) -> dict[str, int]:
        """Public key → UTC microseconds, of all that are out and of those that were."""
        async with self._office.database.read() as connection:
            keys = await revoked_bus_keys(connection)
        return dict.fromkeys(keys, self._office.clock.now()) | self._told

    def _signed(self, since: Mapping[str, int]) -> dict[str, str]:
        return self._office.trust.bus.accounts(self._office.clock.now(), since)
