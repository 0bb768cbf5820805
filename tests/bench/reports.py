"""report.*: standard reports over a year of documents, asked in this process of the copy of a hub's database.

A rep's year is 2,400 orders with 24,000 lines and 2,400 visits, as in the reference shape. The sum of all lines is
worked out in SQLite too, and has to be the same to the cent.
"""

import datetime
import random
import resource
import time
from collections.abc import Iterator
from pathlib import Path

from fieldmesh.basics.identifiers import stable_id
from fieldmesh.codec.columns import TableRows
from fieldmesh.data.types import Value
from hub.analysis.answers import Analyst
from hub.analysis.question import Question, Span
from hub.analysis.standard import STANDARD
from hub.config import HubSettings
from hub.exchange.sample.generated import GeneratedCompany, Size
from hub.exchange.sample.loading import load_company
from hub.fleet.office import Office, make_office
from hub.fleet.subscriptions import refresh_everything
from hub.rules.access import Access, Post
from hub.rules.functions import FUNCTIONS, RoleKind
from hub.storage.bulk import insert_columns
from hub.storage.columnar.columns import Columns
from hub.storage.org_changes import head_office_write
from hub.storage.rows import all_rows
from tests.bench.company import Measured
from tests.bench.figures import Figures

REPS, QUICK_REPS = 40, 4
ORDERS, LINES, OUTLETS, PRODUCTS = 2_400, 10, 300, 1_500
TEN = (
    "rep-sheet", "team-board", "routes", "sales", "brands", "clients", "distribution", "out-of-stock", "must-stock",
    "debts",
)  # fmt: skip
Written = tuple[str, tuple[str, ...], list[list[Value]]]
"""Table, columns, values by column."""
_DAY_US = 86_400_000_000
_MIB = 1024
_SHELF = 4


async def measure_reports(measured: Measured, figures: Figures) -> None:
    """A company of its own; the copy filled, caught up, and asked."""
    reps = QUICK_REPS if measured.quick else REPS
    office = await _company(measured.folder / "reports", reps)
    columns = Columns(office.database, office.home.analysis, office.clock)
    try:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        await columns.follow()
        figures.put("report.fill_seconds", time.perf_counter() - began)
        await _catch_up(office, columns, figures)
        await _ask(office, Analyst(columns, office.clock), measured.repeat, figures)
        figures.put("report.lines", reps * ORDERS * LINES)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        figures.put("report.rss_added", (peak - before) / _MIB)
    finally:
        await columns.close()
        await office.database.close()


async def _ask(office: Office, analyst: Analyst, repeat: int, figures: Figures) -> None:
    """Each of the ten over a year; the figure is the slowest one's median."""
    access, medians = _everybody(), []
    question = Question(("sales",), span=Span.DAYS_365)
    total = (await analyst.answer(access, question, datetime.UTC)).total["sales"]
    async with office.database.read() as connection:
        text = (
            "SELECT sum(CASE WHEN o.is_return = 1 THEN -l.amount ELSE l.amount END) FROM order_line l"
            " JOIN sales_order o ON o.id = l.order_id WHERE o.deleted = 0 AND l.deleted = 0"
        )
        expected = (await connection.exec_driver_sql(text)).scalar_one()
    assert total is not None
    assert total * 100 == expected, "the copy's sum differs from the database's"
    for code in TEN:
        asked, samples = STANDARD[code].question, []
        question = Question(
            asked.measures, asked.rows, span=Span.DAYS_365, compare=asked.compare, top=asked.top
        )
        for _ in range(repeat):
            began = time.perf_counter()
            await analyst.answer(access, question, datetime.UTC)
            samples.append(time.perf_counter() - began)
        medians.append(figures.put_samples(f"report.{code}", samples))
    figures.put("report.seconds", max(medians))
    figures.expect("report.seconds", least=0.001, most=600.0, why="a year of documents is read")


async def _catch_up(office: Office, columns: Columns, figures: Figures) -> None:
    """A day's documents of one rep come in; how long the copy needs to follow."""
    async with office.database.read() as connection:
        rows = await all_rows(connection, "outlet", ("id",))
    orders: list[tuple[Value, ...]] = [
        (stable_id("late", n), rows[n % len(rows)][0], _today(office).isoformat(), 100)
        for n in range(30)
    ]
    async with head_office_write(
        office.database, office.clock, actor="bench", kind="day", about={}
    ) as writer:
        held = [list(column) for column in zip(*orders, strict=True)]
        await writer.insert(
            "sales_order", TableRows("sales_order", ("id", "outlet_id", "date", "amount"), held)
        )
    began = time.perf_counter()
    await columns.follow()
    figures.put("report.follow_seconds", time.perf_counter() - began)


