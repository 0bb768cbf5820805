"""How often a stranger may try: a bucket of tries that fills again with time."""

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.errors import Retry

_MOST_STRANGERS = 10_000


class Pace:
    """At most ``tries`` at once for each stranger, one more every ``refill_s`` seconds."""

    def __init__(self, clock: Clock, *, tries: int, refill_s: float) -> None:
        """Every stranger begins with ``tries``."""
        self._clock = clock
        self._tries = float(tries)
        self._refill_s = refill_s
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, stranger: str) -> None:
        """One try is used.

        Raises:
            Retry: `too_many_enrolments`, none is left; with the seconds until there is one.
        """
        now = self._clock.monotonic()
        left, since = self._left.get(stranger, (self._tries, now))
        left = min(self._tries, left + (now - since) / self._refill_s)
        if left < 1:
            delay_s = (1 - left) * self._refill_s
            raise Retry("too_many_enrolments", place=stranger, delay_s=delay_s)
        if len(self._left) >= _MOST_STRANGERS:
            self._forget_rested(now)
        self._left[stranger] = (left - 1, now)

    def _forget_rested(self, now: float) -> None:
        rest_s = self._tries * self._refill_s
        kept = {who: state for who, state in self._left.items() if now - state[1] < rest_s}
        self._left = kept if len(kept) < _MOST_STRANGERS else {}
