"""Windows sign-in: the tickets of SPNEGO, through the system's own GSS library. Source: RFC 2743, 2744, 4178, 4559.

A few calls are needed, of a library that every Linux has and that the distribution mends: it is loaded when a key table
is set, and nothing has to be compiled on the hub's machine (docs/decisions/0013).
"""

import asyncio
import ctypes
import logging
from dataclasses import dataclass

from fieldmesh.basics.errors import Rejected

LOG = logging.getLogger(__name__)
_LIBRARY = "libgssapi_krb5.so.2"
_ACCEPT = 2
_COMPLETE = 0
_MECH_CODE = 2
_CALLS = ("gss_acquire_cred_from", "gss_accept_sec_context", "gss_display_name")
_NOT_PEOPLES = ("/", "$")
"""Names of services have two parts, those of machines end in a dollar."""


class _Buffer(ctypes.Structure):
    _fields_ = [("length", ctypes.c_size_t), ("value", ctypes.c_void_p)]  # type: ignore[mutable-override]

    def content(self) -> bytes:
        return ctypes.string_at(self.value, self.length) if self.value else b""


class _KeyValue(ctypes.Structure):
    _fields_ = [("key", ctypes.c_char_p), ("value", ctypes.c_char_p)]  # type: ignore[mutable-override]


class _KeyValues(ctypes.Structure):
    _fields_ = [("count", ctypes.c_uint32), ("elements", ctypes.POINTER(_KeyValue))]  # type: ignore[mutable-override]


@dataclass(frozen=True, slots=True)
class Accepted:
    """Who holds a ticket, by their name in the realm, and what the hub proves itself with in return."""

    name: str
    reply: bytes


class Acceptor:
    """Takes the tickets of the people of one realm: in another one the same name may be somebody else's."""

    def __init__(self, keytab: str, realm: str) -> None:
        """Keys are read from ``keytab`` at each ticket, so that new ones hold at once.

        Raises:
            Rejected: `settings_invalid`, there is no realm, or the system has no GSS library.
        """
        if not realm:
            text = "whose tickets are taken?"
            raise Rejected("settings_invalid", place="kerberos.realm", text=text)
        self._keytab = keytab
        self._realm = realm
        try:
            self._gss = ctypes.CDLL(_LIBRARY)
        except OSError as error:
            raise Rejected("settings_invalid", place="kerberos.keytab", text=str(error)) from None
        for name in _CALLS:
            getattr(self._gss, name).restype = ctypes.c_uint32

    async def accept(self, token: bytes) -> Accepted:
        """Who sends the token. It is looked at in a thread: the library reads and writes files.

        Raises:
            Rejected: `ticket_refused`; the log has what the library says.
        """
        return await asyncio.to_thread(self._accept, token)

    def _accept(self, token: bytes) -> Accepted:
        minor = ctypes.c_uint32()
        credential, context, name = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        reply = _Buffer()
        try:
            self._acquire(minor, credential)
            given = _Buffer(len(token), ctypes.cast(ctypes.c_char_p(token), ctypes.c_void_p))
            major = self._gss.gss_accept_sec_context(
                ctypes.byref(minor), ctypes.byref(context), credential, ctypes.byref(given), None,
                ctypes.byref(name), None, ctypes.byref(reply), None, None, None,
            )  # fmt: skip
            self._need(major, minor)
            return self._named(self._shown(minor, name), reply.content())
        finally:
            self._gss.gss_release_buffer(ctypes.byref(minor), ctypes.byref(reply))
            self._gss.gss_release_name(ctypes.byref(minor), ctypes.byref(name))
            self._gss.gss_delete_sec_context(ctypes.byref(minor), ctypes.byref(context), None)
            self._gss.gss_release_cred(ctypes.byref(minor), ctypes.byref(credential))

    def _acquire(self, minor: ctypes.c_uint32, credential: ctypes.c_void_p) -> None:
        entry = _KeyValue(b"keytab", f"FILE:{self._keytab}".encode())
        store = _KeyValues(1, ctypes.pointer(entry))
        major = self._gss.gss_acquire_cred_from(
            ctypes.byref(minor), None, 0, None, _ACCEPT, ctypes.byref(store), ctypes.byref(credential),
            None, None,
        )  # fmt: skip
        self._need(major, minor)

    def _shown(self, minor: ctypes.c_uint32, name: ctypes.c_void_p) -> str:
        shown = _Buffer()
        major = self._gss.gss_display_name(ctypes.byref(minor), name, ctypes.byref(shown), None)
        try:
            self._need(major, minor)
            return shown.content().decode()
        finally:
            self._gss.gss_release_buffer(ctypes.byref(minor), ctypes.byref(shown))

    def _named(self, principal: str, reply: bytes) -> Accepted:
        name, _, realm = principal.rpartition("@")
        if realm != self._realm or not name or any(one in name for one in _NOT_PEOPLES):
            raise _refused(principal)
        return Accepted(name, reply)

    def _need(self, major: int, minor: ctypes.c_uint32) -> None:
        """The call is complete; one that wants another round is none of Kerberos' and is refused."""
        if major == _COMPLETE:
            return
        ignored, more, text = ctypes.c_uint32(), ctypes.c_uint32(), _Buffer()
        self._gss.gss_display_status(
            ctypes.byref(ignored), minor, _MECH_CODE, None, ctypes.byref(more), ctypes.byref(text)
        )
        said = text.content().decode(errors="replace")
        self._gss.gss_release_buffer(ctypes.byref(ignored), ctypes.byref(text))
        raise _refused(said or f"GSS {major:#x}")


def _refused(text: str) -> Rejected:
    """What the library says is for branch IT: it tells of key tables and names of services."""
    LOG.warning("ticket_refused", extra={"text": text})
    return Rejected("ticket_refused", place="Authorization")
