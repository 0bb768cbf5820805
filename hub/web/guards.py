"""What holds for every request to the workplace: typed errors in words, safe headers, forms that come from here."""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import quote, urlsplit

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
_GONE, _TOO_LARGE, _FAULTS = 404, 413, range(400, 500)
FILES, MOST_FILE_BYTES = "/import", 64 << 20
"""Where files are loaded, and how large they may be."""
MOST_FORM_BYTES, MOST_FORM_FIELDS = 1 << 20, 5_000
"""What a form of somebody who is signed in may hold: a thousand outlets that move, an order of hundreds of lines."""
FILE_FACTOR = 10
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self';"
        " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
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
            if error.status not in _FAULTS:
                raise
            answer = _answer(shell, request, _refused(request, error), error.status)
            if "Allow" in error.headers:
                answer.headers["Allow"] = error.headers["Allow"]
        except ConnectionError:  # nobody is there to be answered
            raise
        except Exception:  # the edge: who asked gets words, the log gets the rest
            LOG.exception("request_failed", extra={"path": request.path})
            answer = _answer(shell, request, Defect("defect", place=request.path))
        return answer

    return middleware


async def answers_are_kept_safe(_request: web.Request, answer: web.StreamResponse) -> None:
    """Every answer has the headers that browsers go by; files that are sent while they are made have them too."""
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)


def _refused(request: web.Request, error: web.HTTPException) -> Rejected:
    """What the server itself refuses, in words."""
    if error.status == _GONE:
        return Rejected("not_found", place=request.path, text=N_("there is no such page"))
    if error.status == _TOO_LARGE:
        return Rejected("request_too_large", place=request.path)
    return Rejected("request_refused", place=request.path)


def _answer(
    shell: Shell, request: web.Request, error: FieldmeshError, status: int | None = None
) -> web.StreamResponse:
    """The error as a page or for programs; ``status`` in place of its own."""
    if not wants_page(request):
        return problem_response(error, language_of(request), status)
    if error.code == "sign_in_needed" and request.method in SAFE:
        wanted = f"?next={quote(request.path_qs, safe='/')}" if request.path != "/" else ""
        return see_other(f"/sign-in{wanted}")
    answer = shell.problem(request, error, status)
    answer.headers.extend(retry_after(error))
    return answer


@web.middleware
async def forms_can_be_read(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A form that is none, by its bytes or by what its headers say of them, is refused in words.

    Who is signed in may send a larger one than a stranger.

    Raises:
        Rejected: `bad_message`.
    """
    if request.method in SAFE:
        return await handler(request)
    request = _with_room(request)
    if request.path != FILES:
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


def _with_room(request: web.Request) -> web.Request:
    """The request, before its body is read, with as much room as whoever sends it has."""
    visitor = maybe_visitor(request)
    if visitor is None:
        return request
    is_file = request.path == FILES and visitor.access.may("data.import")
    most = MOST_FILE_BYTES if is_file else MOST_FORM_BYTES
    return request.clone(client_max_size=most, client_max_fields=MOST_FORM_FIELDS)


def same_origin(request: web.Request) -> bool:
    """Whether a page of this site has sent the request, as far as the browser tells."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin", "")
    return not origin or urlsplit(origin).netloc == request.host
