"""What the hub does when a day begins: old removals are forgotten, and a wrong clock retires nothing for good."""

from pathlib import Path
from typing import NamedTuple

import pytest
from typing_extensions import override

from fieldmesh.basics.clock import ManualClock
from fieldmesh.basics.errors import Retry
from fieldmesh.basics.limits import CLOCK_COUNTER_BITS
from fieldmesh.codec.columns import TableRows, from_rows
from fieldmesh.data.model import ReplicatedTable
from fieldmesh.data.policy import PartitionKind
from fieldmesh.data.types import Value
from fieldmesh.replica.partition import partition_id
from fieldmesh.service.database import connect
from gateway.storage import deltas, partitions
from gateway.storage.database import prepare
from hub.fleet.jobs import Jobs
from hub.fleet.office import Office
from hub.fleet.outlets import move_outlets
from hub.relay.seeds import Seed, Seeds
from hub.storage import contents, days_begun, removals, retention, retired
from hub.storage.changes import writing
from hub.storage.org_changes import head_office_write
from hub.storage.removals import forget_old_removals
from hub.storage.rows import ids_by_code

_DAY_US = 86_400_000_000
_KEEP = removals.KEEP_DAYS


class Removal(NamedTuple):
    """What the hub remembers of a row that left."""

    partition: int
    lsn: int
    row_id: bytes


async def begin_day(office: Office, *, after: int = 1) -> None:
    """So many days later the hub begins the day."""
    assert isinstance(office.clock, ManualClock)
    office.clock.advance(after * _DAY_US)
    await Jobs(office.database, office.maker).begin_day()


async def move(office: Office, outlet: str, position: str) -> None:
    """The outlet is served by the position now."""
    async with head_office_write(
        office.database, office.clock, actor="test", kind="moved", about={}
    ) as writer:
        await move_outlets(writer, office.maker, outlets=[outlet], position=position)


async def kept(office: Office) -> list[Removal]:
    """Removals on record, oldest first."""
    async with office.database.read() as connection:
        rows = await connection.exec_driver_sql(
            "SELECT partition, lsn, row_id FROM fm_removal ORDER BY lsn, partition, row_id"
        )
        return [Removal(*row) for row in rows.all()]


async def horizon(office: Office) -> int:
    """Removals above it are on record."""
    async with office.database.read() as connection:
        return await contents.removal_horizon(connection)


async def seed_of(office: Office, partition: int) -> Seed:
    """A new seed of the partition."""
    seeds = Seeds(office.database, office.home.spool)
    seeds.clear()
    return await seeds.seed(partition)


async def test_removals_are_forgotten_after_thirty_days_and_the_horizon_says_so(
    office: Office,
) -> None:
    """Every seed carried all removals since the hub was founded; in years that is more than the rows."""
    await begin_day(office)
    await move(office, "A", "R2")
    old = await kept(office)
    assert old
    for _ in range(_KEEP):
        await begin_day(office)
    assert await kept(office) == old
    assert await horizon(office) == 0
    await move(office, "A", "R1")
    newer = [one for one in await kept(office) if one not in old]
    assert newer
    await begin_day(office)
    assert await kept(office) == newer
    seed = await seed_of(office, old[0].partition)
    assert old[-1].lsn <= seed.horizon_lsn == await horizon(office) < newer[0].lsn


async def test_a_device_that_was_away_for_longer_gets_its_areas_whole(
    office: Office, tmp_path: Path
) -> None:
    """Promise 6: no removal tells it any more that the outlet has left; a delta would leave it there for ever."""
    await begin_day(office)
    async with office.database.read() as connection:
        before = await contents.current_lsn(connection)
    await move(office, "A", "R2")
    left = (await kept(office))[0].partition
    for _ in range(_KEEP + 1):
        await begin_day(office)
    seed = await seed_of(office, left)
    gateway = connect(tmp_path / "gateway.db")
    prepare(gateway, b"g" * 16, 1)
    partitions.want(gateway, {left}, 1)
    begun = partitions.SeedBegun(seed.seed_id, seed.lsn, seed.horizon_lsn, 1, seed.rows)
    partitions.begin_seed(gateway, left, begun, 1)
    partitions.set_ready(gateway, left, 1)
    away, here = (
        deltas.plan_delta(gateway, cursor_lsn=cursor, held=[left], wanted=[left])
        for cursor in (before, seed.horizon_lsn)
    )
    gateway.close()
    assert (away.whole, here.whole) == ({left}, set())


