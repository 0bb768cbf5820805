"""All views by name, and the view in which a link to a table leads."""

from types import MappingProxyType

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import _
from hub.desk.view import View
from hub.desk.views import (
    catalogue,
    documents,
    equipment,
    fieldwork,
    network,
    organisation,
    partners,
)

VIEWS: MappingProxyType[str, View] = MappingProxyType(
    {
        view.name: view
        for area in (organisation, partners, equipment, catalogue, fieldwork, documents, network)
        for view in area.VIEWS
    }
)
"""Every view, in the order in which navigation shows them within an area."""
_BY_TABLE = {view.table: view for view in VIEWS.values()}


def view_named(name: str) -> View:
    """The view of that name.

    Raises:
        Rejected: `not_found`.
    """
    if name not in VIEWS:
        raise Rejected(
            "not_found", place="address", text=_("there is no list {name}").format(name=name[:80])
        )
    return VIEWS[name]


def view_of_table(table: str) -> View | None:
    """Where records of the table are shown; None when nobody sees them."""
    return _BY_TABLE.get(table)
