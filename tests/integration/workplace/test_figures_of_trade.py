"""Figures of orders, promotions, distributors, money, vans, coolers and service against an independent count."""

import datetime
from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from fieldmesh.data.types import Value
from tests.kit.field_documents import BEFORE, DISTRIBUTORS, FIRST, LAST, Row, Tables, key, month
from tests.kit.figures import (
    DAY_US,
    Found,
    asked,
    by_id,
    compared,
    day_of,
    number,
    of_month,
    share,
)

DAYS, WORKDAYS = 26, 20
DROPPED = ("cancelled", "rejected", "declined")
ALL = ("outlet_id", None)


def pieces(tables: Tables, line: Row, name: str = "quantity") -> int:
    """A quantity in thousandths of pieces."""
    factors = {row["id"]: number(row["factor"]) for row in tables["product_unit"]}
    return number(line[name]) * factors[line["product_unit_id"]] // 1000


def product(tables: Tables, line: Row) -> Value:
    """Of a line."""
    return next(
        row["product_id"] for row in tables["product_unit"] if row["id"] == line["product_unit_id"]
    )


def of_header(tables: Tables, table: str, lines: str, link: str) -> dict[Value, list[Row]]:
    """Lines by their document."""
    found: dict[Value, list[Row]] = {row["id"]: [] for row in tables[table]}
    for line in tables[lines]:
        found[line[link]].append(line)
    return found


def otif(tables: Tables) -> Fraction | None:
    """Orders of which every product came whole by the agreed day, of those that have one."""
    lines = of_header(tables, "sales_order", "order_line", "order_id")
    sent = of_header(tables, "shipment", "shipment_line", "shipment_id")
    due = [
        row for row in of_month(tables["sales_order"], "date")
        if not row["is_return"] and row["state"] not in DROPPED and row["delivery_date"] and lines[row["id"]]
    ]  # fmt: skip
    well = 0
    for order in due:
        wanted: dict[Value, int] = defaultdict(int)
        came: dict[Value, int] = defaultdict(int)
        for line in lines[order["id"]]:
            wanted[product(tables, line)] += pieces(tables, line)
        for one in tables["shipment"]:
            on_time = str(one["date"]) <= str(order["delivery_date"])
            if one["order_id"] == order["id"] and one["kind"] == "sale" and on_time:
                for line in sent[one["id"]]:
                    came[product(tables, line)] += pieces(tables, line)
        well += all(came[one] >= much for one, much in wanted.items())
    return share(well, len(due), 100)


def sold_lines(tables: Tables, rows: list[Row]) -> list[tuple[Row, Row]]:
    """(order, line) of sales that stand."""
    orders = by_id(rows)
    return [
        (orders[line["order_id"]], line) for line in tables["order_line"]
        if line["order_id"] in orders and not orders[line["order_id"]]["is_return"]
        and orders[line["order_id"]]["state"] not in DROPPED
    ]  # fmt: skip


def promotions(tables: Tables) -> Found:
    """What promotions sold, cost, reached and lifted."""
    now = sold_lines(tables, of_month(tables["sales_order"], "date"))
    earlier = sold_lines(
        tables, [row for row in tables["sales_order"] if BEFORE <= day_of(row["date"]) < FIRST]
    )
    promoted = [(order, line) for order, line in now if line["promotion_id"]]
    pairs = {(order["outlet_id"], product(tables, line)) for order, line in promoted}

    def of_pairs(held: list[tuple[Row, Row]]) -> int:
        return sum(
            number(line["amount"]) for order, line in held if (order["outlet_id"], product(tables, line)) in pairs
        )  # fmt: skip

    sales = sum(number(line["amount"]) for _, line in promoted)
    cost = sum(
        (Fraction(number(line["quantity"]) * number(line["price"]), 10**8) - Fraction(number(line["amount"]), 100)
         for _, line in promoted), Fraction(0),
    )  # fmt: skip
    refused = [
        line for line in tables["order_line"] if line["reject_reason"]
        and line["order_id"] in {row["id"] for row in of_month(tables["sales_order"], "date") if not row["is_return"]}
    ]  # fmt: skip
    return {
        "otif": otif(tables), "refused_lines": Fraction(len(refused)), "promo_sales": Fraction(sales, 100),
        "promo_share": share(sales, sum(number(line["amount"]) for _, line in now), 100),
        "promo_outlets": Fraction(len({order["outlet_id"] for order, _ in promoted})),
        "promo_cost": cost, "promo_cost_share": share(cost * 100, sales, 100),
        "uplift": share(of_pairs(now) - of_pairs(earlier), of_pairs(earlier), 100),
    }  # fmt: skip


