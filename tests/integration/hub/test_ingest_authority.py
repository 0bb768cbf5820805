"""What a device may not reach by any trick of its batch, and what is never lost though it comes late."""

from collections.abc import Sequence

import pytest

from fieldmesh.codec.batch import Change, Operation
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.policy import PartitionKind
from fieldmesh.data.types import Value
from fieldmesh.replica.partition import partition_id
from hub.ingest import group
from hub.ingest.apply import GroupApplier
from hub.rules.documents import Refusal
from hub.storage import contents
from hub.storage.changes import ChangeWriter
from hub.storage.writers import DeviceWriter
from tests.kit.company import GATEWAY_ID, SmallCompany
from tests.kit.lane import Delivered, consumer_of


async def foreign_outlet(company: SmallCompany) -> bytes:
    """An outlet of another rep's patch stands."""
    outlet = company.identifiers.new()
    await company.insert("outlet", ("id", "patch_id", "code"), [(outlet, b"x" * 16, "F")])
    return outlet


def change(operation: Operation, table: str, **values: Value) -> Change:
    """One row of one table, as a device writes it."""
    return Change(operation, from_rows(table, tuple(values), [tuple(values.values())]), [])


async def codes(company: SmallCompany) -> list[tuple[Value, ...]]:
    """Tables and reasons of what was refused."""
    return await company.query('SELECT table_name, code FROM "reject" ORDER BY table_name, code')


async def test_an_update_can_not_move_a_row_into_a_foreign_scope(company: SmallCompany) -> None:
    """Promise 6: one's own contact, hung on another rep's outlet, would be a write in that rep's patch."""
    device, foreign = await company.device(), await foreign_outlet(company)
    mine, contact = company.outlets[0], company.identifiers.new()
    await company.insert("contact", ("id", "outlet_id", "name"), [(contact, mine, "Ann")])
    moved = change(Operation.UPDATE, "contact", id=contact, outlet_id=foreign)
    result = await company.ingest.apply([device.pack([moved])])
    assert result.refused == 1
    assert await codes(company) == [("contact", "outside_scope")]
    assert await company.query("SELECT outlet_id FROM contact") == [(mine,)]


async def test_an_update_may_move_a_row_within_the_scope(company: SmallCompany) -> None:
    """The check of the new home refuses nothing that is right."""
    device, contact = await company.device(), company.identifiers.new()
    await company.insert(
        "contact", ("id", "outlet_id", "name"), [(contact, company.outlets[0], "Ann")]
    )
    moved = change(Operation.UPDATE, "contact", id=contact, outlet_id=company.outlets[1])
    result = await company.ingest.apply([device.pack([moved])])
    assert result.refused == 0
    assert await company.query("SELECT outlet_id FROM contact") == [(company.outlets[1],)]


async def test_an_insert_can_not_take_over_a_foreign_row(company: SmallCompany) -> None:
    """Promise 7: a new contact under the id of another rep's contact must not overwrite or move that one."""
    device, foreign = await company.device(), await foreign_outlet(company)
    contact = company.identifiers.new()
    await company.insert("contact", ("id", "outlet_id", "name"), [(contact, foreign, "Eve")])
    taken = change(Operation.INSERT, "contact", id=contact, outlet_id=company.outlets[0], name="Me")
    result = await company.ingest.apply([device.pack([taken])])
    assert result.refused == 1
    assert await company.query("SELECT outlet_id, name FROM contact") == [(foreign, "Eve")]


async def test_lines_can_not_be_hung_on_a_foreign_order(company: SmallCompany) -> None:
    """Promise 7: an order under a taken id is refused, and so are the lines that come with it."""
    device, foreign = await company.device(), await foreign_outlet(company)
    order, lines = device.order(company.outlets[0])
    await company.insert(
        "sales_order", ("id", "outlet_id", "number"), [(order.rows.column("id")[0], foreign, "F1")]
    )
    result = await company.ingest.apply([device.pack([order, lines])])
    assert result.refused == 3
    assert await company.query("SELECT count(*) FROM order_line") == [(0,)]
    assert await company.query("SELECT outlet_id, number FROM sales_order") == [(foreign, "F1")]


