"""What holds for every request to the workplace: typed errors in words, safe headers, forms that come from here."""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

from aiohttp import web

from fieldmesh.basics.errors import Defect, FieldmeshError, Rejected
from fieldmesh.service.translation import N_
from hub.web.pacing import SAFE
from hub.web.problems import problem_response, retry_after
from hub.web.shell import Shell, see_other, wants_page
from hub.web.visitor import language_of, maybe_signed_in, maybe_visitor

LOG = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Middleware = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]
_GONE = 404
FILES, MOST_FILE_BYTES = "/import", 64 << 20
"""Where files are loaded, and how large they may be."""
FILE_FACTOR = 10
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self';"
        " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}


def requests_come_in_time(patience_s: float) -> Middleware:
    """The line of a request whose body has not come whole in time is cut, however much of it trickles in.

    Args:
        patience_s: total, from the end of the headers; a file may take `FILE_FACTOR` times as long.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.body_exists:
            return await handler(request)
        factor = FILE_FACTOR if request.path == FILES else 1
        loop = asyncio.get_running_loop()
        timer = loop.call_later(patience_s * factor, _cut_unfinished, request)
        try:
            return await handler(request)
        except ConnectionError:
            LOG.info("request_cut", extra={"path": request.path})
            return web.Response(status=408)
        finally:
            timer.cancel()

    return middleware


def _cut_unfinished(request: web.Request) -> None:
    if not request.content.is_eof() and request.transport is not None:
        request.transport.abort()


def answers_in_words(shell: Shell) -> Middleware:
    """Typed errors become a page for people and problem+json for programs; strangers are sent to sign in."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            answer = await handler(request)
        except FieldmeshError as error:
            answer = _answer(shell, request, error)
        except web.HTTPException as error:
            if error.status != _GONE:
                raise

            missing = Rejected("not_found", place=request.path, text=N_("there is no such page"))
            answer = _answer(shell, request, missing)
        except ConnectionError:  # nobody is there to be answered
            raise
        except Exception:  # the edge: who asked gets words, the log gets the rest
            LOG.exception("request_failed", extra={"path": request.path})
            answer = _answer(shell, request, Defect("defect", place=request.path))
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        if "Cache-Control" not in answer.headers:
            answer.headers["Cache-Control"] = "no-store"
        return answer

    return middleware


def _answer(shell: Shell, request: web.Request, error: FieldmeshError) -> web.StreamResponse:
    if not wants_page(request):
        return problem_response(error, language_of(request))
    if error.code == "sign_in_needed" and request.method in SAFE:
        return see_other(f"/sign-in?next={request.path_qs}" if request.path != "/" else "/sign-in")
    answer = shell.problem(request, error)
    answer.headers.extend(retry_after(error))
    return answer


@web.middleware
async def forms_can_be_read(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A form that is none, by its bytes or by what its headers say of them, is refused in words.

    Raises:
        Rejected: `bad_message`.
    """
    if request.method not in SAFE and request.path != FILES:
        await _form(request)
    return await handler(request)


async def _form(request: web.Request) -> Mapping[str, object]:
    try:
        return await request.post()
    except (ValueError, LookupError):
        raise Rejected("bad_message", place="body") from None


@web.middleware
async def forms_come_from_here(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A change by a signed-in browser carries its session's token and comes from a page of this address.

    Programs send a token of their own instead of a cookie, which no other site can make a browser do.

    Raises:
        Rejected: `form_not_ours`.
    """
    signed_in = maybe_signed_in(request)
    if request.method in SAFE or signed_in is None:
        return await handler(request)
    visitor = maybe_visitor(request)
    if request.path == FILES and visitor is not None and visitor.access.may("data.import"):
        request = request.clone(client_max_size=MOST_FILE_BYTES)
    if not same_origin(request):
        raise Rejected("form_not_ours", place=request.path)
    given = request.headers.get("X-Fieldmesh-Csrf", "")
    if not given and request.content_type in {
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    }:
        given = str((await _form(request)).get("csrf", ""))
    if not hmac.compare_digest(given.encode(), signed_in.session.csrf.encode()):
        raise Rejected("form_not_ours", place=request.path)
    return await handler(request)


def same_origin(request: web.Request) -> bool:
    """Whether a page of this site has sent the request, as far as the browser tells."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin", "")
    return not origin or urlsplit(origin).netloc == request.host
