"""All pages and services of the workplace, put together."""

from typing import Any

from aiohttp import web

from fieldmesh.service.mail import Mailer
from hub.analysis.answers import Analyst
from hub.desk.directory import DirectoryPeople
from hub.desk.guard import Guard
from hub.desk.hands import Hands
from hub.desk.passwords import Passwords
from hub.desk.second_factor import SecondFactor
from hub.desk.signin import SignIn
from hub.metrics import RequestFigures
from hub.web import files
from hub.web.api.acts import ActServices
from hub.web.api.reports import ReportServices
from hub.web.api.resources import Resources
from hub.web.guards import (
    answers_in_words,
    forms_can_be_read,
    forms_come_from_here,
    requests_come_in_time,
)
from hub.web.pacing import Paces
from hub.web.pages.account import AccountPages
from hub.web.pages.acts import ActPages
from hub.web.pages.administration import AdministrationPages
from hub.web.pages.analysis import AnalysisPages
from hub.web.pages.edits import EditPages
from hub.web.pages.exports import ExportPages
from hub.web.pages.home import HomePages
from hub.web.pages.journal import JournalPages
from hub.web.pages.lists import ListPages
from hub.web.pages.moves import MovePages
from hub.web.pages.orders import OrderPages
from hub.web.pages.other_doors import OtherDoors
from hub.web.pages.oversight import OversightPages
from hub.web.pages.report_building import ReportBuilding
from hub.web.pages.search import SearchPages
from hub.web.pages.security import SecurityPages
from hub.web.pages.signin import SignInPages
from hub.web.pages.steps import StepPages
from hub.web.pages.timetable import TimetablePages
from hub.web.pages.today import TodayPages
from hub.web.sessions import knows_visitor, proof_of, strangers_keep_pace
from hub.web.shell import Shell
from hub.web.turns import Turns, requests_take_turns


class Workplace:
    """What people open in a browser, and what programs ask."""

    def __init__(self, hands: Hands, analyst: Analyst, figures: RequestFigures) -> None:
        """Everything is read and written in the office's database.

        Args:
            hands: of what people do.
            analyst: answers what reports ask.
            figures: count what is refused.
        """
        office = hands.office
        self._office = office
        self._figures = figures
        self._paces = Paces(office.settings.pace, office.clock, figures)
        self._shell = Shell(office.settings.company)
        self._turns = Turns(office.clock, lambda: office.database.is_writing)
        guard = Guard(office.database, office.clock, office.settings.workplace)
        directory = DirectoryPeople(office)
        self._sign_in = SignIn(office, guard, directory)
        doors = OtherDoors(office, self._sign_in, directory, self._shell)
        factor = SecondFactor(office, guard)
        passwords = Passwords(office, guard, Mailer(office.settings.mail, office.clock))
        self._parts = (
            HomePages(),
            SignInPages(self._sign_in, passwords, self._shell, doors.doors),
            doors,
            StepPages(factor, passwords, self._shell),
            AccountPages(office, self._sign_in, factor, self._shell),
            SecurityPages(office, factor, passwords, self._shell),
            TodayPages(hands, self._shell),
            OversightPages(hands, self._shell),
            MovePages(hands, self._shell),
            OrderPages(hands, self._shell),
            JournalPages(hands, self._shell),
            TimetablePages(hands, self._shell),
            AdministrationPages(hands, self._shell),
            AnalysisPages(office, analyst, self._shell),
            ReportBuilding(office, analyst, self._shell),
            ReportServices(office, analyst),
            ExportPages(office),
            Resources(office),
            ActServices(hands),
            ActPages(hands, self._shell),
            EditPages(office, self._shell),
            ListPages(office, self._shell),
            SearchPages(office, self._shell),
        )

    @property
    def patience_s(self) -> float:
        """How long a request may take to come."""
        return self._office.settings.workplace.request_s

    def middlewares(self) -> list[Any]:
        """What holds for every request, the outermost first."""
        return [
            requests_come_in_time(self.patience_s),
            answers_in_words(self._shell),
            strangers_keep_pace(self._office, self._paces),
            requests_take_turns(
                self._turns, self._figures, lambda one: self._paces.is_known(proof_of(one))
            ),
            knows_visitor(self._office, self._sign_in, self._paces),
            forms_can_be_read,
            forms_come_from_here,
        ]

    def routes(self) -> list[web.AbstractRouteDef]:
        """Everything that is served."""
        return [*files.routes(), *(route for part in self._parts for route in part.routes())]
