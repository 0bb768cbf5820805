"""A kind of record, said once: its list, its record, its API resource, its search and its export come from here."""

from dataclasses import dataclass, field
from enum import StrEnum

from fieldmesh.data.model import ReplicatedColumn, ReplicatedTable
from fieldmesh.data.schema import TABLES
from fieldmesh.data.wire_types import WireType


class Area(StrEnum):
    """Parts of the workplace, in the order of the navigation."""

    TODAY = "today"
    NETWORK = "network"
    ORGANISATION = "organisation"
    OUTLETS = "outlets"
    PRODUCTS = "products"
    ROUTES = "routes"
    DOCUMENTS = "documents"
    JOURNAL = "journal"
    ANALYSIS = "analysis"
    ADMINISTRATION = "administration"


@dataclass(frozen=True, slots=True)
class Filter:
    """Something that a list can be narrowed by.

    Attributes:
        path: column, or a path through links.
        values: what may be chosen, and written by hand; empty = what the column's state machine or the linked view
            offers.
    """

    path: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Child:
    """Records of another view that belong to one of this: those whose ``column`` names it."""

    view: str
    column: str


@dataclass(frozen=True, slots=True)
class View:
    """One kind of record.

    Attributes:
        name: in addresses, plural: ``outlets``.
        table: whose rows.
        area: where it stands in the navigation.
        title: of the list, English msgid.
        function: who may see it.
        columns: of the list: columns or paths through links; the first one leads to the record.
        change: function of those who may change it; empty = nobody changes it by hand.
        editable: columns that a form offers.
        creatable: columns that the form of a new record offers; empty = none is made by hand.
        filters: what the list can be narrowed by.
        order: own columns; a leading minus descends. Ids grow with the time at which rows were made: the newest
            first costs no sorting.
        label: paths that make up what a record is called.
        children: what belongs to a record.
        audited: whether seeing and exporting the list is noted in the journal.
        hint: what to do when the list is empty, English msgid.
        in_menu: whether the navigation names it; lines of documents are reached through these.
    """

    name: str
    table: str
    area: Area
    title: str
    function: str
    columns: tuple[str, ...]
    change: str = ""
    editable: tuple[str, ...] = ()
    creatable: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    order: tuple[str, ...] = ("-id",)
    label: tuple[str, ...] = ("code", "name")
    children: tuple[Child, ...] = ()
    audited: bool = False
    hint: str = ""
    in_menu: bool = True
    _table: ReplicatedTable = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """The table is known."""
        object.__setattr__(self, "_table", TABLES[self.table])

    @property
    def schema(self) -> ReplicatedTable:
        """The table itself."""
        return self._table

    @property
    def ordering(self) -> tuple[tuple[str, bool], ...]:
        """(column, descends) of the order."""
        return tuple((one.removeprefix("-"), one.startswith("-")) for one in self.order)

    def column(self, path: str) -> ReplicatedColumn:
        """The column at the end of a path.

        Raises:
            KeyError: there is none.
        """
        table = self._table
        *links, last = path.split(".")
        for link in links:
            table = TABLES[table.column(link).references or ""]
        return table.column(last)

    def values_of(self, name: str) -> tuple[str, ...]:
        """What may stand in a coded column: what its filter offers; empty = any text."""
        return next((one.values for one in self.filters if one.path == name), ())

    def is_link(self, path: str) -> bool:
        """Whether the path ends in the id of another row."""
        return self.column(path).kind.wire is WireType.IDENTIFIER
