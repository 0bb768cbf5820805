"""Which gateway: the nearest healthy one first, the next when it fails.

Nearest = the lowest measured time to connect. What was measured lately is trusted, so that a sync
in the middle of the day goes straight to its gateway; else all are measured at once.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.errors import Rejected

MEASURE_TIMEOUT_S = 2.0
MOST_PORT = 65_535
TRUST_US = 15 * 60 * 1_000_000
"""How long a measurement is believed."""
AVOID_US = 60 * 1_000_000
"""How long a gateway that failed is asked last."""

HEARD = "local"
"""The source of a gateway that announced itself: it may be another network's, even one of nobody's."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to a gateway, and what is known of it. Times are microseconds UTC; 0 = never."""

    gateway_id: bytes
    name: str
    address: str
    enrolment_address: str = ""
    source: str = "hub"
    latency_us: int = 0
    measured_at: int = 0
    failed_at: int = 0


def in_order(candidates: Iterable[Candidate], now: int) -> list[Candidate]:
    """Healthy ones before those that failed lately, nearer before farther, unknown last."""

    def rank(candidate: Candidate) -> tuple[bool, bool, int, str]:
        unknown = candidate.measured_at == 0
        return (_has_failed(candidate, now), unknown, candidate.latency_us, candidate.address)

    return sorted(candidates, key=rank)


def is_measured(candidates: Iterable[Candidate], now: int) -> bool:
    """Whether the first choice stands on a fresh measurement."""
    ordered = in_order(candidates, now)
    if not ordered:
        return False
    first = ordered[0]
    fresh = first.measured_at > 0 and 0 <= now - first.measured_at < TRUST_US
    return fresh and not _has_failed(first, now)


def is_alone_and_well(candidates: Iterable[Candidate], now: int) -> bool:
    """There is one gateway only, and no reason to look for another."""
    held = list(candidates)
    return len(held) == 1 and not _has_failed(held[0], now)


def _has_failed(candidate: Candidate, now: int) -> bool:
    """Lately; a failure in the future is one under a clock that was ahead, and forgiven."""
    return candidate.failed_at > 0 and 0 <= now - candidate.failed_at < AVOID_US


def check_address(text: str) -> None:
    """The text is host:port, or empty.

    Raises:
        Rejected: `bad_address`.
    """
    host, _, port = text.rpartition(":")
    if text and (not host or not port.isdecimal() or not 0 < int(port[:6]) <= MOST_PORT):
        raise Rejected("bad_address", place=text)


async def measure(candidates: Iterable[Candidate], clock: Clock) -> list[Candidate]:
    """All candidates, each with the time that a connection to it took, or with its failure."""
    held = list(candidates)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_measure_one(candidate, clock)) for candidate in held]
    return [task.result() for task in tasks]


async def _measure_one(candidate: Candidate, clock: Clock) -> Candidate:
    host, _, port = candidate.address.rpartition(":")
    began = clock.monotonic()
    try:
        async with asyncio.timeout(MEASURE_TIMEOUT_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError, ValueError):
        return replace(candidate, failed_at=clock.now())
    took_us = max(1, int((clock.monotonic() - began) * 1_000_000))
    writer.close()
    return replace(candidate, latency_us=took_us, measured_at=clock.now(), failed_at=0)