def shipped(tables: Tables, worth: Callable[[Row], int], distributor: Value = None) -> int:
    """What left for outlets in the month, returns taken off."""
    headers = {
        row["id"]: row for row in of_month(tables["shipment"], "date")
        if row["kind"] != "transfer" and distributor in {None, row["distributor_id"]}
    }  # fmt: skip
    found = 0
    for line in tables["shipment_line"]:
        header = headers.get(line["shipment_id"])
        if header is not None:
            found += worth(line) * (-1 if header["kind"] == "return" else 1)
    return found


def partners(tables: Tables, distributor: Value = None) -> Found:
    """Stock, sell-out, debts, and whether the data are there."""
    gateways = {
        row["id"]: row["distributor_id"] for row in tables["gateway"] if distributor in {None, row["distributor_id"]}
    }  # fmt: skip
    houses = {
        row["id"] for row in tables["warehouse"] if distributor in {None, row["distributor_id"]}
    }
    stock = sum(number(row["quantity"]) for row in tables["stock"] if row["warehouse_id"] in houses)
    debt = sum(
        number(row["rest"])
        for row in tables["debt_doc"]
        if distributor in {None, row["distributor_id"]}
    )
    files: dict[tuple[Value, datetime.date], set[Value]] = defaultdict(set)
    for row in of_month(tables["exchange_message"], "created_at"):
        if row["gateway_id"] in gateways and row["state"] == "acknowledged":
            files[row["gateway_id"], day_of(row["created_at"])].add(row["document_type"])
    complete = sum(1 for (_, day), kinds in files.items() if len(kinds) == 2 and day.weekday() < 5)
    messages = {row["id"] for row in tables["exchange_message"] if row["gateway_id"] in gateways}
    unmapped = [
        row for row in of_month(tables["exchange_error"], "created_at")
        if row["message_id"] in messages and row["state"] == "open" and row["code"] in {"REF", "ITM"}
    ]  # fmt: skip
    out = shipped(tables, lambda line: pieces(tables, line), distributor)
    return {
        "sell_out": Fraction(out, 1000), "days_of_stock": share(stock * DAYS, out),
        "complete_days": Fraction(complete), "completeness": share(complete, len(gateways) * WORKDAYS, 100),
        "unmapped_codes": Fraction(len(unmapped)),
        "dso": share(debt * DAYS, shipped(tables, lambda line: number(line["amount"]), distributor)),
    }  # fmt: skip


async def test_orders_and_promotions_agree_with_an_independent_count(tmp_path: Path) -> None:
    """A promotion is stopped or gone on with by its uplift; a warehouse is judged by what came in full and on time."""
    tables = month(11)
    expected = promotions(tables)
    assert all(expected.values()), expected
    async with asked(tmp_path, tables) as somebody:
        answer = await somebody.answer(expected)
        compared(answer.total, expected, "total")
        by = await somebody.answer(("promo_sales", "promo_outlets"), "promotion")
        assert sum(one["promo_sales"] or 0 for one in by.lines.values()) == expected["promo_sales"]


async def test_figures_of_distributors_agree_with_an_independent_count(tmp_path: Path) -> None:
    """A distributor is called by the days for which its data are missing."""
    tables = month(12)
    async with asked(tmp_path, tables) as somebody:
        expected = partners(tables)
        assert all(expected.values()), expected
        answer = await somebody.answer(expected, "distributor")
        compared(answer.total, expected, "total")
        known = [line for line in answer.lines if line[0]]
        assert len(known) == DISTRIBUTORS
        for (one,) in known:
            assert isinstance(one, bytes)
            compared(answer.lines[one,], partners(tables, one), one)


def money(tables: Tables) -> Found:
    """What was collected of what was overdue."""
    taken = sum(number(row["amount"]) for row in of_month(tables["payment"], "created_at"))
    late = sum(
        number(row["rest"]) for row in tables["debt_doc"] if str(row["due_date"]) < str(FIRST)
    )
    return {"collection": share(taken, taken + late, 100)}


