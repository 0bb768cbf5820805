"""The cookie of a session, and who sends a request."""

import ipaddress
from collections.abc import Awaitable, Callable, Collection

from aiohttp import web

from fieldmesh.basics.errors import Rejected
from hub.desk.guard import Caller
from hub.desk.signin import SignedIn, SignIn
from hub.desk.tokens import access_of_token
from hub.fleet.office import Office
from hub.web.pacing import Paces
from hub.web.visitor import Visitor, asks_by_itself, set_caller, set_signed_in, set_visitor

COOKIE = "__Host-fieldmesh"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Middleware = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]


def knows_visitor(office: Office, sign_in: SignIn, paces: Paces) -> Middleware:
    """Requests with the cookie of a session, or with a token, come from its person; others from strangers.

    Who has not taken all steps of the sign-in yet is a stranger still, but counted by who they are.

    Args:
        office: that knows tokens.
        sign_in: that knows sessions.
        paces: how often they may ask.
    """
    proxies = frozenset(office.settings.workplace.proxies)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        agent = request.headers.get("User-Agent", "")
        set_caller(request, Caller(address_of(request, proxies), agent))
        try:
            visitor = await _by_token(office, request)
        except Rejected:
            paces.take(request, None)
            raise
        found = await _by_cookie(sign_in, request) if visitor is None else None
        known = visitor or found
        paces.take(request, known.access.user_id if known is not None else None)
        set_signed_in(request, found)
        set_visitor(request, visitor or _visitor(found))
        return await handler(request)

    return middleware


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


async def _by_token(office: Office, request: web.Request) -> Visitor | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not request.path.startswith("/api/"):
        return None
    return Visitor(await access_of_token(office, secret.strip()))


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
