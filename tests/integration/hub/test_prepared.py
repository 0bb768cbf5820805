"""Statements that are kept give what SQLAlchemy gives, and nothing without their scope."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from fieldmesh.data.schema import TABLES
from fieldmesh.replica.partition import patch_id
from hub.storage.org_tables import replicated_table
from hub.storage.prepared import Prepared
from hub.storage.reach import Below, Everything, Scope
from hub.storage.visible import kind_of, values_of, visible_by
from tests.kit.company import SmallCompany

_MANY = [bytes([number]) * 16 for number in range(1, 12)]


@pytest.fixture(name="company")
async def _company(tmp_path: Path) -> AsyncIterator[SmallCompany]:
    made = await SmallCompany.founded(tmp_path)
    names = ("id", "position_id", "target_kind", "target_key")
    patch = (made.identifiers.new(), made.position_id, "patch", patch_id([made.position_id]))
    await made.insert("subscription", names, [patch])
    device = await made.device()
    for number in range(3):
        order = device.order(made.outlets[0], number=f"N{number}")
        await made.ingest.apply([device.pack(order)])
    yield made
    await made.database.close()


def _statement(scope: Scope, *more: sa.ColumnElement[bool]) -> sa.Select[tuple[object, ...]]:
    order = replicated_table("sales_order")
    seen = visible_by(TABLES["sales_order"], kind_of(scope), order)
    chosen = sa.select(order.c.id, order.c.number, order.c.amount, order.c.created_at)
    most = sa.bindparam("most", type_=sa.Integer())
    return chosen.where(order.c.deleted == 0, seen, *more).order_by(order.c.id).limit(most)


def _scopes(company: SmallCompany) -> list[Scope]:
    few = [company.position_id, *_MANY[:2]]
    reaches = [Below(frozenset(few[:1])), Below(frozenset(few)), Below(frozenset([*few, *_MANY]))]
    found = [Scope(frozenset([reach])) for reach in reaches]
    return [*found, Scope(), Scope(frozenset([Everything()]))]


async def test_a_kept_statement_gives_what_it_gave_before(company: SmallCompany) -> None:
    """Promise 6: for one position and for many, for nobody and for the whole company, again and again."""
    for scope in _scopes(company):
        statement = _statement(scope)
        kept, values = Prepared(statement), {**values_of(scope), "most": 2}
        async with company.database.read() as connection:
            right = [tuple(row) for row in await connection.execute(statement, values)]
            for _ in range(3):
                assert [tuple(row) for row in await kept.rows(connection, values)] == right
        assert bool(right) == (scope != Scope())


async def test_without_its_scope_a_kept_statement_shows_nothing(company: SmallCompany) -> None:
    """Promise 6: values that were forgotten must not become "everything"."""
    scope = _scopes(company)[0]
    kept = Prepared(_statement(scope))
    async with company.database.read() as connection:
        with pytest.raises((KeyError, SQLAlchemyError)):
            await kept.rows(connection, {"most": 5})
        assert await kept.rows(connection, {**values_of(scope), "most": 5})
        with pytest.raises((KeyError, SQLAlchemyError)):
            await kept.rows(connection, {"most": 5})


async def test_a_statement_whose_text_follows_its_values_is_run_as_ever(
    company: SmallCompany,
) -> None:
    """A list of values has another length each time."""
    scope, order = _scopes(company)[4], replicated_table("sales_order")
    numbers = sa.bindparam("numbers", type_=order.c.number.type, expanding=True)
    kept = Prepared(_statement(scope, order.c.number.in_(numbers)))
    async with company.database.read() as connection:
        for wanted in (["N0"], ["N0", "N2"], []):
            rows = await kept.rows(connection, {"numbers": wanted, "most": 5})
            assert [row[1] for row in rows] == wanted


async def test_on_another_driver_a_kept_statement_is_run_as_ever(company: SmallCompany) -> None:
    """SQL Server has no such line."""
    scope = _scopes(company)[0]
    kept, values = Prepared(_statement(scope)), {**values_of(scope), "most": 5}
    engine = create_async_engine(company.database.url)
    async with engine.connect() as connection:
        elsewhere = [tuple(row) for row in await kept.rows(connection, values)]
    await engine.dispose()
    async with company.database.read() as connection:
        assert [tuple(row) for row in await kept.rows(connection, values)] == elsewhere


async def test_a_list_longer_than_a_portion_comes_whole(company: SmallCompany) -> None:
    """The line fetches a thousand rows with the answer, and the rest when it is asked."""
    listed = sa.select(sa.column("value", sa.Integer())).select_from(
        sa.func.json_each(sa.bindparam("numbers", type_=sa.String())).table_valued("value")
    )
    kept = Prepared(listed)
    asked = "[" + ",".join(str(number) for number in range(3_000)) + "]"
    async with company.database.read() as connection:
        rows = await kept.rows(connection, {"numbers": asked})
    assert [row[0] for row in rows] == list(range(3_000))
