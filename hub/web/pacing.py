"""How often somebody may ask: people by who they are, strangers by where they come from.

A person, their browsers and the programs with their tokens share one bucket: nobody else waits for them. Strangers at
one address share another, and a stricter one for what may be an attempt to get in; who has a session in which steps
are left has a bucket of attempts of their own. Each kind keeps a bounded number of buckets. What is the same for
everybody, and what watches the hub, is not counted.
"""

import ipaddress
from dataclasses import asdict

from aiohttp import web

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.errors import Rejected, Retry
from hub.config import PaceSettings
from hub.metrics import RequestFigures
from hub.trust.pace import Pace
from hub.web.visitor import caller_of

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FREE = ("/static/", "/health", "/metrics")
_DOORS = "/sign-in/"
_NETWORK_BITS = 64
_MINUTE_S = 60.0


class Paces:
    """The buckets of everybody who asks one hub."""

    def __init__(self, settings: PaceSettings, clock: Clock, figures: RequestFigures) -> None:
        """Nobody has asked yet.

        Args:
            settings: how many requests.
            clock: that fills buckets.
            figures: count who was refused.

        Raises:
            Rejected: `settings_invalid`, nobody could ask.
        """
        for name, value in asdict(settings).items():
            if value <= 0:
                text = f"{name} must be more than 0"
                raise Rejected("settings_invalid", place=f"pace.{name}", text=text)
        self._figures = figures
        self._people = Pace(
            clock, tries=settings.person_at_once, refill_s=1 / settings.person_a_second
        )
        self._strangers = Pace(
            clock, tries=settings.address_at_once, refill_s=1 / settings.address_a_second
        )
        self._attempts = Pace(
            clock, tries=settings.attempts_at_once, refill_s=_MINUTE_S / settings.attempts_a_minute
        )

    def take(self, request: web.Request, user: bytes | None) -> None:
        """The request is counted.

        Args:
            request: that came.
            user: whose it is; None = a stranger's.

        Raises:
            Retry: `too_many_requests`.
        """
        if request.path.startswith(_FREE):
            return
        who = "person" if user is not None else "stranger"
        try:
            if user is not None:
                self._people.take(user.hex(), request.path)
                if request.method not in SAFE and request.path.startswith(_DOORS):
                    who = "attempt"
                    self._attempts.take(user.hex(), request.path)
                return
            network = network_of(caller_of(request).origin)
            self._strangers.take(network, request.path)
            if request.method not in SAFE or request.path.startswith(_DOORS):
                who = "attempt"
                self._attempts.take(network, request.path)
        except Retry:
            self._figures.refused(who)
            raise


def network_of(address: str) -> str:
    """Whose address it is: of IPv6, whoever has one has the 64 bits behind it as well."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, _NETWORK_BITS), strict=False))
