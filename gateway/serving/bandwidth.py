"""How fast downloads and blobs may go: a token bucket for the site, by hours of its local day."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Final

from fieldmesh.basics.errors import Rejected
from gateway.storage.cursors import BandwidthRule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fieldmesh.basics.clock import Clock

_KILOBYTE: Final = 1_000
_MICROSECONDS: Final = 1_000_000
_DAY_MINUTES: Final = 24 * 60
_TURNS_PER_S: Final = 4
_SMALLEST_PIECE: Final = 4 * 1024
_HOURS: Final = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)=(\d+)")


def parse_hours(texts: Sequence[str]) -> tuple[BandwidthRule, ...]:
    """Rules from texts such as ``08:00-18:00=500`` (kilobytes a second).

    Raises:
        Rejected: ``bad_bandwidth_hours`` naming the text.
    """
    rules = []
    for text in texts:
        match = _HOURS.fullmatch(text.strip())
        if match is None:
            raise Rejected("bad_bandwidth_hours", text=text)
        first, last = (int(match[hour]) * 60 + int(match[hour + 1]) for hour in (1, 3))
        if first > _DAY_MINUTES or last > _DAY_MINUTES:
            raise Rejected("bad_bandwidth_hours", text=text)
        rules.append(BandwidthRule(first, last, int(match[5])))
    return tuple(rules)


class Bandwidth:
    """The site's share: ``take`` waits until so many bytes may go out."""

    def __init__(self, clock: Clock, rules: Sequence[BandwidthRule]) -> None:
        """Full speed outside the hours of ``rules``."""
        self._clock = clock
        self.rules = tuple(rules)
        self._owed_until = 0.0
        self._turn = asyncio.Lock()

    def limit_bytes_per_second(self) -> int:
        """The limit at this minute; 0 = none."""
        here = time.localtime(self._clock.now() / _MICROSECONDS)
        minute = here.tm_hour * 60 + here.tm_min
        for rule in self.rules:
            if covers(rule, minute):
                return rule.kilobytes_per_second * _KILOBYTE
        return 0

    def piece_bytes(self, most: int) -> int:
        """Of a piece that holds up the others for about a quarter of a second; ``most`` where there is no limit."""
        limit = self.limit_bytes_per_second()
        return min(most, max(_SMALLEST_PIECE, limit // _TURNS_PER_S)) if limit else most

    async def take(self, size_bytes: int) -> None:
        """So many bytes may go out now. Waiters are served in turn, piece by piece; who goes has taken no turn."""
        left = size_bytes
        while left > 0:
            piece = self.piece_bytes(left)
            await self._take_turn(piece)
            left -= piece

    async def _take_turn(self, size_bytes: int) -> None:
        async with self._turn:
            limit = self.limit_bytes_per_second()
            if not limit:
                return
            owed_s = self._owed_until - self._clock.monotonic()
            if owed_s > 0:
                await asyncio.sleep(owed_s)
            self._owed_until = max(self._clock.monotonic(), self._owed_until) + size_bytes / limit


def covers(rule: BandwidthRule, minute: int) -> bool:
    """Whether the rule holds at that minute of the day; hours may go over midnight."""
    if rule.from_minute <= rule.to_minute:
        return rule.from_minute <= minute < rule.to_minute
    return minute >= rule.from_minute or minute < rule.to_minute
