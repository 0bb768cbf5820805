"""Which tables can be loaded from CSV files, and by what their rows are known.

Columns of a file are the columns of the table; where a column holds the id of another row, the
file has a column
without ``_id`` that holds that row's code. A row that is known is changed; one that is not is made.
"""

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from fieldmesh.basics.errors import Rejected
from fieldmesh.data.model import ReplicatedColumn, ReplicatedTable
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import WireType
from fieldmesh.service.translation import _

KEYS: dict[str, tuple[str, ...]] = {
    "org_unit": ("code",),
    "role": ("code",),
    "permission": ("role_id", "function_code"),
    "territory": ("code",),
    "position": ("code",),
    "app_user": ("login",),
    "assignment": ("position_id", "user_id", "valid_from"),
    "workplace": ("code",),
    "workplace_function": ("workplace_id", "function_code"),
    "legal_party": ("code",),
    "distributor": ("code",),
    "outlet": ("code",),
    "outlet_assignment": ("outlet_id", "position_id", "valid_from"),
    "outlet_licence": ("outlet_id", "type", "number"),
    "contact": ("outlet_id", "name"),
    "contract": ("code",),
    "debt_limit": ("contract_id",),
    "debt_doc": ("outlet_id", "number", "distributor_id"),
    "outlet_discount": ("outlet_id", "contract_id", "product_group_id", "valid_from"),
    "container_balance": ("outlet_id", "product_id"),
    "product_group": ("code",),
    "product": ("code",),
    "product_unit": ("product_id", "unit_code"),
    "product_barcode": ("product_unit_id", "gtin"),
    "product_xref": ("distributor_id", "local_code"),
    "price_list": ("code",),
    "price": ("price_list_id", "product_unit_id", "valid_from"),
    "assortment": ("code", "product_id"),
    "promotion": ("code",),
    "warehouse": ("code",),
    "stock": ("warehouse_id", "product_id", "lot"),
    "route": ("position_id", "code"),
    "route_outlet": ("route_id", "outlet_id"),
    "visit_plan": ("position_id", "date", "outlet_id"),
    "plan": ("position_id", "outlet_id", "period", "kpi", "product_dimension", "version"),
    "survey_template": ("code",),
    "equipment_model": ("code",),
    "equipment": ("inventory_number",),
}
"""Table → the columns that tell its rows apart."""
_MAY_LACK = {"debt_doc": "distributor", "plan": "version"}
"""Table → the heading of its key that a file may leave out: the others then have to name one row."""

SHAPES_SCOPE = frozenset(
    {
        "org_unit",
        "territory",
        "position",
        "assignment",
        "distributor",
        "legal_party",
        "outlet",
        "outlet_assignment",
        "contract",
        "price_list",
        "warehouse",
    }
)
"""Tables whose rows decide what positions may see: scopes are refreshed after them."""
SHAPES_SIGN_IN = frozenset({"app_user", "assignment"})
"""Tables that decide who may sign in where."""
_HIDDEN = frozenset({"patch_id", "verifier", "stands_in_for"})
SEPARATOR = "/"
"""Between the parts of a code that is made of several: product/unit."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column that a file may have.

    Attributes:
        heading: as in the file.
        column: of the table.
        table: whose code the cell holds; None = the cell holds the value itself.
    """

    heading: str
    column: ReplicatedColumn
    table: str | None


@dataclass(frozen=True, slots=True)
class Kind:
    """A table as a file.

    Attributes:
        table: the table.
        fields: heading → field.
        key: headings that tell rows apart.
        may_lack: the one of them that a file may leave out; empty = none.
    """

    table: ReplicatedTable
    fields: dict[str, Field]
    key: tuple[str, ...]
    may_lack: str

    @property
    def name(self) -> str:
        """Name of the kind: that of the table."""
        return self.table.name

    @property
    def needed(self) -> tuple[str, ...]:
        """Headings that every file has: the key, and what may be neither empty nor left out."""
        must = [
            field.heading
            for field in self.fields.values()
            if not field.column.nullable and field.column.default is None
        ]
        keys = [
            heading
            for heading in self.key
            if heading != self.may_lack and not self.fields[heading].column.nullable
        ]
        return tuple(dict.fromkeys((*keys, *must)))

    def key_among(self, headings: Collection[str]) -> tuple[str, ...]:
        """The headings that tell rows apart in a file that has these."""
        return tuple(one for one in self.key if one in headings or one != self.may_lack)

    @property
    def refers_to_itself(self) -> bool:
        """Whether a row may name another row of the same file."""
        return any(field.table == self.name for field in self.fields.values())


def kind_named(name: str, *, place: str = "kind") -> Kind:
    """The kind of that name; ``place`` says where the name stood.

    Raises:
        Rejected: `not_found`, with the names that there are.
    """
    if name not in KEYS:
        text = _("there is no kind {name}; kinds are {known}.").format(
            name=name[:80], known=", ".join(sorted(KEYS))
        )
        raise Rejected("not_found", place=place, text=f"{text}{did_you_mean(name, KEYS)}")
    return _kind(TABLES[name], KEYS[name])


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence with the known name that looks most like this one, or nothing."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return " " + _("Did you mean {name}?").format(name=near[0]) if near else ""


def all_kinds() -> list[Kind]:
    """Every kind, in an order in which files can be loaded."""
    return [kind_named(name) for name in TABLES if name in KEYS]


def _kind(table: ReplicatedTable, key: tuple[str, ...]) -> Kind:
    fields = {}
    for column in table.columns:
        if column.name in _HIDDEN or column.kind.wire is WireType.BINARY:
            continue
        if column.kind.wire is WireType.IDENTIFIER:
            if column.references is None or not is_known_by_code(column.references):
                continue
            heading = column.name.removesuffix("_id")
            fields[heading] = Field(heading, column, column.references)
        else:
            fields[column.name] = Field(column.name, column, None)
    headings = tuple(name.removesuffix("_id") for name in key)
    return Kind(table, fields, headings, _MAY_LACK.get(table.name, ""))


def is_known_by_code(table: str) -> bool:
    """Whether a cell can name a row of the table: by code, login, number or product/unit."""
    return table in {"product_unit", "route", "app_user", "equipment"} or KEYS.get(table) == (
        "code",
    )
