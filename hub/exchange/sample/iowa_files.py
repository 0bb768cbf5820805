"""The three files of real wholesale orders: read line by line, checked, oddities noted."""

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

from fieldmesh.basics.errors import Rejected
from hub.exchange.sample.oddities import Oddities

STORES, ITEMS, ORDERS = "stores.csv.gz", "items.csv.gz", "orders.csv.gz"
_REPLACEMENT = "\ufffd"


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
    found: list[Store] = []
    places: Counter[tuple[Decimal, Decimal]] = Counter()
    addresses: Counter[tuple[str, str]] = Counter()
    lines: list[int] = []
    for line, row in _rows(folder, STORES):
        place = f"{STORES}:{line}"
        latitude, longitude = _degrees(row["lat"], place), _degrees(row["lon"], place)
        name, address = _tidy(row["name"]), _tidy(row["address"])
        if name != row["name"] or address != row["address"]:
            odd.add(STORES, line, "double_blanks", row["store_no"])
        if latitude is None or longitude is None:
            odd.add(STORES, line, "no_coordinates", row["store_no"])
        else:
            places[latitude, longitude] += 1
        _judge_store(odd, line, row)
        addresses[address, row["city"]] += 1
        lines.append(line)
        found.append(
            Store(
                row["store_no"], name, address, row["city"], row["zip"],
                row["county"] or row["county_geo"], latitude, longitude, row["status"] != "I",
            )
        )  # fmt: skip
    for line, store in zip(lines, found, strict=True):
        if (
            store.latitude is not None
            and store.longitude is not None
            and places[store.latitude, store.longitude] > 1
        ):
            odd.add(STORES, line, "shared_coordinates", store.number)
        if addresses[store.address, store.city] > 1:
            odd.add(STORES, line, "shared_address", store.number)
    return found


def _judge_store(odd: Oddities, line: int, row: dict[str, str]) -> None:
    if not row["zip"]:
        odd.add(STORES, line, "no_postal_code", row["store_no"])
    if not row["county"]:
        odd.add(STORES, line, "no_county", row["store_no"])
    elif row["county_geo"] and _letters(row["county"]) != _letters(row["county_geo"]):
        odd.add(STORES, line, "county_disagrees", f"{row['county']} / {row['county_geo']}")
    if row["status"] == "I":
        odd.add(STORES, line, "inactive_shop", row["store_no"])


def read_items(folder: Path, odd: Oddities) -> list[Item]:
    """All products.

    Raises:
        Rejected: `file_unreadable`, or `csv_invalid` with file, line and column.
    """
    found: list[Item] = []
    holders: dict[tuple[str, str], list[int]] = defaultdict(list)
    for line, row in _rows(folder, ITEMS):
        place = f"{ITEMS}:{line}"
        pack, inner = (
            _whole(row["pack"], place, "pack"),
            _whole(row["inner_pack"], place, "inner_pack"),
        )
        cost, case_cost = (
            _dollars(row["cost"], place, "cost"),
            _dollars(row["case_cost"], place, "case_cost"),
        )
        item = Item(
            row["item_no"], _tidy(row["description"]), row["category"] or "OTHER", row["vendor"],
            pack, _whole(row["bottle_ml"], place, "bottle_ml"), _dollars(row["retail"], place, "retail"),
            inner, row["upc"], row["scc"], row["list_date"],
        )  # fmt: skip
        _judge_item(odd, line, item, case_cost != cost * pack)
        for kind, code in (("upc", item.upc), ("scc", item.scc)):
            if code:
                holders[kind, code].append(line)
        found.append(item)
    for (kind, code), lines in holders.items():
        if len(lines) > 1:
            for line in lines:
                odd.add(ITEMS, line, f"shared_{kind}", code)
    return found


def _judge_item(odd: Oddities, line: int, item: Item, cost_differs: bool) -> None:  # noqa: FBT001 - one fact
    if not item.upc:
        odd.add(ITEMS, line, "no_upc", item.number)
    if item.inner_pack > item.pack:
        odd.add(ITEMS, line, "inner_pack_above_pack", f"{item.inner_pack} > {item.pack}")
    if cost_differs:
        odd.add(ITEMS, line, "case_cost_differs", item.number)
    if item.bottle_ml == 0:
        odd.add(ITEMS, line, "no_bottle_size", item.number)
    if _REPLACEMENT in item.name:
        odd.add(ITEMS, line, "broken_characters", item.name)


def read_orders(folder: Path, odd: Oddities) -> Iterator[tuple[int, Order]]:
    """(first line, order), in the order of the file; the key is (number, date, shop), since the counter was reset.

    Raises:
        Rejected: `file_unreadable`, or `csv_invalid` with file, line and column.
    """
    seen: dict[str, tuple[str, str]] = {}
    current: Order | None = None
    first = 0
    for line, row in _rows(folder, ORDERS):
        key = (row["order"], row["date"], row["store_no"])
        if current is None or (current.number, current.date, current.store) != key:
            if current is not None:
                _judge_order(odd, first, current, seen)
                yield first, current
            current, first = Order(*key), line
        place = f"{ORDERS}:{line}"
        current.lines.append(
            (
                _whole(row["line"], place, "line"),
                row["item_no"],
                _whole(row["bottles"], place, "bottles"),
                _dollars(row["sale"], place, "sale"),
            )
        )
    if current is not None:
        _judge_order(odd, first, current, seen)
        yield first, current


def _judge_order(odd: Oddities, first: int, order: Order, seen: dict[str, tuple[str, str]]) -> None:
    before = seen.setdefault(order.number, (order.date, order.store))
    if before != (order.date, order.store):
        odd.add(
            ORDERS, first, "order_number_again", f"{order.number}: shop {before[1]} on {before[0]}"
        )
    if order.is_return:
        odd.add(ORDERS, first, "return", order.number)
    numbers = sorted(line[0] for line in order.lines)
    if numbers != list(range(1, len(numbers) + 1)):
        odd.add(ORDERS, first, "line_numbers_missing", order.number)
    items = Counter(line[1] for line in order.lines)
    again = sorted(item for item, count in items.items() if count > 1)
    if again:
        odd.add(ORDERS, first, "product_on_several_lines", f"{order.number}: {', '.join(again)}")


def _rows(folder: Path, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    path = folder / name
    try:
        with gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="") as source:
            reader = csv.DictReader(source)
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


def _letters(text: str) -> str:
    return "".join(character for character in text.upper() if character.isalpha())


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


def _dollars(text: str, place: str, column: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise Rejected(
            "csv_invalid", place=f"{place}:{column}", text=f"{text!r} is no number."
        ) from None
