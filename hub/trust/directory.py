"""The company's directory over LDAP, over TLS: finds people, checks passwords, reads groups. Source: RFC 4511-4515."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, ParamSpec, TypeVar

from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars

from fieldmesh.basics.errors import Retry
from hub.config import DirectorySettings
from hub.trust.identity import Identity
from hub.trust.ldap_line import Line, Lines

LOG = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")
_QUESTIONS = 3
"""At once: a directory that hangs must not hold every thread of the hub."""
_PIECE = 50
_WAIT_S = 5.0
_DISABLED = 2
"""Bit of Active Directory's userAccountControl."""


class Directory:
    """People of the directory. Each question has a line of its own, so that none is left half open."""

    def __init__(self, settings: DirectorySettings) -> None:
        """Nothing is asked yet.

        Raises:
            Rejected: `settings_invalid`, an address is none of LDAP.
        """
        self._settings = settings
        self._lines = Lines(settings.urls, settings.authority)
        self._room = asyncio.Semaphore(_QUESTIONS)

    async def find(self, login: str) -> Identity | None:
        """Who has the login and may work; None = nobody.

        Raises:
            Retry: `directory_away`.
        """
        return (await self.find_each([login]))[login]

    async def find_each(self, logins: Collection[str]) -> dict[str, Identity | None]:
        """`find` for many, over few lines.

        Raises:
            Retry: `directory_away`.
        """
        found: dict[str, Identity | None] = {}
        left = iter(logins)
        while piece := list(islice(left, _PIECE)):
            found |= await self._asked(self._find_each, piece)
        return found

    async def check(self, login: str, password: str) -> Identity | None:
        """Who has the login, if the password is theirs; None = it is not, or there is nobody.

        Raises:
            Retry: `directory_away`.
        """
        if not password:  # a bind without a password would be taken as that of a stranger
            return None
        return await self._asked(self._check, login, password)

    async def _asked(self, question: Callable[P, R], *given: P.args, **named: P.kwargs) -> R:
        """The answer, found in a thread. Who would wait too long for their turn is told to come again."""
        try:
            async with asyncio.timeout(_WAIT_S):
                await self._room.acquire()
        except TimeoutError:
            raise _is_away("too many questions wait") from None
        try:
            return await asyncio.to_thread(question, *given, **named)
        finally:
            self._room.release()

    def _find_each(self, logins: list[str]) -> dict[str, Identity | None]:
        with _away(), self._line() as line:
            return {login: self._found(line, login) for login in logins}

    def _found(self, line: Line, login: str) -> Identity | None:
        entry = self._entry(line, login)
        return None if entry is None else self._identity(line, login, entry)

    def _check(self, login: str, password: str) -> Identity | None:
        """A name that nobody has is bound in vain as well: the answer takes as long as to a wrong password."""
        with _away(), self._line() as line:
            entry = self._entry(line, login)
            dn = (
                entry["dn"]
                if entry is not None
                else f"cn={secrets.token_hex()},{self._settings.base}"
            )
            word = password if entry is not None else secrets.token_hex()
            if not self._lines.binds(dn, word) or entry is None:
                return None
            return self._identity(line, login, entry)

    def _line(self) -> Any:
        return self._lines.open(self._settings.user, self._settings.password)

    def _entry(self, line: Line, login: str) -> dict[str, Any] | None:
        settings = self._settings
        wanted = [settings.login, settings.person, settings.mail, "userAccountControl"]
        condition = f"({settings.login}={escape_filter_chars(login)})"
        found = line.search(settings.base, condition, wanted)
        if len(found) != 1:
            return None
        flags = _first(found[0]["attributes"].get("userAccountControl"))
        return None if int(flags or 0) & _DISABLED else found[0]

    def _identity(self, line: Line, login: str, entry: dict[str, Any]) -> Identity:
        settings, named = self._settings, entry["attributes"]
        condition = settings.groups.replace("{dn}", escape_filter_chars(entry["dn"]))
        groups = line.search(settings.group_base or settings.base, condition, ["cn"])
        return Identity(
            _first(named.get(settings.login)) or login, _first(named.get(settings.person)),
            _first(named.get(settings.mail)),
            frozenset(_first(one["attributes"].get("cn")) for one in groups),
        )  # fmt: skip


@contextmanager
def _away() -> Iterator[None]:
    """What goes wrong on the line is logged; whoever asks is told only that there was no answer."""
    try:
        yield
    except (LDAPException, OSError) as error:
        raise _is_away(str(error)) from None


def _is_away(text: str) -> Retry:
    LOG.warning("directory_away", extra={"text": text})
    return Retry("directory_away", place="directory", delay_s=_WAIT_S)


def _first(value: object) -> str:
    """A text of an attribute that may hold several, or none."""
    if isinstance(value, list | tuple):
        value = value[0] if value else ""
    return "" if value is None else str(value)
