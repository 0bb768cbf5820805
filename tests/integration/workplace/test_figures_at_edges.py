"""Figures of a few documents each, counted by head: what a month of chance does not bring."""

import datetime
import random
from fractions import Fraction
from pathlib import Path

import pytest

from fieldmesh.data.types import Value
from hub.analysis.question import Question
from tests.kit.field_documents import FIRST, LAST, Month, at, key
from tests.kit.figures import ZONE, Found, asked

DAY = str(FIRST)
MOST_QUANTITY = 10**14 - 1
"""What fits a quantity of fourteen digits, in thousandths."""


def company() -> Month:
    """A representative with a device, an outlet, a product by the piece and by the case of 24."""
    made = Month(random.Random(1))
    made.add("role", code="rep", kind="rep")
    position = made.add("position", role_id=key("role", 0), code="P0")
    made.add("device", code="D0", position_id=position, state="active")
    made.add("outlet", code="O0")
    product = made.add("product", code="A0", name="Article")
    for factor in (1_000, 24_000):
        made.add("product_unit", product_id=product, factor=factor)
    return made


async def figures(folder: Path, made: Month, *measures: str) -> Found:
    """Those of the month."""
    async with asked(folder, made.tables) as somebody:
        return (await somebody.answer(measures)).total


def visited(made: Month) -> bytes:
    """A finished visit."""
    return made.add("visit", outlet_id=key("outlet", 0), position_id=key("position", 0), started_at=at(FIRST, 500),
                    finished_at=at(FIRST, 520))  # fmt: skip


def ordered(made: Month, state: str, *lines: dict[str, Value], visit: bytes | None = None) -> bytes:
    """An order of the first day for the next."""
    order = made.add("sales_order", outlet_id=key("outlet", 0), position_id=key("position", 0), visit_id=visit,
                     date=DAY, delivery_date=DAY, is_return=0, state=state)  # fmt: skip
    for line in lines:
        whole = {"accepted_quantity": None, "price": 0, "amount": 0, "promotion_id": None, **line}
        made.add("order_line", order_id=order, **whole)
    return order


async def test_the_largest_numbers_that_fit_a_line_are_added_up(tmp_path: Path) -> None:
    """A bar code typed as a quantity ended every report of its month, for everybody who sees it."""
    made = company()
    made.add("promotion", code="A", name="Action")
    made.tables["product_unit"][1]["factor"] = MOST_QUANTITY
    ordered(made, "closed", {
        "product_unit_id": key("product_unit", 1), "quantity": MOST_QUANTITY, "price": MOST_QUANTITY,
        "promotion_id": key("promotion", 0),
    })  # fmt: skip
    found = await figures(tmp_path, made, "sales_quantity", "promo_cost", "otif")
    assert found["sales_quantity"] == Fraction(MOST_QUANTITY**2, 10**6)
    assert found["promo_cost"] == Fraction(MOST_QUANTITY**2, 10**8)


@pytest.mark.parametrize("state", ["suspended", "standing_in", "locked", "revoked"])
async def test_days_without_session_are_never_fewer_than_none(tmp_path: Path, state: str) -> None:
    """A device that was exchanged took its position's days with a session from the silent days of others."""
    made = company()
    position = made.add("position", role_id=key("role", 0), code="P1")
    device = made.add("device", code="D1", position_id=position, state=state)
    for n in range(2):
        made.add("sync_session", session_id=key("session", n), device_id=device, started_at=at(FIRST, n),
                 ended_at=at(FIRST, n + 1), outcome="done", mode="full")  # fmt: skip
    workdays = 20
    expected = workdays if state == "revoked" else 2 * workdays - 1
    found = await figures(tmp_path, made, "silent_days")
    assert found["silent_days"] == expected


async def test_a_device_that_is_gone_has_no_age_of_its_last_sync(tmp_path: Path) -> None:
    """After some years of replacements the average was hundreds of days where everybody had synced today."""
    made = company()
    made.add("device", code="D1", position_id=key("position", 0), state="revoked")
    for n, day in enumerate((LAST, FIRST)):
        made.add("sync_session", session_id=key("session", n), device_id=key("device", n), started_at=at(day, 0),
                 ended_at=at(day, 1), outcome="done", mode="full")  # fmt: skip
    both = dict(made.tables)
    only = {**both, "sync_session": both["sync_session"][:1]}
    async with asked(tmp_path / "both", both) as somebody:
        found = (await somebody.answer(("sync_age",))).total
    async with asked(tmp_path / "only", only) as somebody:
        assert found == (await somebody.answer(("sync_age",))).total