async def test_an_order_that_comes_again_in_another_batch_stands_once(
    company: SmallCompany,
) -> None:
    """Promise 2: a fenced device packs what waits again; its own rows are no conflict and are not doubled."""
    device = await company.device()
    order = device.order(company.outlets[0])
    await company.ingest.apply([device.pack(order)])
    result = await company.ingest.apply([device.pack(order)])
    assert (result.applied, result.refused) == (1, 0)
    assert await company.query("SELECT count(*) FROM order_line") == [(2,)]
    async with company.database.read() as connection:
        assert await contents.prove(connection) == []


async def test_lines_of_a_refused_order_are_refused_in_a_later_batch_of_the_group_too(
    company: SmallCompany,
) -> None:
    """What stands must not depend on which batches happened to share a transaction."""
    device = await company.device()
    order, lines = device.order(company.outlets[0])
    bad = Change(Operation.INSERT, order.rows.with_column("outlet_id", [b"n" * 16]), [])
    result = await company.ingest.apply([device.pack([bad]), device.pack([lines])])
    assert result.refused == 3
    assert await company.query("SELECT count(*) FROM order_line") == [(0,)]


async def test_parts_stand_with_the_document_that_they_came_with(company: SmallCompany) -> None:
    """Promise 7: an order is handed over once; a line in a later batch would change what was routed."""
    device = await company.device()
    order, lines = device.order(company.outlets[0])
    added = device.order(company.outlets[0])[1]
    key = order.rows.column("id")[0]
    late = Change(Operation.INSERT, added.rows.with_column("order_id", [key, key]), [])
    await company.ingest.apply([device.pack([order, lines])])
    apart = await company.ingest.apply([device.pack([late])])
    again = await company.ingest.apply([device.pack([order, late])])
    together = await company.ingest.apply([device.pack([late]), device.pack([order, lines])])
    assert (apart.refused, again.refused, together.refused) == (2, 2, 2)
    assert set(await codes(company)) == {("order_line", "document_handed_over")}
    assert await company.query("SELECT count(*) FROM order_line") == [(2,)]


async def test_answers_may_follow_their_form_but_nobody_elses(company: SmallCompany) -> None:
    """A form is filled in while the device syncs in the background; a colleague may not fill it in."""
    mine, colleague = await company.device("D1"), await company.device("D2")
    visit, form, question = (company.identifiers.new() for _ in range(3))
    await company.insert("visit", ("id", "outlet_id"), [(visit, company.outlets[0])])
    begun = change(
        Operation.INSERT, "survey_response", id=form, visit_id=visit, template_id=bytes(16)
    )
    answers = [
        change(
            Operation.INSERT, "answer", id=company.identifiers.new(), response_id=form,
            question_id=question, value="yes",
        )
        for _ in range(2)
    ]  # fmt: skip
    first = await company.ingest.apply([mine.pack([begun]), mine.pack([answers[0]])])
    second = await company.ingest.apply([colleague.pack([answers[1]])])
    assert (first.refused, second.refused) == (0, 1)
    assert await codes(company) == [("answer", "document_handed_over")]


async def test_a_row_names_its_writer_or_nobody(company: SmallCompany) -> None:
    """Promise 7: the position and the person on a document are the writer's own."""
    device, (user, stranger) = await company.device(), (company.identifiers.new() for _ in range(2))
    filled = (company.identifiers.new(), company.position_id, user)
    await company.insert("assignment", ("id", "position_id", "user_id"), [filled])
    visits = [
        change(
            Operation.INSERT, "visit", id=company.identifiers.new(), outlet_id=company.outlets[0],
            position_id=position, user_id=person,
        )
        for position, person in (
            (company.position_id, user), (None, None),
            (stranger, None), (company.position_id, stranger),
        )
    ]  # fmt: skip
    result = await company.ingest.apply([device.pack(visits)])
    assert result.refused == 2
    assert await codes(company) == [("visit", "another_name")] * 2
    named = await company.query("SELECT position_id, user_id FROM visit WHERE position_id NOT NULL")
    assert named == [(company.position_id, user)]


