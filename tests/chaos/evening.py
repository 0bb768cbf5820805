"""Evening: nothing is broken any more, nobody works, and the network is given time to come to rest."""

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

from fieldmesh.basics.clock import SystemClock
from fieldmesh.service.database import connect
from tests.chaos.arena import PASSWORD, Arena
from tests.chaos.checker.facts import Facts
from tests.chaos.databases import read_facts

REST_S = 120.0
"""Who has not come any further for so long does not come to rest."""
MOST_S = 900.0
"""And nobody is waited for longer than that, however slow the machine is."""
_ROUNDS = 2
"""The first brings everything up, the second brings everything down."""
_LOOK_S = 0.3
_WAITS = """
SELECT (SELECT mark_lsn FROM fm_state),
       (SELECT count(*) FROM fm_outbox WHERE receipted_at IS NULL)
       + (SELECT count(*) FROM fm_provisional_batch)
       + (SELECT count(*) FROM fm_partition WHERE state <> 'ready')
"""


async def come_to_rest(arena: Arena) -> tuple[Facts, bool]:
    """What all databases hold when everyone stands where head office stands, and whether everyone does.

    Whoever does not was given the time for it.
    """
    until = SystemClock().monotonic() + MOST_S
    stands: dict[str, Any] = {}
    rested = False
    for _ in range(_ROUNDS):
        lsn = await arena.office.note_scopes()  # a clock that jumped has moved who sees what, too
        stands = await _devices_rest(arena, lsn)
        rested = await _gateways_rest(arena, until)
    await arena.office.note_scopes()
    arena.history.note("rest", devices=stands)
    rested &= all(told["at_rest"] for told in stands.values())
    return await _facts(arena, until), rested


async def _devices_rest(arena: Arena, lsn: int) -> dict[str, Any]:
    found: dict[str, Any] = {}

    async def one(name: str) -> None:
        try:
            told = await arena.crews[name].ask("rest", within_s=MOST_S, lsn=lsn, deadline_s=REST_S)
        except TimeoutError:
            found[name] = {"at_rest": False, "waits": f"no answer in {MOST_S:.0f} s"}
        else:
            found.update(told["devices"])

    async with asyncio.TaskGroup() as group:
        for name in arena.crews:
            group.create_task(one(name))
    return found


async def _gateways_rest(arena: Arena, until: float) -> bool:
    """Whether every gateway has all that the hub has published, and nothing left to send, in time."""
    before: list[tuple[int, int]] = []
    moved_at = SystemClock().monotonic()
    while SystemClock().monotonic() < min(until, moved_at + REST_S):
        lsn = await arena.office.lsn()
        states = [await asyncio.to_thread(_state, arena, code) for code in arena.shape.gateways]
        if all(state == (lsn, 0) for state in states):
            return True
        if states != before:
            before, moved_at = states, SystemClock().monotonic()
        await asyncio.sleep(_LOOK_S)
    return False


def _state(arena: Arena, gateway: str) -> tuple[int, int]:
    path = arena.gateway(gateway).folder / "data" / "gateway.db"
    try:
        with closing(connect(path, read_only=True)) as found:
            mark, waits = found.execute(_WAITS).fetchone()
    except sqlite3.Error:
        return 0, 1
    return int(mark), int(waits)


async def _facts(arena: Arena, until: float) -> Facts:
    """The facts; read again when head office moved on by itself in between."""
    homes = {code: arena.gateway(code).folder for code in arena.shape.gateways}
    devices = {post.device: (arena.home(post.device), post.login) for post in arena.shape.posts}
    while True:
        facts = await asyncio.to_thread(read_facts, arena.hub.folder, homes, devices, PASSWORD)
        level = all(one.mark == facts.hub.lsn for one in facts.gateways.values())
        if level or not await _gateways_rest(arena, until):
            return facts
