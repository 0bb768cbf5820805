"""Figures of reports are those of the rows that a person sees, for every organisation, also after changes."""

import asyncio
import datetime
import itertools
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldmesh.basics.clock import ManualClock
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from hub.analysis.answers import Analyst, Answer
from hub.analysis.question import Question
from hub.config import HubSettings
from hub.fleet.office import Office, make_office
from hub.fleet.subscriptions import refresh_everything
from hub.rules.access import Access, Post
from hub.rules.functions import FUNCTIONS, RoleKind
from hub.storage.columnar.columns import Columns
from hub.storage.org_changes import head_office_write

JUNE = datetime.date(2024, 6, 1)
DAYS = 40
HALF = Question(
    ("sales", "orders", "ordering_outlets", "order_lines", "numeric_distribution"),
    since=JUNE, until=JUNE + datetime.timedelta(days=19),
)  # fmt: skip


@dataclass(frozen=True)
class Order:
    """An order: its outlet, its day after the first of June, whether it is a return, and its lines' cents."""

    outlet: int
    day: int
    is_return: bool
    cents: tuple[int, ...]


@dataclass(frozen=True)
class Company:
    """For each position the one above; who serves which outlet; the outlets' channels; orders."""

    above: tuple[int | None, ...]
    serves: frozenset[tuple[int, int]]
    channels: tuple[str | None, ...]
    orders: tuple[Order, ...]


@st.composite
def companies(draw: st.DrawFn) -> Company:
    """Up to five positions, five outlets and a dozen orders."""
    positions, outlets = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    above = tuple(draw(st.none() | st.integers(0, n - 1)) if n else None for n in range(positions))
    pairs = list(itertools.product(range(outlets), range(positions)))
    serves = draw(st.frozensets(st.sampled_from(pairs), max_size=7))
    channels = tuple(draw(st.sampled_from((None, "kiosk", "hall"))) for _ in range(outlets))
    order = st.builds(
        Order, st.integers(0, outlets - 1), st.integers(0, DAYS - 1), st.booleans(),
        st.lists(st.integers(-(10**9), 10**9), max_size=3).map(tuple),
    )  # fmt: skip
    return Company(above, serves, channels, tuple(draw(st.lists(order, max_size=12))))


def key(kind: str, place: int) -> bytes:
    """A made-up id."""
    return f"{kind[:11]:_<11}{place:05d}".encode()


def day(order: Order) -> str:
    """Of the order."""
    return (JUNE + datetime.timedelta(days=order.day)).isoformat()


def tables(company: Company) -> Iterable[tuple[str, tuple[str, ...], list[tuple[Value, ...]]]]:
    """The company's rows."""
    yield (
        "position",
        ("id", "parent_position_id", "role_id", "code"),
        [
            (
                key("position", n),
                None if one is None else key("position", one),
                key("role", 0),
                f"P{n}",
            )
            for n, one in enumerate(company.above)
        ],
    )
    yield (
        "outlet",
        ("id", "code", "channel"),
        [(key("outlet", n), f"O{n}", one) for n, one in enumerate(company.channels)],
    )
    yield (
        "outlet_assignment",
        ("id", "outlet_id", "position_id"),
        [
            (key("serves", n), key("outlet", o), key("position", p))
            for n, (o, p) in enumerate(sorted(company.serves))
        ],
    )
    yield "product", ("id", "code", "name"), [(key("product", 0), "A", "Apple")]
    yield "product_unit", ("id", "product_id"), [(key("unit", 0), key("product", 0))]
    yield (
        "sales_order",
        ("id", "number", "outlet_id", "date", "is_return"),
        [
            (key("order", n), f"N{n}", key("outlet", one.outlet), day(one), int(one.is_return))
            for n, one in enumerate(company.orders)
        ],
    )
    yield (
        "order_line",
        ("id", "order_id", "line_number", "product_unit_id", "amount"),
        [
            (key(f"line{n}", m), key("order", n), m, key("unit", 0), cents)
            for n, one in enumerate(company.orders)
            for m, cents in enumerate(one.cents)
        ],
    )


async def made(company: Company, folder: Path) -> Office:
    """The company stands in a hub, everyone's scope worked out."""
    office = await make_office(folder, HubSettings(), "")
    async with head_office_write(
        office.database, ManualClock(), actor="test", kind="made", about={}
    ) as writer:
        for table, names, rows in tables(company):
            await writer.insert(table, from_rows(table, names, rows))
    await refresh_everything(
        office.database, clock=office.clock, identifiers=office.maker.identifiers
    )
    return office


def somebody(position: bytes, kind: str = RoleKind.SUPERVISOR) -> Access:
    """A person in the position, who may do everything there."""
    post = Post(position, kind, functions={code: {} for code in FUNCTIONS})
    return Access(b"u" * 16, "ann", "Ann", (post,))


