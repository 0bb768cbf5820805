"""People who change posts and stand in for others: what they see follows on the day, at the hub and on devices."""

from fieldmesh.basics.clock import ManualClock
from fieldmesh.data.types import Value
from hub.desk.people import access_of
from hub.fleet.jobs import Jobs
from hub.fleet.office import Office
from hub.fleet.outlets import move_outlets
from hub.fleet.people import add_user, refresh_sign_ins_of
from hub.fleet.posts import SUBSTITUTE, Filling, assign, end_filling, fill
from hub.fleet.subscriptions import today
from hub.storage import nodes
from hub.storage.lists import Wanted, page
from hub.storage.org_changes import head_office_write, update_rows
from hub.storage.rows import all_rows, ids_by_code, rows_where
from hub.storage.scopes import gateway_partitions
from tests.integration.hub_org.conftest import registered, targets

_DAY_US = 86_400_000_000


async def hired(office: Office, login: str, position: str) -> bytes:
    """A person fills the position from today."""
    async with head_office_write(
        office.database, office.clock, actor="test", kind="hired", about={}
    ) as writer:
        user = await add_user(writer, office.maker, login=login, person=login, verifier="v")
        await assign(writer, office.maker, user=user, position=position)
    return user


async def stands_in(office: Office, user: bytes, position: str, since: str, until: str) -> bytes:
    """The person stands in at the position in that time."""
    async with head_office_write(
        office.database, office.clock, actor="test", kind="stands_in", about={}
    ) as writer:
        ids = await ids_by_code(writer.connection, "position", [position])
        filling = Filling(ids[position], user, since, until, SUBSTITUTE)
        return await fill(writer, office.maker, filling)


def day_after(office: Office, days: int) -> str:
    """The day in so many days."""
    clock = ManualClock(office.clock.now() + days * _DAY_US)
    return today(clock)


async def next_day(office: Office) -> None:
    """The night is over, and the hub has begun the day."""
    assert isinstance(office.clock, ManualClock)
    office.clock.advance(_DAY_US)
    await Jobs(office.database, office.maker).begin_day()


async def outlets(office: Office, user: bytes) -> set[Value]:
    """Codes of the outlets that the person sees at the workplace today."""
    async with office.database.read() as connection:
        access = await access_of(connection, user, today(office.clock))
        assert access is not None
        scope = access.scope_for("outlet.view")
        found = await page(connection, scope, Wanted("outlet", ("code",)))
    return {row[1] for row in found.rows}


async def test_a_substitute_sees_the_absent_posts_outlets_from_its_day_to_its_day(
    office: Office,
) -> None:
    """Somebody who stands in without the outlets can't work; who keeps them afterwards sees too much. Promise 6."""
    user = await hired(office, "ann", "R1")
    alone = await targets(office, "R1")
    await stands_in(office, user, "R2", day_after(office, 1), day_after(office, 1))
    assert await targets(office, "R1") == alone
    assert await outlets(office, user) == {"A"}
    await next_day(office)
    assert await targets(office, "R1") == alone | await targets(office, "R2")
    assert await outlets(office, user) == {"A", "B"}
    await next_day(office)
    assert await targets(office, "R1") == alone
    assert await outlets(office, user) == {"A"}


async def test_the_substitutes_gateway_serves_what_they_stand_in_for_at_once(
    office: Office,
) -> None:
    """A full sync that waits for the night brings the absent rep's outlets a day late."""
    await registered(office)
    user = await hired(office, "ann", "R1")
    assignment = await stands_in(office, user, "R2", today(office.clock), day_after(office, 7))
    async with office.database.read() as connection:
        gateway = (await nodes.named_gateway(connection, "G1")).gateway_id
        assert await targets(office, "R2") <= await gateway_partitions(connection, gateway)
    async with head_office_write(
        office.database, office.clock, actor="test", kind="ended", about={}
    ) as writer:
        await end_filling(writer, office.maker, assignment, day_after(office, -1))
    async with office.database.read() as connection:
        held = await gateway_partitions(connection, gateway)
    assert not (await targets(office, "R2") - await targets(office, "R1")) & held


async def test_what_the_absent_post_gains_meanwhile_comes_to_the_substitute(office: Office) -> None:
    """An outlet that moves to the absent rep would be nobody's for as long as they are away."""
    user = await hired(office, "ann", "K1")
    await stands_in(office, user, "R2", today(office.clock), day_after(office, 7))
    async with head_office_write(
        office.database, office.clock, actor="test", kind="moved", about={}
    ) as writer:
        await move_outlets(writer, office.maker, outlets=["A"], position="R2")
    assert await targets(office, "R2") <= await targets(office, "K1")


async def test_somebody_who_changes_posts_takes_their_sign_in_along_and_nothing_else(
    office: Office,
) -> None:
    """A person who left a post could still open its device; the successor could not."""
    user = await hired(office, "ann", "R1")
    async with office.database.read() as connection:
        held = await rows_where(connection, "assignment", ("id",), "user_id", [user])
    async with head_office_write(
        office.database, office.clock, actor="test", kind="changed", about={}
    ) as writer:
        assert isinstance(held[0][0], bytes)
        await end_filling(writer, office.maker, held[0][0], today(office.clock))
        ids = await ids_by_code(writer.connection, "position", ["R2"])
        await fill(writer, office.maker, Filling(ids["R2"], user, day_after(office, 1)))
    assert await outlets(office, user) == {"A"}
    await next_day(office)
    assert await outlets(office, user) == {"B"}
    async with office.database.read() as connection:
        rows = await all_rows(connection, "sign_in", ("position_id", "user_id"))
    assert rows == [(ids["R2"], user)]


async def test_a_corrected_name_reaches_the_devices_where_the_person_signs_in(
    office: Office,
) -> None:
    """Devices showed the old name, and took the old login, until the password was changed."""
    user = await hired(office, "ann", "R1")
    names = ("id", "login", "person", "verifier")
    async with head_office_write(
        office.database, office.clock, actor="test", kind="married", about={}
    ) as writer:
        before = await all_rows(writer.connection, "sign_in", names)
        await update_rows(writer, "app_user", ("id", "person"), [(user, "Ann Petrova")])
        assert await refresh_sign_ins_of(writer, office.maker, user) == 1
        await update_rows(writer, "app_user", ("id", "login"), [(user, "anna")])
        assert await refresh_sign_ins_of(writer, office.maker, user) == 1
        assert await refresh_sign_ins_of(writer, office.maker, user) == 0
        after = await all_rows(writer.connection, "sign_in", names)
    assert [tuple(row) for row in after] == [(before[0][0], "anna", "Ann Petrova", "v")]
