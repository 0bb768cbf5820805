"""How an answer comes about: of one state of the copy, and without keeping others back."""

import random
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fieldmesh.basics.errors import Rejected, Retry
from hub.analysis import answers
from hub.analysis.question import Question
from hub.storage.columnar import query
from hub.storage.columnar.columns import Columns
from hub.storage.columnar.file import Row
from hub.storage.org_changes import head_office_write
from tests.kit.field_documents import FIRST, LAST, Month, Tables, key, table_rows
from tests.kit.figures import ZONE, asked


def orders(count: int) -> Tables:
    """So many orders of one outlet, each of one line of 1.00."""
    made = Month(random.Random(1))
    made.add("outlet", code="O")
    made.add("product_unit", product_id=made.add("product", code="A"), factor=1_000)
    for _ in range(count):
        order = made.add("sales_order", outlet_id=key("outlet", 0), date=str(FIRST), state="closed")
        made.add(
            "order_line",
            order_id=order,
            product_unit_id=key("product_unit", 0),
            quantity=1_000,
            amount=100,
        )
    return made.tables


async def test_lines_and_total_are_of_one_moment_also_while_orders_come_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy follows every twenty seconds: a report that was just being asked had a total that was not its sum."""
    before, after = orders(1), orders(3)
    more = {name: after[name][1:] for name in ("sales_order", "order_line")}
    question = Question(("sales",), ("outlet",), since=FIRST, until=LAST)
    ask, came = Columns.ask, list[str]()

    async with asked(tmp_path, before) as somebody:

        async def meanwhile(self: Columns, text: str, values: Sequence[Any]) -> list[Row]:
            rows = await ask(self, text, values)
            if not came:
                came.append("orders")
                async with head_office_write(
                    self._database, self._clock, actor="test", kind="made", about={}
                ) as writer:
                    for one in table_rows(more):
                        await writer.insert(one.table, one)
                await self.follow()
            return rows

        monkeypatch.setattr(Columns, "ask", meanwhile)
        answer = await somebody.analyst.answer(somebody.access, question, ZONE)
        assert came
        assert answer.total["sales"] == 3
        assert [figures["sales"] for figures in answer.lines.values()] == [3]
        assert answer.mark.lsn == (await somebody.analyst.columns.follow()).lsn


async def test_no_question_is_put_into_words_where_everybody_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A standard report takes up to a fifth of a second for it, in which no device would be heard."""
    places: list[threading.Thread] = []
    text_of = query.text_of

    def noted(*arguments: Any) -> Any:
        places.append(threading.current_thread())
        return text_of(*arguments)

    monkeypatch.setattr(query, "text_of", noted)
    async with asked(tmp_path, orders(1)) as somebody:
        await somebody.answer(("sales", "visits"), "outlet")
    assert places
    assert threading.main_thread() not in places


async def test_a_copy_that_was_closed_is_not_opened_again(tmp_path: Path) -> None:
    """A question that came while the hub stopped left a file open that nobody closes any more."""
    async with asked(tmp_path, orders(1)) as somebody:
        columns = somebody.analyst.columns
        await columns.follow()
        await columns.close()
        with pytest.raises(Retry) as caught:
            await columns.ask("SELECT 1", [])
        assert caught.value.code == "analysis_busy"


async def test_an_answer_of_too_many_figures_is_refused_and_one_of_fewer_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve figures of 200,000 outlets took half a gigabyte, and the processor from everybody for a quarter minute."""
    monkeypatch.setattr(answers, "MOST_FIGURES", 4)
    tables = orders(3)
    for n in range(1, 3):
        tables["outlet"].append({"id": key("outlet", n), "code": f"O{n}"})
        tables["sales_order"][n]["outlet_id"] = key("outlet", n)
    async with asked(tmp_path, tables) as somebody:
        assert len((await somebody.answer(("sales",), "outlet")).lines) == 3
        with pytest.raises(Rejected) as caught:
            await somebody.answer(("sales", "orders"), "outlet")
    assert (caught.value.code, caught.value.fields["most"]) == ("question_too_large", 2)
