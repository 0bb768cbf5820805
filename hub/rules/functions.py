"""What people may do: one table of functions. Workplaces switch them on and off; no row = the default of the role's kind.

Codes are `<thing>.<act>`. Mobile functions (of devices) stand in the same table, so that one page configures both.
"""
# ruff: noqa: E501 - a table is read line by line

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from fieldmesh.service.translation import N_


class RoleKind(StrEnum):
    """Kinds of roles; the first six work in the field as well."""

    REP = "rep"
    MERCHANDISER = "merchandiser"
    TECHNICIAN = "technician"
    SUPERVISOR = "supervisor"
    HEAD = "head"
    DISTRIBUTOR = "distributor"
    ANALYST = "analyst"
    BRANCH_IT = "branch_it"
    OPERATIONS = "operations"
    ADMINISTRATOR = "administrator"


ROLE_NAMES = {
    RoleKind.REP: "Sales representative",
    RoleKind.MERCHANDISER: "Merchandiser",
    RoleKind.TECHNICIAN: "Equipment technician",
    RoleKind.SUPERVISOR: "Supervisor",
    RoleKind.HEAD: "Head of sales",
    RoleKind.DISTRIBUTOR: "Distributor staff",
    RoleKind.ANALYST: "Analyst",
    RoleKind.BRANCH_IT: "Branch IT",
    RoleKind.OPERATIONS: "Operations",
    RoleKind.ADMINISTRATOR: "Administrator",
}
"""What the standard role of each kind is called."""


@dataclass(frozen=True, slots=True)
class Function:
    """Something that a person may do.

    Attributes:
        code: stable name.
        title: English msgid.
        changes: whether it changes something.
        kinds: kinds of roles that have it by default.
        mobile: whether it is a function of devices.
        parameters: name → what it means, of the limits that a workplace may set.
    """

    code: str
    title: str
    changes: bool
    kinds: frozenset[RoleKind]
    mobile: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)