def seen(company: Company, position: int) -> set[int]:
    """Outlets that the position, or one below it, serves."""
    below = {position}
    for place, above in enumerate(company.above):
        if above in below:
            below.add(place)
    return {outlet for outlet, one in company.serves if one in below}


@dataclass
class Counted:
    """What the oracle has counted for one line."""

    cents: int = 0
    known: bool = False
    orders: int = 0
    lines: int = 0
    outlets: frozenset[int] = frozenset()
    with_lines: frozenset[int] = frozenset()


def counted(company: Company, outlets: set[int], *, by_channel: bool) -> dict[object, Counted]:
    """The same figures in plain Python, from the documents."""
    found: dict[object, Counted] = defaultdict(Counted)
    last = (HALF.until or JUNE).isoformat()
    for one in company.orders:
        if one.outlet not in outlets or day(one) > last:
            continue
        line = found[company.channels[one.outlet] if by_channel else None]
        line.cents += sum(-abs(cents) if one.is_return else cents for cents in one.cents)
        line.known |= bool(one.cents)
        if not one.is_return:
            line.orders += 1
            line.lines += len(one.cents)
            line.outlets |= {one.outlet}
            line.with_lines |= {one.outlet} if one.cents else set()
    return found


def compare(answer: Answer, expected: dict[object, Counted], served: dict[object, int]) -> None:
    """The answer says what the oracle has counted, and has no other line with a figure."""
    for line, figures in answer.lines.items():
        one = expected.pop(line[0] if line else None, Counted())
        assert figures["sales"] == (Fraction(one.cents, 100) if one.known else None), line
        assert (figures["orders"] or 0) == one.orders
        assert (figures["order_lines"] or 0) == one.lines
        assert (figures["ordering_outlets"] or 0) == len(one.outlets)
        whole = served.get(line[0] if line else None, 0)
        share = Fraction(len(one.with_lines) * 100, whole) if whole else None
        assert figures["numeric_distribution"] == share
    assert not any(one.known or one.orders for one in expected.values())


async def check(company: Company, columns: Columns, office: Office) -> None:
    """Every position's figures, whole and by channel."""
    await columns.follow()
    analyst = Analyst(columns, office.clock)
    for place in range(len(company.above)):
        access, outlets = somebody(key("position", place)), seen(company, place)
        for by in ((), ("channel",)):
            question = Question(HALF.measures, by, since=HALF.since, until=HALF.until)
            answer = await analyst.answer(access, question, datetime.UTC)
            served: dict[object, int] = defaultdict(int)
            for outlet in outlets:
                served[company.channels[outlet] if by else None] += 1
            compare(answer, counted(company, outlets, by_channel=bool(by)), served)


async def story(company: Company, folder: Path) -> None:
    """Figures at first, after changes and deletions, after the file was closed, and after it was lost."""
    office = await made(company, folder / "hub")
    columns = Columns(office.database, folder / "copy", office.clock)
    try:
        await check(company, columns, office)
        changed = await _changed(company, office)
        await check(changed, columns, office)
        await columns.close()
        again = Columns(office.database, folder / "copy", office.clock)
        await check(changed, again, office)
        await again.close()
        (folder / "copy" / "columns.duckdb").write_bytes(b"no database at all" * 1000)
        columns = Columns(office.database, folder / "copy", office.clock)
        await check(changed, columns, office)
    finally:
        await columns.close()
        await office.database.close()


async def _changed(company: Company, office: Office) -> Company:
    """The first order is gone with its lines, the last one is a return now, the first outlet is a hall and nobody's."""
    orders = list(company.orders)
    async with head_office_write(
        office.database, office.clock, actor="test", kind="changed", about={}
    ) as writer:
        gone = [(key("order", 0),)] if orders else []
        lines = [(key("line0", m),) for m in range(len(orders[0].cents))] if orders else []
        await writer.delete("order_line", from_rows("order_line", ("id",), lines))
        await writer.delete("sales_order", from_rows("sales_order", ("id",), gone))
        if len(orders) > 1:
            last = [(key("order", len(orders) - 1), 1)]
            await writer.update("sales_order", from_rows("sales_order", ("id", "is_return"), last))
            orders[-1] = replace(orders[-1], is_return=True)
        hall = [(key("outlet", 0), "hall")]
        await writer.update("outlet", from_rows("outlet", ("id", "channel"), hall))
        ended = [(key("serves", n),) for n, (o, _) in enumerate(sorted(company.serves)) if o == 0]
        await writer.delete("outlet_assignment", from_rows("outlet_assignment", ("id",), ended))
    await refresh_everything(
        office.database, clock=office.clock, identifiers=office.maker.identifiers
    )
    serves = frozenset((o, p) for o, p in company.serves if o != 0)
    return Company(company.above, serves, ("hall", *company.channels[1:]), tuple(orders[1:]))


@given(companies())
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_figures_are_those_of_the_rows_that_a_person_sees(company: Company) -> None:
    """A report that counts a row of somebody else's, or keeps one that is gone, lies to whoever decides by it."""
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(story(company, Path(name)))