def vans(tables: Tables) -> Found:
    """What vans took out, sold, missed and ran out of."""
    loads = by_id(of_month(tables["van_load"], "created_at"))
    taken = short = ran_out = 0
    for line in tables["van_load_line"]:
        load = loads.get(line["load_id"])
        if load is None:
            continue
        if load["kind"] == "load":
            taken += pieces(tables, line, "planned_quantity")
        else:
            missing = number(line["planned_quantity"]) - number(line["counted_quantity"])
            short += max(0, missing) * list_price(tables, line, str(day_of(load["created_at"])))
    invoices = {
        row["id"] for row in of_month(tables["sale_invoice"], "created_at") if row["state"] != "cancelled"
    }  # fmt: skip
    sold = sum(
        pieces(tables, row) for row in tables["sale_invoice_line"] if row["invoice_id"] in invoices
    )
    left: dict[tuple[Value, Value], int] = defaultdict(int)
    for move in tables["van_stock_move"]:
        place = move["position_id"], move["product_id"]
        left[place] += number(move["quantity"])
        inside = FIRST <= day_of(move["created_at"]) <= LAST
        ran_out += inside and number(move["quantity"]) < 0 and left[place] <= 0
    return {
        "load_use": share(sold, taken, 100), "shortage_value": Fraction(short, 10**8), "van_run_out": Fraction(ran_out),
    }  # fmt: skip


def list_price(tables: Tables, line: Row, day: str) -> int:
    """The newest price of the line's unit on the default list on that day."""
    known = [
        (str(row["valid_from"] or ""), number(row["amount"])) for row in tables["price"]
        if row["product_unit_id"] == line["product_unit_id"] and row["price_list_id"] == key("price_list", 0)
        and str(row["valid_from"] or "") <= day
    ]  # fmt: skip
    return max(known)[1]


def coolers(tables: Tables) -> Found:
    """What coolers sell, and whether they were seen."""
    placed = [row for row in tables["equipment"] if row["state"] == "placed"]
    cold = [row for row in placed if row["model_id"] == key("equipment_model", 0)]
    seen = {
        row["equipment_id"] for row in of_month(tables["equipment_inspection"], "created_at") if row["sighted"]
    }  # fmt: skip
    sales: dict[Value, int] = defaultdict(int)
    orders = by_id(of_month(tables["sales_order"], "date"))
    for line in tables["order_line"]:
        order = orders.get(line["order_id"])
        if order is not None and order["state"] not in DROPPED:
            sales[order["outlet_id"]] += number(line["amount"]) * (-1 if order["is_return"] else 1)
    beside = {outlet: sum(1 for row in cold if row["outlet_id"] == outlet) for outlet in sales}
    weak = [
        row for row in cold
        if sales[row["outlet_id"]] * 30 < 10_000 * DAYS * beside.get(row["outlet_id"], 1)
    ]  # fmt: skip
    return {
        "sighted_share": share(sum(1 for row in placed if row["id"] in seen), len(placed), 100),
        "cooler_sales": share(sum(sales[one] for one in {row["outlet_id"] for row in cold}), len(cold) * 100),
        "weak_coolers": Fraction(len(weak)),
    }  # fmt: skip


def service(tables: Tables) -> Found:
    """Requests that the first work ended, and those that came back."""
    works: dict[Value, list[Row]] = defaultdict(list)
    for row in tables["service_work"]:
        works[row["request_id"]].append(row)
    requests = of_month(tables["service_request"], "created_at")
    worked = [row for row in requests if works[row["id"]]]
    first = [min(works[row["id"]], key=lambda one: number(one["finished_at"])) for row in worked]
    again = [
        row for row in requests
        if any(one["equipment_id"] == row["equipment_id"]
               and 0 < number(row["created_at"]) - number(one["created_at"]) <= 30 * DAY_US
               for one in tables["service_request"])
    ]  # fmt: skip
    return {
        "first_fix": share(sum(1 for one in first if one["result"] != "part"), len(worked), 100),
        "repeats": share(len(again), len(requests), 100),
    }  # fmt: skip


async def test_money_vans_coolers_and_service_agree_with_an_independent_count(
    tmp_path: Path,
) -> None:
    """What is missing in a van is taken from somebody's wage, and a cooler that sells too little is taken away."""
    tables = month(13)
    tables["order_line"] = tables["order_line"][::25]
    expected = {**money(tables), **vans(tables), **coolers(tables), **service(tables)}
    assert all(expected.values()), expected
    async with asked(tmp_path, tables) as somebody:
        compared((await somebody.answer(expected)).total, expected, "total")
