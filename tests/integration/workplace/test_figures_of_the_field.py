"""Figures of the day in the field and of the shelf against an independent count of the documents, in plain Python."""

from collections import defaultdict
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from fieldmesh.data.types import Value
from tests.kit.field_documents import MINUTE, POSITIONS, Row, Tables, key, month
from tests.kit.figures import (
    Found,
    asked,
    by_id,
    clock_us,
    compared,
    day_of,
    narrowed,
    number,
    of_month,
    share,
)

WORKDAYS = 20
"""From the third to the twenty-eighth of June 2024; all months of June have as many in all."""
STANDS = ("cancelled", "rejected", "declined")
Day = tuple[Value, object]


def days_of(rows: list[Row], name: str) -> dict[Day, list[Row]]:
    """Rows of each position and local day, in the order of a moment."""
    found: dict[Day, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (number(row[name]), row["id"])):
        found[row["position_id"], day_of(row[name])].append(row)
    return found


def finished(tables: Tables) -> list[Row]:
    """Visits of the month that were finished."""
    return [row for row in of_month(tables["visit"], "started_at") if row["finished_at"]]


def strictly(tables: Tables) -> int:
    """Plans that were kept on their day, at the place, and in order."""
    plans, kept = by_id(tables["visit_plan"]), set[Value]()
    for (position, day), visits in days_of(finished(tables), "started_at").items():
        order = sorted(
            (row for row in plans.values() if (row["position_id"], row["date"]) == (position, str(day))),
            key=lambda row: number(row["sequence_number"]),
        )  # fmt: skip
        places = {row["id"]: place for place, row in enumerate(order)}
        for place, visit in enumerate(visits):
            plan = places.get(visit["visit_plan_id"])
            near = visit["distance_m"] is not None and number(visit["distance_m"]) <= 100
            if plan is not None and near and abs(place - plan) <= 2:
                kept.add(visit["visit_plan_id"])
    return len(kept)


def route(tables: Tables) -> Found:
    """Of planned visits: kept at all, and strictly."""
    plans = of_month(tables["visit_plan"], "date")
    ended = [row for row in tables["visit"] if row["finished_at"]]
    linked = {row["visit_plan_id"] for row in ended}
    there = {
        (row["position_id"], row["outlet_id"], str(day_of(row["started_at"]))) for row in ended
    }
    made = [
        row for row in plans
        if row["id"] in linked or (row["position_id"], row["outlet_id"], row["date"]) in there
    ]  # fmt: skip
    return {
        "adherence": share(len(made), len(plans), 100),
        "adherence_strict": share(strictly(tables), len(plans), 100),
    }


def working_time(tables: Tables) -> Found:
    """Spans, ways and clocks."""
    days = days_of(finished(tables), "started_at")
    spans = ways = gaps = visits = begins = ends = 0
    for held in days.values():
        spans += number(held[-1]["finished_at"]) - number(held[0]["started_at"])
        for one, following in pairwise(held):
            ways += number(following["started_at"]) - number(one["finished_at"])
            gaps += 1
        visits += len(held)
        begins += clock_us(held[0]["started_at"])
        ends += clock_us(held[-1]["finished_at"])
    opened = of_month(tables["work_day"], "date")
    return {
        "field_days": Fraction(len(days)), "work_span": share(spans, len(days) * MINUTE),
        "travel_minutes": share(ways, gaps * MINUTE), "visits_a_day": share(visits, len(days)),
        "first_visit": share(begins, len(days) * MINUTE), "last_visit": share(ends, len(days) * MINUTE),
        "day_opened": share(sum(clock_us(row["opened_at"]) for row in opened), len(opened) * MINUTE),
    }  # fmt: skip


def sessions(tables: Tables) -> Found:
    """First and last ones of each day, and days without."""
    posts = {row["id"]: row["position_id"] for row in tables["device"]}
    rows = [
        {**row, "position_id": posts[row["device_id"]]}
        for row in of_month(tables["sync_session"], "started_at") if row["device_id"] in posts
    ]  # fmt: skip
    begun = days_of(rows, "started_at")
    ended = days_of([row for row in rows if row["ended_at"]], "ended_at")
    first = sum(clock_us(held[0]["started_at"]) for held in begun.values())
    last = sum(clock_us(held[-1]["ended_at"]) for held in ended.values())
    worked = sum(1 for position, day in begun if day.weekday() < 5)  # type: ignore[attr-defined]
    return {
        "first_session": share(first, len(begun) * MINUTE), "last_session": share(last, len(ended) * MINUTE),
        "silent_days": Fraction(len(set(posts.values())) * WORKDAYS - worked),
    }  # fmt: skip


