"""A cluster of NATS servers that runs by itself: the hub is its client, and tells it which accounts there are.

Its servers hold the hub's operator and their own copies of the accounts (`hub.trust.bus_servers` writes their files).
An account that changes goes to all of them through the system account; a server that was down takes it from the others.
"""

import asyncio
import json
import logging
import random
from collections.abc import Mapping, Sequence
from typing import NoReturn

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.errors import Retry
from fieldmesh.service.bus import Bus
from hub.trust.bus_identity import BusKeys

LOG = logging.getLogger(__name__)
_UPDATE = "$SYS.REQ.CLAIMS.UPDATE"
_PING = "$SYS.REQ.SERVER.PING.HEALTHZ"
_ANSWER_S, _LOOK_S = 5.0, 10.0


class Cluster:
    """As the hub sees it. `start`, then let a Supervisor run `watch`, then `stop`."""

    restarts = 0
    port = 0

    def __init__(
        self,
        urls: Sequence[str],
        keys: BusKeys,
        authority: bytes,
        clock: Clock,
        randomness: random.Random,
    ) -> None:
        """Nothing is connected yet.

        Args:
            urls: ``tls://host:port`` of its servers.
            keys: the hub's own; its servers were configured with them.
            authority: the hub's authorities, DER, one behind the other.
            clock: of the hub.
            randomness: for jitter.
        """
        self.urls = list(urls)
        self._keys = keys
        self._state = "not asked yet"
        self._system = Bus(
            self.urls,
            jwt=lambda: keys.system_jwt(clock.now()),
            seed=keys.hub,
            authority=authority,
            name="hub-system",
            random=randomness,
        )

    async def start(self) -> None:
        """It may be used; whether it can be reached shows later, and the hub does not wait for it."""

    async def watch(self) -> NoReturn:
        """`state` tells how the cluster is.

        Raises:
            Retry: `bus_unreachable`; the caller runs it again.
        """
        while True:
            try:
                await self._system.request(_PING, b"", timeout_s=_ANSWER_S)
            except Retry:
                self._state = "no server answers"
                raise
            self._state = "ok"
            await asyncio.sleep(_LOOK_S)

    async def stop(self) -> None:
        """The hub's line is down; the cluster goes on. Repeating it is harmless."""
        await self._system.close()

    async def reload(self, accounts: Mapping[str, str]) -> None:
        """A server has taken the accounts and hands them to the others; users that they revoke lose their lines.

        Raises:
            Retry: `bus_unreachable`, or `bus_refused` with what the server says.
        """
        jwt = accounts[self._keys.main_account]
        answer = json.loads(
            await self._system.request(_UPDATE, jwt.encode("ascii"), timeout_s=_ANSWER_S)
        )
        if problem := answer.get("error"):
            text = str(problem.get("description", problem))
            raise Retry("bus_refused", url=self.urls[0], text=text)
        LOG.info("bus_accounts_updated", extra={"server": answer.get("server", {}).get("name")})

    def state(self) -> str:
        """`ok`, or what is wrong with it."""
        return self._state

    def gave_up_a_stream(self) -> bool:
        """Its servers are looked after by whoever runs them."""
        return False

    def start_again(self) -> None:
        """Whoever runs it does that."""