_LETTERS = {
    "r": RoleKind.REP, "m": RoleKind.MERCHANDISER, "t": RoleKind.TECHNICIAN, "s": RoleKind.SUPERVISOR,
    "h": RoleKind.HEAD, "d": RoleKind.DISTRIBUTOR, "a": RoleKind.ANALYST, "b": RoleKind.BRANCH_IT,
    "o": RoleKind.OPERATIONS, "A": RoleKind.ADMINISTRATOR,
}  # fmt: skip
_VIEW, _CHANGE = False, True
_ROWS: tuple[tuple[str, str, bool, str], ...] = (
    ("workplace.use", N_("Sign in at head office's workplace"), _VIEW, "rmtshadboA"),
    # today
    ("today.view", N_("See the board of today"), _VIEW, "shboA"),
    ("map.view", N_("See where people are"), _VIEW, "shA"),
    # network
    ("network.view", N_("See gateways and devices"), _VIEW, "shbodA"),
    ("gateway.manage", N_("Register, revoke and command gateways"), _CHANGE, "boA"),
    ("device.manage", N_("Register, revoke, wipe and replace devices"), _CHANGE, "boA"),
    ("device.spare", N_("Let a spare device stand in for a subordinate's"), _CHANGE, "shboA"),
    ("session.view", N_("See sync sessions"), _VIEW, "shboA"),
    ("reject.view", N_("See what was refused to devices"), _VIEW, "shboA"),
    ("quarantine.manage", N_("Look through quarantine, gaps and conflicts, and decide"), _CHANGE, "boA"),
    ("exchange.view", N_("See exchange with partners"), _VIEW, "dboA"),
    # organisation
    ("organisation.view", N_("See positions, territories and who serves what"), _VIEW, "shabodA"),
    ("organisation.change", N_("Change positions, territories and offices"), _CHANGE, "hA"),
    ("outlet.move", N_("Give outlets to other positions"), _CHANGE, "shA"),
    ("people.view", N_("See people"), _VIEW, "shboA"),
    ("people.change", N_("Add people, change and block them"), _CHANGE, "bA"),
    ("people.assign", N_("Say who fills a position"), _CHANGE, "hbA"),
    ("people.substitute", N_("Let somebody stand in for an absent subordinate"), _CHANGE, "shA"),
    ("rights.view", N_("See roles, workplaces and their functions"), _VIEW, "hboA"),
    ("rights.change", N_("Change roles, workplaces and their functions"), _CHANGE, "A"),
    # outlets
    ("outlet.view", N_("See outlets"), _VIEW, "rmtshadbA"),
    ("outlet.change", N_("Change outlets, legal parties and contracts"), _CHANGE, "hA"),
    ("outlet.moderate", N_("Decide on changes proposed from the field"), _CHANGE, "shA"),
    ("debt.view", N_("See debts and limits"), _VIEW, "rshadA"),
    ("equipment.view", N_("See equipment"), _VIEW, "rmtshadA"),
    ("equipment.change", N_("Change equipment"), _CHANGE, "hA"),
    # products
    ("product.view", N_("See products"), _VIEW, "rmtshadbA"),
    ("product.change", N_("Change products"), _CHANGE, "hA"),
    ("price.view", N_("See prices and promotions"), _VIEW, "rshadA"),
    ("price.change", N_("Change prices and promotions"), _CHANGE, "hA"),
    ("stock.view", N_("See stock"), _VIEW, "rtshadA"),
    ("stock.change", N_("Change warehouses"), _CHANGE, "hA"),
    # routes and plans
    ("route.view", N_("See routes and planned visits"), _VIEW, "rmtshaA"),
    ("route.change", N_("Change routes and plan visits"), _CHANGE, "shA"),
    ("target.view", N_("See targets"), _VIEW, "rmshaA"),
    ("target.change", N_("Set and split targets"), _CHANGE, "shA"),
    ("target.approve", N_("Approve versions of targets"), _CHANGE, "hA"),
    ("task.view", N_("See tasks"), _VIEW, "rmtshA"),
    ("task.change", N_("Give tasks"), _CHANGE, "shA"),
    ("message.view", N_("See messages"), _VIEW, "shA"),
    ("message.change", N_("Write messages to devices"), _CHANGE, "shA"),
    ("schedule.view", N_("See working days and adherence to the timetable"), _VIEW, "shboA"),
    ("survey.view", N_("See surveys and answers"), _VIEW, "mshaA"),
    ("survey.change", N_("Change surveys"), _CHANGE, "hA"),
    # documents
    ("order.view", N_("See orders"), _VIEW, "rshadA"),
    ("order.handle", N_("Confirm, change or refuse transfer orders"), _CHANGE, "dA"),
    ("order.approve", N_("Approve orders that break a limit"), _CHANGE, "shA"),
    ("order.enter", N_("Enter orders by telephone"), _CHANGE, "A"),
    ("shipment.view", N_("See shipments"), _VIEW, "rshadA"),
    ("van_sale.view", N_("See van sales and loads"), _VIEW, "rshaA"),
    ("return.view", N_("See returns"), _VIEW, "rshadA"),
    ("payment.view", N_("See payments and cash handed over"), _VIEW, "rshaA"),
    ("visit.view", N_("See visits"), _VIEW, "rmtshaA"),
    ("photo.view", N_("See photos"), _VIEW, "mtshA"),
    ("service.view", N_("See service requests and works"), _VIEW, "rtshA"),
    ("service.change", N_("Assign and close service requests"), _CHANGE, "shA"),
    # journal, analysis, exports
    ("journal.view", N_("See the journal of all actions"), _VIEW, "oA"),
    ("journal.check", N_("Check the journal's chain"), _VIEW, "oA"),
    ("report.view", N_("Open standard reports"), _VIEW, "shadA"),
    ("report.build", N_("Build own reports"), _CHANGE, "ahA"),
    ("report.share", N_("Share reports within the own scope"), _CHANGE, "ahA"),
    ("report.schedule", N_("Have reports sent by mail"), _CHANGE, "ahA"),
    ("data.export", N_("Export lists and reports"), _VIEW, "shadboA"),
    # administration
    ("data.import", N_("Load CSV files"), _CHANGE, "boA"),
    ("user.manage", N_("Reset passwords and second factors, end sessions"), _CHANGE, "bA"),
    ("token.manage", N_("Make tokens for programs"), _CHANGE, "oA"),
    ("setting.view", N_("See settings"), _VIEW, "boA"),
    ("setting.change", N_("Change settings of the workplace"), _CHANGE, "A"),
    ("backup.manage", N_("Make backups"), _CHANGE, "oA"),
)  # fmt: skip
_MOBILE: tuple[tuple[str, str, str], ...] = (
    ("route", N_("Route of the day"), "rmts"),
    ("visit", N_("Visits"), "rmts"),
    ("order", N_("Orders"), "rs"),
    ("van_sale", N_("Van sales"), "r"),
    ("return", N_("Returns"), "r"),
    ("payment", N_("Payments"), "r"),
    ("debt_view", N_("Debts"), "rs"),
    ("stock_view", N_("Stock"), "rs"),
    ("price_view", N_("Prices"), "rs"),
    ("outlet_edit", N_("Propose changes of outlets"), "rms"),
    ("new_outlet", N_("Propose new outlets"), "rs"),
    ("survey", N_("Surveys"), "rms"),
    ("shelf_audit", N_("Shelf audit"), "rms"),
    ("photo", N_("Photos"), "rmts"),
    ("equipment_view", N_("Equipment"), "rmts"),
    ("equipment_inspection", N_("Inspect equipment"), "rmt"),
    ("equipment_move_request", N_("Ask for moves of equipment"), "rt"),
    ("service_request", N_("Service requests"), "rmt"),
    ("service_work", N_("Service works"), "t"),
    ("tasks", N_("Tasks"), "rmts"),
    ("messages", N_("Messages"), "rmts"),
    ("targets", N_("Targets"), "rms"),
    ("reports", N_("Reports"), "s"),
    ("manual_price", N_("Prices by hand"), ""),
)
_PARAMETERS: dict[str, dict[str, str]] = {
    "workplace.use": {"second_factor": N_("1 = only with a second factor")},
    "route": {
        "day_begins": N_("day begins, 08:30"),
        "day_ends": N_("day ends, 17:00"),
        "tolerance_minutes": N_("minutes that are let pass"),
    },
    "outlet.move": {"most": N_("most outlets at once")},
    "order.approve": {"most_amount": N_("up to this amount")},
    "data.export": {"most_rows": N_("most rows of one export")},
    "manual_price": {"lowest_percent": N_("not below this share of the list price, %")},
    "order": {
        "most_lines": N_("most lines of one order"),
        "discount_percent": N_("discount up to, %"),
    },
}


def _made(code: str, title: str, *, changes: bool, letters: str, mobile: bool) -> Function:
    kinds = frozenset(_LETTERS[letter] for letter in letters)
    parameters = MappingProxyType(_PARAMETERS.get(code, {}))
    return Function(code, title, changes, kinds, mobile, parameters)


FUNCTIONS: MappingProxyType[str, Function] = MappingProxyType(
    {
        **{
            code: _made(code, title, changes=changes, letters=kinds, mobile=False)
            for code, title, changes, kinds in _ROWS
        },
        **{
            code: _made(code, title, changes=True, letters=kinds, mobile=True)
            for code, title, kinds in _MOBILE
        },
    }
)
"""Every function by its code."""


def defaults(kind: str) -> frozenset[str]:
    """Codes of the functions that a kind of role has when nobody has said anything."""
    return frozenset(one.code for one in FUNCTIONS.values() if kind in one.kinds)