async def test_a_colleagues_visit_is_not_changed_and_not_taken_over(company: SmallCompany) -> None:
    """Promise 7: two who serve one outlet see each other's visits, and write only their own."""
    device, colleague, visit = (await company.device(), *(company.identifiers.new() for _ in "ab"))
    row = (visit, company.outlets[0], colleague, "done")
    await company.insert("visit", ("id", "outlet_id", "position_id", "result_code"), [row])
    writes = [
        change(Operation.UPDATE, "visit", id=visit, result_code="skipped"),
        change(Operation.UPDATE, "visit", id=visit, position_id=company.position_id),
        change(Operation.DELETE, "visit", id=visit),
    ]
    for one in writes:
        assert (await company.ingest.apply([device.pack([one])])).refused == 1
    stands = await company.query("SELECT position_id, result_code, deleted FROM visit")
    assert stands == [(colleague, "done", 0)]


async def test_a_batch_that_comes_after_its_gap_was_released_is_kept(
    company: SmallCompany,
) -> None:
    """Promise 1: its gateway forgets it on the receipt, so the hub must hold its bytes before it answers."""
    device = await company.device()
    missing, later = (device.pack(device.order(company.outlets[0], number=n)) for n in "AB")
    await company.ingest.apply([later])
    await company.ingest.release(device.device_id)
    assert (await company.ingest.apply([missing])).quarantined == 1
    assert (await company.ingest.apply([missing])).quarantined == 0
    kept = await company.query("SELECT code, payload FROM fm_quarantine")
    assert kept == [("late_batch", missing.payload)]
    assert (await company.ingest.retry(missing.payload)).applied == 1
    assert await company.query("SELECT count(*) FROM sales_order") == [(2,)]


async def test_when_one_of_the_last_three_is_deleted_the_fourth_comes_back(
    company: SmallCompany,
) -> None:
    """Retention is a rule about what stands, so a deletion by head office is no reason to have fewer outside."""
    device = await company.device()
    for number in range(4):
        company.clock.advance(60_000_000)
        batch = device.pack(device.order(company.outlets[0], number=f"N{number}"))
        await company.ingest.apply([batch])
    newest = await company.query("SELECT id FROM sales_order WHERE number = 'N3'")
    async with company.database.write() as connection:
        writer = ChangeWriter(connection, company.clock)
        await writer.open()
        await writer.delete("sales_order", from_rows("sales_order", ("id",), newest))
        await writer.close()
    out = 'SELECT number FROM sales_order WHERE "partition" <> 0 ORDER BY number'
    assert await company.query(out) == [("N0",), ("N1",), ("N2",)]
    async with company.database.read() as connection:
        assert await contents.prove(connection) == []


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes an order with the number BAD meets a fault that nobody foresaw."""
    apply = GroupApplier.apply

    async def fails(
        applier: GroupApplier, device: DeviceWriter, changes: Sequence[Change]
    ) -> list[Refusal]:
        for change in changes:
            if change.rows.table == "sales_order" and "BAD" in change.rows.column("number"):
                raise LookupError("nobody foresaw it")
        return await apply(applier, device, changes)

    monkeypatch.setattr(GroupApplier, "apply", fails)


@pytest.mark.usefixtures("poison")
async def test_one_poisonous_batch_does_not_hold_up_the_others(company: SmallCompany) -> None:
    """Promise 7: it breaks the group's transaction; that batch alone ends in quarantine."""
    good, bad = await company.device("D1"), await company.device("D2")
    batches = [
        good.pack(good.order(company.outlets[0], number="G1")),
        bad.pack(bad.order(company.outlets[0], number="BAD")),
        good.pack(good.order(company.outlets[1], number="G2")),
        bad.pack(bad.order(company.outlets[2], number="NEXT")),
    ]
    messages = [Delivered(batch.payload) for batch in batches]
    await consumer_of(company).take(messages)  # type: ignore[arg-type]
    assert all(message.acknowledged for message in messages)
    orders = await company.query("SELECT number FROM sales_order ORDER BY number")
    assert orders == [("G1",), ("G2",), ("NEXT",)]
    kept = await company.query("SELECT device_id, code, payload FROM fm_quarantine")
    assert kept == [(bad.device_id, "bad_batch", batches[1].payload)]


