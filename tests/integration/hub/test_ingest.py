"""Ingest on a real database: rows once, in order, whole, with reasons for what is refused."""

import json
from dataclasses import replace
from functools import partial

import pytest

from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.batch import Change, Event, EventKind, Operation
from fieldmesh.codec.columns import from_rows
from fieldmesh.codec.replication import write_forwarded
from fieldmesh.data.policy import PartitionKind
from fieldmesh.data.schema import TABLES
from fieldmesh.replica.partition import GLOBAL, partition_id
from hub.storage import contents, inbox, journal
from hub.storage.rows import Connection
from tests.kit.company import SmallCompany


async def test_a_batch_that_comes_twice_has_one_effect(company: SmallCompany) -> None:
    """Promise 2: without the inbox a redelivery would double the order."""
    device = await company.device()
    batch = device.pack(device.order(company.outlets[0]))
    first = await company.ingest.apply([batch, batch])
    second = await company.ingest.apply([batch])
    assert (first.applied, first.repeated, second.applied, second.repeated) == (1, 1, 0, 1)
    assert await company.query("SELECT count(*) FROM sales_order") == [(1,)]
    assert await company.query("SELECT count(*) FROM order_line") == [(2,)]


async def test_batches_wait_for_their_turn(company: SmallCompany) -> None:
    """Promise 3: a batch that overtakes another through a second gateway waits, and the gap is shown."""
    device = await company.device()
    batches = [device.pack(device.order(company.outlets[0], number=f"N{n}")) for n in range(3)]
    result = await company.ingest.apply([batches[2], batches[1]])
    assert (result.applied, result.waiting) == (0, 2)
    async with company.database.read() as connection:
        gaps = await inbox.gaps(connection)
    assert [(gap[1].sequence, gap[2].sequence, gap[3]) for gap in gaps] == [(0, 2, 2)]
    result = await company.ingest.apply([batches[0]])
    assert result.applied == 3
    orders = await company.query("SELECT number FROM sales_order ORDER BY id")
    assert orders == [("N0",), ("N1",), ("N2",)]
    marks = await company.query("SELECT device_epoch, sequence FROM fm_device_mark")
    assert marks == [(1, 3)]


async def test_what_waits_in_an_epoch_that_was_passed_over_is_decided(
    company: SmallCompany,
) -> None:
    """Promise 1: a device that began anew leaves nothing waiting that can't come to its turn any more."""
    device = await company.device()
    first, _missing, third = (device.pack(device.order(company.outlets[0])) for _ in range(3))
    device.epoch, device.sequence = 2, 0
    anew = device.pack(device.order(company.outlets[0]), after=first)
    assert (await company.ingest.apply([third, anew])).waiting == 2
    result = await company.ingest.apply([first])
    assert (result.applied, result.quarantined) == (2, 1)
    assert await company.query("SELECT code FROM fm_quarantine") == [("late_batch",)]
    assert await company.query("SELECT count(*) FROM fm_waiting") == [(0,)]


async def test_a_batch_that_waited_is_judged_by_facts_of_its_own(company: SmallCompany) -> None:
    """What it names may be nothing that the batch names which it waited for: no line may be refused for that."""
    device = await company.device()
    product, unit = company.identifiers.new(), company.identifiers.new()
    await company.insert("product", ("id", "code", "name"), [(product, "P2", "Juice")])
    await company.insert("product_unit", ("id", "product_id"), [(unit, product)])
    first = device.pack(device.order(company.outlets[0], number="N1"))
    company.unit_id = unit
    second = device.pack(device.order(company.outlets[0], number="N2"))
    await company.ingest.apply([second])
    result = await company.ingest.apply([first])
    assert (result.applied, result.refused) == (2, 0)
    assert await company.query("SELECT count(*) FROM order_line") == [(4,)]


async def test_an_order_that_old_data_may_have_spoilt_waits_for_a_person(
    company: SmallCompany,
) -> None:
    """A pack size that changed while the rep was offline costs no order; it says why it waits, at the device too."""
    device = await company.device()
    product, unit = company.identifiers.new(), company.identifiers.new()
    await company.insert("product", ("id", "code", "name"), [(product, "P2", "Juice")])
    names = ("id", "product_id", "order_multiple")
    await company.insert("product_unit", names, [(unit, product, 6_000)])
    fine = device.pack(device.order(company.outlets[0], number="N1"))
    company.unit_id = unit
    doubtful = device.pack(device.order(company.outlets[0], number="N2"))
    result = await company.ingest.apply([fine, doubtful])
    assert (result.applied, result.refused) == (2, 0)
    states = await company.query("SELECT number, state FROM sales_order ORDER BY number")
    assert states == [("N1", "saved"), ("N2", "on_approval")]
    told = await company.query(
        "SELECT number, s.state, s.source, s.text FROM order_status AS s"
        " JOIN sales_order AS o ON o.id = s.order_id AND s.partition = o.partition"
    )
    assert told == [("N2", "on_approval", "hub", "Juice: 1 is not a multiple of 6")]


