"""Nobody learns by a figure of one kind of document what they may not see of another."""

import random
from pathlib import Path

import pytest

from fieldmesh.basics.errors import Rejected
from hub.analysis.model.registry import MEASURES, functions_for
from hub.analysis.question import Question
from hub.desk.reports.running import measures_for
from hub.rules.access import Access, Post
from hub.rules.functions import RoleKind
from tests.kit.field_documents import FIRST, LAST, Month, Tables, key
from tests.kit.figures import ZONE, asked


def company() -> Tables:
    """Two positions, each with an outlet, a cooler there, and an order of 10.00 or 20.00."""
    made = Month(random.Random(1))
    made.add("role", code="rep", kind="rep")
    made.add("equipment_model", code="C", type="cooler")
    product = made.add("product", code="A")
    made.add("product_unit", product_id=product, factor=1_000)
    for n in range(2):
        position = made.add("position", role_id=key("role", 0), code=f"P{n}")
        outlet = made.add("outlet", code=f"O{n}")
        made.add("equipment", outlet_id=outlet, model_id=key("equipment_model", 0), state="placed")
        order = made.add(
            "sales_order", outlet_id=outlet, position_id=position, date=str(FIRST), state="closed"
        )
        made.add("order_line", order_id=order, product_unit_id=key("product_unit", 0), quantity=1_000,
                 amount=(n + 1) * 1_000)  # fmt: skip
    return made.tables


def access(*posts: Post) -> Access:
    """Somebody with these posts."""
    return Access(b"u" * 16, "ann", "Ann", posts)


def post(position: bytes, kind: RoleKind, *functions: str) -> Post:
    """A post with these functions: an analyst's reaches the whole company, a supervisor's only what is below."""
    return Post(position, kind, functions={one: {} for one in functions})


async def test_sales_of_coolers_need_the_function_of_orders(tmp_path: Path) -> None:
    """A manager of equipment, who may not see orders, saw each outlet's order value to the cent."""
    manager = access(post(b"p" * 16, RoleKind.ANALYST, "report.view", "equipment.view"))
    assert "cooler_sales" not in measures_for(manager)
    assert "placed" in measures_for(manager)
    async with asked(tmp_path, company()) as somebody:
        question = Question(("cooler_sales",), ("outlet",), since=FIRST, until=LAST)
        with pytest.raises(Rejected) as caught:
            await somebody.analyst.answer(manager, question, ZONE)
    assert caught.value.code == "function_missing"


async def test_sales_of_coolers_are_those_of_orders_that_the_person_sees(tmp_path: Path) -> None:
    """Who sees the coolers of the company and the orders of one team saw the orders of all."""
    tables = company()
    everywhere = post(b"p" * 16, RoleKind.ANALYST, "report.view", "equipment.view")
    here = post(key("position", 0), RoleKind.SUPERVISOR, "order.view")
    async with asked(tmp_path, tables) as somebody:
        question = Question(("cooler_sales", "placed"), since=FIRST, until=LAST)
        found = (await somebody.analyst.answer(access(everywhere, here), question, ZONE)).total
    assert found["placed"] == 2
    assert not found["cooler_sales"]


def test_a_figure_needs_the_functions_of_all_that_it_looks_at() -> None:
    """What a test or a value looks at is easily forgotten beside what is counted."""
    assert functions_for(MEASURES["strike_rate"]) == ("visit.view", "order.view", "van_sale.view")
    assert functions_for(MEASURES["new_clients"]) == ("outlet.view", "shipment.view")
