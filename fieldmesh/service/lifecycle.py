"""Orderly ends: a signal becomes an event; the node stops in the order that its ``app`` says."""

from __future__ import annotations

import asyncio
import logging
import signal
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from types import TracebackType

LOG = logging.getLogger(__name__)
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Shutdown:
    """``async with Shutdown() as shutdown: …; await shutdown.wait()``.

    The first SIGTERM or SIGINT asks for an orderly end; a second one ends the process at once,
    which is harmless: everything that counts is committed.
    """

    def __init__(self) -> None:
        """No end was asked for."""
        self._asked = asyncio.Event()

    @property
    def asked(self) -> bool:
        """Whether an end was asked for."""
        return self._asked.is_set()

    async def __aenter__(self) -> Self:
        """Signals are taken."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._take, number)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Signals do what they did before."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)

    def ask(self) -> None:
        """An orderly end is asked for, as by a signal."""
        self._asked.set()

    async def wait(self) -> None:
        """An end was asked for."""
        await self._asked.wait()

    def _take(self, number: signal.Signals) -> None:
        LOG.info("shutdown_asked", extra={"signal": number.name})
        if self._asked.is_set():
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self._asked.set()
