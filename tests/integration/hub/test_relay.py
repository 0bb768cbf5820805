"""The one publisher of DOWN, on a broker in memory."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import cast

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from fieldmesh.basics.clock import SystemClock
from fieldmesh.basics.errors import Retry
from fieldmesh.codec.columns import from_rows
from fieldmesh.service.bus import Bus
from fieldmesh.service.metrics import Registry
from fieldmesh.service.tasks import Supervisor
from hub.metrics import RelayFigures
from hub.relay import publish
from hub.relay.consumers import MARK_SUBJECT, Consumers
from hub.relay.publish import Relay
from hub.storage.changes import ChangeWriter
from hub.storage.system_tables import SCOPE_CHANGE
from tests.kit.company import SmallCompany
from tests.model.broker import Broker, Line, Message

GATEWAYS = [number.to_bytes(16, "big") for number in range(50)]


class SlowLine(Line):
    """What it is given takes its time on the way."""

    async def publish(self, subject: str, data: bytes, message_id: str) -> object:
        """It is there; each payload some rounds of the loop after it was given."""
        for _ in range(0 if subject == MARK_SUBJECT else 20):
            await asyncio.sleep(0)
        return await super().publish(subject, data, message_id)


def relay_of(company: SmallCompany, line: Line) -> Relay:
    """It publishes what waits in the company's database."""
    clock = SystemClock()
    figures = RelayFigures(Registry("hub"), clock)
    return Relay(company.database, cast("Bus", line), clock, figures)


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[None]:
    """The relay works."""
    async with Supervisor(SystemClock(), random.Random(1)) as loops:
        loops.run("relay", relay.run)
        yield


async def new_product(connection: AsyncConnection, company: SmallCompany, code: str) -> int:
    """Head office has a product more. Returns the LSN."""
    writer = ChangeWriter(connection, company.clock)
    await writer.open()
    new = (company.identifiers.new(), code)
    await writer.insert("product", from_rows("product", ("id", "code"), [new]))
    await writer.close()
    return writer.lsn


async def change_scope(connection: AsyncConnection, lsn: int, gateways: Sequence[bytes]) -> None:
    """With that transaction the gateways hear something else."""
    for gateway_id in gateways:
        row = {"lsn": lsn, "gateway_id": gateway_id, "partition": 1, "gained": 1}
        await connection.execute(sa.insert(SCOPE_CHANGE).values(row))


async def until(condition: Callable[[], bool]) -> None:
    """It has come about."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the relay has no event of its own
            await asyncio.sleep(0.005)


def marks(broker: Broker) -> list[int]:
    """The LSNs of all marks."""
    return [_lsn(message) for message in broker.down.messages if message.subject == MARK_SUBJECT]


def marks_that_run_ahead(broker: Broker) -> list[int]:
    """Marks that a gateway may not believe: with something up to them behind them, or something above before them."""
    messages = broker.down.messages
    content = [
        (place, _lsn(one)) for place, one in enumerate(messages) if one.subject != MARK_SUBJECT
    ]
    return [
        _lsn(mark)
        for at, mark in enumerate(messages)
        if mark.subject == MARK_SUBJECT
        and any((place < at) != (lsn <= _lsn(mark)) for place, lsn in content)
    ]


def _lsn(message: Message) -> int:
    return int(message.message_id.partition(".")[0])


async def test_a_line_that_breaks_is_no_unforeseen_error(company: SmallCompany) -> None:
    """It stood in the log with a long trace at each break, and the time to wait was not kept."""
    line = Line(Broker())
    line.lose_words = 1
    with pytest.raises(Retry):
        await relay_of(company, line).run()


async def test_marks_come_while_somebody_else_writes(
    company: SmallCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of head office is one transaction of a minute: every gateway took the hub for silent and said hello."""
    monkeypatch.setattr(publish, "HEARTBEAT_S", 0.01)
    broker = Broker()
    async with company.database.write(), running(relay_of(company, Line(broker))):
        await until(lambda: len(marks(broker)) > 5)
    assert len(set(marks(broker))) == 1
    assert not marks_that_run_ahead(broker)


async def test_a_mark_stands_before_or_behind_a_portion_and_never_in_it(
    company: SmallCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 4: a gateway takes what came before a mark for whole."""
    monkeypatch.setattr(publish, "HEARTBEAT_S", 0.0)
    broker = Broker()
    async with running(relay_of(company, SlowLine(broker))):
        for number in range(10):
            rows = [(company.identifiers.new(), f"P{number}.{one}") for one in range(3)]
            newest = await company.insert("product", ("id", "code"), rows)
        await until(lambda: newest in marks(broker))
    assert len(set(marks(broker))) > 1
    assert not marks_that_run_ahead(broker)


async def test_marks_come_while_what_many_gateways_hear_is_changed(
    company: SmallCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A price list for all took longer than a gateway waits; each was begun anew at the broker, again and again."""
    broker, held, first = Broker(), asyncio.Event(), asyncio.Event()
    monkeypatch.setattr(publish, "HEARTBEAT_S", 0.01)
    begun: list[bytes] = []

    async def change(_: Consumers, gateway_id: bytes, _partitions: set[int]) -> None:
        begun.append(gateway_id)
        first.set()
        await held.wait()

    monkeypatch.setattr(Consumers, "change", change)
    async with running(relay_of(company, Line(broker))):
        await until(lambda: bool(marks(broker)))
        async with company.database.write() as connection:
            changed = await new_product(connection, company, "P2")
            await change_scope(connection, changed, GATEWAYS)
            again = await new_product(connection, company, "P3")
            await change_scope(connection, again, GATEWAYS)
        async with asyncio.timeout(10):
            await first.wait()
        already = marks(broker).count(changed)
        await until(lambda: marks(broker).count(changed) > already + 5)
        assert 1 < len(begun) < len(GATEWAYS)
        held.set()
        await until(lambda: marks(broker)[-1] == again)
    assert sorted(begun) == GATEWAYS
    assert not marks_that_run_ahead(broker)


async def test_no_mark_comes_among_what_may_be_published_once_more(
    company: SmallCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 4: half of a later transaction may be out already, from before the line broke."""
    broker = Broker()
    relay = relay_of(company, Line(broker))

    async def change(_: Consumers, _gateway_id: bytes, _partitions: set[int]) -> None:
        await relay._beat()

    monkeypatch.setattr(Consumers, "change", change)
    async with company.database.write() as connection:
        await change_scope(connection, await new_product(connection, company, "P2"), GATEWAYS)
        newest = await new_product(connection, company, "P3")
    await relay._publish(await relay._next())
    assert marks(broker) == [newest]
