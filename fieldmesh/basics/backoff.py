"""Waiting longer after each failure, with jitter: a thousand nodes don't come back at once."""

import random


class Backoff:
    """Delays that double up to a ceiling; each is drawn from its upper half."""

    def __init__(self, first_s: float, most_s: float, randomness: random.Random) -> None:
        """The first delay is about ``first_s`` seconds, none is above ``most_s`` seconds."""
        self._first_s = first_s
        self._most_s = most_s
        self._random = randomness
        self._current_s = first_s

    def next_delay(self) -> float:
        """Seconds to wait now; the next delay is longer."""
        delay_s = self._current_s * self._random.uniform(0.5, 1.0)
        self._current_s = min(self._current_s * 2, self._most_s)
        return delay_s

    def reset(self) -> None:
        """It worked: the next delay is the first one again."""
        self._current_s = self._first_s
