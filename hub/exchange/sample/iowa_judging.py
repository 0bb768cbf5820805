"""What a careful reader of the real files would ask about. Nothing is left out because of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from statistics import median
from typing import Protocol

from hub.exchange.sample.oddities import Oddities

STORES, ITEMS, ORDERS = "stores.csv.gz", "items.csv.gz", "orders.csv.gz"
LISTED_ON = "2022-11-01"
"""The day of the masters: a product listed later was not on the list yet."""
_REPLACEMENT = "\ufffd"
_UPC_DIGITS = 12
_RESET_STEP = 10_000
_FAR_SQUARED = Decimal(20 * 20)
_KM_A_DEGREE = Decimal(111)
_KM_A_DEGREE_EAST = Decimal(83)
"""At 42° north, where Iowa lies."""


class Place(Protocol):
    """What is asked of a shop."""

    @property
    def number(self) -> str:
        """Its number."""

    @property
    def city(self) -> str:
        """Its city, as the file spells it."""

    @property
    def latitude(self) -> Decimal | None:
        """Degrees north."""

    @property
    def longitude(self) -> Decimal | None:
        """Degrees east."""


def letters(text: str) -> str:
    """The name without blanks, signs and spellings of Mount: O'BRIEN = OBRIEN, MT PLEASANT = MOUNT PLEASANT."""
    return "".join(one for one in text.upper().replace("MOUNT ", "MT ") if one.isalpha())


def judge_store(odd: Oddities, line: int, row: dict[str, str]) -> None:
    """What one line of the shops has to be asked."""
    number = row["store_no"]
    if not row["lat"] or not row["lon"]:
        odd.add(STORES, line, "no_coordinates", number)
    if not row["zip"]:
        odd.add(STORES, line, "no_postal_code", number)
    if not row["county"]:
        odd.add(STORES, line, "no_county", number)
    elif row["county_geo"] and letters(row["county"]) != letters(row["county_geo"]):
        odd.add(STORES, line, "county_disagrees", f"{row['county']} / {row['county_geo']}")
    if row["status"] == "I":
        odd.add(STORES, line, "inactive_shop", number)
    if any("  " in row[column] for column in ("name", "address")):
        odd.add(STORES, line, "double_blanks", number)


def shared(odd: Oddities, file: str, kind: str, keys: Iterable[tuple[int, object]]) -> None:
    """Every line whose key stands on another line too. A key of None is none."""
    lines: dict[object, list[int]] = defaultdict(list)
    for line, key in keys:
        if key is not None:
            lines[key].append(line)
    for key, found in lines.items():
        if len(found) > 1:
            for line in found:
                odd.add(file, line, kind, key if isinstance(key, str) else ", ".join(_texts(key)))


def spellings(odd: Oddities, file: str, kind: str, names: Sequence[tuple[int, str]]) -> None:
    """Every line with a name that the file also spells in another way."""
    found: dict[str, set[str]] = defaultdict(set)
    for _, name in names:
        found[letters(name)].add(name)
    for line, name in names:
        if len(found[letters(name)]) > 1:
            odd.add(file, line, kind, " / ".join(sorted(found[letters(name)])))


def far_from_city(odd: Oddities, stores: Sequence[tuple[int, Place]]) -> None:
    """Every shop that lies over 20 km from the middle of its city's shops."""
    cities: dict[str, list[tuple[Decimal, Decimal]]] = defaultdict(list)
    for _, store in stores:
        if store.latitude is not None and store.longitude is not None:
            cities[letters(store.city)].append((store.latitude, store.longitude))
    middles = {
        city: (median(one for one, _ in found), median(one for _, one in found))
        for city, found in cities.items()
    }
    for line, store in stores:
        if store.latitude is None or store.longitude is None:
            continue
        north, east = middles[letters(store.city)]
        up = (store.latitude - north) * _KM_A_DEGREE
        aside = (store.longitude - east) * _KM_A_DEGREE_EAST
        if up * up + aside * aside > _FAR_SQUARED:
            odd.add(STORES, line, "far_from_city", f"{store.number} {store.city}")


def judge_item(odd: Oddities, line: int, row: dict[str, str]) -> None:
    """What one line of the products has to be asked. Its numbers were read before."""
    number, name, pack = row["item_no"], row["description"], int(row["pack"])
    if not row["upc"]:
        odd.add(ITEMS, line, "no_upc", number)
    elif len(row["upc"]) < _UPC_DIGITS:
        odd.add(ITEMS, line, "short_upc", row["upc"])
    if int(row["inner_pack"]) > pack:
        odd.add(ITEMS, line, "inner_pack_above_pack", f"{row['inner_pack']} > {pack}")
    if Decimal(row["case_cost"]) != Decimal(row["cost"]) * pack:
        odd.add(ITEMS, line, "case_cost_differs", number)
    if int(row["bottle_ml"]) == 0:
        odd.add(ITEMS, line, "no_bottle_size", number)
    if row["list_date"] > LISTED_ON:
        odd.add(ITEMS, line, "listed_in_the_future", row["list_date"])
    if _REPLACEMENT in name:
        odd.add(ITEMS, line, "broken_characters", name)
    elif not name.isascii():
        odd.add(ITEMS, line, "foreign_characters", name)


def judge_numbers(odd: Oddities, first: int, number: str, lines: Sequence[tuple[int, str]]) -> None:
    """What the (line number, product) of an order that begins at line ``first`` have to be asked."""
    held = sorted(line for line, _ in lines)
    if held != list(range(1, len(held) + 1)):
        odd.add(ORDERS, first, "line_numbers_missing", number)
    again = sorted(item for item, count in Counter(item for _, item in lines).items() if count > 1)
    if again:
        odd.add(ORDERS, first, "product_on_several_lines", f"{number}: {', '.join(again)}")


class Counting:
    """Watches the order counter: numbers that come twice, and numbers below one that was reached long before."""

    def __init__(self, odd: Oddities) -> None:
        """Nothing was counted yet."""
        self._odd = odd
        self._seen: dict[str, tuple[str, str]] = {}
        self._top = 0

    def judge(self, first: int, number: str, date: str, store: str) -> None:
        """One order; orders come by date."""
        before = self._seen.setdefault(number, (date, store))
        if before != (date, store):
            what = f"{number}: shop {before[1]} on {before[0]}"
            self._odd.add(ORDERS, first, "order_number_again", what)
        if number.startswith("RINV"):
            self._odd.add(ORDERS, first, "return", number)
            return
        counted = int("".join(one for one in number if one.isdigit()) or 0)
        if counted < self._top - _RESET_STEP:
            what = f"{number} after {self._top}: the counter was reset, the number is no key"
            self._odd.add(ORDERS, first, "number_used_before", what)
        self._top = max(self._top, counted)


def _texts(key: object) -> list[str]:
    return [str(one) for one in key] if isinstance(key, tuple) else [str(key)]
