"""How often somebody may try: a bucket of tries that fills again with time.

Of each bucket one number is kept: when it will be full. Source: ITU-T I.371, the generic cell rate algorithm.
"""

import math
from collections import OrderedDict

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.errors import Retry

MOST_BUCKETS = 10_000


class Pace:
    """At most ``tries`` at once for each name, one more every ``refill_s`` seconds."""

    def __init__(
        self,
        clock: Clock,
        *,
        tries: int,
        refill_s: float,
        code: str = "too_many_requests",
        most: int = MOST_BUCKETS,
    ) -> None:
        """Everybody begins with ``tries``.

        Args:
            clock: that fills the buckets.
            tries: how many fit in one.
            refill_s: seconds in which one more comes.
            code: of the problem when none is left.
            most: buckets that are kept; beyond that, the one that rested longest is forgotten, which is full again.
        """
        self._clock = clock
        self._refill_s = refill_s
        self._whole_s = tries * refill_s
        self._code = code
        self._most = most
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, who: str, place: str = "") -> None:
        """One try is used.

        Args:
            who: whose.
            place: what is told of where it was.

        Raises:
            Retry: the pace's code, none is left; with the seconds until there is one.
        """
        now = self._clock.monotonic()
        full_at = max(now, self._full_at.pop(who, now))
        delay_s = full_at + self._refill_s - now - self._whole_s
        self._full_at[who] = full_at if delay_s > 0 else full_at + self._refill_s
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)
        if delay_s > 0:
            raise Retry(self._code, place=place, delay_s=delay_s, seconds=math.ceil(delay_s))