async def test_a_gap_can_be_released_and_what_was_missing_still_comes(
    company: SmallCompany,
) -> None:
    """An operator is never stuck: the stream goes on, and nothing that comes late is lost."""
    device = await company.device()
    missing, later = (device.pack(device.order(company.outlets[0], number=n)) for n in "AB")
    await company.ingest.apply([later])
    released = await company.ingest.release(device.device_id)
    assert released.applied == 1
    again = await company.ingest.retry(missing.payload)
    assert again.applied == 1
    assert await company.query("SELECT count(*) FROM sales_order") == [(2,)]


async def test_what_is_noted_of_a_gap_or_an_entry_is_written_with_it_or_not_at_all(
    company: SmallCompany,
) -> None:
    """Promise 9: a gap that was given up without an entry leaves nobody who did it."""
    device = await company.device()
    missing, later = (device.pack(device.order(company.outlets[0], number=n)) for n in "AB")
    await company.ingest.apply([later])

    async def refuse(_connection: Connection) -> None:
        raise Rejected("not_found", text="decided already")

    async def note(connection: Connection) -> None:
        await journal.append(connection, at=1, kind="noted", actor="A", payload={})

    for work in (
        partial(company.ingest.release, device.device_id),
        partial(company.ingest.retry, missing.payload),
    ):
        with pytest.raises(Rejected):
            await work(refuse)
        assert (await work(note)).applied == 1
    assert await company.query("SELECT count(*) FROM fm_journal WHERE kind = 'noted'") == [(2,)]
    assert await company.query("SELECT count(*) FROM sales_order") == [(2,)]