def plan(tables: Tables) -> Found:
    """Where the month goes, and what has to be sold on each day that is left: none is left in a month that is over."""
    orders = by_id(of_month(tables["sales_order"], "date"))
    sold = calls = 0
    called: set[tuple[Value, Value]] = set()
    units = {row["id"]: row["product_id"] for row in tables["product_unit"]}
    for line in tables["order_line"]:
        order = orders.get(line["order_id"])
        if order is not None and order["state"] not in STANDS:
            sold += number(line["amount"]) * (-1 if order["is_return"] else 1)
            if not order["is_return"]:
                called.add((order["visit_id"], units[line["product_unit_id"]]))
    in_van: set[tuple[Value, Value]] = set()
    invoices = by_id(of_month(tables["sale_invoice"], "created_at"))
    for line in tables["sale_invoice_line"]:
        invoice = invoices.get(line["invoice_id"])
        if invoice is not None and invoice["state"] != "cancelled":
            in_van.add((invoice["visit_id"], units[line["product_unit_id"]]))
    sales = {
        row["visit_id"] for row in tables["sales_order"]
        if not row["is_return"] and row["state"] not in STANDS
    }  # fmt: skip
    sales |= {row["visit_id"] for row in tables["sale_invoice"] if row["state"] != "cancelled"}
    calls = sum(1 for row in finished(tables) if row["id"] in sales)
    target = sum(number(row["value"]) for row in tables["plan"]) // 1000
    return {
        "forecast": share(sold, target * 100, 100), "required_rate": None,
        "lines_per_call": share(len(called) + len(in_van), calls),
    }  # fmt: skip


async def test_figures_of_the_day_agree_with_an_independent_count(tmp_path: Path) -> None:
    """A supervisor who sends somebody home late by a figure must find that time in the visits themselves."""
    tables = month(7)
    expected = {**route(tables), **working_time(tables), **sessions(tables), **plan(tables)}
    names = list(expected)
    async with asked(tmp_path, tables) as somebody:
        for part in (names[:8], names[8:]):
            answer = await somebody.answer(part, "position")
            compared(answer.total, {name: expected[name] for name in part}, "total")
            assert len([line for line in answer.lines if line[0]]) == POSITIONS
            for line, figures in answer.lines.items():
                if isinstance(line[0], bytes):
                    own = narrowed(tables, line[0])
                    counted = {**route(own), **working_time(own), **sessions(own), **plan(own)}
                    compared(figures, {name: counted[name] for name in part}, line)


async def test_the_age_of_the_last_sync_is_that_of_each_devices_newest_good_session(
    tmp_path: Path,
) -> None:
    """A device that only fails to sync must not look fresh."""
    tables = month(10)
    newest = {
        row["device_id"]: day_of(row["ended_at"])
        for row in tables["sync_session"] if row["ended_at"] and row["outcome"] == "done"
    }  # fmt: skip
    async with asked(tmp_path, tables) as somebody:
        answer = await somebody.answer(("sync_age",))
    today = day_of(answer.mark.took_at)
    days = sum((today - day).days for day in newest.values())
    compared(answer.total, {"sync_age": share(days, len(newest))}, "total")


