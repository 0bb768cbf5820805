"""Who wins where two write one column: the later writer, by clocks that may be wrong."""

from fieldmesh.basics.limits import CLOCK_COUNTER_BITS
from fieldmesh.codec.batch import Change, Operation
from fieldmesh.codec.columns import from_rows
from hub.storage.changes import writing
from hub.storage.clocks import correct_clocks
from tests.kit.company import SmallCompany


async def test_the_last_writer_of_each_column_wins_and_the_loser_is_kept(
    company: SmallCompany,
) -> None:
    """Two devices change one contact: different columns both stand, the same column has a loser on record."""
    one, two = await company.device("D1"), await company.device("D2")
    contact = company.identifiers.new()
    await company.insert(
        "contact", ("id", "outlet_id", "name", "phone"), [(contact, company.outlets[0], "Ann", "1")]
    )
    clock = (company.clock.now() + 1_000_000) << CLOCK_COUNTER_BITS

    def change(phone: str, at: int, **more: str) -> Change:
        names = ("id", "phone", *more)
        rows = from_rows("contact", names, [(contact, phone, *more.values())])
        return Change(Operation.UPDATE, rows, [at])

    await company.ingest.apply([two.pack([change("2", clock + 9)])])
    await company.ingest.apply([one.pack([change("3", clock + 5, role="owner")])])
    assert await company.query("SELECT phone, role FROM contact") == [("2", "owner")]
    conflicts = await company.query("SELECT column_name, losing_value FROM fm_conflict")
    assert conflicts == [("phone", '"3"')]


async def test_a_clock_that_runs_ahead_does_not_win_for_ever(company: SmallCompany) -> None:
    """A device a year ahead would otherwise beat every later write of its colleagues."""
    ahead, right = await company.device("D1"), await company.device("D2")
    contact = company.identifiers.new()
    await company.insert(
        "contact", ("id", "outlet_id", "phone"), [(contact, company.outlets[0], "1")]
    )

    def change(phone: str, clock_us: int) -> Change:
        rows = from_rows("contact", ("id", "phone"), [(contact, phone)])
        return Change(Operation.UPDATE, rows, [clock_us << CLOCK_COUNTER_BITS])

    year_us = 365 * 86_400_000_000
    await company.ingest.apply([ahead.pack([change("2", company.clock.now() + year_us)])])
    company.clock.advance(60_000_000)
    await company.ingest.apply([right.pack([change("3", company.clock.now())])])
    assert await company.query("SELECT phone FROM contact") == [("3",)]


async def test_a_later_write_beats_an_earlier_one_of_its_own_device_also_when_the_hubs_clock_goes_back(
    company: SmallCompany,
) -> None:
    """The device's clock seems to run ahead then. What comes again out of an image of it stays the older one."""
    device = await company.device("D1")
    contact, now = company.identifiers.new(), company.clock.now()
    await company.insert(
        "contact", ("id", "outlet_id", "phone"), [(contact, company.outlets[0], "1")]
    )

    def change(phone: str, clock_us: int) -> Change:
        rows = from_rows("contact", ("id", "phone"), [(contact, phone)])
        return Change(Operation.UPDATE, rows, [clock_us << CLOCK_COUNTER_BITS])

    await company.ingest.apply([device.pack([change("2", now)])])
    company.clock.advance(-12 * 3_600_000_000)
    await company.ingest.apply([device.pack([change("3", now + 1)])])
    assert await company.query("SELECT phone FROM contact") == [("3",)]
    await company.ingest.apply([device.pack([change("2", now)])])
    assert await company.query("SELECT phone FROM contact") == [("3",)]
    assert await company.query("SELECT count(*) FROM fm_conflict") == [(0,)]


async def test_a_new_row_that_comes_again_has_its_own_clock(company: SmallCompany) -> None:
    """With the clock of a later neighbour in its batch it beat what a colleague had changed meanwhile."""
    first, other = await company.device("D1"), await company.device("D2")
    one, two = company.identifiers.new(), company.identifiers.new()
    clock = company.clock.now() << CLOCK_COUNTER_BITS
    names = ("id", "outlet_id", "phone")
    rows = [(one, company.outlets[0], "1"), (two, company.outlets[0], "1")]
    new = Change(Operation.INSERT, from_rows("contact", names, rows), [clock + 100, clock + 900])
    changed = from_rows("contact", ("id", "phone"), [(one, "2")])
    await company.ingest.apply([first.pack([new])])
    await company.ingest.apply([other.pack([Change(Operation.UPDATE, changed, [clock + 500])])])
    await company.ingest.apply([first.pack([new])])
    phones = await company.query("SELECT phone FROM contact WHERE id = ?", one)
    assert phones == [("2",)]


async def test_what_a_file_changed_stands_against_an_older_write_that_comes_later(
    company: SmallCompany,
) -> None:
    """Head office loads the right number at ten; what a rep typed at nine came at eleven and won without a trace."""
    device = await company.device()
    contact, again = company.identifiers.new(), company.identifiers.new()
    names = ("id", "outlet_id", "name", "phone")
    shop = company.outlets[0]
    await company.insert("contact", names, [(contact, shop, "Ann", "1"), (again, shop, "Bob", "1")])

    def change(**values: str) -> Change:
        lines = [(one, *values.values()) for one in (contact, again)]
        rows = from_rows("contact", ("id", *values), lines)
        return Change(Operation.UPDATE, rows, [company.clock.now() << CLOCK_COUNTER_BITS] * 2)

    async with writing(company.database, company.clock) as writer:
        await writer.delete("contact", from_rows("contact", ("id",), [(again,)]))
    older = device.pack([change(phone="2", name="Anna")])
    company.clock.advance(60_000_000)
    async with writing(company.database, company.clock) as writer:
        file = [(contact, shop, "Ann", "3"), (again, shop, "Bob", "1")]
        assert await writer.upsert("contact", from_rows("contact", names, file)) == 2
    company.clock.advance(60_000_000)
    await company.ingest.apply([older])
    held = "SELECT name, phone FROM contact ORDER BY id"
    assert await company.query(held) == [("Anna", "3"), ("Bob", "1")], (
        "a name that the file left as it was is no write, a row that it brought back is one"
    )
    losers = await company.query("SELECT DISTINCT losing_value, losing_writer FROM fm_conflict")
    assert sorted(losers) == [('"2"', device.device_id), ('"Anna"', device.device_id)]
    company.clock.advance(60_000_000)
    await company.ingest.apply([device.pack([change(phone="4")])])
    assert await company.query(held) == [("Anna", "4"), ("Bob", "4")]


async def test_what_head_office_wrote_by_a_clock_that_ran_ahead_does_not_win_for_as_long(
    company: SmallCompany,
) -> None:
    """A machine that woke up a day ahead for an hour: what reps changed lost for the next twenty-three."""
    device = await company.device()
    contact = company.identifiers.new()
    await company.insert(
        "contact", ("id", "outlet_id", "phone"), [(contact, company.outlets[0], "1")]
    )
    company.clock.advance(86_400_000_000)
    async with writing(company.database, company.clock) as writer:
        await writer.update("contact", from_rows("contact", ("id", "phone"), [(contact, "2")]))
    company.clock.advance(-86_000_000_000)
    assert await correct_clocks(company.database, company.clock.now()) == 1
    company.clock.advance(60_000_000)
    rows = from_rows("contact", ("id", "phone"), [(contact, "3")])
    clock = company.clock.now() << CLOCK_COUNTER_BITS
    await company.ingest.apply([device.pack([Change(Operation.UPDATE, rows, [clock])])])
    assert await company.query("SELECT phone FROM contact") == [("3",)]
