"""The other doors: Windows sign-in with a ticket, and single sign-on through a provider."""

import base64
import binascii

from aiohttp import web

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.extras import extra_for
from fieldmesh.service.translation import N_, translate
from hub.desk.admission import SINGLE_SIGN_ON, Source, admit
from hub.desk.directory import DirectoryPeople
from hub.desk.signin import Recognised, SignIn, Way
from hub.fleet.office import Office
from hub.trust.kerberos import Acceptor
from hub.trust.vault import Vault
from hub.web.pages.signin import next_of, step_address
from hub.web.sessions import set_cookie
from hub.web.shell import Shell, see_other
from hub.web.visitor import caller_of, language_of

_COOKIE = "__Host-fieldmesh-openid"
_ABOUT = b"openid"
KERBEROS, OPENID = "/sign-in/kerberos", "/sign-in/openid"
ENDED = f"{OPENID}/ended"


class OtherDoors:
    """The doors that the hub's settings open."""

    def __init__(
        self, office: Office, sign_in: SignIn, directory: DirectoryPeople, shell: Shell
    ) -> None:
        """What is not set up is not served.

        Raises:
            Rejected: `settings_invalid`.
        """
        settings = office.settings
        self._office = office
        self._sign_in = sign_in
        self._directory = directory
        self._shell = shell
        kerberos, openid = settings.kerberos, settings.openid
        self._acceptor = Acceptor(kerberos.keytab, kerberos.realm) if kerberos.keytab else None
        self._provider = None
        if openid.issuer:
            with extra_for("openid", "directory"):
                from hub.trust.openid import Provider  # noqa: PLC0415 - of the extra

            self._provider = Provider(openid, office.clock)
        self._vault = Vault.load_or_create(office.home.trust)
        self._source = Source(SINGLE_SIGN_ON, openid.posts)

    @property
    def doors(self) -> list[tuple[str, str]]:
        """Address and English msgid, or name, of each door that is open."""
        found = [(KERBEROS, N_("Windows sign-in"))] if self._acceptor is not None else []
        if self._provider is not None:
            found.append((OPENID, self._office.settings.openid.name))
        return found

    def routes(self) -> list[web.AbstractRouteDef]:
        """Where the open doors are."""
        found: list[web.AbstractRouteDef] = []
        if self._acceptor is not None:
            found.append(web.get(KERBEROS, self.with_ticket))
        if self._provider is not None:
            found += [
                web.get(OPENID, self.to_provider),
                web.get(f"{OPENID}/return", self.back),
                web.post(ENDED, self.ended),
            ]
        return found

    async def with_ticket(self, request: web.Request) -> web.Response:
        """A browser of the company's network is in; another one is told to use the other ways.

        Raises:
            Rejected: `ticket_refused`, `sign_in_refused`, `account_of_another_kind`, `no_post`.
            Retry: `directory_away`.
        """
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        acceptor = self._acceptor
        if acceptor is None or scheme.lower() != "negotiate":
            return self._asks_for_ticket(request)
        replies: list[bytes] = []

        async def holder() -> Recognised:
            accepted = await acceptor.accept(_token(text))
            replies.append(accepted.reply)
            return Recognised(await self._directory.with_ticket(accepted.name))

        session = await self._sign_in.recognised(caller_of(request), Way.KERBEROS, holder)
        answer = _in(session, step_address(next_of(request)))
        if replies[0]:
            proof = base64.b64encode(replies[0]).decode()
            answer.headers["WWW-Authenticate"] = f"Negotiate {proof}"
        return answer

    async def to_provider(self, request: web.Request) -> web.Response:
        """The browser goes to the provider; what is kept meanwhile stands sealed in a cookie.

        Raises:
            Retry: `provider_away`.
        """
        if self._provider is None:
            raise Rejected("not_found", place=request.path, text=N_("there is no such page"))
        base = self._office.settings.workplace.address or f"https://{request.host}"
        address, begun = await self._provider.begin(
            f"{base.rstrip('/')}{OPENID}/return", next_of(request)
        )
        answer = see_other(address)
        answer.set_cookie(
            _COOKIE, self._vault.seal(begun.as_bytes(), _ABOUT), path="/", max_age=self._provider.MINUTES * 60,
            secure=True, httponly=True, samesite="Lax",
        )  # fmt: skip
        return answer

    async def back(self, request: web.Request) -> web.Response:
        """Whom the provider has recognised is in.

        Raises:
            Rejected: `provider_refused`, `sign_in_refused`, `account_of_another_kind`, `no_post`.
            Retry: `provider_away`.
        """
        provider = self._provider
        if provider is None or _COOKIE not in request.cookies:
            raise Rejected("provider_refused", place="openid", text="cookie")
        begun = provider.begun(self._vault.open(request.cookies[_COOKIE], _ABOUT))

        async def recognised() -> Recognised:
            identity = await provider.finish(begun, request.query)
            user = await admit(self._office, self._source, identity)
            return Recognised(user, identity.there)

        session = await self._sign_in.recognised(caller_of(request), Way.OPENID, recognised)
        answer = _in(session, step_address(begun.then))
        answer.del_cookie(_COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
        return answer

    async def ended(self, request: web.Request) -> web.Response:
        """The provider has ended somebody's session: what came from it here is over.

        Source: OpenID Connect Back-Channel Logout 1.0.

        Raises:
            Rejected: `provider_refused`, the provider has not said so.
            Retry: `provider_away`.
        """
        if self._provider is None:
            raise Rejected("not_found", place=request.path, text=N_("there is no such page"))
        token = (await request.post()).get("logout_token", "")
        there, at = await self._provider.ended(str(token))
        await self._sign_in.ended_there(there, at)
        return web.Response()

    def _asks_for_ticket(self, request: web.Request) -> web.Response:
        language = language_of(request)
        answer = self._shell.page(
            request, "no_ticket.html", title=translate("Windows sign-in", language), status=401
        )
        answer.headers["WWW-Authenticate"] = "Negotiate"
        return answer


def _token(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        raise Rejected("ticket_refused", place="Authorization") from None


def _in(session: str, then: str) -> web.Response:
    answer = see_other(then)
    set_cookie(answer, session)
    return answer
