"""Time, as something that is handed in: no part asks the machine by itself."""

import time
from typing import Protocol


class Clock(Protocol):
    """Wall time in UTC microseconds, and a monotonic time in seconds for measuring."""

    def now(self) -> int:
        """UTC microseconds since 1970."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """UTC microseconds since 1970."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        return time.monotonic()


class ManualClock:
    """A clock that moves when told to; for tests and simulations."""

    def __init__(self, start_us: int = 1_700_000_000_000_000) -> None:
        """The clock stands at ``start_us`` (UTC microseconds)."""
        self._now_us = start_us

    def now(self) -> int:
        """UTC microseconds since 1970."""
        return self._now_us

    def monotonic(self) -> float:
        """Seconds; moves with the wall time of this clock."""
        return self._now_us / 1e6

    def advance(self, microseconds: int) -> None:
        """The clock has moved on by ``microseconds``."""
        self._now_us += microseconds