async def test_a_call_whose_only_documents_fell_away_is_not_productive(tmp_path: Path) -> None:
    """What is sold of a call is divided by calls: with cancelled ones among these every call sold less."""
    made = company()
    line: dict[str, Value] = {
        "product_unit_id": key("product_unit", 0),
        "quantity": 1_000,
        "amount": 500,
    }
    ordered(made, "closed", line, visit=visited(made))
    ordered(made, "cancelled", line, visit=visited(made))
    sold = visited(made)
    invoice = None
    for state, amount in (("cancelled", 900), ("posted", -900)):
        invoice = made.add("sale_invoice", outlet_id=key("outlet", 0), position_id=key("position", 0), visit_id=sold,
                           created_at=at(FIRST, 510), state=state, cancels_id=invoice)  # fmt: skip
        made.add("sale_invoice_line", invoice_id=invoice, product_unit_id=key("product_unit", 0),
                 quantity=amount * 10, amount=amount)  # fmt: skip
    found = await figures(
        tmp_path, made, "visits", "productive_calls", "drop_size", "lines_per_call", "van_sales", "van_quantity"
    )  # fmt: skip
    assert found == {
        "visits": 3, "productive_calls": 1, "drop_size": 5, "lines_per_call": 1,
        "van_sales": None, "van_quantity": None,
    }  # fmt: skip


async def test_what_was_accepted_is_counted_in_pieces_and_a_refused_order_is_not_on_time(
    tmp_path: Path,
) -> None:
    """A case of 24 counted like a single bottle; who refused what could not be shipped whole had 100 per cent."""
    made = company()
    case, piece = key("product_unit", 1), key("product_unit", 0)
    order = ordered(made, "closed", {"product_unit_id": case, "quantity": 1_000, "accepted_quantity": 1_000},
                    {"product_unit_id": piece, "quantity": 24_000, "accepted_quantity": 0})  # fmt: skip
    ordered(made, "rejected", {"product_unit_id": piece, "quantity": 1_000})
    ordered(made, "cancelled", {"product_unit_id": piece, "quantity": 1_000})
    sent = made.add("shipment", order_id=order, outlet_id=key("outlet", 0), date=DAY, kind="sale")
    made.add("shipment_line", shipment_id=sent, product_unit_id=case, quantity=2_000, amount=1)
    found = await figures(tmp_path, made, "fill_rate", "otif")
    assert found == {"fill_rate": 50, "otif": 50}


async def test_only_a_work_that_repaired_ends_the_time_to_repair(tmp_path: Path) -> None:
    """A technician who came in time, and lacked a part, had kept the deadline of a cooler that stayed warm."""
    made = company()
    for due, works in ((60, ((30, "part"), (240, "fixed"))), (120, ((120, "done"),)), (60, ())):
        request = made.add("service_request", outlet_id=key("outlet", 0), created_at=at(FIRST, 0),
                           due_at=at(FIRST, due))  # fmt: skip
        for minute, result in works:
            made.add("service_work", request_id=request, finished_at=at(FIRST, minute), result=result)  # fmt: skip
    found = await figures(tmp_path, made, "sla", "repair_hours", "works")
    assert found == {"sla": Fraction(100, 3), "repair_hours": 3, "works": 3}


@pytest.mark.parametrize("since", ["2024-06-17", "2024-06-01"])
async def test_a_target_of_a_month_is_compared_with_what_was_sold_in_the_month(
    tmp_path: Path, since: str
) -> None:
    """In a week's report who was exactly on plan had a quarter of it, and 18 workdays left before the month's end."""
    made = company()
    made.add("plan", position_id=key("position", 0), period="2024-06", kpi="sales_value", value=1_000_000,
             state="approved")  # fmt: skip
    for day, amount in (("2024-06-05", 10_000), ("2024-06-20", 5_000), ("2024-06-25", 70_000)):
        ordered(
            made,
            "closed",
            {"product_unit_id": key("product_unit", 0), "quantity": 1_000, "amount": amount},
        )
        made.tables["sales_order"][-1]["date"] = day
    question = Question(
        ("attainment", "forecast", "required_rate"),
        since=datetime.date.fromisoformat(since), until=datetime.date(2024, 6, 21),
    )  # fmt: skip
    async with asked(tmp_path, made.tables) as somebody:
        found = (await somebody.analyst.answer(somebody.access, question, ZONE)).total
    assert found == {"attainment": 15, "forecast": 20, "required_rate": 170}


async def test_a_shelf_price_is_judged_by_the_list_that_holds_for_its_outlet(
    tmp_path: Path,
) -> None:
    """Another distributor's new prices, or a list that had ended, decided whether an outlet was perfect."""
    made = company()
    own, other = (made.add("distributor", code=code) for code in ("D0", "D1"))
    made.tables["outlet"][0]["distributor_id"] = own
    unit = key("product_unit", 0)
    for distributor, priority, until, since, amount in (
        (None, 9, None, "2024-06-01", 500_000), (other, 9, None, "2024-06-02", 900_000),
        (own, 9, "2024-06-02", "2024-06-02", 800_000), (own, 1, None, "2024-06-01", 100_000),
        (own, 0, None, "2024-06-02", 700_000),
    ):  # fmt: skip
        held = made.add("price_list", code="L", distributor_id=distributor, is_default=1, priority=priority,
                        valid_to=until)  # fmt: skip
        made.add("price", price_list_id=held, product_unit_id=unit, valid_from=since, amount=amount)
    product, visit = key("product", 0), visited(made)
    for price in (100_000, 100_000, 500_000):
        made.add(
            "shelf_fact",
            visit_id=visit,
            product_id=product,
            present=1,
            shelf_price=price,
            is_competitor=0,
        )
    found = await figures(tmp_path, made, "price_compliance")
    assert found["price_compliance"] == Fraction(200, 3)
