"""Figures of reports against real orders: an independent count of the CSV files, in plain Python, agrees to the cent.

Runs over the extract in `tests/data/iowa`; over all 401,970 lines when FIELDMESH_SAMPLE names the folder that has them.
"""

import csv
import datetime
import gzip
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from hub.analysis.answers import Analyst, Answer
from hub.analysis.question import Question
from hub.config import HubSettings
from hub.exchange.sample.iowa import IowaCompany
from hub.exchange.sample.loading import load_company
from hub.fleet.office import make_office
from hub.rules.access import Access, Post
from hub.rules.functions import FUNCTIONS, RoleKind
from hub.storage.columnar.columns import Columns

EXTRACT = Path(__file__).parents[2] / "data" / "iowa"
SAMPLE = os.environ.get("FIELDMESH_SAMPLE", "")  # noqa: TID251 - where the real files are
FOLDERS = [
    pytest.param(EXTRACT, id="extract"),
    pytest.param(
        Path(SAMPLE), id="all", marks=[
            pytest.mark.skipif(not SAMPLE, reason="FIELDMESH_SAMPLE names no folder"), pytest.mark.long,
        ],
    ),
]  # fmt: skip
FIRST, LAST = datetime.date(2022, 7, 4), datetime.date(2022, 8, 28)
OF_LINES = ("sales", "order_lines", "products_sold", "return_rate")
"""What is known by product."""
MEASURES = ("sales", "orders", "order_lines", "ordering_outlets", "products_sold", "return_rate")


def read(folder: Path, name: str) -> Iterator[dict[str, str]]:
    """The lines of a file."""
    with gzip.open(folder / name, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


class Count:
    """The figures of one line of a report, counted from lines of orders."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self.sales, self.sold, self.back = Decimal(0), Decimal(0), Decimal(0)
        self.orders: set[tuple[str, ...]] = set()
        self.lines = 0
        self.stores: set[str] = set()
        self.items: set[str] = set()

    def add(self, line: dict[str, str]) -> None:
        """One line more."""
        sale = Decimal(line["sale"])
        self.sales += sale
        if line["order"].startswith("RINV"):
            self.back -= sale
            return
        self.sold += sale
        self.lines += 1
        self.orders.add((line["order"], line["date"], line["store_no"]))
        self.stores.add(line["store_no"])
        self.items.add(line["item_no"])

    def figures(self) -> dict[str, Fraction | None]:
        """As a report names them."""
        share = Fraction(self.back) * 100 / Fraction(self.sold) if self.sold else None
        return {
            "sales": Fraction(self.sales), "orders": Fraction(len(self.orders)), "order_lines": Fraction(self.lines),
            "ordering_outlets": Fraction(len(self.stores)), "products_sold": Fraction(len(self.items)),
            "return_rate": share,
        }  # fmt: skip


def counted(folder: Path) -> tuple[dict[str, dict[str, Count]], Count]:
    """By month, by brand and by city; and all together. The busiest of the last seven days is no history yet."""
    lines = list(read(folder, "orders.csv.gz"))
    cities = {one["store_no"]: one["city"].title() for one in read(folder, "stores.csv.gz")}
    vendors = {one["item_no"]: one["vendor"][:120] for one in read(folder, "items.csv.gz")}
    orders: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for line in lines:
        orders[line["date"]].add((line["order"], line["store_no"]))
    size = Counter({date: len(orders[date]) for date in sorted(orders)[-7:]})
    [(busiest, _)] = size.most_common(1)
    whole = Count()
    by: dict[str, dict[str, Count]] = {
        name: defaultdict(Count) for name in ("month", "brand", "city")
    }
    for line in lines:
        if line["date"] == busiest:
            continue
        whole.add(line)
        by["month"][line["date"][:7] + "-01"].add(line)
        by["brand"][vendors[line["item_no"]]].add(line)
        by["city"][cities[line["store_no"]]].add(line)
    return by, whole


def compare(answer: Answer, expected: dict[str, Count]) -> None:
    """Every line has the figures that were counted, and there are no others."""
    assert {line[0] for line in answer.lines} == set(expected)
    for line, figures in answer.lines.items():
        counted_ones = expected[str(line[0])].figures()
        for name in figures:
            assert (figures[name] or 0) == (counted_ones[name] or 0), (line, name)


@pytest.mark.parametrize("folder", FOLDERS)
async def test_figures_agree_with_an_independent_count_to_the_cent(
    folder: Path, tmp_path: Path
) -> None:
    """A figure that differs from the documents by a cent is not the documents' figure."""
    office = await make_office(tmp_path / "hub", HubSettings(), "")
    columns = Columns(office.database, office.home.analysis, office.clock)
    try:
        source = IowaCompany(folder, 2, 8, "-", office.clock.now())
        await load_company(office.database, office.clock, source, lambda _table, _rows: None)
        post = Post(b"p" * 16, RoleKind.ANALYST, functions={code: {} for code in FUNCTIONS})
        access, analyst = Access(b"u" * 16, "ann", "Ann", (post,)), Analyst(columns, office.clock)
        by, whole = counted(folder)
        for dimension, expected in by.items():
            measures = OF_LINES if dimension == "brand" else MEASURES
            question = Question(measures, (dimension,), since=FIRST, until=LAST)
            answer = await analyst.answer(access, question, datetime.UTC)
            compare(answer, expected)
            total = whole.figures()
            assert answer.total == {name: total[name] for name in measures}
    finally:
        await columns.close()
        await office.database.close()
