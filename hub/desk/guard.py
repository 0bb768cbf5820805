"""Waiting after wrong passwords and codes: by the name that was tried, and by the address that it came from.

Many tries at once get no further than one after the other: what is tried under a name is tried one by one, or in the
transaction that counts it; and no failure ever shortens a wait.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.errors import Retry
from hub.config import WorkplaceSettings
from hub.storage import journal
from hub.storage.database import HubDatabase
from hub.storage.rows import Connection
from hub.storage.sign_in_guard import guard_of, set_guard

_SECOND_US = 1_000_000
_LONGEST_WAIT_S = 3_600.0
_MOST_DOUBLINGS = 10
_PEOPLE_AT_AN_ADDRESS = 20
"""A branch comes from one address: one person's mistakes must not lock its others out."""
_MOST_AT_ONCE = 8
"""So many may try under one name at once: a person has few browsers, and each of them waits for the ones before."""
_AGAIN_S = 5.0
_ADDRESS = "address "


@dataclass(eq=False, slots=True, weakref_slot=True)
class _Queue:
    """Those who try under one name; it is forgotten with the last of them."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


@dataclass(frozen=True, slots=True)
class Caller:
    """Where somebody who signs in comes from: network address, and what the browser calls itself."""

    origin: str = ""
    agent: str = ""


def names_of(login: str, caller: Caller) -> tuple[str, ...]:
    """What waits after a wrong password."""
    return (login_name(login), f"{_ADDRESS}{caller.origin[:80]}")


def login_name(login: str) -> str:
    """The guard's name of a login."""
    return f"login {login.strip().casefold()[:80]}"


def factor_name(user: bytes) -> str:
    """The guard's name of somebody's second factor."""
    return f"factor {user.hex()}"


class Guard:
    """Counts what was tried in vain; after each further row of failures the wait is twice as long, up to an hour."""

    def __init__(self, database: HubDatabase, clock: Clock, settings: WorkplaceSettings) -> None:
        """What was counted stands in the database."""
        self._database = database
        self._clock = clock
        self._settings = settings
        self._trying: WeakValueDictionary[str, _Queue] = WeakValueDictionary()

    @asynccontextmanager
    async def one_by_one(self, name: str) -> AsyncIterator[None]:
        """Nobody else tries under the name meanwhile: each try knows how those before it ended.

        Raises:
            Retry: `workplace_busy`, too many try under that name.
        """
        queue = self._trying.setdefault(name, _Queue())
        if queue.length >= _MOST_AT_ONCE:
            raise Retry("workplace_busy", delay_s=_AGAIN_S)
        queue.length += 1
        try:
            async with queue.turn:
                yield
        finally:
            queue.length -= 1

    async def refuse_waiting(self, names: Sequence[str]) -> None:
        """None of the names has to wait.

        Raises:
            Retry: `sign_in_locked`, with the time that is left.
        """
        async with self._database.read() as connection:
            await self.refuse_waiting_in(connection, names)

    async def refuse_waiting_in(self, connection: Connection, names: Sequence[str]) -> None:
        """As `refuse_waiting`, in a transaction: nothing is counted between this and what follows in it.

        Raises:
            Retry: `sign_in_locked`, with the time that is left.
        """
        now = self._clock.now()
        until = max([(await guard_of(connection, name))[1] for name in names])
        if until > now:
            left_s = (until - now) / _SECOND_US
            minutes = math.ceil(left_s / 60)
            raise Retry("sign_in_locked", place="login", delay_s=left_s, minutes=minutes)

    async def note_failure(
        self,
        names: Sequence[str],
        actor: str,
        caller: Caller,
        kind: str = "sign_in_refused",
        *,
        why: str = "",
    ) -> None:
        """The names were tried in vain once more; the journal knows, and the problem's code where there is one."""
        async with self._database.write() as connection:
            await self.note_failure_in(connection, names, actor, caller, kind, why=why)

    async def note_failure_in(
        self,
        connection: Connection,
        names: Sequence[str],
        actor: str,
        caller: Caller,
        kind: str = "sign_in_refused",
        *,
        why: str = "",
    ) -> None:
        """As `note_failure`, in a transaction."""
        now = self._clock.now()
        for name in names:
            failures, held = await guard_of(connection, name)
            until = now + int(self._wait_s(name, failures + 1) * _SECOND_US)
            await set_guard(connection, name, failures + 1, max(held, until))
        about = {"login": actor, "origin": caller.origin, **({"why": why} if why else {})}
        await journal.append(connection, at=now, kind=kind, actor=actor, payload=about)

    def _wait_s(self, name: str, failures: int) -> float:
        of_many = name.startswith(_ADDRESS)
        tries = max(1, self._settings.tries * (_PEOPLE_AT_AN_ADDRESS if of_many else 1))
        turns, rest = divmod(failures, tries)
        if rest:
            return 0.0
        longer = 2.0 ** min(turns - 1, _MOST_DOUBLINGS)
        return min(_LONGEST_WAIT_S, self._settings.wait_s * longer)


async def forgive(connection: Connection, names: Sequence[str]) -> None:
    """The names may begin anew."""
    for name in names:
        await set_guard(connection, name, 0, 0)
