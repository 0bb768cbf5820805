"""What a person sees is what sync gives to their positions, for every table and every organisation."""

import asyncio
import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldmesh.basics.clock import ManualClock
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.policy import HubOnly
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from hub.config import HubSettings
from hub.fleet.office import Office, make_office
from hub.fleet.subscriptions import refresh_everything
from hub.storage.lists import Wanted, page
from hub.storage.org_changes import head_office_write
from hub.storage.partitions import Homes
from hub.storage.reach import EVERYTHING, Below, OfDistributor, Scope
from hub.storage.rows import Connection
from hub.storage.scopes import targets_of_positions

DISTRIBUTORS = 2
MOST_ROWS = 1_000


@dataclass(frozen=True)
class Company:
    """A made-up organisation.

    Attributes:
        above: for each position the place of the one above it, or None.
        serves: (outlet, position) pairs.
        distributor_of: for each outlet the place of its distributor, or None.
        party_of: for each outlet the place of its legal party.
    """

    above: tuple[int | None, ...]
    serves: frozenset[tuple[int, int]]
    distributor_of: tuple[int | None, ...]
    party_of: tuple[int, ...]


@st.composite
def companies(draw: st.DrawFn) -> Company:
    """Trees of up to six positions that serve up to six outlets, several the same one."""
    positions = draw(st.integers(1, 6))
    above = tuple(
        draw(st.none() | st.integers(0, place - 1)) if place else None for place in range(positions)
    )
    outlets = draw(st.integers(1, 6))
    pairs = list(itertools.product(range(outlets), range(positions)))
    serves = draw(st.frozensets(st.sampled_from(pairs), max_size=8))
    distributors = st.none() | st.integers(0, DISTRIBUTORS - 1)
    return Company(
        above,
        serves,
        tuple(draw(distributors) for _ in range(outlets)),
        tuple(draw(st.integers(0, 2)) for _ in range(outlets)),
    )


def key(kind: str, place: int) -> bytes:
    """A made-up id."""
    return f"{kind[:11]:_<11}{place:05d}".encode()


def rows_of(company: Company) -> dict[str, tuple[tuple[str, ...], list[tuple[Value, ...]]]]:
    """The organisation, and a document of each kind for each outlet."""
    outlets, positions = range(len(company.party_of)), range(len(company.above))
    parties = range(3)
    maybe = [None if one is None else key("distributor", one) for one in company.distributor_of]
    served = dict(company.serves)
    return {
        "position": (
            ("id", "parent_position_id", "role_id", "code", "distributor_id"),
            [
                (key("position", n), None if company.above[n] is None else key("position", company.above[n] or 0),
                 key("role", 0), f"P{n}", key("distributor", n) if n < 1 else None)
                for n in positions
            ],
        ),
        "distributor": (("id", "code"), [(key("distributor", n), f"D{n}") for n in range(DISTRIBUTORS)]),
        "legal_party": (("id", "code"), [(key("party", n), f"L{n}") for n in parties]),
        "outlet": (
            ("id", "code", "legal_party_id", "distributor_id"),
            [(key("outlet", n), f"O{n}", key("party", company.party_of[n]), maybe[n]) for n in outlets],
        ),
        "outlet_assignment": (
            ("id", "outlet_id", "position_id"),
            [
                (key("serves", n), key("outlet", o), key("position", p))
                for n, (o, p) in enumerate(sorted(company.serves))
            ],
        ),
        "price_list": (
            ("id", "code", "distributor_id"),
            [(key("pricelist", n), f"PL{n}", key("distributor", n) if n else None) for n in range(2)],
        ),
        "contract": (
            ("id", "code", "legal_party_id", "price_list_id", "distributor_id"),
            [
                (key("contract", n), f"C{n}", key("party", n), key("pricelist", n % 2), key("distributor", n % 2))
                for n in parties
            ],
        ),
        "price": (
            ("id", "price_list_id", "product_unit_id", "amount"),
            [(key("price", n), key("pricelist", n % 2), key("unit", 0), 100) for n in range(4)],
        ),
        "warehouse": (
            ("id", "code", "distributor_id", "position_id"),
            [
                (key("warehouse", 0), "W0", key("distributor", 0), None),
                (key("warehouse", 1), "W1", None, key("position", 0)),
            ],
        ),
        "stock": (
            ("id", "warehouse_id", "product_id", "quantity"),
            [(key("stock", n), key("warehouse", n % 2), key("product", 0), 5) for n in range(4)],
        ),
        "device": (
            ("id", "code", "position_id"),
            [(key("device", n), f"DEV{n}", key("position", n)) for n in positions],
        ),
        "sales_order": (
            ("id", "number", "outlet_id", "distributor_id"),
            [(key("order", n * 5 + m), f"N{n}-{m}", key("outlet", n), maybe[n]) for n in outlets for m in range(5)],
        ),
        "order_line": (
            ("id", "order_id", "product_unit_id"),
            [(key("line", n), key("order", n), key("unit", 0)) for n in range(len(company.party_of) * 5)],
        ),
        "visit": (
            ("id", "outlet_id", "position_id"),
            [(key("visit", n), key("outlet", n), key("position", served.get(n, 0))) for n in outlets],
        ),
        "task": (
            ("id", "outlet_id", "position_id", "text"),
            [(key("task", n), key("outlet", n) if n % 2 else None, key("position", 0), "do") for n in outlets],
        ),
        "gps_point": (("id", "position_id", "at"), [(key("point", n), key("position", n), 1) for n in positions]),
        "equipment": (
            ("id", "inventory_number", "outlet_id", "warehouse_id"),
            [
                (key("equipment", 0), "E0", key("outlet", 0), None),
                (key("equipment", 1), "E1", None, key("warehouse", 1)),
                (key("equipment", 2), "E2", None, None),
            ],
        ),
    }  # fmt: skip


