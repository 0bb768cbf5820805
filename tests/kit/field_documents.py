"""Made-up documents of a month in the field, as plain rows, for an independent count of every figure."""

import datetime
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from fieldmesh.codec.columns import TableRows, from_rows
from fieldmesh.data.types import Value

Row = dict[str, Value]
Tables = dict[str, list[Row]]
FIRST, LAST = datetime.date(2024, 6, 3), datetime.date(2024, 6, 28)
BEFORE = datetime.date(2024, 5, 8)
"""As many days lie between it and the first as the question has."""
POSITIONS, OUTLETS, PRODUCTS, RIVALS, DISTRIBUTORS = 3, 6, 6, 2, 2
MINUTE = 60_000_000
_HOUR_OF_WORK = 5


def key(kind: str, number: int) -> bytes:
    """A made-up id; of one kind they are in the order of their numbers."""
    return f"{kind[:10]:_<10}{number:06d}".encode()


def at(day: datetime.date, minutes: int) -> int:
    """A moment: minutes after the UTC midnight of a day."""
    midnight = datetime.datetime.combine(day, datetime.time(), datetime.UTC)
    return int(midnight.timestamp()) * 1_000_000 + minutes * MINUTE


@dataclass
class Month:
    """What is made so far."""

    chance: random.Random
    tables: Tables = field(default_factory=lambda: defaultdict(list))

    def add(self, table: str, **values: Value) -> bytes:
        """One row more; returns its id."""
        row_id = key(table, len(self.tables[table]))
        self.tables[table].append({"id": row_id, **values})
        return row_id

    def maybe(self, share: float) -> bool:
        """True so often."""
        return self.chance.random() < share

    def lines(
        self, table: str, link: str, parent: bytes, most: int, **fixed: Value
    ) -> list[tuple[bytes, int]]:
        """Lines of a document: unit and quantity of each."""
        made = []
        for unit in self.chance.sample(range(PRODUCTS * 2), self.chance.randint(1, most)):
            quantity = self.chance.randint(1, 9) * 1000
            extra = {name: one() if callable(one) else one for name, one in fixed.items()}
            amount = self.chance.randint(100, 9_999)
            row: Row = {
                link: parent, "product_unit_id": key("product_unit", unit), "quantity": quantity, "amount": amount,
            }  # fmt: skip
            self.add(table, **{**row, **extra})
            made.append((key("product_unit", unit), quantity))
        return made


def month(seed: int) -> Tables:
    """The documents; the same seed gives the same ones."""
    made = Month(random.Random(seed))
    _company(made)
    _goods(made)
    for back in range((LAST - BEFORE).days + 1):
        day = BEFORE + datetime.timedelta(days=back)
        for position in range(POSITIONS):
            if made.maybe(0.8 if day.weekday() < 5 else 0.1):
                _day(made, position, day)
        _partners(made, day)
    _service(made)
    return made.tables


def table_rows(tables: Tables) -> Iterator[TableRows]:
    """As a hub takes them."""
    for table, rows in tables.items():
        names = tuple(rows[0])
        yield from_rows(table, names, [tuple(row[name] for name in names) for row in rows])


