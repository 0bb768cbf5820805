"""My password, my second factor, my tokens for programs."""

from collections import defaultdict
from typing import Any

from aiohttp import web

from fieldmesh.basics.errors import FieldmeshError, Rejected
from fieldmesh.basics.problems import problem_of
from fieldmesh.service.translation import N_, translate
from hub.desk import tokens
from hub.desk.asking import id_text, plain_number
from hub.desk.passwords import Passwords
from hub.desk.second_factor import SecondFactor
from hub.desk.tokens import MAKE
from hub.fleet.office import Office
from hub.rules.access import Access
from hub.rules.functions import FUNCTIONS
from hub.web.pages.edits import said
from hub.web.pages.labels import row_id_of
from hub.web.pages.steps import picture, text
from hub.web.shell import Shell, see_other
from hub.web.visitor import language_of, showing_for, signed_in_of, visitor_of


class SecurityPages:
    """How a person, and their programs, get in."""

    def __init__(
        self, office: Office, factor: SecondFactor, passwords: Passwords, shell: Shell
    ) -> None:
        """Changes are made with these."""
        self._office = office
        self._factor = factor
        self._passwords = passwords
        self._shell = shell

    def routes(self) -> list[web.AbstractRouteDef]:
        """Where the pages are."""
        return [
            web.get("/account/password", self.show_password),
            web.post("/account/password", self.change_password),
            web.get("/account/second-factor", self.show_factor),
            web.post("/account/second-factor", self.enrol),
            web.post("/account/second-factor/remove", self.remove_factor),
            web.get("/account/tokens", self.show_tokens),
            web.post("/account/tokens", self.make_token),
            web.post("/account/tokens/drop", self.drop_token),
        ]

    async def show_password(self, request: web.Request) -> web.Response:
        """The form for another password."""
        visitor_of(request)
        return self._page(request, "account_password.html", N_("Change the password"))

    async def change_password(self, request: web.Request) -> web.Response:
        """The person has the new password; their other sessions have ended."""
        visitor_of(request)
        form = await request.post()
        try:
            if text(form, "new") != text(form, "again"):
                raise Rejected("password_differs", place="again")
            old, new = text(form, "old"), text(form, "new")
            ended = await self._passwords.change(signed_in_of(request), old, new)
        except FieldmeshError as error:
            return self._page(request, "account_password.html", N_("Change the password"), error)
        done = translate(
            "The new password holds. Other sessions that have ended: {count}.", language_of(request)
        )
        return see_other("/account", done.format(count=ended))

    async def show_factor(self, request: web.Request) -> web.Response:
        """A new secret as picture and text, or the one that stands."""
        return await self._factor_page(request)

    async def enrol(self, request: web.Request) -> web.Response:
        """The app's secret is the second factor; recovery codes are shown once."""
        visitor_of(request)
        form = await request.post()
        sealed = text(form, "sealed")
        try:
            codes = await self._factor.enrol(signed_in_of(request), sealed, text(form, "code"))
        except FieldmeshError as error:
            return await self._factor_page(request, error, sealed)
        return self._page(
            request, "recovery_codes.html", N_("Recovery codes"), codes=codes, back="/account"
        )

    async def remove_factor(self, request: web.Request) -> web.Response:
        """There is no second factor any more."""
        visitor_of(request)
        try:
            await self._factor.drop(signed_in_of(request), text(await request.post(), "code"))
        except FieldmeshError as error:
            return await self._factor_page(request, error)
        done = translate("The second factor is removed.", language_of(request))
        return see_other("/account", done)

    async def show_tokens(self, request: web.Request) -> web.Response:
        """The person's tokens, and the form for another one."""
        return await self._token_page(request)

    async def make_token(self, request: web.Request) -> web.Response:
        """A new token, which is shown once."""
        form = await request.post()
        try:
            secret = await tokens.make_token(
                self._office, visitor_of(request).access, name=text(form, "name"),
                functions=[one for one in form.getall("function", []) if isinstance(one, str)],
                days=plain_number(text(form, "days")) or 0,
            )  # fmt: skip
        except FieldmeshError as error:
            return await self._token_page(request, error)
        return await self._token_page(request, secret=secret)

    async def drop_token(self, request: web.Request) -> web.Response:
        """The token holds no longer."""
        token_id = row_id_of(text(await request.post(), "token"))
        await tokens.drop_token(self._office, visitor_of(request).access, token_id)
        done = translate("The token holds no longer.", language_of(request))
        return see_other("/account/tokens", done)

    async def _factor_page(
        self, request: web.Request, error: FieldmeshError | None = None, sealed: str = ""
    ) -> web.Response:
        access = visitor_of(request).access
        standing = await self._factor.standing(access)
        offer = None
        if standing.since is None:
            known = sealed and error is not None and error.code == "factor_refused"
            offer = self._factor.offered(access, sealed) if known else self._factor.offer(access)
        since = showing_for(request).ago(standing.since, self._office.clock.now())
        return self._page(
            request, "account_factor.html", N_("Second factor"), error,
            offer=offer, picture=picture(offer), since=since, codes_left=standing.codes_left,
        )  # fmt: skip

    async def _token_page(
        self, request: web.Request, error: FieldmeshError | None = None, secret: str = ""
    ) -> web.Response:
        access, showing = visitor_of(request).access, showing_for(request)
        access.need(MAKE)
        now = self._office.clock.now()
        rows = [
            {
                "id": id_text(one.token_id), "name": one.name, "until": showing.time(one.expires_at),
                "ended": one.expires_at <= now, "used": showing.ago(one.used_at, now),
                "functions": sorted(one.functions),
            }
            for one in await tokens.tokens(self._office, access)
        ]  # fmt: skip
        return self._page(
            request, "account_tokens.html", N_("Tokens for programs"), error,
            rows=rows, secret=secret, groups=_groups(access, language_of(request)), most_days=tokens.MOST_DAYS,
        )  # fmt: skip

    def _page(
        self,
        request: web.Request,
        template: str,
        title: str,
        error: FieldmeshError | None = None,
        **values: Any,
    ) -> web.Response:
        language = language_of(request)
        return self._shell.page(
            request, template, title=translate(title, language),
            problem=said(error, language) if error is not None else "",
            status=problem_of(error).http_status if error is not None else 200, **values,
        )  # fmt: skip


def _groups(access: Access, language: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a token may be given: the person's functions, by what they are about."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for one in FUNCTIONS.values():
        if not one.mobile and access.may(one.code):
            found[one.code.partition(".")[0]].append((one.code, translate(one.title, language)))
    return list(found.items())
