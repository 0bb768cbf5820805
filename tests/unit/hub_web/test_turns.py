"""Requests begin one after the other, and whoever waits too long is sent away."""

import asyncio
from unittest import mock

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from fieldmesh.basics.clock import ManualClock, SystemClock
from fieldmesh.basics.errors import Retry
from fieldmesh.service.metrics import Registry
from hub.metrics import RequestFigures
from hub.web.turns import MOST_WAITING, PATIENCE_S, Turns, requests_take_turns

PAGES, STATEMENTS = 50, 30


async def test_others_have_their_turn_between_two_pages() -> None:
    """Fifty pages that come at once must not hold up what a device has sent until all of them are drawn."""
    turns, order = Turns(ManualClock(), lambda: False), []

    async def page() -> None:
        await turns.take(is_known=True)
        order.append("page")

    async def others() -> None:
        while order.count("page") < PAGES:
            order.append("other")
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for _ in range(PAGES):
            group.create_task(page())
        group.create_task(others())
    assert order.count("page") == PAGES
    longest = max(len(run) for run in "".join(one[0] for one in order).split("o"))
    assert longest <= 2


async def test_a_transaction_gets_on_while_pages_are_drawn() -> None:
    """What devices send is written in dozens of statements: with one for each page it would wait for seconds."""
    turns, steps = Turns(ManualClock(), lambda: steps < STATEMENTS), 0

    async def writing() -> None:
        nonlocal steps
        for _ in range(STATEMENTS):
            await asyncio.sleep(0.0001)
            steps += 1

    async def page() -> int:
        await turns.take(is_known=True)
        return steps

    async with asyncio.TaskGroup() as group:
        pages = [group.create_task(page()) for _ in range(PAGES)]
        group.create_task(writing())
    seen = [one.result() for one in pages]
    assert seen[2] >= 4
    assert seen[-1] == STATEMENTS


async def test_who_has_waited_too_long_is_sent_away_and_the_next_is_served() -> None:
    """People whose browser has given up must not be what the hub works on when others ask."""
    clock = ManualClock()
    turns = Turns(clock, lambda: False)
    async with asyncio.TaskGroup() as group:
        group.create_task(_told(turns))
        late = group.create_task(_told(turns))
        await asyncio.sleep(0)
        clock.advance(int((PATIENCE_S + 0.1) * 1e6))
        early = group.create_task(_told(turns))
    assert (late.result(), early.result()) == ("workplace_busy", "served")


async def test_no_more_wait_than_memory_is_meant_for() -> None:
    """A flood of requests that were all kept would take the hub's memory."""
    turns = Turns(ManualClock(), lambda: False)
    async with asyncio.TaskGroup() as group:
        told = [group.create_task(_told(turns)) for _ in range(1 + MOST_WAITING + 5)]
    assert sum(one.result() == "workplace_busy" for one in told) == 5


async def test_ops_see_how_many_were_sent_away() -> None:
    """People who are told to come again do not ring; a figure does."""
    registry = Registry("hub")
    turns = Turns(ManualClock(), lambda: False)
    served = requests_take_turns(turns, RequestFigures(registry), lambda _: True)
    request = make_mocked_request("GET", "/today")

    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response()

    with (
        mock.patch.object(turns, "take", side_effect=Retry("workplace_busy", delay_s=1)),
        pytest.raises(Retry),
    ):
        await served(request, page)
    assert (await served(request, page)).status == 200
    assert registry.value("fieldmesh_hub_turned_away_requests_total") == 1


async def test_whoever_goes_away_leaves_no_hole() -> None:
    """A browser that is closed while it waits must not stop everybody behind it."""
    turns = Turns(ManualClock(), lambda: False)
    async with asyncio.TaskGroup() as group:
        group.create_task(_told(turns))
        gone = group.create_task(_told(turns))
        behind = group.create_task(_told(turns))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
    assert behind.result() == "served"


async def test_a_crowd_of_strangers_keeps_nobody_out_who_is_in() -> None:
    """From many addresses, with cookies of nobody, come more requests than there are turns while devices sync."""
    turns, loop = Turns(SystemClock(), lambda: True), asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        crowd = [group.create_task(turns.take(is_known=False)) for _ in range(300)]
        await asyncio.sleep(0)
        since = loop.time()
        for _ in range(3):
            await turns.take(is_known=True)
        waited, served = loop.time() - since, sum(one.done() for one in crowd)
        for one in crowd:
            one.cancel()
    assert waited < PATIENCE_S / 4
    assert 1 < served < 9


async def _told(turns: Turns) -> str:
    try:
        await turns.take(is_known=True)
    except Retry as refused:
        return refused.code
    return "served"