def shelf(tables: Tables, outlet: Value = None) -> Found:
    """The pillars of the perfect store and what is missing."""
    visits = {
        row["id"]: row for row in of_month(tables["visit"], "started_at") if outlet in {None, row["outlet_id"]}
    }  # fmt: skip
    outlets = by_id(tables["outlet"])
    facts = [row for row in tables["shelf_fact"] if row["visit_id"] in visits]
    own = [row for row in facts if not row["is_competitor"]]
    here = [row for row in own if row["present"]]

    def place(row: Row) -> Row:
        return outlets[visits[row["visit_id"]]["outlet_id"]]

    def listed(row: Row, *, must: bool) -> bool:
        return any(
            one["product_id"] == row["product_id"] and (one["required"] or not must)
            and one["channel"] in {None, place(row)["channel"]} and one["class"] in {None, place(row)["class"]}
            for one in tables["assortment"]
        )  # fmt: skip

    must = [row for row in own if listed(row, must=True)]
    known = [row for row in own if listed(row, must=False)]
    asked_for = {place(row)["id"] for row in must}
    with_gap = {place(row)["id"] for row in must if not row["present"]}
    absent = [row for row in own if not row["present"]]
    had = handled_before(tables, visits)
    run_out = [row for row in absent if had(row)]
    prices = [row for row in own if row["shelf_price"] is not None]
    right = [
        row
        for row in prices
        if complies(tables, row, day=str(day_of(visits[row["visit_id"]]["started_at"])))
    ]
    facings = sum(number(row["facings"]) for row in here if row["facings"])
    all_facings = sum(number(row["facings"]) for row in facts if row["facings"])
    pillars: list[tuple[int, Fraction | None]] = [
        (25, share(sum(1 for row in must if row["present"]), len(must), 100)), (20, share(len(here), len(own), 100)),
        (20, share(facings, all_facings, 100)), (15, share(len(right), len(prices), 100)),
        *asked_points(tables, visits, outlet),
    ]  # fmt: skip
    answered = [(weight, value) for weight, value in pillars if value is not None]
    weights = sum(weight for weight, _ in answered)
    return {
        "compliance": pillars[0][1], "full_compliance": share(len(asked_for - with_gap), len(asked_for), 100),
        "out_of_stock_listed": share(sum(1 for row in known if not row["present"]), len(known), 100),
        "run_out": Fraction(len(run_out)), "never_handled": Fraction(len(absent) - len(run_out)),
        "shelf_share": pillars[2][1], "price_compliance": pillars[3][1], "promotion_compliance": pillars[4][1],
        "point_compliance": pillars[5][1],
        "perfect_store": share(sum((w * v for w, v in answered), Fraction(0)), weights),
    }  # fmt: skip


def handled_before(tables: Tables, visits: dict[Value, Row]):  # type: ignore[no-untyped-def]  # noqa: ANN201
    """Whether the outlet had ordered or got the product by the day of the visit."""
    units = {row["id"]: row["product_id"] for row in tables["product_unit"]}
    got: dict[tuple[Value, Value], list[str]] = defaultdict(list)
    for table, link, lines, fits in (
        ("sales_order", "order_id", "order_line", lambda row: not row["is_return"]),
        ("shipment", "shipment_id", "shipment_line", lambda row: row["kind"] == "sale"),
    ):
        headers = by_id(tables[table])
        for line in tables[lines]:
            header = headers[line[link]]
            if fits(header):
                got[header["outlet_id"], units[line["product_unit_id"]]].append(str(header["date"]))

    def had(row: Row) -> bool:
        visit = visits[row["visit_id"]]
        days = got[visit["outlet_id"], row["product_id"]]
        return any(day <= str(day_of(visit["started_at"])) for day in days)

    return had


def complies(tables: Tables, row: Row, *, day: str) -> bool:
    """Whether the shelf price is within a tenth of the list's newest price of a piece on that day."""
    [unit] = [
        one["id"] for one in tables["product_unit"]
        if one["product_id"] == row["product_id"] and one["factor"] == 1000
    ]  # fmt: skip
    known = [
        (str(one["valid_from"] or ""), number(one["amount"])) for one in tables["price"]
        if one["product_unit_id"] == unit and one["price_list_id"] == key("price_list", 0)
        and str(one["valid_from"] or "") <= day
    ]  # fmt: skip
    price = max(known)[1]
    return abs(number(row["shelf_price"]) - price) * 10 <= price


