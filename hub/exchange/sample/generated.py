"""A made-up company of the shape that the reference size has. The same seed gives the same company."""

import datetime
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from fieldmesh.basics.identifiers import stable_document_id, stable_id
from fieldmesh.codec.columns import TableRows
from fieldmesh.data.types import Value
from hub.exchange.sample.frame import (
    Rep,
    organisation,
    routes,
    warehouse_id,
    warehouses,
)
from hub.exchange.sample.source import WorkLine, WorkOrder, rows_of

_STREETS = (
    "Main Street",
    "Station Road",
    "Market Square",
    "Mill Lane",
    "High Street",
    "Park Avenue",
)
_SHOPS = ("Corner Shop", "Minimart", "Fresh Foods", "Kiosk", "Grocery", "Daily Store", "Market")
_BRANDS = ("Northwind", "Clearwell", "Sunfield", "Oakridge", "Bluebird", "Redstone", "Lakeside")
_GOODS = ("Cola", "Water", "Juice", "Tea", "Crisps", "Biscuits", "Chocolate", "Coffee", "Beer")
_SIZES = (("0.33 l", 24), ("0.5 l", 12), ("1 l", 6), ("100 g", 20), ("250 g", 10))
_CHANNELS = ("traditional", "modern", "horeca", "kiosk")
_CHAIN_EVERY = 25
_COOLER_EVERY = 4
_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Size:
    """How large a company is."""

    offices: int = 2
    reps: int = 6
    outlets_a_rep: int = 60
    products: int = 300
    orders_an_outlet: int = 3
    lines_an_order: int = 6
    distributors: int = 2


