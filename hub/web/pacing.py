"""How often somebody may ask: people by who they are, strangers by where they come from.

A person, their browsers and the programs with their tokens share one bucket: nobody else waits for them. Strangers at
one address share another, and a stricter one for what may be an attempt to get in; who has a session in which steps
are left has a bucket of attempts of their own. Each kind keeps a bounded number of buckets. What is the same for
everybody, and what watches the hub, is not counted.
Who it is takes a look into the database. A cookie or token that nobody has shown lately counts as a stranger's before
that: what is refused costs neither a look nor anybody's turn.
"""

import ipaddress
from collections import OrderedDict
from dataclasses import asdict

from aiohttp import web

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.errors import Rejected, Retry
from hub.config import PaceSettings
from hub.metrics import RequestFigures
from hub.trust.pace import Pace
from hub.web.files import is_file
from hub.web.visitor import caller_of

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FREE = frozenset({"/health", "/metrics"})
_DOORS = "/sign-in/"
_NETWORK_BITS = 64
_MINUTE_S = 60.0
_MOST_KNOWN = 10_000
"""Cookies and tokens of people that are remembered; by their hash, which is another one after each start."""


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
        self._known: OrderedDict[int, None] = OrderedDict()
        self._people = Pace(
            clock, tries=settings.person_at_once, refill_s=1 / settings.person_a_second
        )
        self._strangers = Pace(
            clock, tries=settings.address_at_once, refill_s=1 / settings.address_a_second
        )
        self._attempts = Pace(
            clock, tries=settings.attempts_at_once, refill_s=_MINUTE_S / settings.attempts_a_minute
        )

    def is_known(self, proof: str) -> bool:
        """Whether somebody has come with that cookie or token lately."""
        return hash(proof) in self._known

    def admit(self, request: web.Request, proof: str) -> None:
        """The request is counted before one knows whose it is, unless its cookie or token was somebody's.

        Args:
            request: that came.
            proof: its cookie or token; empty = it has none.

        Raises:
            Retry: `too_many_requests`.
        """
        if is_free(request.path) or self.is_known(proof):
            return
        network = network_of(caller_of(request).origin)
        self._count(self._strangers, network, request, "stranger")
        if not proof and _is_attempt(request):
            self._count(self._attempts, network, request, "attempt")

    def take(self, request: web.Request, user: bytes | None, proof: str) -> None:
        """The request is counted, now that one knows whose it is.

        Args:
            request: that came.
            user: whose it is; None = a stranger's.
            proof: its cookie or token; empty = it has none, and `admit` has counted it.

        Raises:
            Retry: `too_many_requests`.
        """
        if is_free(request.path) or not proof:
            return
        self._known.pop(hash(proof), None)
        if user is None:
            if _is_attempt(request):
                network = network_of(caller_of(request).origin)
                self._count(self._attempts, network, request, "attempt")
            return
        self._known[hash(proof)] = None
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        self._count(self._people, user.hex(), request, "person")
        if request.path.startswith(_DOORS) and request.method not in SAFE:
            self._count(self._attempts, user.hex(), request, "attempt")

    def _count(self, pace: Pace, whose: str, request: web.Request, who: str) -> None:
        try:
            pace.take(whose, request.path)
        except Retry:
            self._figures.refused(who)
            raise


def is_free(path: str) -> bool:
    """Whether everybody gets the same there, at no cost."""
    return path in _FREE or is_file(path)


def _is_attempt(request: web.Request) -> bool:
    """Whether a stranger's request may be one to get in."""
    return request.path.startswith(_DOORS) or request.method not in SAFE


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