async def test_the_horizon_stands_before_the_last_old_removal_is_gone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 6: a seed made between two pieces lacks removals; its horizon must not claim them."""
    await begin_day(office)
    for position in ("R2", "R1", "R2"):
        await move(office, "A", position)
    old = await kept(office)
    for _ in range(_KEEP):
        await begin_day(office)
    monkeypatch.setattr(removals, "_PIECE", 2)
    whole = removals._forget_piece
    pieces: list[int] = []

    async def breaks_after_one(connection: removals.AsyncConnection, through: int) -> int:
        if pieces:
            raise Retry("database_busy", delay_s=1.0)
        pieces.append(await whole(connection, through))
        return pieces[0]

    monkeypatch.setattr(removals, "_forget_piece", breaks_after_one)
    with pytest.raises(Retry):
        await begin_day(office)
    held = await kept(office)
    assert pieces == [2]
    assert len(held) == len(old) - 2 > 0
    assert await horizon(office) >= held[-1].lsn
    monkeypatch.setattr(removals, "_forget_piece", whole)
    assert await forget_old_removals(office.database) == len(held)
    assert await kept(office) == []


async def test_a_clock_that_runs_ahead_for_a_while_makes_no_removal_old(office: Office) -> None:
    """Everybody would get everything whole on the day after."""
    await begin_day(office)
    await move(office, "A", "R2")
    old = await kept(office)
    await begin_day(office, after=400)
    await begin_day(office, after=-399)
    await begin_day(office)
    assert await kept(office) == old
    assert await horizon(office) == 0


class Young(NamedTuple):
    """Rows of today, of tables that keep their rows for some days."""

    message: bytes
    receipt: bytes
    plan: bytes
    partition: int


async def young(office: Office) -> Young:
    """A message with its receipt, and a planned visit."""
    new = office.maker.identifiers.new
    async with head_office_write(
        office.database, office.clock, actor="test", kind="young", about={}
    ) as writer:
        position = (await ids_by_code(writer.connection, "position", ["R1"]))["R1"]
        outlet = (await ids_by_code(writer.connection, "outlet", ["A"]))["A"]
        place = partition_id(PartitionKind.POSITION, position)
        made = Young(new(), new(), new(), place)
        day = days_begun.day_of(office.clock.now())
        rows: tuple[tuple[str, tuple[str, ...], tuple[Value, ...]], ...] = (
            ("message", ("id", "position_id", "text"), (made.message, position, "Hello")),
            ("message_receipt", ("id", "message_id"), (made.receipt, made.message)),
            (
                "visit_plan",
                ("id", "position_id", "date", "outlet_id"),
                (made.plan, position, day, outlet),
            ),
        )
        for table, names, row in rows:
            await writer.insert(table, from_rows(table, names, [row]))
    return made


async def places(office: Office, rows: Young) -> list[int]:
    """Partitions of message, receipt and planned visit."""
    found = []
    async with office.database.read() as connection:
        for table, row_id in zip(("message", "message_receipt", "visit_plan"), rows, strict=False):
            held = await connection.exec_driver_sql(
                f'SELECT "partition" FROM "{table}" WHERE id = ?', (row_id,)
            )
            found.append(int(held.scalar_one()))
        assert await contents.prove(connection) == []
    return found


async def test_what_a_clock_that_ran_ahead_has_retired_comes_back_when_it_is_right(
    office: Office,
) -> None:
    """A machine that started before its clock was set took the plans of this fortnight from every device for good."""
    await begin_day(office)
    rows = await young(office)
    standing = [rows.partition] * 3
    assert await places(office, rows) == standing
    await begin_day(office, after=40)
    assert await places(office, rows) == [0] * 3
    async with office.database.read() as connection:
        ahead = await contents.current_lsn(connection)
    await begin_day(office, after=-40)
    assert await places(office, rows) == standing
    async with office.database.read() as connection:
        sent = await connection.exec_driver_sql(
            "SELECT count(*) FROM fm_down_outbox WHERE partition = ? AND lsn > ?",
            (rows.partition, ahead),
        )
        assert sent.scalar_one()


async def test_rows_that_must_stay_hold_up_none_behind_them(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day that looks at the same rows for ever never ends; a row without a home outside would be such a one."""
    await begin_day(office)
    new = office.maker.identifiers.new
    photos = [new() for _ in range(6)]
    stay = set(photos[::2])

    class SomeStay(retention.Homes):
        """As the real one, but some rows have no home."""

        @override
        async def of(self, table: ReplicatedTable, rows: TableRows) -> tuple[list[int], list[int]]:
            homes, held = await super().of(table, rows)
            for place, row_id in enumerate(rows.column("id")):
                if row_id in stay:
                    homes[place] = held[place] = 0
            return homes, held

    async with head_office_write(
        office.database, office.clock, actor="test", kind="photos", about={}
    ) as writer:
        position = (await ids_by_code(writer.connection, "position", ["R1"]))["R1"]
        lines: list[tuple[Value, ...]] = [(one, position, b"s" * 32) for one in photos]
        await writer.insert("photo", from_rows("photo", ("id", "position_id", "sha256"), lines))
    await begin_day(office, after=40)
    monkeypatch.setattr(retired, "_MOST_BACK", 1)
    monkeypatch.setattr(retention, "Homes", SomeStay)
    await begin_day(office, after=-40)
    async with office.database.read() as connection:
        rows = await connection.exec_driver_sql('SELECT id FROM photo WHERE "partition" <> 0')
        assert {row[0] for row in rows.all()} == {*photos} - stay
        before = await contents.current_lsn(connection)
    assert await retired.retire_old_rows(office.database, office.clock) == 0
    async with office.database.read() as connection:
        assert await contents.current_lsn(connection) == before


