"""Real wholesale orders of Iowa's licensed shops as a company.

Shops → outlets, counties → territories under those of reps and offices, vendors → brands,
items → products with packs and prices, orders → history and the day's work.

Names that stand on several shops are chains: one legal party. Everything is loaded; what is odd is reported.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import stable_document_id, stable_id
from fieldmesh.basics.money import scaled
from fieldmesh.codec.columns import TableRows
from fieldmesh.data.types import Value
from hub.exchange.sample.frame import (
    Rep,
    office_id,
    organisation,
    routes,
    warehouse_id,
    warehouses,
)
from hub.exchange.sample.iowa_files import Item, Order, Store, read_items, read_orders, read_stores
from hub.exchange.sample.iowa_judging import ORDERS, letters
from hub.exchange.sample.oddities import Oddities
from hub.exchange.sample.source import WorkLine, WorkOrder, rows_of

_PRICE_LIST = stable_id("price_list", "iowa")
_PIECE_ROWS = 20_000
_LAST_DAYS = 7
"""The busiest of the last days of the file is the day's work; the others are history."""


@dataclass(slots=True)
class IowaCompany:
    """The company behind the three files.

    Attributes:
        folder: that holds them.
        offices: how many offices the counties are grouped under.
        reps: how many reps share the shops.
        verifier: of everybody's password.
        now: hub clock, UTC microseconds; routes begin here.
        oddities: what was odd; complete when all tables were taken.
    """

    folder: Path
    offices: int
    reps: int
    verifier: str
    now: int
    oddities: Oddities = field(default_factory=Oddities)
    _stores: list[Store] = field(default_factory=list)
    _items: dict[str, Item] = field(default_factory=dict)
    _rep_of: dict[str, Rep] = field(default_factory=dict)
    _work: list[Order] = field(default_factory=list)

    def tables(self) -> Iterator[TableRows]:
        """Rows, parents before children.

        Raises:
            Rejected: a file is missing or can't be read, with file, line and column.
        """
        self._stores = read_stores(self.folder, self.oddities)
        self._items = {item.number: item for item in read_items(self.folder, self.oddities)}
        posts = self._share_out()
        yield from organisation(posts, offices=self.offices, verifier=self.verifier)
        yield from self._counties()
        yield from warehouses(self.offices)
        yield from self._catalogue()
        yield from self._outlets()
        served: dict[Rep, list[bytes]] = defaultdict(list)
        for store in self._stores:
            if store.active:
                served[self._rep_of[store.number]].append(stable_id("outlet", store.number))
        yield from routes(list(served.items()), self._today())
        yield from self._history()

    def work(self) -> Iterator[WorkOrder]:
        """The orders of the busiest of the last days of the file, as the reps of these shops are to take them."""
        for order in self._work:
            lines = tuple(
                WorkLine(item, "bottle", abs(bottles) * 1000) for _, item, bottles, _ in order.lines
            )
            rep = self._rep_of[order.store]
            yield WorkOrder(rep.code, f"S{order.store}", lines, is_return=order.is_return)

    # --- within

    def _today(self) -> str:
        return (
            datetime.datetime.fromtimestamp(self.now // 1_000_000, tz=datetime.UTC)
            .date()
            .isoformat()
        )

    def _share_out(self) -> list[Rep]:
        """Shops in the order of county and city, in equal shares; an office has neighbouring counties."""
        posts = [Rep(n + 1, n * self.offices // self.reps + 1) for n in range(self.reps)]
        ordered = sorted(
            self._stores, key=lambda one: (letters(one.county), letters(one.city), one.number)
        )
        for place, store in enumerate(ordered):
            self._rep_of[store.number] = posts[place * self.reps // len(ordered)]
        return posts

    def _counties(self) -> Iterator[TableRows]:
        """The counties, or parts of counties, of each rep's territory."""
        rows: dict[bytes, tuple[Value, ...]] = {}
        for store in self._stores:
            rep, county = self._rep_of[store.number], letters(store.county) or "UNKNOWN"
            name = store.county.title() or "County unknown"
            row = (_county(rep, store), rep.territory_id, office_id(rep.office), 3)
            rows.setdefault(row[0], (*row, f"T{rep.number:04d}-{county}", name))
        names = ("id", "parent_id", "org_unit_id", "level", "code", "name")
        yield from rows_of("territory", names, list(rows.values()))

    def _catalogue(self) -> Iterator[TableRows]:
        items = self._items.values()
        groups: list[tuple[Value, ...]] = [
            (stable_id("product_group", name), f"G{n:03d}", name.title())
            for n, name in enumerate(sorted({item.category for item in items}))
        ]
        yield from rows_of("product_group", ("id", "code", "name"), groups)
        products: list[tuple[Value, ...]] = []
        units: list[tuple[Value, ...]] = []
        barcodes: list[tuple[Value, ...]] = []
        prices: list[tuple[Value, ...]] = []
        for item in items:
            product = stable_id("product", item.number)
            group = stable_id("product_group", item.category)
            products.append(
                (product, group, item.number, item.vendor[:120], item.name[:200], 1, item.bottle_ml)
            )
            bottles = ("bottle", 1, item.inner_pack, item.upc)
            for unit, factor, multiple, gtin in (bottles, ("case", item.pack, 1, item.scc)):
                unit_id = _unit(item.number, unit)
                units.append((unit_id, product, unit, factor * 1000, multiple * 1000))
                if gtin:
                    barcodes.append((stable_id("barcode", item.number, unit), unit_id, gtin))
                amount = scaled(item.retail * factor, 5)
                prices.append(
                    (
                        stable_id("price", item.number, unit),
                        _PRICE_LIST,
                        unit_id,
                        item.list_date,
                        amount,
                    )
                )
        yield from rows_of(
            "product",
            ("id", "product_group_id", "code", "brand", "name", "excise", "volume_ml"),
            products,
        )
        yield from rows_of(
            "product_unit", ("id", "product_id", "unit_code", "factor", "order_multiple"), units
        )
        yield from rows_of("product_barcode", ("id", "product_unit_id", "gtin"), barcodes)
        row: tuple[Value, ...] = (_PRICE_LIST, "STATE", "State price list", "USD", 1)
        yield from rows_of("price_list", ("id", "code", "name", "currency", "is_default"), [row])
        yield from rows_of(
            "price", ("id", "price_list_id", "product_unit_id", "valid_from", "amount"), prices
        )
        stock: list[tuple[Value, ...]] = [
            (
                stable_id("stock", office, item.number),
                warehouse_id(office),
                stable_id("product", item.number),
                self.now,
            )
            for office in range(1, self.offices + 1)
            for item in items
        ]
        yield from rows_of("stock", ("id", "warehouse_id", "product_id", "as_of"), stock)

    def _outlets(self) -> Iterator[TableRows]:
        names = sorted({store.name for store in self._stores})
        parties: list[tuple[Value, ...]] = [
            (stable_id("legal_party", name), f"LP{n:05d}", name) for n, name in enumerate(names)
        ]
        yield from rows_of("legal_party", ("id", "code", "name"), parties)
        rows: list[tuple[Value, ...]] = []
        assignments: list[tuple[Value, ...]] = []
        for store in self._stores:
            rep, outlet = self._rep_of[store.number], stable_id("outlet", store.number)
            rows.append(
                (outlet, stable_id("legal_party", store.name), _county(rep, store), f"S{store.number}",
                 store.name, store.address, store.city.title(), store.postal_code,
                 None if store.latitude is None else scaled(store.latitude, 6),
                 None if store.longitude is None else scaled(store.longitude, 6),
                 "active" if store.active else "inactive")
            )  # fmt: skip
            assignments.append(
                (stable_id("assigned", store.number), outlet, rep.position_id, "2020-01-01")
            )
        columns = (
            "id",
            "legal_party_id",
            "territory_id",
            "code",
            "name",
            "address",
            "city",
            "postal_code",
            "latitude",
            "longitude",
            "status",
        )
        yield from rows_of("outlet", columns, rows)
        yield from rows_of(
            "outlet_assignment", ("id", "outlet_id", "position_id", "valid_from"), assignments
        )
        contracts: list[tuple[Value, ...]] = [
            (stable_id("contract", name), stable_id("legal_party", name), _PRICE_LIST, f"C{n:05d}")
            for n, name in enumerate(names)
        ]
        yield from rows_of("contract", ("id", "legal_party_id", "price_list_id", "code"), contracts)

    def _history(self) -> Iterator[TableRows]:
        days: list[list[Order]] = []
        held: list[Order] = []
        lines = 0
        inactive = {store.number for store in self._stores if not store.active}
        for first, order in read_orders(self.folder, self.oddities):
            self._judge(first, order, inactive)
            if not days or days[-1][0].date != order.date:
                days.append([])
            days[-1].append(order)
            if len(days) > _LAST_DAYS:
                lines += sum(len(one.lines) for one in days[0])
                held += days.pop(0)
            if lines >= _PIECE_ROWS:
                yield from self._orders(held)
                held, lines = [], 0
        busiest = max(days, key=len, default=[])
        for day in days:
            held += day if day is not busiest else []
        yield from self._orders(held)
        self._work = busiest

    def _orders(self, held: list[Order]) -> Iterator[TableRows]:
        orders: list[tuple[Value, ...]] = []
        lines: list[tuple[Value, ...]] = []
        for order in held:
            at, key = _noon(order.date), (order.number, order.date, order.store)
            order_id = stable_document_id(at, "order", *key)
            rep = self._rep_of[order.store]
            total = sum(scaled(sale, 2) for _, _, _, sale in order.lines)
            orders.append(
                (order_id, at, order.number, stable_id("outlet", order.store),
                 rep.position_id, _PRICE_LIST, order.date, total, int(order.is_return), "closed")
            )  # fmt: skip
            lines += [
                (stable_document_id(at, "line", *key, number), order_id, number,
                 _unit(item, "bottle"), bottles * 1000, scaled(sale / bottles, 5), scaled(sale, 2))
                for number, item, bottles, sale in order.lines
            ]  # fmt: skip
        names = (
            "id",
            "created_at",
            "number",
            "outlet_id",
            "position_id",
            "price_list_id",
            "date",
            "amount",
            "is_return",
            "state",
        )
        yield from rows_of("sales_order", names, orders)
        yield from rows_of(
            "order_line",
            ("id", "order_id", "line_number", "product_unit_id", "quantity", "price", "amount"),
            lines,
        )

    def _judge(self, first: int, order: Order, inactive: set[str]) -> None:
        if order.store not in self._rep_of:
            raise _unknown(first, "store_no", order.store)
        if order.store in inactive:
            self.oddities.add(
                ORDERS, first, "order_of_inactive_shop", f"{order.number}: {order.store}"
            )
        for place, (_, number, bottles, sale) in enumerate(order.lines):
            line = first + place
            item = self._items.get(number)
            if item is None:
                raise _unknown(line, "item_no", number)
            if item.list_date > order.date:
                self.oddities.add(ORDERS, line, "sold_before_list_date", number)
            if item.inner_pack and bottles % item.inner_pack:
                self.oddities.add(
                    ORDERS, line, "no_multiple_of_inner_pack", f"{bottles} of {item.inner_pack}"
                )
            if sale * 100 % bottles:
                self.oddities.add(ORDERS, line, "price_in_no_whole_cents", f"{sale} / {bottles}")
            if sale != item.retail * bottles:
                self.oddities.add(ORDERS, line, "price_off_the_list", number)


def _county(rep: Rep, store: Store) -> bytes:
    return stable_id("territory", rep.code, letters(store.county) or "UNKNOWN")


def _unit(item: str, unit: str) -> bytes:
    return stable_id("product_unit", item, unit)


def _unknown(line: int, column: str, value: str) -> Rejected:
    text = f"{value!r} stands in no master file of the folder."
    return Rejected("csv_invalid", place=f"{ORDERS}:{line}:{column}", text=text)


def _noon(date: str) -> int:
    moment = datetime.datetime.fromisoformat(date).replace(hour=12, tzinfo=datetime.UTC)
    return int(moment.timestamp()) * 1_000_000
