"""What is left of a sign-in: the second factor, a new password, or setting up a second factor."""

from collections.abc import Mapping

import segno
from aiohttp import web

from fieldmesh.basics.errors import FieldmeshError, Rejected
from fieldmesh.basics.problems import problem_of
from fieldmesh.service.translation import translate
from hub.desk.passwords import Passwords
from hub.desk.second_factor import Offer, SecondFactor
from hub.desk.signin import SignedIn, Step
from hub.web.pages.edits import said
from hub.web.pages.signin import next_of, step_address
from hub.web.shell import Shell, see_other
from hub.web.visitor import language_of, signed_in_of

_TEMPLATES = {
    Step.FACTOR: "step_factor.html",
    Step.PASSWORD: "step_password.html",
    Step.ENROL: "step_enrol.html",
}


class StepPages:
    """One page, which shows the step that is next."""

    def __init__(self, factor: SecondFactor, passwords: Passwords, shell: Shell) -> None:
        """Steps are taken with these."""
        self._factor = factor
        self._passwords = passwords
        self._shell = shell

    def routes(self) -> list[web.AbstractRouteDef]:
        """Where the page is."""
        return [web.get("/sign-in/step", self.show), web.post("/sign-in/step", self.take)]

    async def show(self, request: web.Request) -> web.Response:
        """The step that is next; without one, on to where the person wanted to go."""
        found = signed_in_of(request)
        if found.step is None:
            return see_other(next_of(request))
        return self._form(request, found, found.step)

    async def take(self, request: web.Request) -> web.Response:
        """The step is taken."""
        found = signed_in_of(request)
        if found.step is None:
            return see_other(next_of(request))
        form = await request.post()
        try:
            codes = await self._take(found, found.step, form)
        except FieldmeshError as error:
            return self._form(request, found, found.step, error, text(form, "sealed"))
        if codes:
            return self._shell.page(
                request, "recovery_codes.html", title=translate("Recovery codes", language_of(request)),
                codes=codes, back=step_address(next_of(request)),
            )  # fmt: skip
        return see_other(step_address(next_of(request)))

    async def _take(self, found: SignedIn, step: Step, form: Mapping[str, object]) -> list[str]:
        match step:
            case Step.FACTOR:
                await self._factor.check(found, text(form, "code"))
                return []
            case Step.PASSWORD:
                if text(form, "new") != text(form, "again"):
                    raise Rejected("password_differs", place="again")
                await self._passwords.change(found, text(form, "old"), text(form, "new"))
                return []
            case Step.ENROL:
                return await self._factor.enrol(found, text(form, "sealed"), text(form, "code"))

    def _form(
        self,
        request: web.Request,
        found: SignedIn,
        step: Step,
        error: FieldmeshError | None = None,
        sealed: str = "",
    ) -> web.Response:
        language = language_of(request)
        offer = None
        if step is Step.ENROL:
            known = sealed and error is not None and error.code == "factor_refused"
            access = found.access
            offer = self._factor.offered(access, sealed) if known else self._factor.offer(access)
        return self._shell.page(
            request, _TEMPLATES[step], title=translate("Sign in", language), next=next_of(request),
            problem=said(error, language) if error is not None else "",
            status=problem_of(error).http_status if error is not None else 200,
            offer=offer, picture=picture(offer),
        )  # fmt: skip


def picture(offer: Offer | None) -> str:
    """The offer as a picture for an app's camera."""
    return segno.make(offer.address).svg_data_uri(scale=5, border=2) if offer is not None else ""


def text(form: Mapping[str, object], name: str) -> str:
    """A text of a form; empty when it was not sent."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
