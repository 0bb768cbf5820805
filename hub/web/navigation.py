"""What the navigation shows to a person: areas, and in each its screens, only those that they have a function for."""

from collections.abc import Sequence
from dataclasses import dataclass

from fieldmesh.service.translation import N_
from hub.desk.view import Area
from hub.desk.views.registry import VIEWS
from hub.rules.access import Access

AREA_TITLES = {
    Area.TODAY: N_("Today"),
    Area.NETWORK: N_("Network"),
    Area.ORGANISATION: N_("Organisation"),
    Area.OUTLETS: N_("Outlets"),
    Area.PRODUCTS: N_("Products"),
    Area.ROUTES: N_("Routes and plans"),
    Area.DOCUMENTS: N_("Documents"),
    Area.JOURNAL: N_("Journal"),
    Area.ANALYSIS: N_("Analysis"),
    Area.ADMINISTRATION: N_("Administration"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A screen in the navigation.

    Attributes:
        area: where it stands.
        title: English msgid.
        address: of the screen.
        function: who may open it; empty = everyone who is signed in.
    """

    area: Area
    title: str
    address: str
    function: str = ""


PLACES: tuple[Place, ...] = (
    Place(Area.TODAY, N_("Board"), "/today", "today.view"),
    Place(Area.TODAY, N_("Map"), "/today/map", "map.view"),
    Place(
        Area.NETWORK,
        N_("Quarantine, gaps, conflicts"),
        "/oversight/quarantine",
        "quarantine.manage",
    ),
    Place(Area.ORGANISATION, N_("Move outlets"), "/move-outlets", "outlet.move"),
    Place(Area.ANALYSIS, N_("Reports"), "/analysis", "report.view"),
    Place(Area.ANALYSIS, N_("Build a report"), "/analysis/build", "report.build"),
    Place(Area.JOURNAL, N_("Journal"), "/journal", "journal.view"),
    Place(Area.ADMINISTRATION, N_("Load a CSV file"), "/import", "data.import"),
    Place(Area.ADMINISTRATION, N_("Settings"), "/settings", "setting.view"),
    Place(Area.JOURNAL, N_("Adherence to the timetable"), "/schedule", "schedule.view"),
)
"""Screens that are no lists of a view; they stand before the lists of their area."""


@dataclass(frozen=True, slots=True)
class Section:
    """An area as one person sees it."""

    area: Area
    title: str
    places: tuple[Place, ...]

    @property
    def address(self) -> str:
        """The first screen of the area."""
        return self.places[0].address


def _areas() -> tuple[tuple[Area, tuple[Place, ...]], ...]:
    """Every area with its screens, in order."""
    lists = [
        Place(view.area, view.title, f"/{view.name}", view.function)
        for view in VIEWS.values()
        if view.in_menu
    ]
    return tuple(
        (area, tuple(one for one in (*PLACES, *lists) if one.area is area)) for area in AREA_TITLES
    )


_AREAS = _areas()


def navigation(access: Access) -> list[Section]:
    """The areas that have something for the person, in order."""
    found = []
    for area, places in _AREAS:
        open_ = tuple(one for one in places if not one.function or access.may(one.function))
        if open_:
            found.append(Section(area, AREA_TITLES[area], open_))
    return found


def current_place(sections: Sequence[Section], path: str) -> str:
    """The address of the screen that a page belongs to: the longest one that begins its path; empty = none."""
    addresses = [place.address for section in sections for place in section.places]
    fitting = [one for one in addresses if path == one or path.startswith(f"{one}/")]
    return max(fitting, key=len, default="")
