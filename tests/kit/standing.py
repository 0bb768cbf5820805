"""One network for all tests of a module: it stands in an event loop of its own that tests run their steps on."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from deploy.demo.network import Network
from deploy.demo.processes import CommandFailedError
from tests.kit.network import SMALL, small_network

T = TypeVar("T")


class Standing:
    """A network that outlives a test. Its tests are plain functions that hand `run` what to do."""

    def __init__(self, runner: asyncio.Runner, network: Network) -> None:
        """The network was made in the runner's loop."""
        self._runner = runner
        self.network = network

    def run(self, work: Callable[[Network], Awaitable[T]]) -> T:
        """What the work returns."""

        async def with_network() -> T:
            return await work(self.network)

        return self._runner.run(with_network())


@contextmanager
def standing_network(
    folder: Path, *, gateways: int = 1, size: Sequence[str] = SMALL
) -> Iterator[Standing]:
    """A small network as `small_network` makes it, for a fixture of a module."""
    with asyncio.Runner() as runner:
        made = small_network(folder, gateways=gateways, size=size)
        network = runner.run(made.__aenter__())
        try:
            yield Standing(runner, network)
        finally:
            runner.run(made.__aexit__(None, None, None))


async def refused(asked: Awaitable[object]) -> CommandFailedError:
    """How the command said no; the test fails if it did not."""
    with pytest.raises(CommandFailedError) as caught:
        await asked
    return caught.value


def told(error: CommandFailedError) -> tuple[str, str]:
    """Code and whole text of a refusal; the three programs' answers have different shapes."""
    answer = error.answer
    problem = answer.get("problem")
    facts = problem if isinstance(problem, dict) else answer
    code = problem if isinstance(problem, str) else facts.get("code", "")
    text = facts.get("text") or " ".join(
        str(facts.get(name, "")) for name in ("place", "title", "remedy")
    )
    return str(code), str(text)
