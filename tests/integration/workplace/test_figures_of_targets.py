"""Targets against an independent count: each is counted once, however it is split, and by its last version."""

import datetime
import itertools
import random
from fractions import Fraction
from pathlib import Path

import pytest

from fieldmesh.data.types import Value
from hub.analysis.question import Question
from tests.kit.field_documents import Month, Row, key
from tests.kit.figures import ZONE, asked, compared, number

PARENTS = (None, 0, 0, 1, 1, 2)
"""Positions: a manager, two supervisors, three reps."""
MONTHS = ("2024-04", "2024-05", "2024-06")
INSIDE = {"2024-Q2": MONTHS, "2024": (*MONTHS, "2024-Q2")}
PERIODS = (*MONTHS, "2024-Q2", "2024")
SPANS = {
    (datetime.date(2024, 6, 3), datetime.date(2024, 6, 28)): ("2024-06",),
    (datetime.date(2024, 4, 1), datetime.date(2024, 6, 30)): (*MONTHS, "2024-Q2"),
    (datetime.date(2024, 1, 1), datetime.date(2024, 12, 31)): PERIODS,
}
"""Days that are asked for → the periods that lie in them."""


def company(seed: int) -> Month:
    """Some of all the targets that there can be, approved or not."""
    made = Month(random.Random(seed))
    made.add("role", code="rep", kind="rep")
    for n, parent in enumerate(PARENTS):
        above = None if parent is None else key("position", parent)
        made.add("position", role_id=key("role", 0), code=f"P{n}", parent_position_id=above)
    made.add("outlet", code="O")
    kinds = (
        range(len(PARENTS)), PERIODS, ("sales_value", "visits"), (None, key("outlet", 0)), (None, "Kamenitza"), (1, 2),
    )  # fmt: skip
    for value, (position, period, kpi, outlet, product, version) in enumerate(
        itertools.product(*kinds), 1
    ):
        if made.maybe(0.4):
            made.add("plan", position_id=key("position", position), outlet_id=outlet, period=period, kpi=kpi,
                     product_dimension=product, version=version, value=value * 1000,
                     state=made.chance.choice(("approved", "approved", "draft", "past")))  # fmt: skip
    return made


def above(position: int) -> set[Value]:
    """The positions above it, all the way up."""
    parent = PARENTS[position]
    return set() if parent is None else {key("position", parent), *above(parent)}


def counted(plans: list[Row], plan: Row, periods: tuple[str, ...]) -> bool:
    """Whether the target counts among the approved ones."""
    same = ("kpi", "outlet_id", "product_dimension")
    others = [one for one in plans if all(one[name] == plan[name] for name in same)]
    inside = {plan["period"], *INSIDE.get(str(plan["period"]), ())}
    split = any(
        plan["position_id"] in above(n) and one["position_id"] == key("position", n) and one["period"] in inside
        for one in others for n in range(len(PARENTS))
    )  # fmt: skip
    own = [one for one in others if one["position_id"] == plan["position_id"]]
    in_parts = any(one["period"] in INSIDE.get(str(plan["period"]), ()) for one in own)
    replaced = any(
        one["period"] == plan["period"] and number(one["version"]) > number(plan["version"])
        for one in own
    )
    return plan["period"] in periods and not (split or in_parts or replaced)


@pytest.mark.parametrize("span", list(SPANS))
async def test_targets_agree_with_an_independent_count(
    tmp_path: Path, span: tuple[datetime.date, datetime.date]
) -> None:
    """A supervisor's target beside those it was split into, or a quarter's beside its months, asks for it twice."""
    tables = company(12).tables
    plans = [row for row in tables["plan"] if row["state"] == "approved"]
    held = [row for row in plans if counted(plans, row, SPANS[span])]
    assert 5 < len(held) < len(plans)

    def total(kpi: str, product: Value, position: Value = None) -> Fraction:
        return sum(
            (Fraction(number(row["value"]), 1000) for row in held
             if (row["kpi"], row["product_dimension"]) == (kpi, product)
             and position in {None, row["position_id"]}),
            Fraction(0),
        )  # fmt: skip

    async with asked(tmp_path, tables) as somebody:
        question = Question(
            ("target_sales", "target_visits"), ("position",), since=span[0], until=span[1]
        )
        answer = await somebody.analyst.answer(somebody.access, question, ZONE)
        expected = {
            "target_sales": total("sales_value", None),
            "target_visits": total("visits", None),
        }
        compared(answer.total, expected, "total")
        for n in range(len(PARENTS)):
            position = key("position", n)
            figures = answer.lines.get((position,), {"target_sales": None, "target_visits": None})
            expected = {"target_sales": total("sales_value", None, position),
                        "target_visits": total("visits", None, position)}  # fmt: skip
            compared(figures, expected, n)
        question = Question(("target_products",), ("plan_product",), since=span[0], until=span[1])
        answer = await somebody.analyst.answer(somebody.access, question, ZONE)
        compared(answer.total, {"target_products": total("sales_value", "Kamenitza")}, "products")
