"""Lines to the directory's servers: protected before anything is said on them, never led elsewhere by a referral."""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import ldap3
from ldap3.core.exceptions import (
    LDAPBindError,
    LDAPCommunicationError,
    LDAPException,
    LDAPInvalidValueError,
)
from ldap3.core.results import (
    RESULT_BUSY,
    RESULT_OTHER,
    RESULT_SUCCESS,
    RESULT_TIME_LIMIT_EXCEEDED,
    RESULT_UNAVAILABLE,
)
from typing_extensions import override

from fieldmesh.basics.errors import Rejected

_PATIENCE_S = 5
_SCHEMES = ("ldap", "ldaps")
_TROUBLE = frozenset({RESULT_BUSY, RESULT_OTHER, RESULT_TIME_LIMIT_EXCEEDED, RESULT_UNAVAILABLE})
"""Answers to a bind that say nothing about the password."""


class _Tls(ldap3.Tls):
    """TLS by Python's own rules, which check the server's name too: those of ldap3 2.9.1 leave sockets open."""

    @override
    def wrap_socket(self, connection: ldap3.Connection, do_handshake: bool = False) -> None:
        context = ssl.create_default_context(cafile=self.ca_certs_file)
        connection.socket = context.wrap_socket(
            connection.socket,
            server_hostname=connection.server.host,
            do_handshake_on_connect=do_handshake,
        )


class Line:
    """An open line on which questions are asked."""

    def __init__(self, connection: ldap3.Connection) -> None:
        """It is bound."""
        self._connection = connection

    def search(self, base: str, condition: str, wanted: list[str]) -> list[dict[str, Any]]:
        """Entries under ``base`` that fulfil the condition. An answer that is cut short is none.

        Raises:
            LDAPException: the server does not answer, or not all of it.
        """
        line = self._connection
        line.search(base, condition, attributes=wanted, time_limit=_PATIENCE_S)
        if line.result["result"] != RESULT_SUCCESS:
            raise LDAPException(f"{base}: {line.result['description']}")
        return [one for one in line.response or () if one.get("type") == "searchResEntry"]


class Lines:
    """Lines to the first server that answers."""

    def __init__(self, urls: Sequence[str], authority: str) -> None:
        """Nothing is opened yet.

        Args:
            urls: of the servers; ``ldap:`` begins with StartTLS.
            authority: PEM file of the servers' authority; empty = those of the system.

        Raises:
            Rejected: `settings_invalid`.
        """
        for url in urls:
            parts = urlsplit(url)
            if parts.scheme.lower() not in _SCHEMES or not parts.hostname:
                text = f"{url} is no address such as ldaps://dc1.example.com"
                raise Rejected("settings_invalid", place="directory.urls", text=text)
        self._urls = urls
        self._authority = authority

    @contextmanager
    def open(self, user: str, password: str) -> Iterator[Line]:
        """A line that is bound as the user; closed afterwards.

        Raises:
            LDAPException: no server answers, or the user is not let in.
        """
        with self._reached(user, password) as line:
            if not line.bind():
                raise LDAPBindError(f"{user}: {line.result['description']}")
            yield Line(line)

    def binds(self, user: str, password: str) -> bool:
        """Whether it is the user's password.

        Raises:
            LDAPException: no server answers, or it can't tell.
        """
        with self._reached(user, password) as line:
            try:
                right = bool(line.bind())
            except LDAPInvalidValueError:  # characters that no password has
                return False
            if line.result["result"] in _TROUBLE:
                raise LDAPException(str(line.result["description"]))
            return right

    @contextmanager
    def _reached(self, user: str, password: str) -> Iterator[ldap3.Connection]:
        line = self._protected(user, password)
        try:
            yield line
        finally:
            _close(line)

    def _protected(self, user: str, password: str) -> ldap3.Connection:
        """A line to the first server that can be reached, behind TLS; nothing is said on it yet."""
        for last, url in enumerate(self._urls, 1 - len(self._urls)):
            line = self._unopened(url, user, password)
            try:
                _protect(line)
            except LDAPCommunicationError:
                _close(line)
                if last == 0:
                    raise
            except BaseException:
                _close(line)
                raise
            else:
                return line
        raise LDAPCommunicationError

    def _unopened(self, url: str, user: str, password: str) -> ldap3.Connection:
        """No schema is read: Active Directory's has megabytes, and what it does not know it leaves out by itself."""
        tls = _Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=self._authority or None)
        server = ldap3.Server(url, tls=tls, connect_timeout=_PATIENCE_S, get_info=ldap3.NONE)
        return ldap3.Connection(
            server, user or None, password or None, read_only=True, receive_timeout=_PATIENCE_S,
            auto_referrals=False, check_names=False,
        )  # fmt: skip


def _protect(line: ldap3.Connection) -> None:
    line.open(read_server_info=False)
    if not line.server.ssl and not line.start_tls(read_server_info=False):
        raise LDAPCommunicationError(str(line.last_error))


def _close(line: ldap3.Connection) -> None:
    with suppress(LDAPException, OSError):
        line.unbind()
    if line.socket is not None:
        line.socket.close()