async def made(company: Company, folder: Path) -> Office:
    """The company stands in a hub, everyone's scope worked out."""
    office = await make_office(folder, HubSettings(), "")
    async with head_office_write(
        office.database, ManualClock(), actor="test", kind="made", about={}
    ) as writer:
        for table, (names, rows) in rows_of(company).items():
            await writer.insert(table, from_rows(table, names, rows))
    await refresh_everything(
        office.database, clock=office.clock, identifiers=office.maker.identifiers
    )
    return office


async def seen(connection: Connection, scope: Scope, table: str) -> set[Value]:
    """Ids of the rows that the scope shows, whichever way they are found."""
    wanted = Wanted(table, (), most=MOST_ROWS)
    gathered, walked = [await page(connection, scope, wanted, many=many) for many in (False, True)]
    assert gathered == walked, table
    return {row[0] for row in gathered.rows}


async def homes_of(
    connection: Connection, table: str, rows: list[tuple[Value, ...]]
) -> dict[Value, int]:
    """Id → the partition that the table's rule gives, retention aside."""
    homes = Homes(connection)
    await homes.look_up(table, [row[0] for row in rows])
    return {row[0]: homes.home(table, row[0]) for row in rows}


async def compare(company: Company, folder: Path) -> None:
    """For each position and each table: rows seen = rows whose home is among the subscribed partitions."""
    office = await made(company, folder)
    try:
        async with office.database.read() as connection:
            for place in range(len(company.above)):
                position = key("position", place)
                subscribed = await targets_of_positions(connection, [position])
                for table, (_, rows) in rows_of(company).items():
                    if TABLES[table].policy.seen_by is not None:
                        continue
                    homes = await homes_of(connection, table, rows)
                    expected = {row_id for row_id, home in homes.items() if home in subscribed}
                    if isinstance(TABLES[table].policy.partition, HubOnly):
                        expected = set()
                    found = await seen(
                        connection, Scope(frozenset({Below(frozenset({position}))})), table
                    )
                    assert found == expected, (table, position)
    finally:
        await office.database.close()


@given(companies())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_people_see_exactly_what_sync_gives_to_their_positions(company: Company) -> None:
    """Screens and sync with two rules would show somebody rows that their device must never have, or hide theirs."""
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(compare(company, Path(name) / "hub"))


@given(companies())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_distributor_sees_what_names_it_and_nothing_of_another(company: Company) -> None:
    """One distributor that sees another's orders, debts or stock would leave the network."""
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(_compare_distributors(company, Path(name) / "hub"))


async def _compare_distributors(company: Company, folder: Path) -> None:
    office = await made(company, folder)
    rows = rows_of(company)

    def named(table: str, column: str, keys: set[Value], other: str = "id") -> set[Value]:
        names, lines = rows[table]
        return {row[names.index(other)] for row in lines if row[names.index(column)] in keys}

    try:
        async with office.database.read() as connection:
            for place in range(DISTRIBUTORS):
                own: set[Value] = {key("distributor", place)}
                orders = named("sales_order", "distributor_id", own)
                outlets = named("outlet", "distributor_id", own)
                lists = named("price_list", "distributor_id", own)
                houses = named("warehouse", "distributor_id", own)
                posts = named("position", "distributor_id", own)
                parties = named("outlet", "distributor_id", own, "legal_party_id")
                parties |= named("contract", "distributor_id", own, "legal_party_id")
                expected = {
                    "distributor": own, "outlet": outlets, "sales_order": orders, "price_list": lists,
                    "warehouse": houses, "position": posts, "legal_party": parties,
                    "order_line": named("order_line", "order_id", orders),
                    "price": named("price", "price_list_id", lists),
                    "stock": named("stock", "warehouse_id", houses),
                    "contract": named("contract", "distributor_id", own),
                    "visit": named("visit", "outlet_id", outlets),
                    "outlet_assignment": named("outlet_assignment", "outlet_id", outlets),
                    "gps_point": named("gps_point", "position_id", posts),
                    "device": named("device", "position_id", posts),
                }  # fmt: skip
                scope = Scope(frozenset({OfDistributor(key("distributor", place))}))
                for table, ids in expected.items():
                    assert await seen(connection, scope, table) == ids, table
    finally:
        await office.database.close()


async def test_the_whole_company_and_nothing(tmp_path: Path) -> None:
    """A person without a post who saw rows, or an administrator who missed some, would have no scope."""
    company = Company((None, 0), frozenset({(0, 1)}), (0,), (0,))
    office = await made(company, tmp_path / "hub")
    try:
        async with office.database.read() as connection:
            for table, (_, rows) in rows_of(company).items():
                assert {row[0] for row in rows} <= await seen(connection, EVERYTHING, table)
                assert not await seen(connection, Scope(), table)
    finally:
        await office.database.close()
