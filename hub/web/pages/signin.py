"""Signing in and out, light and dark."""

from urllib.parse import urlsplit

from aiohttp import web

from fieldmesh.basics.errors import FieldmeshError, Rejected
from fieldmesh.basics.problems import fill, problem_of
from fieldmesh.service.translation import translate
from hub.desk.signin import SignIn
from hub.web.sessions import COOKIE, drop_cookie, set_cookie
from hub.web.shell import Shell, see_other, set_theme
from hub.web.visitor import language_of, maybe_visitor


class SignInPages:
    """The door."""

    def __init__(self, sign_in: SignIn, shell: Shell) -> None:
        """Passwords are checked by ``sign_in``."""
        self._sign_in = sign_in
        self._shell = shell

    def routes(self) -> list[web.AbstractRouteDef]:
        """Where the pages are."""
        return [
            web.get("/sign-in", self.show),
            web.post("/sign-in", self.sign_in),
            web.post("/sign-out", self.sign_out),
            web.post("/theme", self.theme),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """The form; who is signed in goes on to where they wanted to go."""
        if maybe_visitor(request) is not None:
            return see_other(_next(request))
        return self._form(request)

    async def sign_in(self, request: web.Request) -> web.Response:
        """Name and password become a session."""
        form = await request.post()
        login, password = str(form.get("login", "")), str(form.get("password", ""))
        agent = request.headers.get("User-Agent", "")
        try:
            _refuse_foreign(request)
            token = await self._sign_in.sign_in(
                login, password, origin=request.remote or "", agent=agent
            )
        except FieldmeshError as error:
            return self._form(request, error, login)
        answer = see_other(_next(request))
        set_cookie(answer, token)
        return answer

    async def sign_out(self, request: web.Request) -> web.Response:
        """The session is over."""
        found = await self._sign_in.who(request.cookies.get(COOKIE, ""))
        if found is not None:
            await self._sign_in.sign_out(found)
        answer = see_other("/sign-in", translate("You are signed out.", language_of(request)))
        drop_cookie(answer)
        return answer

    async def theme(self, request: web.Request) -> web.Response:
        """Light, dark, or as the system."""
        form = await request.post()
        came_from = urlsplit(request.headers.get("Referer", "/"))
        answer = see_other(came_from.path or "/")
        set_theme(answer, str(form.get("theme", "")))
        return answer

    def _form(
        self, request: web.Request, error: FieldmeshError | None = None, login: str = ""
    ) -> web.Response:
        language, problem = language_of(request), ""
        if error is not None:
            texts = problem_of(error)
            problem = " ".join(
                fill(translate(text, language), error) for text in (texts.title, texts.remedy)
            )
        return self._shell.page(
            request, "sign_in.html", title=translate("Sign in", language), login=login, problem=problem,
            status=200 if error is None else problem_of(error).http_status, next=_next(request),
        )  # fmt: skip


def _next(request: web.Request) -> str:
    """Where the person wanted to go: a page of this site, and nothing else."""
    wanted = request.query.get("next", "/")
    parts = urlsplit(wanted)
    local = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if local and not parts.scheme and not parts.netloc else "/"


def _refuse_foreign(request: web.Request) -> None:
    """Signing in is no form of a session yet, but it must come from this site all the same.

    Raises:
        Rejected: `form_not_ours`.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise Rejected("form_not_ours", place=request.path)
