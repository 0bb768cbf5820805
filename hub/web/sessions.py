"""The cookie of a session, and who sends a request."""

import ipaddress
from collections.abc import Awaitable, Callable, Collection

from aiohttp import web

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import in_language
from hub.desk.guard import Caller
from hub.desk.signin import SignedIn, SignIn
from hub.desk.tokens import access_of_token
from hub.fleet.office import Office
from hub.web.pacing import Paces, is_free
from hub.web.visitor import (
    Visitor,
    asks_by_itself,
    language_of,
    set_caller,
    set_signed_in,
    set_visitor,
)

COOKIE = "__Host-fieldmesh"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Middleware = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]


def strangers_keep_pace(office: Office, paces: Paces) -> Middleware:
    """Requests of strangers, and those that seem to be, come as often as they may.

    Args:
        office: whose settings say which proxies tell where a request comes from.
        paces: how often they may ask.
    """
    proxies = frozenset(office.settings.workplace.proxies)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        agent = request.headers.get("User-Agent", "")
        set_caller(request, Caller(address_of(request, proxies), agent))
        paces.admit(request, proof_of(request))
        return await handler(request)

    return middleware


def knows_visitor(office: Office, sign_in: SignIn, paces: Paces) -> Middleware:
    """Requests with the cookie of a session, or with a token, come from its person; others from strangers.

    Who has not taken all steps of the sign-in yet is a stranger still, but counted by who they are. What is done for a
    request is said in the language of whoever asks.

    Args:
        office: that knows tokens.
        sign_in: that knows sessions.
        paces: how often they may ask.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if is_free(request.path):
            return await handler(request)
        proof = proof_of(request)
        try:
            visitor = await _by_token(office, request)
        except Rejected:
            paces.take(request, None, proof)
            raise
        found = await _by_cookie(sign_in, request) if visitor is None else None
        known = visitor or found
        paces.take(request, known.access.user_id if known is not None else None, proof)
        set_signed_in(request, found)
        set_visitor(request, visitor or _visitor(found))
        with in_language(language_of(request)):
            return await handler(request)

    return middleware


def proof_of(request: web.Request) -> str:
    """The token or the cookie by which a request may be somebody's; empty = it has none."""
    return _bearer(request) or request.cookies.get(COOKIE, "")


def address_of(request: web.Request, proxies: Collection[str]) -> str:
    """The network address that a request comes from; behind proxies, what the nearest of them was told.

    Some proxies add a header of their own beside the one that a stranger has sent: all count, the last one first.
    """
    address = request.remote or ""
    told = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    while address in proxies and told:
        last = told.pop().strip()
        try:
            address = str(ipaddress.ip_address(last))
        except ValueError:
            break
    return address


def _bearer(request: web.Request) -> str:
    """The token of a program's request."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    is_one = scheme.lower() == "bearer" and request.path.startswith("/api/")
    return secret.strip() if is_one else ""


async def _by_token(office: Office, request: web.Request) -> Visitor | None:
    secret = _bearer(request)
    return Visitor(await access_of_token(office, secret)) if secret else None


async def _by_cookie(sign_in: SignIn, request: web.Request) -> SignedIn | None:
    token = request.cookies.get(COOKIE, "")
    return await sign_in.who(token, used=not asks_by_itself(request)) if token else None


def _visitor(found: SignedIn | None) -> Visitor | None:
    if found is None or found.step is not None:
        return None
    session = found.session
    return Visitor(found.access, session.csrf, session.session_id, session.language)


def set_cookie(answer: web.Response, token: str) -> None:
    """The browser keeps the session's token until it is closed."""
    answer.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="Lax")


def drop_cookie(answer: web.Response) -> None:
    """The browser forgets the token."""
    answer.del_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
