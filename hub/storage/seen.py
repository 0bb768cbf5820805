"""Who has looked at which sensitive list lately: noted once, so that paging does not fill the journal."""

from collections.abc import Iterable

_EVERY_US = 600 * 1_000_000
_MOST = 10_000


class SeenLately:
    """What was noted in the last ten minutes. After a start of the hub nothing was: an entry more is harmless."""

    def __init__(self) -> None:
        """Nobody has looked at anything."""
        self._at: dict[tuple[bytes, str], int] = {}

    def unnoted(self, user: bytes, lists: Iterable[str], now: int) -> list[str]:
        """Which of the lists an entry is due for.

        Args:
            user: who looks.
            lists: their names.
            now: UTC microseconds.
        """
        since = now - _EVERY_US
        return [one for one in lists if not since < self._at.get((user, one), since) <= now]

    def noted(self, user: bytes, lists: Iterable[str], now: int) -> None:
        """The entries stand."""
        if len(self._at) >= _MOST:
            self._at.clear()
        self._at.update(dict.fromkeys(((user, one) for one in lists), now))
