"""The first page: the first screen that the person has."""

from aiohttp import web

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import translate
from hub.web.navigation import navigation
from hub.web.shell import see_other
from hub.web.visitor import language_of, visitor_of


class HomePages:
    """The way in."""

    def routes(self) -> list[web.AbstractRouteDef]:
        """Where it is."""
        return [web.get("/", self.home)]

    async def home(self, request: web.Request) -> web.Response:
        """On to the first screen of the person's first area.

        Raises:
            Rejected: `function_missing`, the person's workplace shows nothing here.
        """
        sections = navigation(visitor_of(request).access)
        if not sections:
            nothing = translate("anything at head office", language_of(request))
            raise Rejected("function_missing", place="/", function=nothing)
        return see_other(sections[0].address)
