"""The three files of real wholesale orders: read line by line, checked, oddities noted."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

from fieldmesh.basics.errors import Rejected
from hub.exchange.sample.iowa_judging import (
    ITEMS,
    ORDERS,
    STORES,
    Counting,
    far_from_city,
    judge_item,
    judge_numbers,
    judge_store,
    shared,
    spellings,
)
from hub.exchange.sample.oddities import Oddities

_COLUMNS = {
    STORES: [
        "store_no",
        "name",
        "address",
        "city",
        "zip",
        "county",
        "lat",
        "lon",
        "status",
        "county_geo",
    ],
    ITEMS: [
        "item_no",
        "description",
        "category",
        "vendor",
        "pack",
        "bottle_ml",
        "cost",
        "retail",
        "inner_pack",
        "case_cost",
        "upc",
        "scc",
        "list_date",
    ],
    ORDERS: ["order", "line", "date", "store_no", "item_no", "bottles", "sale"],
}


@dataclass(frozen=True, slots=True)
class Store:
    """A shop of stores.csv.gz. Coordinates in degrees; None where the file has none."""

    number: str
    name: str
    address: str
    city: str
    postal_code: str
    county: str
    latitude: Decimal | None
    longitude: Decimal | None
    active: bool


@dataclass(frozen=True, slots=True)
class Item:
    """A product of items.csv.gz. `retail` is the price of one bottle, US dollars."""

    number: str
    name: str
    category: str
    vendor: str
    pack: int
    bottle_ml: int
    retail: Decimal
    inner_pack: int
    upc: str
    scc: str
    list_date: str


@dataclass(slots=True)
class Order:
    """An order of orders.csv.gz: lines of (line number, item, bottles, dollars for the line)."""

    number: str
    date: str
    store: str
    lines: list[tuple[int, str, int, Decimal]] = field(default_factory=list)

    @property
    def is_return(self) -> bool:
        """Whether goods came back."""
        return self.number.startswith("RINV")


def read_stores(folder: Path, odd: Oddities) -> list[Store]:
    """All shops.

    Raises:
        Rejected: `file_unreadable`, or `csv_invalid` with file, line and column.
    """
    found: list[tuple[int, Store]] = []
    for line, row in _rows(folder, STORES):
        place = f"{STORES}:{line}"
        judge_store(odd, line, row)
        store = Store(
            row["store_no"], _tidy(row["name"]), _tidy(row["address"]), row["city"], row["zip"],
            row["county"] or row["county_geo"], _degrees(row["lat"], place), _degrees(row["lon"], place),
            row["status"] != "I",
        )  # fmt: skip
        found.append((line, store))
    shared(odd, STORES, "shared_coordinates", ((line, _point(one)) for line, one in found))
    shared(odd, STORES, "shared_address", ((line, (one.address, one.city)) for line, one in found))
    shared(odd, STORES, "shared_name", ((line, one.name) for line, one in found))
    spellings(odd, STORES, "city_spelled_twice", [(line, one.city) for line, one in found])
    spellings(odd, STORES, "county_spelled_twice", [(line, one.county) for line, one in found])
    far_from_city(odd, found)
    return [store for _, store in found]


def read_items(folder: Path, odd: Oddities) -> list[Item]:
    """All products.

    Raises:
        Rejected: `file_unreadable`, or `csv_invalid` with file, line and column.
    """
    found: list[tuple[int, Item]] = []
    for line, row in _rows(folder, ITEMS):
        place = f"{ITEMS}:{line}"
        for column in ("cost", "case_cost"):
            _dollars(row[column], place, column)
        item = Item(
            row["item_no"], _tidy(row["description"]), row["category"] or "OTHER", row["vendor"],
            _whole(row["pack"], place, "pack"), _whole(row["bottle_ml"], place, "bottle_ml"),
            _dollars(row["retail"], place, "retail"), _whole(row["inner_pack"], place, "inner_pack"),
            row["upc"], row["scc"], row["list_date"],
        )  # fmt: skip
        judge_item(odd, line, row)
        found.append((line, item))
    shared(odd, ITEMS, "shared_upc", ((line, one.upc or None) for line, one in found))
    shared(odd, ITEMS, "shared_scc", ((line, one.scc or None) for line, one in found))
    shared(odd, ITEMS, "shared_description", ((line, one.name) for line, one in found))
    return [item for _, item in found]


def read_orders(folder: Path, odd: Oddities) -> Iterator[tuple[int, Order]]:
    """(first line, order), in the order of the file; the key is (number, date, shop), since the counter was reset.

    Raises:
        Rejected: `file_unreadable`, or `csv_invalid` with file, line and column.
    """
    counting = Counting(odd)
    current: Order | None = None
    first = 0
    for line, row in _rows(folder, ORDERS):
        key = (row["order"], row["date"], row["store_no"])
        if current is None or (current.number, current.date, current.store) != key:
            if current is not None:
                _judge_order(odd, counting, first, current)
                yield first, current
            current, first = Order(*key), line
        place = f"{ORDERS}:{line}"
        current.lines.append(
            (
                _whole(row["line"], place, "line"),
                row["item_no"],
                _bottles(row["bottles"], place),
                _dollars(row["sale"], place, "sale"),
            )
        )
    if current is not None:
        _judge_order(odd, counting, first, current)
        yield first, current


def _judge_order(odd: Oddities, counting: Counting, first: int, order: Order) -> None:
    counting.judge(first, order.number, order.date, order.store)
    judge_numbers(odd, first, order.number, [(line, item) for line, item, _, _ in order.lines])


def _rows(folder: Path, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    path = folder / name
    try:
        with gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="") as source:
            reader = csv.DictReader(source)
            missing = [one for one in _COLUMNS[name] if one not in (reader.fieldnames or ())]
            if missing:
                text = f"The heading lacks {', '.join(missing)}."
                raise Rejected("csv_invalid", place=f"{name}:1", text=text)
            for row in reader:
                if None in row or None in row.values():
                    raise Rejected(
                        "csv_invalid",
                        place=f"{name}:{reader.line_num}",
                        text="The line has another number of columns than the heading.",
                    )
                yield reader.line_num, row
    except (OSError, EOFError) as error:
        raise Rejected("file_unreadable", place=str(path), text=str(error)) from None


def _tidy(text: str) -> str:
    return " ".join(text.split())


def _point(store: Store) -> tuple[Decimal, Decimal] | None:
    if store.latitude is None or store.longitude is None:
        return None
    return store.latitude, store.longitude


def _degrees(text: str, place: str) -> Decimal | None:
    if not text:
        return None
    return _dollars(text, place, "coordinates")


def _whole(text: str, place: str, column: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Rejected(
            "csv_invalid", place=f"{place}:{column}", text=f"{text!r} is no whole number."
        ) from None


def _bottles(text: str, place: str) -> int:
    bottles = _whole(text, place, "bottles")
    if bottles == 0:
        raise Rejected(
            "csv_invalid", place=f"{place}:bottles", text="A line needs at least one bottle."
        )
    return bottles


def _dollars(text: str, place: str, column: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise Rejected(
            "csv_invalid", place=f"{place}:{column}", text=f"{text!r} is no number."
        ) from None
