"""A made-up company: the same seed gives the same rows, parents come first, the size is what was asked for."""

from collections import Counter

from fieldmesh.codec.columns import TableRows
from fieldmesh.codec.fitting import misfits
from fieldmesh.data.schema import TABLES
from hub.exchange.sample.generated import GeneratedCompany, Size

NOW = 1_800_000_000_000_000
SIZE = Size(offices=2, reps=3, outlets_a_rep=30, products=20, orders_an_outlet=2, lines_an_order=3)


def tables(seed: int = 1) -> list[TableRows]:
    """All rows of a small company."""
    return list(GeneratedCompany(SIZE, seed, NOW, "v").tables())


def test_the_same_seed_gives_the_same_company() -> None:
    """Without it nobody could repeat what another one saw."""
    assert tables() == tables()
    assert tables() != tables(seed=2)


def test_the_size_is_what_was_asked_for() -> None:
    """Without it measurements would be about another company."""
    counts: Counter[str] = Counter()
    for rows in tables():
        counts[rows.table] += rows.row_count
    assert counts["outlet"] == counts["outlet_assignment"] == 90
    assert (counts["product"], counts["price"]) == (20, 80)
    assert (counts["sales_order"], counts["order_line"]) == (180, 540)
    assert counts["equipment"] == counts["equipment_placement"] == 24
    assert counts["plan"] == 3


def test_what_a_row_refers_to_is_there_before_it() -> None:
    """Without it partitions could not be worked out while loading."""
    known: dict[str, set[object]] = {}
    for rows in tables():
        table = TABLES[rows.table]
        ids = known.setdefault(rows.table, set())
        for place, one in enumerate(rows.column("id")):
            ids.add(one)
            for name, parent in table.parents:
                value = rows.column(name)[place] if name in rows.names else None
                assert value is None or value in known.get(parent, ()), (rows.table, name)


def test_eight_reps_of_an_office_have_one_supervisor() -> None:
    """Without it every rep of a large company would have a supervisor of their own."""
    company = GeneratedCompany(Size(offices=2, reps=20, outlets_a_rep=1, products=5), 1, NOW, "v")
    positions = next(rows for rows in company.tables() if rows.table == "position")
    codes = [str(code) for code in positions.column("code")]
    assert sorted(code for code in codes if code.startswith("SUP")) == [
        "SUP01-000", "SUP01-001", "SUP02-000", "SUP02-001",
    ]  # fmt: skip


def test_every_value_fits_its_column() -> None:
    """Without it a sample that SQLite takes would fail on SQL Server."""
    for rows in tables():
        assert not misfits(rows), rows.table


def test_work_names_outlets_and_products_that_exist() -> None:
    """Without it devices could not replay the day."""
    company = GeneratedCompany(SIZE, 1, NOW, "v")
    held = {rows.table: rows for rows in company.tables()}
    products = set(held["product"].column("code"))
    work = list(company.work())
    assert len(work) == 36
    assert {line.product for order in work for line in order.lines} <= products
    assert {order.position for order in work} == {"REP0001", "REP0002", "REP0003"}
