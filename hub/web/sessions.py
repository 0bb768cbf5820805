"""The cookie of a session, and who sends a request."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from hub.desk.signin import SignIn
from hub.desk.tokens import access_of_token
from hub.fleet.office import Office
from hub.web.visitor import Visitor, set_visitor

COOKIE = "__Host-fieldmesh"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Middleware = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]


def knows_visitor(office: Office, sign_in: SignIn) -> Middleware:
    """Requests with the cookie of a session, or with a token, come from its person; others from strangers."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        set_visitor(request, await _visitor(office, sign_in, request))
        return await handler(request)

    return middleware


async def _visitor(office: Office, sign_in: SignIn, request: web.Request) -> Visitor | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and request.path.startswith("/api/"):
        return Visitor(await access_of_token(office, secret.strip()))
    token = request.cookies.get(COOKIE, "")
    found = await sign_in.who(token) if token else None
    if found is None:
        return None
    return Visitor(found.access, found.session.csrf, found.session.session_id)


def set_cookie(answer: web.Response, token: str) -> None:
    """The browser keeps the session's token until it is closed."""
    answer.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="Lax")


def drop_cookie(answer: web.Response) -> None:
    """The browser forgets the token."""
    answer.del_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
