"""A signal asks for an orderly end."""

import asyncio
import os
import signal

import pytest

from fieldmesh.service.lifecycle import Shutdown


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_asks_for_the_end(number: signal.Signals) -> None:
    """Systemd sends SIGTERM; what is half done must be finished first."""
    async with Shutdown() as shutdown:
        assert not shutdown.asked
        os.kill(os.getpid(), number)
        async with asyncio.timeout(10):
            await shutdown.wait()
        assert shutdown.asked


async def test_the_end_may_be_asked_for_without_a_signal() -> None:
    """Tests and embedding programs have no process of their own."""
    async with Shutdown() as shutdown:
        shutdown.ask()
        await shutdown.wait()


async def test_afterwards_signals_do_what_they_did_before() -> None:
    """A library must not keep a program's signals."""
    before = signal.getsignal(signal.SIGTERM)
    async with Shutdown():
        pass
    assert signal.getsignal(signal.SIGTERM) == before
