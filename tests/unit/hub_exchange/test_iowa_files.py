"""Real wholesale orders: everything is loaded, and what is odd is named with its line."""

import csv
from pathlib import Path

import pytest

from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.columns import TableRows
from hub.exchange.sample.iowa import IowaCompany
from tests.kit.orders import ORDERS, STORES, write_folder

NOW = 1_800_000_000_000_000


def company(folder: Path) -> tuple[IowaCompany, dict[str, list[TableRows]]]:
    """The company of the folder, and its tables."""
    made = IowaCompany(folder, offices=2, reps=2, verifier="v", now=NOW)
    tables: dict[str, list[TableRows]] = {}
    for rows in made.tables():
        tables.setdefault(rows.table, []).append(rows)
    return made, tables


def column(tables: dict[str, list[TableRows]], table: str, name: str) -> list[object]:
    """The values of a column over all pieces."""
    return [value for rows in tables[table] for value in rows.column(name)]


def test_every_oddity_is_named_with_file_and_line(tmp_path: Path) -> None:
    """Without it nobody could ask the source about its dirt."""
    made, _ = company(write_folder(tmp_path))
    found = {(one.file.split(".")[0], one.line, one.kind) for one in made.oddities.found}
    assert {
        ("stores", 2, "double_blanks"),
        ("stores", 2, "shared_coordinates"),
        ("stores", 3, "city_spelled_twice"),
        ("stores", 2, "county_spelled_twice"),
        ("stores", 3, "shared_name"),
        ("stores", 4, "no_coordinates"),
        ("stores", 4, "no_postal_code"),
        ("stores", 4, "inactive_shop"),
        ("stores", 5, "no_county"),
        ("items", 2, "shared_upc"),
        ("items", 3, "shared_upc"),
        ("items", 3, "inner_pack_above_pack"),
        ("items", 3, "case_cost_differs"),
        ("items", 4, "no_upc"),
        ("items", 4, "no_bottle_size"),
        ("items", 4, "listed_in_the_future"),
        ("orders", 3, "sold_before_list_date"),
        ("orders", 3, "no_multiple_of_inner_pack"),
        ("orders", 4, "number_used_before"),
        ("orders", 4, "price_off_the_list"),
        ("orders", 4, "line_numbers_missing"),
        ("orders", 4, "product_on_several_lines"),
        ("orders", 6, "return"),
        ("orders", 6, "order_of_inactive_shop"),
        ("orders", 7, "price_in_no_whole_cents"),
    } <= found
    assert not any(one.kind == "county_disagrees" for one in made.oddities.found)


def test_the_report_is_a_csv_file_with_a_line_each(tmp_path: Path) -> None:
    """Without it the report could not be sorted and counted."""
    made, _ = company(write_folder(tmp_path))
    made.oddities.write(tmp_path / "odd.csv")
    with (tmp_path / "odd.csv").open(encoding="utf-8", newline="") as report:
        lines = list(csv.DictReader(report))
    assert len(lines) == len(made.oddities.found)
    assert set(lines[0]) == {"file", "line", "kind", "what"}


def test_history_and_the_days_work_are_all_orders_of_the_file(tmp_path: Path) -> None:
    """Without it the busiest day would be loaded twice or not at all."""
    made, tables = company(write_folder(tmp_path))
    work = list(made.work())
    assert len(column(tables, "sales_order", "id")) == 3
    assert [len(order.lines) for order in work] == [1, 1]
    lines = len(column(tables, "order_line", "id")) + sum(len(order.lines) for order in work)
    assert lines == len(ORDERS.strip().splitlines()) - 1


def test_returns_and_missing_coordinates_are_loaded_as_they_are(tmp_path: Path) -> None:
    """Without it returns would count as sales, and shops without coordinates lie in the sea."""
    _, tables = company(write_folder(tmp_path))
    assert column(tables, "sales_order", "is_return") == [0, 0, 1]
    assert column(tables, "order_line", "quantity")[-1] == -1000
    assert column(tables, "outlet", "latitude")[2] is None
    assert column(tables, "outlet", "status") == ["active", "active", "inactive", "active"]


def test_an_order_number_alone_is_no_key(tmp_path: Path) -> None:
    """Without it an order after the counter's reset would replace an older one."""
    again = ORDERS + "INV-492710,1,2022-07-22,2,10,3,45.00\n"
    made, tables = company(write_folder(tmp_path, orders=again))
    ids = column(tables, "sales_order", "id")
    assert len(ids) == len(set(ids)) == 4
    kinds = [one.kind for one in made.oddities.found if one.line == 9]
    assert kinds == ["order_number_again"]


def test_the_same_folder_gives_the_same_ids(tmp_path: Path) -> None:
    """Without it loading again would double the company."""
    _, first = company(write_folder(tmp_path))
    _, second = company(tmp_path)
    for table in first:
        assert column(first, table, "id") == column(second, table, "id"), table


def test_counties_are_territories_under_those_of_the_reps(tmp_path: Path) -> None:
    """Without it an outlet's region could not be told."""
    _, tables = company(write_folder(tmp_path))
    known = dict(
        zip(column(tables, "territory", "id"), column(tables, "territory", "code"), strict=True)
    )
    codes = [known[one] for one in column(tables, "outlet", "territory_id")]
    assert [str(code).split("-")[1] for code in codes] == ["OBRIEN", "OBRIEN", "ADAIR", "ADAIR"]


@pytest.mark.parametrize(
    ("orders", "place"),
    [
        (ORDERS.replace("store_no", "shop"), "orders.csv.gz:1"),
        (ORDERS.replace(",5,75.00", ",five,75.00"), "orders.csv.gz:3:bottles"),
        (ORDERS.replace(",5,75.00", ",0,75.00"), "orders.csv.gz:3:bottles"),
        (ORDERS.replace(",5,75.00", ",5"), "orders.csv.gz:3"),
        (ORDERS.replace("1,11,5", "1,99,5"), "orders.csv.gz:3:item_no"),
        (ORDERS.replace("07-17,2,", "07-17,9,"), "orders.csv.gz:4:store_no"),
    ],
)
def test_a_file_that_misfits_is_refused_with_its_place(
    tmp_path: Path, orders: str, place: str
) -> None:
    """Without it a broken download would give a traceback."""
    with pytest.raises(Rejected) as refused:
        company(write_folder(tmp_path, orders=orders))
    assert (refused.value.code, refused.value.place) == ("csv_invalid", place)


def test_a_missing_or_cut_file_is_refused_by_name(tmp_path: Path) -> None:
    """Without it a folder with a typo would give a traceback."""
    with pytest.raises(Rejected) as missing:
        company(tmp_path)
    assert missing.value.code == "file_unreadable"
    held = write_folder(tmp_path, stores=STORES) / "stores.csv.gz"
    held.write_bytes(held.read_bytes()[:60])
    with pytest.raises(Rejected) as cut:
        company(tmp_path)
    assert cut.value.place.endswith("stores.csv.gz")
