"""A target is fed until its time is over. It may take what it gets or refuse it by a problem's code, nothing else."""

import hashlib
import random
import resource
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

from fieldmesh.basics.errors import FieldmeshError

MOST_CPU_S = 5.0
"""For one input, on any machine: what takes longer is a hang that somebody can order."""
MOST_GROWTH_BYTES = 300 * 1024 * 1024
TAKEN = "taken"

Feed = Callable[[bytes], Awaitable[None]]
Mutate = Callable[[random.Random], bytes]


@dataclass(frozen=True)
class Prepared:
    """A target that stands.

    Attributes:
        feed: gives it an input.
        mutate: makes an input.
        check: what must hold afterwards, whatever it was fed.
    """

    feed: Feed
    mutate: Mutate
    check: Callable[[], Awaitable[None]]


Target = Callable[[Path], AbstractAsyncContextManager[Prepared]]


class BrokenError(Exception):
    """A target did what it may never do; the input that made it do so is kept."""


@dataclass
class Tally:
    """What came of it."""

    name: str
    seed: int
    inputs: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0

    def line(self) -> str:
        """For people."""
        answers = ", ".join(f"{code} {count}" for code, count in self.answers.most_common(6))
        return f"{self.name:<18} {self.inputs:>8} inputs, slowest {self.slowest_s * 1000:6.0f} ms; {answers}"


async def run(
    name: str, target: Target, *, seed: int, seconds: float, folder: Path, kept: Path
) -> Tally:
    """The target has been fed for that long.

    Raises:
        BrokenError: it raised something untyped, was too slow, or grew; the input is in ``kept``.
    """
    tally, chance = Tally(name, seed), random.Random(seed)
    before = _peak_bytes()
    async with target(folder) as prepared:
        until = time.monotonic() + seconds
        while time.monotonic() < until or not tally.inputs:
            content = prepared.mutate(chance)
            await _feed(prepared, content, tally, kept)
        await prepared.check()
    grown = _peak_bytes() - before
    if grown > MOST_GROWTH_BYTES:
        raise BrokenError(f"{name}, seed {seed}: grew by {grown >> 20} MiB")
    return tally


async def _feed(prepared: Prepared, content: bytes, tally: Tally, kept: Path) -> None:
    began = time.process_time()
    try:
        await prepared.feed(content)
        answer = TAKEN
    except FieldmeshError as problem:
        answer = problem.code
    except Exception as error:
        path = _keep(tally.name, content, kept)
        text = f"{tally.name}, seed {tally.seed}: {type(error).__name__}: {error}; input {path}"
        raise BrokenError(text) from error
    took = time.process_time() - began
    tally.inputs += 1
    tally.answers[answer] += 1
    tally.slowest_s = max(tally.slowest_s, took)
    if took > MOST_CPU_S:
        path = _keep(tally.name, content, kept)
        raise BrokenError(f"{tally.name}, seed {tally.seed}: {took:.1f} s of CPU; input {path}")


def _keep(name: str, content: bytes, kept: Path) -> Path:
    kept.mkdir(parents=True, exist_ok=True)
    path = kept / f"{name}-{hashlib.sha256(content).hexdigest()[:16]}.bin"
    path.write_bytes(content)
    return path


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


async def nothing() -> None:
    """There is nothing to check afterwards."""


Prepares = AsyncIterator[Prepared]
