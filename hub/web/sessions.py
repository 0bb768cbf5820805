"""The cookie of a session, and who sends a request."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from hub.desk.signin import SignIn
from hub.web.visitor import Visitor, set_visitor

COOKIE = "__Host-fieldmesh"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Middleware = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]


def knows_visitor(sign_in: SignIn) -> Middleware:
    """Requests with the cookie of a session that holds come from its person, others from strangers."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        token = request.cookies.get(COOKIE, "")
        found = await sign_in.who(token) if token else None
        visitor = None
        if found is not None:
            session = found.session
            visitor = Visitor(found.access, session.csrf, session.session_id)
        set_visitor(request, visitor)
        return await handler(request)

    return middleware


def set_cookie(answer: web.Response, token: str) -> None:
    """The browser keeps the session's token until it is closed."""
    answer.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="Lax")


def drop_cookie(answer: web.Response) -> None:
    """The browser forgets the token."""
    answer.del_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
