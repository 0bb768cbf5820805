"""Reports by mail: what is wrong with one reader's mail, or time zone, keeps nobody else's back."""

import datetime
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fieldmesh.basics.clock import ManualClock
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from hub.desk.reports import tables
from hub.desk.reports.mailing import REST_S, ReportMailing
from hub.exchange.sample.generated import Size
from hub.storage import journal, reports
from hub.storage.org_changes import head_office_write
from hub.storage.reports import ReportMail
from tests.kit.mail_server import MailBox, mail_server
from tests.kit.workplace import Site, site

SMALL = Size(offices=1, reps=1, outlets_a_rep=1, products=1)
NOWHERE = "Sofia time"


@dataclass
class World:
    """A hub, its mail server, and two administrators who get the sales of each day."""

    site: Site
    box: MailBox
    mailing: ReportMailing
    users: dict[str, bytes]

    def mailing_at(self, moment: datetime.datetime) -> ReportMailing:
        """The loop of a hub whose clock stands there."""
        office, analyst = self.mailing._office, self.site.analyst
        clock = ManualClock(int(moment.timestamp() * 1_000_000))
        then = replace(office, maker=replace(office.maker, clock=clock))
        return ReportMailing(then, replace(analyst, clock=clock))

    async def write(self, table: str, names: tuple[str, ...], *rows: tuple[Value, ...]) -> None:
        """Rows of head office."""
        office = self.site.office
        async with head_office_write(
            office.database, office.clock, actor="test", kind="changed", about={}
        ) as writer:
            await writer.upsert(table, from_rows(table, names, list(rows)))

    async def exported(self) -> list[str]:
        """Whose reports stand in the journal as taken along, the newest first."""
        async with self.site.office.database.read() as connection:
            wanted = journal.Wanted(kind="report_exported")
            return [one.actor for one in await journal.search(connection, wanted, 100)]

    async def problems(self) -> dict[str, str]:
        """What stands at each mail, by its reader."""
        async with self.site.office.database.read() as connection:
            found = {one.user_id: one.problem for one in await reports.mails(connection)}
        return {name: found[user] for name, user in self.users.items()}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Ada's mail comes before Ben's."""
    async with mail_server(tmp_path / "mail") as box, site(tmp_path, SMALL) as company:
        office = company.office
        sending = replace(office, settings=replace(office.settings, mail=box.settings()))
        users = {name: await company.add(name, "administrator") for name in ("ada", "ben")}
        made = World(company, box, ReportMailing(sending, company.analyst), users)
        for number, (name, user) in enumerate(users.items(), 1):
            await made.write("app_user", ("id", "mail"), (user, f"{name}@example.com"))
            async with office.database.write() as connection:
                mail = ReportMail(bytes([number] * 16), user, "sales", "day", "csv", "en", "", "")
                await reports.keep_mail(connection, mail)
        yield made


async def test_a_wrong_time_zone_of_one_office_stops_no_mail(world: World) -> None:
    """One word typed wrong in one office's row, and nobody in the company has a report in the morning."""
    unit = world.site.office.maker.identifiers.new()
    names = ("id", "code", "name", "time_zone")
    await world.write("org_unit", names, (unit, "NOWHERE", "Nowhere", NOWHERE))
    await world.write("app_user", ("id", "org_unit_id"), (world.users["ada"], unit))
    assert await world.mailing.send_due() == 2
    assert [one["To"] for one in world.box.mails] == ["ada@example.com", "ben@example.com"]


@pytest.mark.parametrize(
    ("report", "every", "days"),
    [
        ("brands", "month", "2030-11-01 – 2030-11-30"),
        ("rep-sheet", "week", "2030-11-18 – 2030-11-24"),
        ("sales", "day", "2029-12-01 – 2030-11-30"),
    ],
)
async def test_a_mail_is_of_the_days_that_have_ended(
    world: World, report: str, every: str, days: str
) -> None:
    """“This month”, made on the first at six in the morning, held some hours, and no mail ever held the month."""
    office = world.site.office
    unit = office.maker.identifiers.new()
    names = ("id", "code", "name", "time_zone")
    await world.write("org_unit", names, (unit, "SOFIA", "Sofia", "Europe/Sofia"))
    await world.write("app_user", ("id", "org_unit_id"), (world.users["ada"], unit))
    mail = ReportMail(bytes([1] * 16), world.users["ada"], report, every, "csv", "en")
    async with office.database.write() as connection:
        await reports.keep_mail(connection, mail)
    mailing = world.mailing_at(datetime.datetime(2030, 12, 1, 4, 10, tzinfo=datetime.UTC))
    assert await mailing.send_due()
    [subject] = [one["Subject"] for one in world.box.mails if one["To"] == "ada@example.com"]
    assert subject.endswith(days)
    assert await mailing.send_due() == 0