@pytest.mark.usefixtures("poison")
async def test_a_poisonous_batch_that_waited_holds_up_nobody(company: SmallCompany) -> None:
    """Promises 3 and 7: it fails when its turn comes, with the batch that it waited for; that one is sound."""
    device = await company.device()
    first = device.pack(device.order(company.outlets[0], number="G1"))
    bad = device.pack(device.order(company.outlets[0], number="BAD"))
    last = device.pack(device.order(company.outlets[1], number="G2"))
    for batch in (last, bad, first):
        message = Delivered(batch.payload)
        await consumer_of(company).take([message])  # type: ignore[list-item]
        assert message.acknowledged
    orders = await company.query("SELECT number FROM sales_order ORDER BY number")
    assert orders == [("G1",), ("G2",)]
    kept = await company.query("SELECT code, payload FROM fm_quarantine")
    assert kept == [("bad_batch", bad.payload)]
    assert await company.query("SELECT count(*) FROM fm_waiting") == [(0,)]
    ticks = await company.query("SELECT sequence FROM device_tick")
    assert ticks == [(3,)]


async def test_lines_that_name_no_order_are_refused_in_words(company: SmallCompany) -> None:
    """Promise 7: a client with a fault hears of it, and nothing else waits for it."""
    device = await company.device()
    _, lines = device.order(company.outlets[0])
    names = [name for name in lines.rows.names if name != "order_id"]
    bare = Change(Operation.INSERT, lines.rows.only(names), [])
    await company.ingest.apply([device.pack([bare])])
    codes = await company.query("SELECT DISTINCT table_name, code FROM reject")
    assert codes == [("order_line", "outside_scope")]


async def test_a_long_row_of_waiting_batches_is_decided_in_several_transactions(
    company: SmallCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 8: somebody may have sent tens of thousands; one commit of all would stop hub and bus."""
    monkeypatch.setattr(group, "MOST_WAITING", 4)
    device = await company.device()
    batches = [device.pack(device.order(company.outlets[0], number=f"N{n:02}")) for n in range(11)]
    result = await company.ingest.apply(batches[:0:-1])
    assert result.waiting == 10
    before = await company.query("SELECT count(DISTINCT lsn) FROM fm_inbox")
    result = await company.ingest.apply(batches[:1])
    assert (result.applied, result.unfinished) == (11, set())
    assert before == [(0,)]
    assert await company.query("SELECT count(DISTINCT lsn) FROM fm_inbox") == [(3,)]
    async with company.database.read() as connection:
        assert await contents.prove(connection) == []


async def test_bytes_that_nobody_can_read_are_kept_and_acknowledged(
    company: SmallCompany,
) -> None:
    """Promise 7: rubbish on the bus neither stops a shard nor disappears."""
    first, second = Delivered(b"\xff\xfe rubbish"), Delivered(b"\xff\xfe other rubbish")
    for message in (first, second, first):
        await consumer_of(company).take([message])  # type: ignore[list-item]
        assert message.acknowledged
    kept = await company.query("SELECT payload FROM fm_quarantine ORDER BY number")
    assert kept == [(first.data,), (second.data,)]


async def test_a_gateway_can_not_speak_in_the_name_of_another(company: SmallCompany) -> None:
    """Promise 2: a receipt goes to the gateway that the broker knows, so nobody empties another's outbox."""
    device = await company.device()
    batch = device.pack(device.order(company.outlets[0]))
    message = Delivered(batch.payload, gateway=b"s" * 16)
    await consumer_of(company).take([message])  # type: ignore[list-item]
    assert message.acknowledged
    assert await company.query("SELECT code, payload FROM fm_quarantine") == [
        ("bad_message", batch.payload)
    ]
    assert await company.query("SELECT count(*) FROM sales_order") == [(0,)]
    own = partition_id(PartitionKind.GATEWAY, GATEWAY_ID)
    told = await company.query('SELECT count(*) FROM fm_down_outbox WHERE "partition" = ?', own)
    assert told == [(0,)]