async def test_a_clock_that_has_lost_its_time_brings_nothing_back(office: Office) -> None:
    """A machine without a battery begins in 1970: years of photos would go to every device."""
    await begin_day(office)
    rows = await young(office)
    for _ in range(40):
        await begin_day(office)
    gone = [0] * 3
    assert await places(office, rows) == gone
    days = office.clock.now() // _DAY_US
    await begin_day(office, after=-days)
    assert await places(office, rows) == gone
    await begin_day(office, after=days + 1)
    assert await places(office, rows) == gone


async def test_a_clock_that_went_back_is_noticed_at_the_next_look_and_at_the_start(
    office: Office,
) -> None:
    """What head office wrote while it ran ahead beat everybody until the day that the clock had shown."""
    assert isinstance(office.clock, ManualClock)

    async def ahead() -> bool:
        async with office.database.read() as connection:
            found = await connection.exec_driver_sql("SELECT max(clock) FROM fm_column_clock")
            return int(found.scalar_one()) >> CLOCK_COUNTER_BITS > office.clock.now()

    jobs = Jobs(office.database, office.maker)
    for looks in (jobs, Jobs(office.database, office.maker)):
        await jobs.look()
        office.clock.advance(_DAY_US)
        async with writing(office.database, office.clock) as writer:
            names = ("id", "name")
            contact = from_rows("contact", names, [(office.maker.identifiers.new(), "Ann")])
            await writer.insert("contact", contact)
            await writer.update("contact", contact)
        await jobs.look()
        office.clock.advance(-_DAY_US // 2)
        assert await ahead()
        await looks.look()
        assert not await ahead()
