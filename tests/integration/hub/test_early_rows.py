"""What a rep makes of a colleague's row that a gateway showed may be at head office before that row: it waits."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fieldmesh.basics.limits import CLOCK_COUNTER_BITS
from fieldmesh.codec.batch import Change, Operation
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from hub.ingest.early import KEPT_US
from hub.ingest.verify import Checked
from tests.kit.company import PackingDevice, SmallCompany


@dataclass
class TwoReps:
    """A rep makes a contact; a colleague at another gateway has seen it and changes it."""

    company: SmallCompany
    maker: PackingDevice
    colleague: PackingDevice
    contact: bytes

    def born(self, outlet: bytes | None = None) -> Checked:
        """The batch with the new contact."""
        row = (self.contact, outlet or self.company.outlets[0], "Buyer", "1")
        rows = from_rows("contact", ("id", "outlet_id", "name", "phone"), [row])
        return self.maker.pack([Change(Operation.INSERT, rows, [self._clock()])])

    def changed(self, phone: str, beside: list[Change] | None = None) -> Checked:
        """The batch with another telephone."""
        rows = from_rows("contact", ("id", "phone"), [(self.contact, phone)])
        self.company.clock.advance(1)
        change = Change(Operation.UPDATE, rows, [self._clock()])
        return self.colleague.pack([*(beside or []), change])

    def deleted(self) -> Checked:
        """The batch that takes the contact away."""
        rows = from_rows("contact", ("id",), [(self.contact,)])
        return self.colleague.pack([Change(Operation.DELETE, rows, [self._clock()])])

    async def phones(self) -> list[tuple[Value, ...]]:
        """Of contacts at head office."""
        return await self.company.query("SELECT phone FROM contact WHERE deleted = 0")

    async def refusals(self) -> list[tuple[Value, ...]]:
        """Table and code of what was refused."""
        return await self.company.query("SELECT table_name, code FROM reject ORDER BY lsn")

    async def waits(self) -> int:
        """How many batches have a part that waits."""
        found = await self.company.query("SELECT count(*) FROM fm_early_batch")
        return int(found[0][0] or 0)

    def _clock(self) -> int:
        return self.company.clock.now() << CLOCK_COUNTER_BITS


@pytest.fixture
async def reps(tmp_path: Path) -> AsyncIterator[TwoReps]:
    """Two devices in the same area."""
    company = await SmallCompany.founded(tmp_path)
    maker, colleague = await company.device("D1"), await company.device("D2")
    yield TwoReps(company, maker, colleague, company.identifiers.new())
    await company.database.close()


async def test_a_change_that_came_before_its_row_waits_for_it(reps: TwoReps) -> None:
    """Promise 1: nothing valid is refused because two gateways are not equally quick; its order goes on meanwhile."""
    born = reps.born()
    order = reps.colleague.order(reps.company.outlets[0])
    result = await reps.company.ingest.apply([reps.changed("2", beside=order)])
    assert (result.applied, result.refused, result.early) == (1, 0, 1)
    assert await reps.company.query("SELECT count(*) FROM sales_order") == [(1,)]
    assert await reps.waits() == 1
    await reps.company.ingest.apply([born])
    assert (await reps.phones(), await reps.refusals(), await reps.waits()) == ([("2",)], [], 0)


async def test_it_waits_across_batches_and_the_newest_write_wins(reps: TwoReps) -> None:
    """Promise 3: the order in which parts come to be applied decides nothing that the rep's own order did not."""
    born, first, second = reps.born(), reps.changed("2"), reps.changed("3")
    await reps.company.ingest.apply([first])
    await reps.company.ingest.apply([second])
    assert await reps.waits() == 2
    await reps.company.ingest.apply([born])
    assert (await reps.phones(), await reps.waits()) == ([("3",)], 0)


async def test_a_batch_of_the_same_group_is_waited_for_too(reps: TwoReps) -> None:
    """Which of two devices a hub transaction takes first is chance."""
    born = reps.born()
    changed = reps.changed("2")
    result = await reps.company.ingest.apply([changed, born])
    assert (result.applied, result.refused) == (2, 0)
    assert (await reps.phones(), await reps.waits()) == ([("2",)], 0)


async def test_a_row_that_a_colleague_deleted_before_it_came_goes(reps: TwoReps) -> None:
    """A deletion of a row that is not there yet would be forgotten, and the row would come back for ever."""
    born = reps.born()
    await reps.company.ingest.apply([reps.deleted()])
    await reps.company.ingest.apply([born])
    assert (await reps.phones(), await reps.waits()) == ([], 0)