def _company(made: Month) -> None:
    made.add("role", code="rep", kind="rep")
    for n in range(POSITIONS):
        position = made.add("position", role_id=key("role", 0), code=f"P{n}")
        made.add("device", code=f"D{n}", position_id=position, state="active")
        made.add("plan", position_id=position, period="2024-06", kpi="sales_value", value=(n + 1) * 500_000,
                 state="approved")  # fmt: skip
    for n in range(DISTRIBUTORS):
        distributor = made.add("distributor", code=f"DI{n}", name=f"Distributor {n}")
        made.add("gateway", code=f"G{n}", distributor_id=distributor)
        made.add("warehouse", code=f"W{n}", distributor_id=distributor)
    made.add("equipment_model", code="C1", type="cooler")
    made.add("equipment_model", code="R1", type="rack")
    for n in range(OUTLETS):
        outlet = made.add(
            "outlet", code=f"O{n}", channel=("kiosk", "hall")[n % 2], **{"class": "AB"[n // 3]}
        )
        for position in {n % POSITIONS, (n + 1) % POSITIONS}:
            ended = "2024-01-31" if position == (n + 1) % POSITIONS and n % 2 else None
            made.add("outlet_assignment", outlet_id=outlet, position_id=key("position", position),
                     valid_from="2020-01-01", valid_to=ended)  # fmt: skip
        for m in range(n % 3):
            made.add("equipment", outlet_id=outlet, model_id=key("equipment_model", int(m == 1)),
                     state="placed" if made.maybe(0.9) else "under_repair")  # fmt: skip
        made.add("debt_doc", outlet_id=outlet, distributor_id=key("distributor", n % DISTRIBUTORS),
                 due_date=str(FIRST + datetime.timedelta(days=n * 5 - 12)),
                 rest=made.chance.randint(0, 90_000))  # fmt: skip


def _goods(made: Month) -> None:
    for n in range(2):
        made.add("product_group", code=f"G{n}", name=f"Group {n}")
        made.add("price_list", code=f"L{n}", is_default=1 - n)
        made.add("promotion", code=f"A{n}", name=f"Action {n}")
    for n in range(PRODUCTS + RIVALS):
        product = made.add(
            "product", code=f"A{n}", name=f"Article {n}", product_group_id=key("product_gr", n % 2)
        )
        for factor in (1000, 6000):
            unit = made.add("product_unit", product_id=product, factor=factor)
            for price_list in range(2):
                for since in (None, "2024-06-10", "2024-07-01"):
                    made.add("price", price_list_id=key("price_list", price_list), product_unit_id=unit,
                             valid_from=since, amount=made.chance.randint(90, 110) * 1000 * factor // 1000)  # fmt: skip
        for warehouse in range(DISTRIBUTORS):
            made.add("stock", warehouse_id=key("warehouse", warehouse), product_id=product,
                     quantity=made.chance.randint(0, 90) * 1000)  # fmt: skip
        made.add("assortment", product_id=product, channel=("kiosk", None, "hall")[n % 3], required=int(n % 4 < 2),
                 **{"class": (None, "A")[n % 2]})  # fmt: skip
    template = made.add("survey_template", code="S")
    for kind in ("promotion", "posm", "text"):
        made.add("question", template_id=template, type=kind, text=kind)


def _day(made: Month, position: int, day: datetime.date) -> None:
    who, chance = key("position", position), made.chance
    now = _HOUR_OF_WORK * 60 + chance.randint(0, 90)
    made.add(
        "work_day", position_id=who, date=str(day), opened_at=at(day, now - 20), closed_at=None
    )
    plans = [
        made.add("visit_plan", position_id=who, date=str(day), outlet_id=key("outlet", outlet), sequence_number=n * 10)
        for n, outlet in enumerate(chance.sample(range(OUTLETS), 4))
    ]  # fmt: skip
    stops = (
        [(plan, None) for plan in plans]
        if made.maybe(0.7)
        else [(plan, None) for plan in reversed(plans)]
    )
    stops += [(None, key("outlet", chance.randrange(OUTLETS)))]
    _session(made, position, day, now - 15)
    for plan, other in stops:
        if made.maybe(0.25):
            continue
        outlet = other or next(
            row["outlet_id"] for row in made.tables["visit_plan"] if row["id"] == plan
        )
        now = _visit(made, who, (outlet, plan if made.maybe(0.8) else None), day, now)
    _session(made, position, day, now + 10)
    _van(made, who, day)


def _session(made: Month, position: int, day: datetime.date, minute: int) -> None:
    if made.maybe(0.85):
        number = len(made.tables["sync_session"])
        made.add("sync_session", session_id=key("session", number), device_id=key("device", position),
                 started_at=at(day, minute), ended_at=at(day, minute + 1) if made.maybe(0.9) else None,
                 outcome="done" if made.maybe(0.9) else "cut", mode="full")  # fmt: skip


def _visit(made: Month, who: bytes, stop: tuple[Value, Value], day: datetime.date, now: int) -> int:
    (outlet, plan), chance, ends = stop, made.chance, now + made.chance.randint(5, 40)
    visit = made.add("visit", visit_plan_id=plan, outlet_id=outlet, position_id=who, started_at=at(day, now),
                     finished_at=at(day, ends) if made.maybe(0.9) else None,
                     distance_m=chance.choice((None, 10, 60, 100, 101, 900)))  # fmt: skip
    if made.maybe(0.6):
        _order(made, visit, who, outlet, day)
    if made.maybe(0.3):
        invoice = made.add("sale_invoice", outlet_id=outlet, position_id=who, visit_id=visit, created_at=at(day, now),
                           state=chance.choice(("issued", "posted", "cancelled")))  # fmt: skip
        made.lines("sale_invoice_line", "invoice_id", invoice, 3)
    if made.maybe(0.2):
        made.add("payment", outlet_id=outlet, position_id=who, kind="cash", amount=chance.randint(100, 9_000),
                 created_at=at(day, now))  # fmt: skip
    for product in chance.sample(range(PRODUCTS + RIVALS), chance.randint(0, 5)):
        here = made.maybe(0.7)
        made.add("shelf_fact", visit_id=visit, product_id=key("product", product), present=int(here),
                 facings=chance.randint(1, 9) if here else None,
                 shelf_price=chance.randint(80, 120) * 1000 if made.maybe(0.7) else None,
                 stock_quantity=chance.randint(0, 3) * 1000 if made.maybe(0.5) else None,
                 is_competitor=int(product >= PRODUCTS))  # fmt: skip
    if made.maybe(0.5):
        response = made.add("survey_response", visit_id=visit, template_id=key("survey_tem", 0))
        for question in range(3):
            made.add("answer", response_id=response, question_id=key("question", question),
                     value=chance.choice(("yes", "1", "no", None)))  # fmt: skip
    for piece in made.tables["equipment"]:
        if piece["outlet_id"] == outlet and made.maybe(0.03):
            made.add("equipment_inspection", equipment_id=piece["id"], visit_id=visit, sighted=int(made.maybe(0.8)),
                     condition=chance.choice((None, "working", "damaged")), created_at=at(day, now))  # fmt: skip
    return ends + chance.randint(0, 30)


def _order(made: Month, visit: bytes, who: bytes, outlet: Value, day: datetime.date) -> None:
    chance = made.chance
    distributor = key("distributor", chance.randrange(DISTRIBUTORS))
    agreed = day + datetime.timedelta(days=2)
    order = made.add("sales_order", outlet_id=outlet, position_id=who, distributor_id=distributor, visit_id=visit,
                     date=str(day), delivery_date=str(agreed) if made.maybe(0.9) else None,
                     is_return=int(made.maybe(0.1)), state=chance.choice(("closed",) * 8 + ("cancelled",)),
                     number=f"N{len(made.tables['sales_order'])}")  # fmt: skip
    lines = made.lines(
        "order_line", "order_id", order, 4, price=lambda: chance.randint(900, 9_999) * 1000,
        promotion_id=lambda: key("promotion", chance.randrange(2)) if made.maybe(0.3) else None,
        reject_reason=lambda: chance.choice((None, None, "", "no stock")),
    )  # fmt: skip
    for late in (0, 3) if made.maybe(0.8) else ():
        if late and made.maybe(0.7):
            continue
        sent = made.add("shipment", order_id=order, outlet_id=outlet, distributor_id=distributor,
                        date=str(day + datetime.timedelta(days=late)),
                        kind=chance.choice(("sale",) * 6 + ("return", "transfer")))  # fmt: skip
        for unit, quantity in lines:
            if made.maybe(0.9):
                made.add("shipment_line", shipment_id=sent, product_unit_id=unit,
                         quantity=quantity - 1000 * made.maybe(0.1), amount=chance.randint(100, 9_999))  # fmt: skip


def _van(made: Month, who: bytes, day: datetime.date) -> None:
    chance = made.chance
    for kind in ("load", "unload"):
        load = made.add(
            "van_load", position_id=who, kind=kind, created_at=at(day, 300), state="posted"
        )
        for unit in chance.sample(range(PRODUCTS * 2), 2):
            made.add("van_load_line", load_id=load, product_unit_id=key("product_unit", unit),
                     planned_quantity=chance.randint(1, 9) * 1000,
                     counted_quantity=chance.randint(0, 9) * 1000 if kind == "unload" else None)  # fmt: skip
    for quantity in (3000, -2000, chance.choice((-1000, -500, -1600))):
        made.add("van_stock_move", position_id=who, warehouse_id=key("warehouse", 0),
                 product_id=key("product", day.day % 2), quantity=quantity, created_at=at(day, 310),
                 sequence_number=len(made.tables["van_stock_move"]))  # fmt: skip


def _partners(made: Month, day: datetime.date) -> None:
    for n in range(DISTRIBUTORS):
        for kind in ("InventoryReport", "ProductActivity"):
            if made.maybe(0.8):
                message = made.add("exchange_message", gateway_id=key("gateway", n), direction="in",
                                   state=made.chance.choice(("acknowledged", "acknowledged", "rejected")),
                                   document_type=kind, created_at=at(day, made.chance.randint(0, 1_439)))  # fmt: skip
                if made.maybe(0.4):
                    made.add("exchange_error", message_id=message, code=made.chance.choice(("REF", "ITM", "QTY")),
                             state=made.chance.choice(("open", "closed")), created_at=at(day, 720))  # fmt: skip


def _service(made: Month) -> None:
    for n in range(20):
        piece = made.chance.choice(made.tables["equipment"])
        day = BEFORE + datetime.timedelta(days=made.chance.randint(0, 50))
        request = made.add("service_request", outlet_id=piece["outlet_id"], equipment_id=piece["id"],
                           created_at=at(day, n))  # fmt: skip
        for later in range(made.chance.randint(0, 3)):
            made.add("service_work", request_id=request, finished_at=at(day, 600 + later * 60),
                     result=made.chance.choice(("done", "fixed", "part")))  # fmt: skip
