"""The organisation that every sample company has: offices, reps under supervisors, their people, rights and routes."""

import datetime
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from fieldmesh.basics.identifiers import stable_id
from fieldmesh.codec.columns import TableRows
from fieldmesh.data.types import Value
from hub.exchange.sample.source import rows_of
from hub.rules.functions import ROLE_NAMES

REPS_A_SUPERVISOR = 8
COMPANY = stable_id("org_unit", "HQ")

_FUNCTIONS = (
    "route",
    "visit",
    "order",
    "payment",
    "debt_view",
    "stock_view",
    "price_view",
    "photo",
)


@dataclass(frozen=True, slots=True)
class Rep:
    """A rep's post."""

    number: int
    office: int

    @property
    def code(self) -> str:
        """Code of the position and login of its person, in upper and lower case."""
        return f"REP{self.number:04d}"

    @property
    def position_id(self) -> bytes:
        """Id of the position."""
        return stable_id("position", self.code)

    @property
    def territory_id(self) -> bytes:
        """Id of its territory."""
        return stable_id("territory", self.code)


def organisation(reps: list[Rep], *, offices: int, verifier: str) -> Iterator[TableRows]:
    """Org units, roles, territories, positions, people and workplaces.

    Args:
        reps: all posts.
        offices: how many there are.
        verifier: argon2id verifier of everybody's password.
    """
    units: list[tuple[Value, ...]] = [(COMPANY, None, "company", "HQ", "Head office")]
    units += [
        (office_id(n), COMPANY, "office", f"OF{n:02d}", f"Office {n}")
        for n in range(1, offices + 1)
    ]
    yield from rows_of("org_unit", ("id", "parent_id", "kind", "code", "name"), units)
    roles: list[tuple[Value, ...]] = [
        (stable_id("role", kind.value), kind.value, name, kind.value)
        for kind, name in ROLE_NAMES.items()
    ]
    yield from rows_of("role", ("id", "code", "name", "kind"), roles)
    yield from _workplaces()
    yield from _territories(reps, offices)
    bosses = _supervisors(reps)
    yield from _positions(reps, bosses)
    yield from _people(reps, bosses, verifier)


def office_id(number: int) -> bytes:
    """Id of an office's org unit."""
    return stable_id("org_unit", "office", number)


def warehouses(offices: int) -> Iterator[TableRows]:
    """One main warehouse an office."""
    rows: list[tuple[Value, ...]] = [
        (warehouse_id(n), office_id(n), f"WH{n:02d}", f"Warehouse of office {n}", "16:00", 30)
        for n in range(1, offices + 1)
    ]
    names = ("id", "org_unit_id", "code", "name", "cut_off_time", "warning_minutes")
    yield from rows_of("warehouse", names, rows)


def warehouse_id(office: int) -> bytes:
    """Id of an office's warehouse."""
    return stable_id("warehouse", "office", office)


def routes(
    served: list[tuple[Rep, list[bytes]]], today: str, *, stops: int = 18, days: int = 5
) -> Iterator[TableRows]:
    """A route a weekday with its outlets, and the visits planned from today on."""
    lines: list[tuple[Value, ...]] = []
    members: list[tuple[Value, ...]] = []
    plans: list[tuple[Value, ...]] = []
    start = datetime.date.fromisoformat(today)
    for rep, outlets in served:
        for day in range(min(days, max(1, len(outlets)))):
            route = stable_id("route", rep.code, day)
            lines.append((route, rep.position_id, f"R{day + 1}", f"Day {day + 1}", 1, 1, day))
            date = (start + datetime.timedelta(days=day)).isoformat()
            for sequence, outlet in enumerate(outlets[day::days][:stops]):
                key = (rep.code, day, sequence)
                members.append((stable_id("route_outlet", *key), route, outlet, sequence, 15))
                plans.append(
                    (stable_id("visit_plan", date, *key), rep.position_id, date, outlet, sequence)
                )
    names: tuple[str, ...] = (
        "id", "position_id", "code", "name", "cycle_weeks", "week_mask", "weekday",
    )  # fmt: skip
    yield from rows_of("route", names, lines)
    names = ("id", "route_id", "outlet_id", "sequence_number", "planned_minutes")
    yield from rows_of("route_outlet", names, members)
    names = ("id", "position_id", "date", "outlet_id", "sequence_number")
    yield from rows_of("visit_plan", names, plans)


