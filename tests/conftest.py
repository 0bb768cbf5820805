"""What holds for every test: nothing is left running when it ends."""

import asyncio
import inspect
import random
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.kit.ready import WANTED

TESTS = Path(__file__).parent
LONGEST_FIRST = ("upgrades", "faults", "chaos", "attacks", "model", "browser", "integration")
"""Folders whose tests start first, so that no worker ends long after the others."""
GRACE_S = 3.0
ALLOWED_THREADS = ("asyncio_", "asyncio-waitpid-", "waitpid-", "pytest", "Thread-")
"""Threads of the loop's own pool end with the loop; the children's watcher ends with the child."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make faults` runs every combination, `make test` a seeded choice of them."""
    parser.addoption("--thorough", action="store_true", help="run every combination")
    parser.addoption(
        "--choose", action="store_true", help="of the tests that are marked so, a seeded quarter"
    )
    parser.addoption("--stories", type=int, default=0, help="how many stories the model tells")


def pytest_configure(config: pytest.Config) -> None:
    """A thorough run takes the time to load every program that it calls."""
    WANTED.set(not config.getoption("--thorough"))


@pytest.fixture(scope="session")
def thorough(pytestconfig: pytest.Config) -> bool:
    """Whether every combination was asked for."""
    return bool(pytestconfig.getoption("--thorough"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Long ones come first; every asynchronous test is watched for tasks that it leaves behind."""
    items.sort(key=_turn)
    if config.getoption("--choose"):
        _choose(config, items)
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.function):
            item.fixturenames.insert(0, "no_task_is_left_behind")


def _choose(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Every worker makes the same choice; `--randomly-seed` makes it again."""
    marked = sorted(item.nodeid for item in items if item.get_closest_marker("chosen"))
    seed = config.getoption("randomly_seed", 0)
    left_out = set(random.Random(f"{seed}").sample(marked, len(marked) * 3 // 4))
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in left_out])
    items[:] = [item for item in items if item.nodeid not in left_out]


def _turn(item: pytest.Item) -> int:
    folder = item.path.relative_to(TESTS).parts[0]
    return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)


@pytest.fixture
async def no_task_is_left_behind() -> AsyncIterator[None]:
    """A task that outlives its test belongs to nobody: in a service it would be a leak."""
    before = asyncio.all_tasks()
    yield
    until = time.monotonic() + GRACE_S
    while left := asyncio.all_tasks() - before - {asyncio.current_task()}:
        if time.monotonic() > until:
            names = ", ".join(sorted(f"{task.get_name()} {task.get_coro()}" for task in left))
            pytest.fail(f"tasks left behind: {names}")
        await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> Iterator[None]:
    """A thread that outlives its test still holds a file or a lock of it."""
    before = set(threading.enumerate())
    yield
    until = time.monotonic() + GRACE_S
    while left := [thread.name for thread in threading.enumerate() if _counts(thread, before)]:
        if time.monotonic() > until:
            pytest.fail(f"threads left behind: {', '.join(sorted(left))}")
        time.sleep(0.01)


def _counts(thread: threading.Thread, before: set[threading.Thread]) -> bool:
    return thread not in before and not thread.name.startswith(ALLOWED_THREADS)
