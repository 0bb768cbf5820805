"""A campaign from its founding to its verdict: days of work under faults, each with an evening of judgement."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.arena import Arena
from tests.chaos.checker.case import Case, Violation
from tests.chaos.checker.judge import judge
from tests.chaos.evening import come_to_rest
from tests.chaos.faults.fault import find
from tests.chaos.founding import founded
from tests.chaos.ground import Need
from tests.chaos.history import read_all
from tests.chaos.nemesis import Nemesis
from tests.chaos.shape import Shape
from tests.chaos.tally import Tally, tally

DAY_S = 150.0


class NotFoundedError(Exception):
    """The network did not stand before anything was broken: no verdict on the promises."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What to run."""

    folder: Path
    shape: Shape
    seed: int
    seconds: float
    """Of work under faults, all days together."""
    faults: tuple[str, ...] = ()
    """Words that choose faults; empty = all."""
    at_once: int = 4
    cluster: bool = False
    """Whether three brokers run by themselves, in place of the hub's own."""


@dataclass(slots=True)
class Verdict:
    """How a campaign ended."""

    orders: Orders
    days: int = 0
    violations: list[Violation] = field(default_factory=list)
    case: Case | None = None
    tally: Tally = field(default_factory=Tally)


async def run(orders: Orders, say: Callable[[str], None]) -> Verdict:
    """The campaign has run to its end, or to the first evening on which a promise turned out to be broken.

    Args:
        orders: what to run.
        say: called with a line for people, once a day.

    Raises:
        NotFoundedError: it could not begin.
    """
    verdict, other = Verdict(orders), Need.OWN_BROKER if orders.cluster else Need.CLUSTER
    faults = {name: one for name, one in find(orders.faults).items() if other not in one.needs}
    if not faults:
        raise NotFoundedError("none of these faults befalls such a bus")
    needs = frozenset[Need]().union(*(one.needs for one in faults.values()))
    needs |= {Need.CLUSTER} if orders.cluster else set()
    async with founded(orders.folder, orders.shape, orders.seed, needs) as arena:
        missing = [name for name, one in faults.items() if not arena.ground.offers(one.needs)]
        if missing:
            say(f"NOT ON THIS MACHINE, which lets nobody mount or compile: {', '.join(missing)}")
        _, rested = await come_to_rest(arena)
        if not rested:
            raise NotFoundedError("devices and gateways did not get their first rows; see the logs")
        nemesis = Nemesis(arena, faults, orders.at_once)
        left = orders.seconds
        while left > 0 and not verdict.violations:
            await _day(arena, nemesis, min(left, DAY_S))
            left -= DAY_S
            await _judge(arena, verdict, faults)
            say(
                f"day {verdict.days}: {nemesis.struck} faults so far, {verdict.tally.every.operations:,} operations,"
                f" {len(verdict.violations)} violations"
            )
    return verdict


async def _judge(arena: Arena, verdict: Verdict, names: Iterable[str]) -> None:
    facts, _ = await come_to_rest(arena)
    case = await asyncio.to_thread(lambda: Case(read_all(arena.histories), facts))
    verdict.case = case
    verdict.violations = await asyncio.to_thread(judge, case)
    verdict.tally = tally(case, verdict.violations, names)
    verdict.days += 1


async def _day(arena: Arena, nemesis: Nemesis, seconds: float) -> None:
    """People work while the nemesis strikes; in the end nothing is broken any more, and nobody works."""
    arena.history.note("day")
    stopped = asyncio.Event()
    await arena.let_work(yes=True)
    async with asyncio.TaskGroup() as group:
        group.create_task(arena.office.work(stopped))
        await nemesis.strike(seconds)
        stopped.set()
    await arena.let_work(yes=False)