def _workplaces() -> Iterator[TableRows]:
    workplace = stable_id("workplace", "mobile rep")
    row: tuple[Value, ...] = (
        workplace, "REP-MOBILE", "Rep on the road", "mobile", stable_id("role", "rep"),
    )  # fmt: skip
    yield from rows_of("workplace", ("id", "code", "name", "kind", "role_id"), [row])
    functions: list[tuple[Value, ...]] = [
        (stable_id("workplace_function", name), workplace, name, 1) for name in _FUNCTIONS
    ]
    names = ("id", "workplace_id", "function_code", "enabled")
    yield from rows_of("workplace_function", names, functions)


def _territories(reps: list[Rep], offices: int) -> Iterator[TableRows]:
    rows: list[tuple[Value, ...]] = [
        (stable_id("territory", "office", n), None, office_id(n), 1, f"TO{n:02d}", f"Region {n}")
        for n in range(1, offices + 1)
    ]
    rows += [
        (rep.territory_id, stable_id("territory", "office", rep.office), office_id(rep.office), 2,
         f"T{rep.number:04d}", f"Territory {rep.number}")
        for rep in reps
    ]  # fmt: skip
    yield from rows_of(
        "territory", ("id", "parent_id", "org_unit_id", "level", "code", "name"), rows
    )


def _supervisors(reps: list[Rep]) -> dict[str, str]:
    """Rep → code of the supervisor: eight reps of one office have the same."""
    counted: Counter[int] = Counter()
    bosses: dict[str, str] = {}
    for rep in reps:
        bosses[rep.code] = f"SUP{rep.office:02d}-{counted[rep.office] // REPS_A_SUPERVISOR:03d}"
        counted[rep.office] += 1
    return bosses


def _positions(reps: list[Rep], bosses: dict[str, str]) -> Iterator[TableRows]:
    head = stable_id("position", "HEAD")
    rows: list[tuple[Value, ...]] = [
        (head, None, stable_id("role", "head"), None, "HEAD", "Head of sales")
    ]
    supervisors = dict.fromkeys((bosses[rep.code], rep.office) for rep in reps)
    rows += [
        (stable_id("position", code), stable_id("territory", "office", office),
         stable_id("role", "supervisor"), head, code, f"Supervisor {code[3:]}")
        for code, office in supervisors
    ]  # fmt: skip
    rows += [
        (rep.position_id, rep.territory_id, stable_id("role", "rep"),
         stable_id("position", bosses[rep.code]), rep.code, f"Rep {rep.number}")
        for rep in reps
    ]  # fmt: skip
    names = ("id", "territory_id", "role_id", "parent_position_id", "code", "name")
    yield from rows_of("position", names, rows)


def _people(reps: list[Rep], bosses: dict[str, str], verifier: str) -> Iterator[TableRows]:
    posts = [(rep.code, office_id(rep.office)) for rep in reps]
    posts += list(dict.fromkeys((bosses[rep.code], office_id(rep.office)) for rep in reps))
    people: list[tuple[Value, ...]] = [
        (stable_id("app_user", code), code.lower(), f"Person {code}", unit, verifier)
        for code, unit in posts
    ]
    yield from rows_of("app_user", ("id", "login", "person", "org_unit_id", "verifier"), people)
    fills: list[tuple[Value, ...]] = [
        (stable_id("assignment", code), stable_id("position", code), stable_id("app_user", code),
         "2020-01-01")
        for code, _ in posts
    ]  # fmt: skip
    yield from rows_of("assignment", ("id", "position_id", "user_id", "valid_from"), fills)
