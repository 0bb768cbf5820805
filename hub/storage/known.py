"""What was found out and is believed for so many times, before somebody looks again."""

from collections.abc import Hashable

_MOST = 1_024


class Known:
    """Keys of which something is known; what was believed `times` times is forgotten."""

    def __init__(self, times: int) -> None:
        """Nothing is known."""
        self._times = times
        self._left: dict[Hashable, int] = {}

    def add(self, key: Hashable) -> None:
        """It is known of the key from now on, for a while."""
        if len(self._left) >= _MOST:
            self._left.clear()
        self._left[key] = self._times

    def take(self, key: Hashable) -> bool:
        """Whether it is believed of the key, once more."""
        left = self._left.get(key, 0)
        if left > 1:
            self._left[key] = left - 1
        elif left:
            del self._left[key]
        return left > 0
