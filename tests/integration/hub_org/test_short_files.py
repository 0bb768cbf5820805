"""A short file reads little of a long table."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from hub.fleet.office import Office
from tests.integration.hub_org.conftest import load

MANY = 1_500
_CATALOGUE = {
    "distributor": "code\nD1\n",
    "price_list": "code\nL1\n",
    "product": "code\n" + "".join(f"X{n}\n" for n in range(MANY)),
    "product_unit": "product,unit_code\n" + "".join(f"X{n},piece\n" for n in range(MANY)),
    "outlet": "code\n" + "".join(f"N{n}\n" for n in range(MANY)),
}
LONG = {
    "visit_plan": ("position,date,outlet", [f"R1,2026-11-02,N{n}" for n in range(MANY)]),
    "debt_doc": ("outlet,number,distributor", [f"A,{n},D1" for n in range(MANY)]),
    "price": ("price_list,product_unit,amount", [f"L1,X{n}/piece,1" for n in range(MANY)]),
    "plan": ("outlet,period,kpi,value", [f"N{n},2026-11,visits,1" for n in range(MANY)]),
}


@contextmanager
def questions(office: Office) -> Iterator[list[tuple[str, Any]]]:
    """The SELECT statements that are sent to the database meanwhile, with their parameters."""
    found: list[tuple[str, Any]] = []

    def note(_line: object, _cursor: object, statement: str, values: Any, *_others: object) -> None:
        if statement.startswith("SELECT"):
            found.append((statement, values))

    engines = [office.database._engine.sync_engine, office.database._write_engine.sync_engine]
    for engine in engines:
        sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        for engine in engines:
            sa.event.remove(engine, "before_cursor_execute", note)


async def ways(office: Office, asked: list[tuple[str, Any]]) -> list[str]:
    """How the database would find the rows of the statements."""
    found: list[str] = []
    async with office.database.read() as connection:
        for text, values in asked:
            steps = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
            found += [str(step[3]) for step in steps]
    return found


async def rows_read(office: Office, asked: list[tuple[str, Any]]) -> int:
    """How many rows the statements bring."""
    found = 0
    async with office.database.read() as connection:
        for text, values in asked:
            counted = await connection.exec_driver_sql(f"SELECT count(*) FROM ({text})", values)
            found += counted.scalar_one()
    return found


@pytest.mark.parametrize("kind", list(LONG))
async def test_a_file_of_one_line_reads_few_rows_of_a_long_table(
    office: Office, tmp_path: Path, kind: str
) -> None:
    """Without it each line of the night's debts would read all plans, prices or debts of the country."""
    for other, text in _CATALOGUE.items():
        done = await load(office, tmp_path, other, text)
        assert done.bad == 0, done.problems
    headings, lines = LONG[kind]
    text = "\n".join([headings, *lines, ""])
    assert (await load(office, tmp_path, kind, text)).changed == MANY
    assert (await load(office, tmp_path, kind, text)).changed == 0
    for whole in (False, True):
        with questions(office) as asked:
            text = f"{headings}\n{lines[7]}\n"
            done = await load(office, tmp_path, kind, text, all_or_nothing=whole)
        assert (done.loaded, done.changed) == (1, 0)
        assert asked
        assert await rows_read(office, asked) < 50, asked
        assert f"SCAN {kind}" not in await ways(office, asked)


async def test_planned_visits_are_looked_up_by_position_and_day(
    office: Office, tmp_path: Path
) -> None:
    """By the day alone, each ten thousand visits of a file would read those of the whole country on their days."""
    await load(office, tmp_path, "visit_plan", "position,date,outlet\nR1,2026-11-02,A\n")
    with questions(office) as asked:
        await load(office, tmp_path, "visit_plan", "position,date,outlet\nR1,2026-11-02,A\n")
    [way] = {way for way in await ways(office, asked) if "visit_plan" in way and "id=?" not in way}
    assert way == "SEARCH visit_plan USING INDEX visit_plan_by_age (partition=? AND date=?)"


async def test_a_cell_that_is_no_code_is_not_looked_for(office: Office, tmp_path: Path) -> None:
    """Without it one cell of a hundred thousand slashes would ask for as many codes, and fill the memory."""
    await load(office, tmp_path, "price_list", "code\nL1\n")
    slashes = "/" * 400
    with questions(office) as asked:
        done = await load(
            office, tmp_path, "price", f"price_list,product_unit,amount\nL1,{slashes},1\n"
        )
    assert [problem.column for problem in done.problems] == ["product_unit"]
    texts = [value for _text, values in asked for value in values if isinstance(value, str)]
    assert sum(map(len, texts)) < 2_000
