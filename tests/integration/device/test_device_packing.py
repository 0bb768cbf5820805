"""Where what was captured is cut into batches."""

import os

from device_agent.app import DeviceAgent
from device_agent.storage import documents, outbox
from device_agent.storage.database import Connection
from device_agent.storage.net_effect import Captured, NetChange, net_changes
from device_agent.storage.state import update_state
from device_agent.storage.ticks import NOWHERE
from fieldmesh.basics.limits import CLOCK_COUNTER_BITS
from fieldmesh.codec.batch import decode_body, decode_header
from fieldmesh.data.schema import TABLES
from tests.integration.device.company import identifier

ORDERS, LINES = 3, 4
LONG_DAY = 1500


def _capture(connection: Connection) -> list[NetChange]:
    """Orders first, then their lines in turn, as a program may write them."""
    for order in range(ORDERS):
        connection.execute(
            "INSERT INTO sales_order (id, created_at, changed_at, number, outlet_id)"
            " VALUES (?, 0, 0, ?, ?)",
            (identifier(1 + order), str(order), identifier(1000)),
        )
    for line in range(LINES * ORDERS):
        connection.execute(
            "INSERT INTO order_line (id, created_at, changed_at, order_id, line_number,"
            " product_unit_id) VALUES (?, 0, 0, ?, ?, ?)",
            (identifier(100 + line), identifier(1 + line % ORDERS), line, identifier(2000)),
        )
    names = "change_no, table_no, row_id, operation, columns, clock"
    rows = connection.execute(f"SELECT {names} FROM fm_change ORDER BY change_no").fetchall()
    return net_changes((Captured(*row) for row in rows), {})


async def test_an_order_is_never_cut_from_its_lines(device: DeviceAgent) -> None:
    """Promise 7: head office refuses lines that come in another batch than their order."""

    def work(connection: Connection) -> None:
        changes = _capture(connection)
        for most in range(1, len(changes) + 1):
            _check(documents.groups(connection, changes, most=most), changes, most)
        first, second = documents.halves(connection, changes)
        _check([first, second], changes, most=2 * (LINES + 1))

    await device._context.database.write(work)


async def test_an_order_too_long_for_a_batch_leaves_all_the_same(device: DeviceAgent) -> None:
    """Promise 1: what can't be kept together is cut, and head office says which lines it refuses."""

    def work(connection: Connection) -> None:
        changes = [one for one in _capture(connection) if one.table_no == _number("order_line")]
        alone = changes[::ORDERS]
        first, second = documents.halves(connection, alone)
        assert (len(first), len(second)) == (LINES // 2, LINES - LINES // 2)
        assert first + second == alone

    await device._context.database.write(work)


async def test_a_long_days_work_leaves_in_batches_that_a_slow_line_takes(
    device: DeviceAgent,
) -> None:
    """Promise 1: each has its tick by itself, so a line that breaks every minute still gets on."""

    def work(connection: Connection) -> None:
        for order in range(LONG_DAY):
            connection.execute(
                "INSERT INTO sales_order (id, number, outlet_id, comment) VALUES (?, ?, ?, ?)",
                (identifier(1 + order), str(order), identifier(1000), os.urandom(150).hex()),
            )
            connection.execute(
                "INSERT INTO order_line (order_id, line_number, product_unit_id) VALUES (?, 1, ?)",
                (identifier(1 + order), identifier(2000)),
            )
        outbox.pack(connection, sign=lambda _: b"signed", now=1)
        batches = outbox.waiting_after(connection, NOWHERE)
        sizes = [len(one.body) for one in batches]
        assert sum(one.rows for one in batches) == 2 * LONG_DAY
        assert sum(sizes) > outbox.COMFORTABLE_BODY_BYTES >= max(sizes)
        for batch in batches:
            changes = decode_body(decode_header(batch.header), batch.body)
            rows = {change.rows.table: change.rows for change in changes}
            assert set(rows["order_line"].column("order_id")) == set(
                rows["sales_order"].column("id")
            )

    await device._context.database.write(work)


async def test_text_that_is_none_leaves_with_its_bad_bytes_marked(device: DeviceAgent) -> None:
    """Promise 1: SQLite takes any bytes as text; one row of them would stop all that was captured."""

    def work(connection: Connection) -> None:
        connection.execute(
            "INSERT INTO contact (outlet_id, name) VALUES (?, CAST(x'416e61fc' AS TEXT))",
            (identifier(1000),),
        )
        assert outbox.pack(connection, sign=lambda _: b"signed", now=1) == 1
        (batch,) = outbox.waiting_after(connection, NOWHERE)
        (change,) = decode_body(decode_header(batch.header), batch.body)
        assert change.rows.column("name") == ["Ana\ufffd"]

    await device._context.database.write(work)


async def test_changes_bear_the_networks_time(device: DeviceAgent) -> None:
    """Promise 5: of two colleagues' changes the later one stands, also where a telephone's clock is an hour behind."""
    hour = 3_600_000_000

    def work(connection: Connection, offset: int) -> tuple[int, int]:
        update_state(connection, clock_offset=offset)
        connection.execute("INSERT INTO contact (outlet_id) VALUES (?)", (identifier(1000),))
        captured = connection.execute("SELECT max(clock) FROM fm_change").fetchone()[0]
        outbox.pack(connection, sign=lambda _: b"signed", now=1)
        batch = outbox.waiting_after(connection, NOWHERE)[-1]
        (change,) = decode_body(decode_header(batch.header), batch.body)
        return captured, change.clocks[0]

    for offset in (-hour, hour):
        captured, sent = await device._context.database.write(
            lambda found, by=offset: work(found, by)
        )
        assert sent == captured + (offset << CLOCK_COUNTER_BITS)
    for offset in ((1 << 63) - 1, -(1 << 63)):
        _, sent = await device._context.database.write(lambda found, by=offset: work(found, by))
        assert 0 <= sent < 1 << 63


async def test_what_is_written_later_is_later_also_when_a_gateways_fast_clock_was_believed(
    device: DeviceAgent,
) -> None:
    """Promise 3: the first change left two minutes ahead; the next clock is right, and the second stands."""
    contact = identifier(1)

    def work(connection: Connection) -> list[int]:
        found = []
        connection.execute("INSERT INTO contact (id, outlet_id) VALUES (?, ?)", (contact, contact))
        for offset, phones in ((120_000_000, ("1", "2")), (0, ("3", "4", "5"))):
            update_state(connection, clock_offset=offset)
            for phone in phones:
                connection.execute("UPDATE contact SET phone = ? WHERE id = ?", (phone, contact))
                connection.execute("INSERT INTO contact (outlet_id) VALUES (?)", (contact,))
                outbox.pack(connection, sign=lambda _: b"signed", now=1)
                batch = outbox.waiting_after(connection, NOWHERE)[-1]
                clocks = [
                    clock
                    for change in decode_body(decode_header(batch.header), batch.body)
                    for clock in change.clocks
                ]
                found.append(min(clocks))
                found.append(max(clocks))
        return found

    clocks = await device._context.database.write(work)
    assert clocks == sorted(set(clocks))


def _check(groups: list[list[NetChange]], changes: list[NetChange], most: int) -> None:
    """Every change is in one group, lines with their order; no group is too long without need."""
    assert sorted(one.first_no for group in groups for one in group) == [
        one.first_no for one in changes
    ]
    for group in groups:
        orders = {one.row_id for one in group if one.table_no == _number("sales_order")}
        assert len(group) == len(orders) * (LINES + 1)
        assert len(group) <= max(most, LINES + 1)


def _number(table: str) -> int:
    return TABLES[table].number