@dataclass(slots=True)
class GeneratedCompany:
    """A company made from a seed.

    Attributes:
        size: how large.
        seed: of all choices.
        now: hub clock, UTC microseconds: history ends here, plans begin here.
        verifier: of everybody's password.
    """

    size: Size
    seed: int
    now: int
    verifier: str
    reps: list[Rep] = field(init=False)

    def __post_init__(self) -> None:
        """The posts are known."""
        size = self.size
        self.reps = [Rep(n + 1, n % size.offices + 1) for n in range(size.reps)]

    def tables(self) -> Iterator[TableRows]:
        """Rows, parents before children."""
        yield from organisation(self.reps, offices=self.size.offices, verifier=self.verifier)
        yield from self._sellers()
        yield from self._catalogue()
        yield from self._stock()
        for rep in self.reps:
            yield from self._outlets(rep)
        yield from self._equipment()
        yield from self._plans()
        served = [
            (rep, [self._outlet(rep, n) for n in range(self.size.outlets_a_rep)])
            for rep in self.reps
        ]
        yield from routes(served, self._day(0))
        for rep in self.reps:
            yield from self._history(rep)

    def work(self) -> Iterator[WorkOrder]:
        """The day's orders: twelve a rep."""
        for rep in self.reps:
            choose = self._random("work", rep.number)
            for number in range(min(12, self.size.outlets_a_rep)):
                chosen = choose.sample(range(self.size.products), min(5, self.size.products))
                lines = tuple(
                    WorkLine(_product_code(one), "piece", choose.randint(1, 4) * _pack(one) * 1000)
                    for one in chosen
                )
                yield WorkOrder(rep.code, _outlet_code(rep, number), lines)

    # --- within

    def _random(self, *key: object) -> random.Random:
        return random.Random(repr((self.seed, *key)))  # noqa: S311 - a sample, not a secret

    def _day(self, days: int) -> str:
        moment = datetime.datetime.fromtimestamp(self.now // 1_000_000, tz=datetime.UTC)
        return (moment.date() + datetime.timedelta(days=days)).isoformat()

    def _outlet(self, rep: Rep, number: int) -> bytes:
        return stable_id("outlet", rep.code, number)

    def _sellers(self) -> Iterator[TableRows]:
        numbers = range(1, self.size.distributors + 1)
        parties: list[tuple[Value, ...]] = [
            (stable_id("legal_party", "distributor", n), f"DLP{n:03d}", f"Distributor {n} Ltd")
            for n in numbers
        ]
        yield from rows_of("legal_party", ("id", "code", "name"), parties)
        rows: list[tuple[Value, ...]] = [
            (stable_id("distributor", n), stable_id("legal_party", "distributor", n), f"DIS{n:03d}",
             f"Distributor {n}")
            for n in numbers
        ]  # fmt: skip
        yield from rows_of("distributor", ("id", "legal_party_id", "code", "name"), rows)
        yield from warehouses(self.size.offices)

    def _catalogue(self) -> Iterator[TableRows]:
        groups: list[tuple[Value, ...]] = [
            (stable_id("product_group", name), f"G{n:02d}", name) for n, name in enumerate(_GOODS)
        ]
        yield from rows_of("product_group", ("id", "code", "name"), groups)
        numbers = range(self.size.products)
        products: list[tuple[Value, ...]] = []
        units: list[tuple[Value, ...]] = []
        codes: list[tuple[Value, ...]] = []
        for n in numbers:
            goods, (label, pack) = _GOODS[n % len(_GOODS)], _SIZES[n % len(_SIZES)]
            brand = _BRANDS[n % len(_BRANDS)]
            product = stable_id("product", n)
            group = stable_id("product_group", goods)
            products.append(
                (product, group, _product_code(n), brand, f"{brand} {goods} {label}", 20_000)
            )
            for unit, factor, multiple in (("piece", 1, 1), ("case", pack, 1)):
                unit_id = stable_id("product_unit", n, unit)
                units.append((unit_id, product, unit, factor * 1000, multiple * 1000))
                gtin = f"20{n:05d}{factor:05d}"
                codes.append((stable_id("barcode", n, unit), unit_id, gtin))
        names: tuple[str, ...] = (
            "id", "product_group_id", "code", "brand", "name", "vat_percent",
        )  # fmt: skip
        yield from rows_of("product", names, products)
        names = ("id", "product_id", "unit_code", "factor", "order_multiple")
        yield from rows_of("product_unit", names, units)
        yield from rows_of("product_barcode", ("id", "product_unit_id", "gtin"), codes)
        yield from self._prices()

    def _prices(self) -> Iterator[TableRows]:
        lists: list[tuple[Value, ...]] = [
            (
                stable_id("price_list", kind),
                f"PL-{kind.upper()}",
                f"{kind} list",
                int(kind == "base"),
            )
            for kind in ("base", "chain")
        ]
        yield from rows_of("price_list", ("id", "code", "name", "is_default"), lists)
        rows: list[tuple[Value, ...]] = []
        choose = self._random("prices")
        for n in range(self.size.products):
            base = choose.randint(40, 900) * 1000
            pack = _pack(n)
            for kind, percent in (("base", 100), ("chain", 93)):
                for unit, factor in (("piece", 1), ("case", pack)):
                    amount = base * factor * percent // 100
                    rows.append(
                        (stable_id("price", kind, n, unit), stable_id("price_list", kind),
                         stable_id("product_unit", n, unit), "2020-01-01", amount)
                    )  # fmt: skip
        names = ("id", "price_list_id", "product_unit_id", "valid_from", "amount")
        yield from rows_of("price", names, rows)

    def _stock(self) -> Iterator[TableRows]:
        choose = self._random("stock")
        rows: list[tuple[Value, ...]] = [
            (stable_id("stock", office, n), warehouse_id(office), stable_id("product", n),
             choose.randint(0, 5000) * 1000, self.now)
            for office in range(1, self.size.offices + 1)
            for n in range(self.size.products)
        ]  # fmt: skip
        yield from rows_of("stock", ("id", "warehouse_id", "product_id", "quantity", "as_of"), rows)

    def _outlets(self, rep: Rep) -> Iterator[TableRows]:
        choose = self._random("outlets", rep.number)
        parties, outlets, assignments, contacts, contracts, debts = ([] for _ in range(6))
        for n in range(self.size.outlets_a_rep):
            outlet, code = self._outlet(rep, n), _outlet_code(rep, n)
            chain = n % _CHAIN_EVERY == 0
            owner = ("chain", n // _CHAIN_EVERY % 5) if chain else ("owner", code)
            party = stable_id("legal_party", *owner)
            contract = stable_id("contract", *owner)
            name = f"Chain {owner[1]}" if chain else f"Owner of {code}"
            parties.append((party, f"LP-{owner[0]}-{owner[1]}", name))
            distributor = stable_id("distributor", rep.number % self.size.distributors + 1)
            outlets.append(
                (outlet, party, distributor, rep.territory_id, code, f"{choose.choice(_SHOPS)} {n + 1}",
                 choose.choice(_CHANNELS), choose.choice("ABC"),
                 f"{choose.randint(1, 200)} {choose.choice(_STREETS)}", f"Town {rep.office}",
                 42_000_000 + choose.randint(0, 999_999), 23_000_000 + choose.randint(0, 999_999))
            )  # fmt: skip
            assignments.append(
                (stable_id("outlet_assignment", code), outlet, rep.position_id, "2020-01-01")
            )
            contacts.append((stable_id("contact", code), outlet, f"Manager of {code}", "manager"))
            list_kind = "chain" if chain else "base"
            contracts.append(
                (contract, party, stable_id("price_list", list_kind), f"C-{owner[0]}-{owner[1]}",
                 choose.randint(1, 50) * 100_000)
            )  # fmt: skip
            debts.append(
                (stable_id("debt", code), outlet, contract, f"INV-{code}", self._day(-20),
                 self._day(10), choose.randint(1000, 90_000))
            )  # fmt: skip
        yield from rows_of("legal_party", ("id", "code", "name"), list(dict.fromkeys(parties)))
        names: tuple[str, ...] = (
            "id", "legal_party_id", "distributor_id", "territory_id", "code", "name", "channel", "class",
            "address", "city", "latitude", "longitude",
        )  # fmt: skip
        yield from rows_of("outlet", names, outlets)
        names = ("id", "outlet_id", "position_id", "valid_from")
        yield from rows_of("outlet_assignment", names, assignments)
        yield from rows_of("contact", ("id", "outlet_id", "name", "role"), contacts)
        unique = list({row[0]: row for row in contracts}.values())
        names = ("id", "legal_party_id", "price_list_id", "code", "credit_limit")
        yield from rows_of("contract", names, unique)
        names = ("id", "outlet_id", "contract_id", "number", "date", "due_date", "amount")
        yield from rows_of("debt_doc", names, debts)

    def _equipment(self) -> Iterator[TableRows]:
        """A cooler in every fourth outlet, placed for a year."""
        model = stable_id("equipment_model", "C1")
        yield from rows_of(
            "equipment_model", ("id", "code", "type", "doors"), [(model, "C1", "cooler", 1)]
        )
        units: list[tuple[Value, ...]] = []
        placed: list[tuple[Value, ...]] = []
        for rep in self.reps:
            for n in range(0, self.size.outlets_a_rep, _COOLER_EVERY):
                code, outlet = f"EQ-{_outlet_code(rep, n)}", self._outlet(rep, n)
                unit = stable_id("equipment", code)
                units.append((unit, outlet, model, code, code[3:], "placed"))
                placed.append((stable_id("placement", code), unit, outlet, self._day(-365)))
        names: tuple[str, ...] = (
            "id", "outlet_id", "model_id", "inventory_number", "serial_number", "state",
        )  # fmt: skip
        yield from rows_of("equipment", names, units)
        names = ("id", "equipment_id", "outlet_id", "placed_from")
        yield from rows_of("equipment_placement", names, placed)

    def _plans(self) -> Iterator[TableRows]:
        """What each rep is to sell this month: pieces."""
        period = self._day(0)[:7]
        choose = self._random("plans")
        rows: list[tuple[Value, ...]] = [
            (stable_id("plan", period, rep.code), rep.position_id, period, "pieces",
             choose.randint(20, 90) * 100_000, "approved")
            for rep in self.reps
        ]  # fmt: skip
        yield from rows_of("plan", ("id", "position_id", "period", "kpi", "value", "state"), rows)

    def _history(self, rep: Rep) -> Iterator[TableRows]:
        choose = self._random("history", rep.number)
        orders: list[tuple[Value, ...]] = []
        lines: list[tuple[Value, ...]] = []
        for n in range(self.size.outlets_a_rep):
            for number in range(self.size.orders_an_outlet):
                key = (rep.code, n, number)
                days = (self.size.orders_an_outlet - number) * 7
                at = (self.now // _DAY_US - days) * _DAY_US
                order = stable_document_id(at, "order", *key)
                total = 0
                for line in range(self.size.lines_an_order):
                    product = choose.randrange(self.size.products)
                    quantity, price = choose.randint(1, 12) * 1000, choose.randint(40, 900) * 1000
                    amount = quantity * price // 1_000_000
                    total += amount
                    lines.append(
                        (stable_document_id(at, "line", *key, line), order, line + 1,
                         stable_id("product_unit", product, "piece"), quantity, price, amount)
                    )  # fmt: skip
                orders.append(
                    (order, self.now - days * _DAY_US, f"H{rep.number:04d}-{n:04d}-{number}",
                     self._outlet(rep, n), rep.position_id, self._day(-days), total, "closed")
                )  # fmt: skip
        names: tuple[str, ...] = (
            "id",
            "created_at",
            "number",
            "outlet_id",
            "position_id",
            "date",
            "amount",
            "state",
        )
        yield from rows_of("sales_order", names, orders)
        names = ("id", "order_id", "line_number", "product_unit_id", "quantity", "price", "amount")
        yield from rows_of("order_line", names, lines)


def _product_code(number: int) -> str:
    return f"P{number:05d}"


def _pack(number: int) -> int:
    return _SIZES[number % len(_SIZES)][1]


def _outlet_code(rep: Rep, number: int) -> str:
    return f"O{rep.number:04d}-{number:04d}"