async def test_new_rows_wait_for_the_one_that_they_follow(reps: TwoReps) -> None:
    """A technician does the work that a rep has asked for, and syncs through a quicker gateway."""
    company = reps.company
    technician = await _technician(company)
    request, work, part = (company.identifiers.new() for _ in range(3))
    asked = from_rows("service_request", ("id", "outlet_id"), [(request, company.outlets[0])])
    done = from_rows("service_work", ("id", "request_id"), [(work, request)])
    used = from_rows("service_part", ("id", "work_id"), [(part, work)])
    born = reps.maker.pack([Change(Operation.INSERT, asked, [company.clock.now()])])
    early = technician.pack([Change(Operation.INSERT, one, []) for one in (done, used)])
    result = await company.ingest.apply([early])
    assert (result.early, result.refused) == (2, 0)
    await company.ingest.apply([born])
    assert (await reps.refusals(), await reps.waits()) == ([], 0)
    found = "SELECT w.origin_device_id FROM service_work AS w JOIN service_part AS p ON p.work_id = w.id"
    assert await company.query(found) == [(technician.device_id,)]


async def test_what_a_post_may_not_write_is_refused_at_once(reps: TwoReps) -> None:
    """There is nothing to wait for."""
    work, request = (reps.company.identifiers.new() for _ in range(2))
    rows = from_rows("service_work", ("id", "request_id"), [(work, request)])
    await reps.company.ingest.apply([reps.maker.pack([Change(Operation.INSERT, rows, [])])])
    assert await reps.refusals() == [("service_work", "not_your_table")]


async def _technician(company: SmallCompany) -> PackingDevice:
    """A device of another post in the same area."""
    role, position = company.identifiers.new(), company.identifiers.new()
    await company.insert("role", ("id", "code", "kind"), [(role, "technician", "technician")])
    await company.insert("position", ("id", "role_id", "code"), [(position, role, "T1")])
    await company.insert(
        "subscription",
        ("id", "position_id", "target_partition", "target_kind"),
        [(company.identifiers.new(), position, company.patch, "patch")],
    )
    return await company.device("D9", position_id=position)


async def test_what_waits_for_a_refused_row_is_refused_with_it(reps: TwoReps) -> None:
    """Promise 7: in words, whichever of the two comes first."""
    foreign = reps.company.identifiers.new()
    await reps.company.insert("outlet", ("id", "code", "name"), [(foreign, "F1", "Foreign")])
    born = reps.born(foreign)
    await reps.company.ingest.apply([reps.changed("2")])
    await reps.company.ingest.apply([born])
    expected = [("contact", "outside_scope"), ("contact", "depends_on_refused")]
    assert (await reps.refusals(), await reps.waits()) == (expected, 0)
    await reps.company.ingest.apply([reps.changed("3")])
    assert await reps.refusals() == [*expected, ("contact", "depends_on_refused")]


async def test_a_row_that_never_comes_is_told_to_who_changed_it(reps: TwoReps) -> None:
    """Nothing is dropped in silence, and nothing waits for ever."""
    await reps.company.ingest.apply([reps.changed("2")])
    reps.company.clock.advance(KEPT_US + 1)
    device = await reps.company.device("D3")
    await reps.company.ingest.apply([device.pack(device.order(reps.company.outlets[0]))])
    assert (await reps.refusals(), await reps.waits()) == ([("contact", "row_never_came")], 0)


async def test_a_change_to_a_row_that_was_deleted_does_not_wait(reps: TwoReps) -> None:
    """Head office knows what it has deleted."""
    await reps.company.ingest.apply([reps.born()])
    await reps.company.ingest.apply([reps.deleted()])
    await reps.company.ingest.apply([reps.changed("2")])
    assert (await reps.refusals(), await reps.waits()) == ([("contact", "row_gone")], 0)


async def test_a_part_that_fails_when_its_row_has_come_holds_up_nobody(reps: TwoReps) -> None:
    """Promise 7: the colleague who brings the row is not to blame; the part goes to quarantine, and its rep hears."""
    company = reps.company
    technician = await _technician(company)
    request, work = company.identifiers.new(), company.identifiers.new()
    asked = from_rows("service_request", ("id", "outlet_id"), [(request, company.outlets[0])])
    twice = from_rows("service_work", ("id", "request_id"), [(work, request), (work, request)])
    born = reps.maker.pack([Change(Operation.INSERT, asked, [company.clock.now()])])
    early = technician.pack([Change(Operation.INSERT, twice, [])])
    assert (await company.ingest.apply([early])).early
    result = await company.ingest.apply([born])
    assert (result.applied, result.quarantined) == (1, 1)
    assert await company.query("SELECT count(*) FROM service_request") == [(1,)]
    assert await company.query("SELECT code, payload FROM fm_quarantine") == [
        ("bad_batch", early.payload)
    ]
    assert (await reps.waits(), await reps.refusals()) == (0, [("", "batch_put_aside")])
