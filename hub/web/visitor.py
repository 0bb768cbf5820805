"""Who sends a request, and in which words they are answered."""

import datetime
from dataclasses import dataclass

from aiohttp import web

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import LANGUAGES
from hub.desk.guard import Caller
from hub.desk.signin import SignedIn
from hub.rules.access import Access
from hub.rules.zones import zone_or_utc
from hub.web.showing import Showing


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in.

    Attributes:
        access: what they may do and see.
        csrf: what their forms must carry; empty for programs, which send a token instead of a cookie.
        session: id of the session; None for programs.
        language: that they have chosen; empty = as the browser says.
    """

    access: Access
    csrf: str = ""
    session: bytes | None = None
    language: str = ""


_VISITOR = web.RequestKey("fieldmesh.visitor", Visitor)
_SIGNED_IN = web.RequestKey("fieldmesh.signed_in", SignedIn)
_CALLER = web.RequestKey("fieldmesh.caller", Caller)


def set_visitor(request: web.Request, visitor: Visitor | None) -> None:
    """The request comes from them; None = from a stranger."""
    if visitor is not None:
        request[_VISITOR] = visitor


def set_signed_in(request: web.Request, signed_in: SignedIn | None) -> None:
    """The request belongs to that session, whether it opens anything yet or not."""
    if signed_in is not None:
        request[_SIGNED_IN] = signed_in


def signed_in_of(request: web.Request) -> SignedIn:
    """The session of the request; also one in which steps are left.

    Raises:
        Rejected: `sign_in_needed`.
    """
    found = maybe_signed_in(request)
    if found is None:
        raise Rejected("sign_in_needed", place=request.path)
    return found


def maybe_signed_in(request: web.Request) -> SignedIn | None:
    """The session of the request; None = there is none."""
    return request.get(_SIGNED_IN)


def set_caller(request: web.Request, caller: Caller) -> None:
    """The request comes from there."""
    request[_CALLER] = caller


def caller_of(request: web.Request) -> Caller:
    """Where the request comes from."""
    return request[_CALLER]


def visitor_of(request: web.Request) -> Visitor:
    """Who is signed in.

    Raises:
        Rejected: `sign_in_needed`.
    """
    visitor = maybe_visitor(request)
    if visitor is None:
        raise Rejected("sign_in_needed", place=request.path)
    return visitor


def maybe_visitor(request: web.Request) -> Visitor | None:
    """Who is signed in; None = nobody."""
    found: Visitor | None = request.get(_VISITOR)
    return found


def language_of(request: web.Request) -> str:
    """The person's language, else the first of `Accept-Language` that there is."""
    visitor, signed_in = maybe_visitor(request), maybe_signed_in(request)
    chosen = visitor.language if visitor else signed_in.session.language if signed_in else ""
    if chosen in LANGUAGES:
        return chosen
    for part in request.headers.get("Accept-Language", "")[:200].split(","):
        short = part.split(";")[0].split("-")[0].strip().lower()
        if short in LANGUAGES:
            return short
    return "en"


def zone_of(request: web.Request) -> datetime.tzinfo:
    """The time zone of the person's office."""
    visitor = maybe_visitor(request)
    return zone_or_utc(visitor.access.time_zone) if visitor else datetime.UTC


def showing_for(request: web.Request) -> Showing:
    """How values are shown to whoever asks."""
    return Showing(language_of(request), zone_of(request))


def asks_by_itself(request: web.Request) -> bool:
    """Whether the page's own script asks for a part of it anew, and nobody has touched anything."""
    return "X-Fieldmesh-Part" in request.headers