async def test_an_altered_batch_is_quarantined_and_the_right_one_still_applies(
    company: SmallCompany,
) -> None:
    """Promise 7: a gateway that alters a byte can neither forge an order nor burn the device's number."""
    device = await company.device()
    batch = device.pack(device.order(company.outlets[0]))
    body = bytearray(batch.forwarded.body)
    body[len(body) // 2] ^= 1
    altered = replace(batch.forwarded, body=bytes(body))
    checked = company.verifier.check(altered, write_forwarded(altered))
    assert checked.problem is not None
    result = await company.ingest.apply([checked])
    assert (result.quarantined, result.applied) == (1, 0)
    kept = await company.query("SELECT code, payload FROM fm_quarantine")
    assert kept == [("altered_batch", write_forwarded(altered))]
    assert (await company.ingest.apply([batch])).applied == 1


async def test_a_device_hears_that_its_batch_was_put_aside_until_it_is_applied(
    company: SmallCompany,
) -> None:
    """Promise 7: two ticks for rows that nobody can read must not be all that the rep sees."""
    device = await company.device()
    batch = device.pack(device.order(company.outlets[0]))
    unknown = Rejected("unknown_table", place="table loyalty_card", table="loyalty_card")
    await company.ingest.apply([replace(batch, changes=(), problem=unknown)])
    told = "SELECT row_id, code, sequence, text FROM reject WHERE deleted = 0"
    ((about, code, sequence, text),) = await company.query(told)
    assert (about, code, sequence) == (batch.sha256[:16], "batch_put_aside", 1)
    assert "(3 rows): table loyalty_card: There is no table loyalty_card." in text, "where it is"
    assert (await company.ingest.retry(batch.payload)).applied == 1
    assert await company.query(told) == []
    assert await company.query("SELECT count(*) FROM order_line") == [(2,)]


async def test_a_clone_is_quarantined_not_swallowed(company: SmallCompany) -> None:
    """Another batch under a number that was used would be lost in silence if only the number were looked at."""
    device = await company.device()
    first = device.pack(device.order(company.outlets[0], number="A"))
    clone = device.pack(device.order(company.outlets[0], number="B"), sequence=1)
    await company.ingest.apply([first])
    result = await company.ingest.apply([clone])
    assert result.quarantined == 1
    assert await company.query("SELECT code FROM fm_quarantine") == [("cloned_device",)]


async def test_a_batch_that_follows_another_than_was_decided_is_told(
    company: SmallCompany,
) -> None:
    """Promise 3: a gateway that shows one of two batches of a number, and keeps the other, is seen by what follows."""
    device = await company.device()
    shown, kept = (device.pack(device.order(company.outlets[0]), sequence=1) for _ in range(2))
    device.sequence = 1
    follows = device.pack(device.order(company.outlets[0], number="N2"), after=kept)
    result = await company.ingest.apply([shown, follows])
    assert (result.applied, result.breaks) == (2, 1)
    late = await company.ingest.apply([kept])
    assert late.quarantined == 1
    kinds = await company.query("SELECT kind FROM fm_journal ORDER BY number")
    assert kinds == [("another_batch_came_before",), ("batch_quarantined",)]


async def test_batches_that_follow_each_other_are_no_news(company: SmallCompany) -> None:
    """In one transaction and in several, and over a gap that was given up."""
    device = await company.device()
    held = [device.pack(device.order(company.outlets[0]))]
    for number in range(4):
        held.append(
            device.pack(device.order(company.outlets[0], number=f"{number}"), after=held[-1])
        )
    results = [await company.ingest.apply(held[:2]), await company.ingest.apply(held[2:3])]
    await company.ingest.apply(held[4:])
    results.append(await company.ingest.release(device.device_id))
    assert [(one.applied, one.breaks) for one in results] == [(2, 0), (1, 0), (1, 0)]


async def test_a_refused_order_takes_its_lines_with_it_and_says_why(
    company: SmallCompany,
) -> None:
    """Promise 7: a foreign outlet's order comes back whole with a reason; the rest of the batch stands."""
    device = await company.device()
    foreign = company.identifiers.new()
    await company.insert("outlet", ("id", "patch_id", "code"), [(foreign, b"x" * 16, "F")])
    good, bad = device.order(company.outlets[0], number="G"), device.order(foreign, number="B")
    result = await company.ingest.apply([device.pack([*good, *bad])])
    assert result.refused == 3
    assert await company.query("SELECT number FROM sales_order") == [("G",)]
    rejects = await company.query('SELECT table_name, code FROM "reject" ORDER BY table_name, code')
    assert rejects == [
        ("order_line", "depends_on_refused"),
        ("order_line", "depends_on_refused"),
        ("sales_order", "outside_scope"),
    ]


async def test_a_device_may_not_write_what_head_office_owns(company: SmallCompany) -> None:
    """Promise 7: prices and products are not for devices, whatever their program sends."""
    device = await company.device()
    product = from_rows("product", ("id", "code", "name"), [(company.identifiers.new(), "X", "X")])
    result = await company.ingest.apply([device.pack([Change(Operation.INSERT, product, [])])])
    assert result.refused == 1
    assert await company.query('SELECT code FROM "reject"') == [("not_your_table",)]
    assert await company.query("SELECT count(*) FROM product") == [(1,)]


async def test_a_spare_takes_over_and_hands_over(company: SmallCompany) -> None:
    """Duplicate and upload: the first device is suspended, its late upload marked, then it works again."""
    first = await company.device("D1")
    spare = await company.device("S1", kind="spare", stands_in_for=first.device_id, state="spare")
    takeover = Event(EventKind.TAKEOVER, first.device_id)
    await company.ingest.apply([spare.pack(spare.order(company.outlets[0]), event=takeover)])
    assert await company.query("SELECT code, state FROM device ORDER BY code") == [
        ("D1", "suspended"),
        ("S1", "standing_in"),
    ]
    late = await company.ingest.apply([first.pack(first.order(company.outlets[1]))])
    assert late.applied == 1
    kinds = await company.query("SELECT kind FROM fm_journal ORDER BY number")
    assert ("late_upload_of_suspended_device",) in kinds
    handover = Event(EventKind.HANDOVER, first.device_id)
    await company.ingest.apply([spare.pack([], event=handover)])
    assert await company.query("SELECT code, state, must_full_sync FROM device ORDER BY code") == [
        ("D1", "active", 1),
        ("S1", "spare", 0),
    ]
    await company.ingest.apply([spare.pack([], event=takeover)])
    again = await company.query(
        "SELECT code, state, stands_in_for, position_id FROM device ORDER BY code"
    )
    assert again == [("D1", "active", None, company.position_id), ("S1", "spare", None, None)], (
        "an authorisation is good for one time"
    )
    last = await company.query("SELECT kind FROM fm_journal ORDER BY number DESC LIMIT 1")
    assert last == [("spare_took_over_refused",)]
    floor = await company.query("SELECT epoch_floor FROM device WHERE code = 'S1'")
    assert floor == [(spare.epoch,)], "a next authorisation is good for newer epochs only"


async def test_what_was_refused_of_a_spares_work_comes_to_the_device_that_it_stood_in_for(
    company: SmallCompany,
) -> None:
    """Promise 6: the spare has erased itself, and its next user must not read it."""
    first = await company.device("D1")
    spare = await company.device("S1", kind="spare", stands_in_for=first.device_id, state="spare")
    takeover = Event(EventKind.TAKEOVER, first.device_id)
    await company.ingest.apply([spare.pack(spare.order(company.outlets[0]), event=takeover)])
    names = ("id", "outlet_id", "position_id")
    stranger = (company.identifiers.new(), company.outlets[0], company.identifiers.new())
    visit = Change(Operation.INSERT, from_rows("visit", names, [stranger]), [])
    handover = Event(EventKind.HANDOVER, first.device_id)
    last = await company.ingest.apply([spare.pack([visit], event=handover)])
    assert last.refused == 1
    home = partition_id(PartitionKind.DEVICE, first.device_id)
    heard = await company.query('SELECT device_id, "partition", sequence, fields FROM reject')
    assert heard[0][:3] == (first.device_id, home, 0)
    told = json.loads(heard[0][3])
    assert (told["spare"], told["spare_sequence"]) == (spare.device_id.hex(), "2")
    async with company.database.read() as connection:
        assert await contents.prove(connection) == []


async def test_only_the_last_three_orders_of_an_outlet_leave_the_hub(
    company: SmallCompany,
) -> None:
    """Retention is part of scope: older orders and their lines are removed by events, so all tiers stay equal."""
    device = await company.device()
    for number in range(5):
        company.clock.advance(60_000_000)
        await company.ingest.apply(
            [device.pack(device.order(company.outlets[0], number=f"N{number}"))]
        )
    out = await company.query(
        'SELECT number FROM sales_order WHERE "partition" <> 0 ORDER BY number'
    )
    assert out == [("N2",), ("N3",), ("N4",)]
    lines = await company.query('SELECT count(*) FROM order_line WHERE "partition" <> 0')
    assert lines == [(6,)]
    async with company.database.read() as connection:
        assert await contents.prove(connection) == []
        held = dict(await contents.digests(connection, [company.patch, GLOBAL]))
        assert {digest.partition: digest.rows for digest in held}[company.patch] == 3 + 3 + 6
        await journal.verify(connection)


async def test_rows_follow_an_outlet_to_its_new_patch(company: SmallCompany) -> None:
    """Promise 6: moving an outlet moves its orders and their lines, with removals under the old scope."""
    device = await company.device()
    await company.ingest.apply([device.pack(device.order(company.outlets[0]))])
    from fieldmesh.replica.partition import partition_id  # noqa: PLC0415
    from hub.storage.changes import ChangeWriter  # noqa: PLC0415

    async with company.database.write() as connection:
        writer = ChangeWriter(connection, company.clock)
        await writer.open()
        rows = from_rows("outlet", ("id", "patch_id"), [(company.outlets[0], b"n" * 16)])
        await writer.update("outlet", rows)
        await writer.close()
    target = partition_id("patch", b"n" * 16)
    for table in ("sales_order", "order_line"):
        found = await company.query(f'SELECT DISTINCT "partition" FROM {table}')
        assert found == [(target,)]
    removed = await company.query(
        "SELECT table_no, count(*) FROM fm_removal WHERE partition = ? GROUP BY table_no",
        company.patch,
    )
    assert dict(removed) == {
        TABLES["outlet"].number: 1,
        TABLES["sales_order"].number: 1,
        TABLES["order_line"].number: 2,
    }
    async with company.database.read() as connection:
        assert await contents.prove(connection) == []


async def test_a_spare_that_works_without_taking_over_is_told_in_the_journal(
    company: SmallCompany,
) -> None:
    """Its orders count, but two devices work as one: nothing but the states said so."""
    first, other = await company.device("D1"), await company.device("D2")
    spare = await company.device("S1", kind="spare", stands_in_for=first.device_id, state="spare")
    takeover = Event(EventKind.TAKEOVER, other.device_id)
    result = await company.ingest.apply([spare.pack(spare.order(company.outlets[0]))])
    assert result.applied == 1
    await company.ingest.apply([spare.pack([], event=takeover)])
    right = Event(EventKind.TAKEOVER, first.device_id)
    await company.ingest.apply([spare.pack([], event=right)])
    await company.ingest.apply([spare.pack(spare.order(company.outlets[0], number="N2"))])
    told = "SELECT count(*) FROM fm_journal WHERE kind = 'spare_works_without_takeover'"
    assert await company.query(told) == [(2,)]