def asked_points(
    tables: Tables, visits: dict[Value, Row], outlet: Value
) -> list[tuple[int, Fraction | None]]:
    """The pillars of promotions and of materials with coolers."""
    responses = {row["id"] for row in tables["survey_response"] if row["visit_id"] in visits}
    kinds = {row["id"]: row["type"] for row in tables["question"]}
    answers: dict[Value, list[Value]] = defaultdict(list)
    for row in tables["answer"]:
        if row["response_id"] in responses:
            answers[kinds[row["question_id"]]].append(row["value"])
    yes = {kind: sum(1 for one in held if one in {"1", "yes"}) for kind, held in answers.items()}
    pieces = {row["id"] for row in tables["equipment"] if outlet in {None, row["outlet_id"]}}
    seen = [
        row for row in of_month(tables["equipment_inspection"], "created_at") if row["equipment_id"] in pieces
    ]  # fmt: skip
    sound = [row for row in seen if row["sighted"] and row["condition"] != "damaged"]
    return [
        (10, share(yes.get("promotion", 0), len(answers["promotion"]), 100)),
        (10, share(yes.get("posm", 0) + len(sound), len(answers["posm"]) + len(seen), 100)),
    ]


async def test_figures_of_the_shelf_agree_with_an_independent_count(tmp_path: Path) -> None:
    """The perfect store is what people are paid by: each pillar must be found in the answers and the shelf."""
    tables = month(8)
    for name, every in (("order_line", 8), ("shipment_line", 8), ("shelf_fact", 3)):
        tables[name] = tables[name][::every]
    names = shelf(tables)
    assert all(names.values())
    async with asked(tmp_path, tables) as somebody:
        answer = await somebody.answer(names, "outlet")
        compared(answer.total, names, "total")
        assert len(answer.lines) == len(tables["outlet"])
        for line, figures in answer.lines.items():
            assert isinstance(line[0], bytes)
            compared(figures, shelf(tables, line[0]), line)


def spread(tables: Tables) -> dict[Value, Found]:
    """Numeric and weighted distribution of each product."""
    products = by_id(tables["product"])
    units = {row["id"]: row["product_id"] for row in tables["product_unit"]}
    handlers: dict[Value, set[Value]] = defaultdict(set)
    worth: dict[tuple[Value, Value], int] = defaultdict(int)
    for table, link, lines, day in (
        ("sales_order", "order_id", "order_line", "date"),
        ("sale_invoice", "invoice_id", "sale_invoice_line", "created_at"),
        ("shipment", "shipment_id", "shipment_line", "date"),
    ):
        headers = by_id(of_month(tables[table], day))
        for line in tables[lines]:
            header = headers.get(line[link])
            if header is None or header.get("state") in STANDS:
                continue
            product, back = units[line["product_unit_id"]], header.get("is_return")
            if not back and header.get("kind", "sale") == "sale":
                handlers[product].add(header["outlet_id"])
            if table != "shipment":
                value = number(line["amount"]) * (-1 if back else 1)
                worth[header["outlet_id"], products[product]["product_group_id"]] += value
    visits = by_id(of_month(tables["visit"], "started_at"))
    for row in tables["shelf_fact"]:
        stands = row["present"] or (row["stock_quantity"] or 0) != 0
        if row["visit_id"] in visits and stands and not row["is_competitor"]:
            handlers[row["product_id"]].add(visits[row["visit_id"]]["outlet_id"])
    found: dict[Value, Found] = {}
    for product, outlets in handlers.items():
        group = products[product]["product_group_id"]
        everything = sum(value for (_, one), value in worth.items() if one == group)
        held = sum(worth[outlet, group] for outlet in outlets)
        found[product] = {
            "numeric_distribution": share(len(outlets), len(tables["outlet"]), 100),
            "weighted_distribution": share(held, everything, 100),
        }
    return found


async def test_distribution_agrees_with_an_independent_count(tmp_path: Path) -> None:
    """Weighted by outlets that do not handle the product, distribution would promise sales that nobody makes."""
    tables = month(9)
    tables["shelf_fact"] = tables["shelf_fact"][::20]
    for name in ("order_line", "shipment_line", "sale_invoice_line"):
        tables[name] = tables[name][::9]
    expected = spread(tables)
    async with asked(tmp_path, tables) as somebody:
        answer = await somebody.answer(("numeric_distribution", "weighted_distribution"), "product")
        assert {line[0] for line in answer.lines} == set(expected)
        for line, figures in answer.lines.items():
            compared(figures, expected[line[0]], line)  # type: ignore[index]
