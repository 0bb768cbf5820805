"""The door: signing in and out, a new password with a code, light and dark."""

from collections.abc import Sequence
from urllib.parse import quote, urlsplit

from aiohttp import web

from fieldmesh.basics.errors import FieldmeshError, Rejected
from fieldmesh.basics.problems import problem_of
from fieldmesh.service.translation import translate
from hub.desk.passwords import Passwords
from hub.desk.signin import SignIn
from hub.web.guards import same_origin
from hub.web.pages.edits import said
from hub.web.sessions import drop_cookie, set_cookie
from hub.web.shell import Shell, see_other, set_theme
from hub.web.visitor import caller_of, language_of, maybe_signed_in, maybe_visitor


class SignInPages:
    """The door."""

    def __init__(
        self,
        sign_in: SignIn,
        passwords: Passwords,
        shell: Shell,
        doors: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Who comes in is decided by ``sign_in``; ``doors`` are shown beside the form."""
        self._doors = doors
        self._sign_in = sign_in
        self._passwords = passwords
        self._shell = shell

    def routes(self) -> list[web.AbstractRouteDef]:
        """Where the pages are."""
        return [
            web.get("/sign-in", self.show),
            web.post("/sign-in", self.sign_in),
            web.post("/sign-out", self.sign_out),
            web.get("/password", self.show_password),
            web.post("/password", self.choose_password),
            web.get("/password/forgotten", self.show_forgotten),
            web.post("/password/forgotten", self.forgotten),
            web.post("/theme", self.theme),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """The form; who is signed in goes on to where they wanted to go, or to the step that is left."""
        if maybe_visitor(request) is not None:
            return see_other(next_of(request))
        if maybe_signed_in(request) is not None:
            return see_other(step_address(next_of(request)))
        return self._form(request)

    async def sign_in(self, request: web.Request) -> web.Response:
        """Name and password become a session."""
        form = await request.post()
        login, password = str(form.get("login", "")), str(form.get("password", ""))
        try:
            _refuse_foreign(request)
            token = await self._sign_in.sign_in(login, password, caller_of(request))
        except FieldmeshError as error:
            return self._form(request, error, login)
        answer = see_other(step_address(next_of(request)))
        set_cookie(answer, token)
        return answer

    async def sign_out(self, request: web.Request) -> web.Response:
        """The session is over."""
        found = maybe_signed_in(request)
        if found is not None:
            await self._sign_in.sign_out(found)
        answer = see_other("/sign-in", translate("You are signed out.", language_of(request)))
        drop_cookie(answer)
        return answer

    async def show_password(self, request: web.Request) -> web.Response:
        """The form for a new password with a code."""
        return self._password_form(request, request.query.get("code", "")[:80])

    async def choose_password(self, request: web.Request) -> web.Response:
        """Who has the code has the new password, and signs in with it."""
        form = await request.post()
        code, new = str(form.get("code", "")), str(form.get("new", ""))
        try:
            _refuse_foreign(request)
            _refuse_different(new, str(form.get("again", "")))
            await self._passwords.use_code(code, new, caller_of(request))
        except FieldmeshError as error:
            return self._password_form(request, code, error)
        text = translate("Your new password holds. Sign in with it.", language_of(request))
        return see_other("/sign-in", text)

    async def show_forgotten(self, request: web.Request) -> web.Response:
        """The form to ask for a code, or whom to ask."""
        return self._forgotten_form(request)

    async def forgotten(self, request: web.Request) -> web.Response:
        """A code is on its way, if the name is known; the answer does not tell."""
        form, language = await request.post(), language_of(request)
        try:
            _refuse_foreign(request)
            await self._passwords.ask(str(form.get("login", "")), caller_of(request), language)
        except FieldmeshError as error:
            return self._forgotten_form(request, error)
        text = translate(
            "If the name and its mail address are known, a mail is on its way.", language
        )
        return see_other("/sign-in", text)

    async def theme(self, request: web.Request) -> web.Response:
        """Light, dark, or as the system."""
        form = await request.post()
        came_from = urlsplit(request.headers.get("Referer", "/"))
        answer = see_other(_of_this_site(came_from._replace(scheme="", netloc="").geturl()))
        set_theme(answer, str(form.get("theme", "")))
        return answer

    def _form(
        self, request: web.Request, error: FieldmeshError | None = None, login: str = ""
    ) -> web.Response:
        language = language_of(request)
        return self._shell.page(
            request, "sign_in.html", title=translate("Sign in", language), login=login,
            problem=_said(error, language), status=_status(error), next=next_of(request), doors=self._doors,
        )  # fmt: skip

    def _password_form(
        self, request: web.Request, code: str, error: FieldmeshError | None = None
    ) -> web.Response:
        language = language_of(request)
        return self._shell.page(
            request, "password.html", title=translate("Choose a new password", language), code=code,
            problem=_said(error, language), status=_status(error),
        )  # fmt: skip

    def _forgotten_form(
        self, request: web.Request, error: FieldmeshError | None = None
    ) -> web.Response:
        language = language_of(request)
        return self._shell.page(
            request, "password_forgotten.html", title=translate("Forgotten password", language),
            sends_mail=self._passwords.sends_mail, problem=_said(error, language), status=_status(error),
        )  # fmt: skip


def next_of(request: web.Request) -> str:
    """Where the person wanted to go: a page of this site, and nothing else."""
    return _of_this_site(request.query.get("next", "/"))


def _of_this_site(wanted: str) -> str:
    """The address, if it is one of this site; else the first page."""
    parts = urlsplit(wanted)
    local = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if local and not parts.scheme and not parts.netloc else "/"


def step_address(then: str) -> str:
    """The page of what is left of the sign-in; it goes on to ``then`` by itself when nothing is."""
    return f"/sign-in/step?next={quote(then, safe='/')}"


def _refuse_foreign(request: web.Request) -> None:
    """Signing in is no form of a session yet, but it must come from this site all the same.

    Raises:
        Rejected: `form_not_ours`.
    """
    if not same_origin(request):
        raise Rejected("form_not_ours", place=request.path)


def _refuse_different(new: str, again: str) -> None:
    if new != again:
        raise Rejected("password_differs", place="again")


def _said(error: FieldmeshError | None, language: str) -> str:
    return said(error, language) if error is not None else ""


def _status(error: FieldmeshError | None) -> int:
    return problem_of(error).http_status if error is not None else 200