def _everybody() -> Access:
    post = Post(b"p" * 16, RoleKind.ADMINISTRATOR, functions={code: {} for code in FUNCTIONS})
    return Access(b"u" * 16, "bench", "Bench", (post,))


def _today(office: Office) -> datetime.date:
    return datetime.datetime.fromtimestamp(office.clock.now() / 1_000_000, datetime.UTC).date()


async def _company(folder: Path, reps: int) -> Office:
    """A generated company whose reps have worked for a year."""
    office = await make_office(folder, HubSettings(), "")
    size = Size(
        offices=max(1, reps // 10),
        reps=reps,
        outlets_a_rep=OUTLETS,
        products=PRODUCTS,
        orders_an_outlet=0,
    )
    source = GeneratedCompany(size, 1, office.clock.now(), "-")
    await load_company(office.database, office.clock, source, lambda _table, _rows: None)
    await refresh_everything(
        office.database, clock=office.clock, identifiers=office.maker.identifiers
    )
    for table, names, columns in await _year(office, reps):
        async with office.database.write() as connection:
            await insert_columns(connection, table, names, columns)
    return office


async def _year(office: Office, reps: int) -> Iterator[Written]:
    async with office.database.read() as connection:
        outlets = [row[0] for row in await all_rows(connection, "outlet", ("id",))]
        served = await all_rows(connection, "outlet_assignment", ("outlet_id", "position_id"))
        units = [row[0] for row in await all_rows(connection, "product_unit", ("id",))]
        products = [row[0] for row in await all_rows(connection, "product", ("id",))]
    return _documents(office, reps, dict(served), outlets, (units, products))


def _documents(
    office: Office,
    reps: int,
    position_of: dict[Value, Value],
    outlets: list[Value],
    goods: tuple[list[Value], list[Value]],
) -> Iterator[Written]:
    """A rep's year at a time; ids in the order of time, as devices make them."""
    chance, today, now = random.Random(7), _today(office), office.clock.now()
    units, products = goods
    for rep in range(reps):
        orders: list[tuple[Value, ...]] = []
        lines: list[tuple[Value, ...]] = []
        visits: list[tuple[Value, ...]] = []
        shelf: list[tuple[Value, ...]] = []
        for n in range(ORDERS):
            ago = 364 - n * 364 // ORDERS
            moment = now - ago * _DAY_US
            outlet = outlets[(rep * OUTLETS + n % OUTLETS) % len(outlets)]
            position = position_of.get(outlet)
            order, visit = _id(moment, rep, n, 1), _id(moment, rep, n, 2)
            day = (today - datetime.timedelta(days=ago)).isoformat()
            orders.append((order, outlet, position, visit, day, int(n % 50 == 0), moment))
            visits.append((visit, outlet, position, moment, moment + 900_000_000, n % 300, moment))
            lines += [
                (_id(moment, rep, n, 100 + m), order, m, chance.choice(units), 1000 * (m + 1),
                 chance.randrange(10**5), moment)
                for m in range(LINES)
            ]  # fmt: skip
            shelf += [
                (
                    _id(moment, rep, n, 200 + m),
                    visit,
                    chance.choice(products),
                    int(chance.random() < 0.9),
                    3,
                    moment,
                )
                for m in range(_SHELF)
            ]
        yield from (
            (table, (*_NAMES[table], *_SYSTEM), _columns(rows))
            for table, rows in (
                ("visit", visits), ("sales_order", orders), ("order_line", lines), ("shelf_fact", shelf),
            )
        )  # fmt: skip


_NAMES = {
    "visit": (
        "id",
        "outlet_id",
        "position_id",
        "started_at",
        "finished_at",
        "distance_m",
        "created_at",
    ),
    "sales_order": (
        "id",
        "outlet_id",
        "position_id",
        "visit_id",
        "date",
        "is_return",
        "created_at",
    ),
    "order_line": (
        "id",
        "order_id",
        "line_number",
        "product_unit_id",
        "quantity",
        "amount",
        "created_at",
    ),
    "shelf_fact": ("id", "visit_id", "product_id", "present", "facings", "created_at"),
}
_SYSTEM = ("changed_at", "partition", "lsn", "row_hash", "deleted")


def _columns(rows: list[tuple[Value, ...]]) -> list[list[Value]]:
    """The rows by column, archived and unchanged since the beginning."""
    held = [list(column) for column in zip(*rows, strict=True)]
    return [*held, *([value] * len(rows) for value in (0, 0, 1, 0, 0))]


def _id(moment: int, rep: int, number: int, kind: int) -> bytes:
    """An id in the order of time."""
    rest = rep.to_bytes(3, "big") + number.to_bytes(4, "big") + kind.to_bytes(2, "big")
    return (moment // 1000).to_bytes(6, "big") + b"\x70" + rest