async def test_the_table_of_a_mail_is_made_in_a_thread(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At six in the morning everybody's reports are made: the hub would hear nobody else meanwhile."""
    makers: list[threading.Thread] = []
    ordered = tables._ordered

    def noted(*arguments: object) -> object:
        makers.append(threading.current_thread())
        return ordered(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(tables, "_ordered", noted)
    assert await world.mailing.send_due() == len(makers) == 2
    assert threading.main_thread() not in makers


async def test_a_mail_that_fails_in_an_unforeseen_way_says_so_and_the_others_go(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect in one report would be everybody's, every few minutes, and /health would say that the hub is ill."""
    made = ReportMailing._made

    async def fails_for_ada(self: ReportMailing, mail: ReportMail, *others: object) -> object:
        if mail.user_id == world.users["ada"]:
            raise ZeroDivisionError
        return await made(self, mail, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(ReportMailing, "_made", fails_for_ada)
    assert await world.mailing.send_due() == 1
    assert [one["To"] for one in world.box.mails] == ["ben@example.com"]
    problems = await world.problems()
    assert "went wrong inside" in problems["ada"]
    assert not problems["ben"]


async def test_a_mail_that_is_stopped_while_it_is_made_is_not_sent_and_does_not_come_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has ended a mail gets it once more, and each day again."""
    made, ada = ReportMailing._made, world.users["ada"]

    async def stopped_meanwhile(self: ReportMailing, mail: ReportMail, *others: object) -> object:
        found = await made(self, mail, *others)  # type: ignore[arg-type]
        if mail.user_id == ada:
            async with self._office.database.write() as connection:
                await reports.forget_mail(connection, mail.mail_id)
        return found

    monkeypatch.setattr(ReportMailing, "_made", stopped_meanwhile)
    assert await world.mailing.send_due() == 1
    assert [one["To"] for one in world.box.mails] == ["ben@example.com"]
    async with world.site.office.database.read() as connection:
        assert not await reports.mails(connection, ada)
    assert await world.exported() == ["ben"]


async def test_a_mail_that_fails_while_it_is_stopped_does_not_come_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What went wrong is kept at a mail that there is, and makes none."""
    ada = world.users["ada"]

    async def stopped_and_fails(self: ReportMailing, mail: ReportMail, *_others: object) -> object:
        async with self._office.database.write() as connection:
            await reports.forget_mail(connection, mail.mail_id)
        raise ZeroDivisionError

    monkeypatch.setattr(ReportMailing, "_made", stopped_and_fails)
    assert await world.mailing.send_due() == 0
    async with world.site.office.database.read() as connection:
        assert not await reports.mails(connection, ada)


async def test_a_mail_that_cannot_be_sent_is_made_again_an_hour_later_and_noted_when_it_has_left(
    world: World,
) -> None:
    """A mail server that is away all day would have every report made each five minutes, and noted as taken along."""
    mailing = world.mailing_at(datetime.datetime(2030, 12, 1, 9, 0, tzinfo=datetime.UTC))
    clock = mailing._office.clock
    assert isinstance(clock, ManualClock)
    world.box.refuses = "451 later"
    assert await mailing.send_due() == 0
    assert all((await world.problems()).values())
    assert await world.exported() == []
    world.box.refuses = ""
    clock.advance(int(REST_S * 1_000_000) - 1)
    assert await mailing.send_due() == 0
    clock.advance(1)
    assert await mailing.send_due() == 2
    assert not any((await world.problems()).values())
    assert await world.exported() == ["ben", "ada"]


async def test_a_form_or_service_with_no_time_zone_in_it_is_refused_by_the_fields_name(
    world: World,
) -> None:
    """What is taken and never holds is found out by people whose times are wrong."""
    async with world.site.person("ada") as ada:
        office = {"code": "EAST", "name": "East", "kind": "office", "time_zone": NOWHERE}
        status, said = await ada.json("/api/v1/offices", "POST", json=office)
        assert status == 400
        assert said["place"] == "time_zone", said
        assert NOWHERE in str(said)
        office["time_zone"] = "Europe/Sofia"
        status, made = await ada.json("/api/v1/offices", "POST", json=office)
        assert status == 201
        _, page = await ada.get(f"/offices/{made['id']}/change")
        fields = {"name": "East", "kind": "office", "time_zone": NOWHERE}
        status, page = await ada.post(f"/offices/{made['id']}/change", fields)
        assert status == 400
        assert f"{NOWHERE} is no time zone" in page
