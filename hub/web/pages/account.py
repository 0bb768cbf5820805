"""My account: who I am here, my language, my sessions."""

from aiohttp import web

from fieldmesh.service.translation import translate
from hub.desk import account
from hub.desk.asking import id_text
from hub.desk.second_factor import SecondFactor
from hub.desk.signin import SignIn
from hub.desk.tokens import MAKE
from hub.fleet.office import Office
from hub.web.pages.labels import row_id_of
from hub.web.pages.steps import text
from hub.web.shell import Shell, see_other
from hub.web.visitor import language_of, showing_for, signed_in_of, visitor_of

LANGUAGE_NAMES = (("", ""), ("en", "English"), ("bg", "Български"))


class AccountPages:
    """What a person sees and settles of their own."""

    def __init__(self, office: Office, sign_in: SignIn, factor: SecondFactor, shell: Shell) -> None:
        """Sessions stand in the office's database."""
        self._office = office
        self._sign_in = sign_in
        self._factor = factor
        self._shell = shell

    def routes(self) -> list[web.AbstractRouteDef]:
        """Where the pages are."""
        return [
            web.get("/account", self.show),
            web.post("/account/language", self.language),
            web.post("/account/sessions/end", self.end_session),
            web.post("/account/sessions/end-others", self.end_others),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Name, posts, language, second factor, sessions."""
        access, language = visitor_of(request).access, language_of(request)
        held = await account.posts(self._office, access)
        standing = await self._factor.standing(access)
        showing, now = showing_for(request), self._office.clock.now()
        return self._shell.page(
            request, "account.html", title=translate("My account", language), login=access.login,
            posts=held, standing=standing, sessions=await self._sessions(request),
            since=showing.ago(standing.since, now), zone=access.time_zone,
            languages=[(code, name or translate("As the browser says", language)) for code, name in LANGUAGE_NAMES],
            chosen=visitor_of(request).language, may_make_tokens=access.may(MAKE),
        )  # fmt: skip

    async def language(self, request: web.Request) -> web.Response:
        """The workplace speaks the chosen language."""
        visitor_of(request)
        chosen = text(await request.post(), "language")
        await account.choose_language(self._office, signed_in_of(request), chosen)
        said = translate("The language is chosen.", chosen or language_of(request))
        return see_other("/account", said)

    async def end_session(self, request: web.Request) -> web.Response:
        """One of the person's sessions is over."""
        visitor_of(request)
        session_id = row_id_of(text(await request.post(), "session"))
        await account.end_session(self._office, signed_in_of(request), session_id)
        return see_other("/account", translate("The session has ended.", language_of(request)))

    async def end_others(self, request: web.Request) -> web.Response:
        """Only this session is left."""
        visitor_of(request)
        ended = await account.end_other_sessions(self._office, signed_in_of(request))
        said = translate("Other sessions that have ended: {count}.", language_of(request))
        return see_other("/account", said.format(count=ended))

    async def _sessions(self, request: web.Request) -> list[dict[str, object]]:
        showing, now = showing_for(request), self._office.clock.now()
        found = await account.sessions(self._office, self._sign_in, visitor_of(request).access)
        return [
            {
                "id": id_text(one.session_id),
                "this": one.session_id == visitor_of(request).session,
                "began": showing.time(one.created_at),
                "seen": showing.ago(one.seen_at, now),
                "origin": one.origin,
                "agent": one.agent,
            }
            for one in found
        ]
