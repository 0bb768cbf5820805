"""All pages and services of the workplace, put together."""

from typing import Any

from aiohttp import web

from hub.desk.signin import SignIn
from hub.fleet.office import Office
from hub.web import files
from hub.web.api.resources import Resources
from hub.web.guards import answers_in_words, forms_come_from_here
from hub.web.pages.edits import EditPages
from hub.web.pages.home import HomePages
from hub.web.pages.lists import ListPages
from hub.web.pages.signin import SignInPages
from hub.web.sessions import knows_visitor
from hub.web.shell import Shell


class Workplace:
    """What people open in a browser, and what programs ask."""

    def __init__(self, office: Office) -> None:
        """Everything reads and writes the office's database."""
        self._office = office
        self._shell = Shell(office.settings.company)
        self._sign_in = SignIn(office.database, office.maker, office.settings.workplace)
        self._parts = (
            HomePages(),
            SignInPages(self._sign_in, self._shell),
            Resources(office),
            EditPages(office, self._shell),
            ListPages(office.database, self._shell),
        )

    def middlewares(self) -> list[Any]:
        """What holds for every request, the outermost first."""
        return [
            answers_in_words(self._shell),
            knows_visitor(self._office, self._sign_in),
            forms_come_from_here,
        ]

    def routes(self) -> list[web.AbstractRouteDef]:
        """Everything that is served."""
        return [*files.routes(), *(route for part in self._parts for route in part.routes())]
