"""What programs send: nothing of it is lost without a word, and nothing is done twice."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from aiohttp import web

from fieldmesh.basics.errors import Retry
from fieldmesh.basics.identifiers import stable_id, to_text
from hub.desk.hands import Hands
from hub.web.api.acts import ActServices
from hub.web.api.openapi import document
from hub.web.api.reports import ReportServices
from hub.web.api.resources import Resources
from hub.web.pages.exports import ExportPages
from tests.kit.workplace import REP, Person, Site, hands_of, site

KEY = "Idempotency-Key"


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Site]:
    """Two offices, each with a supervisor and two reps of six outlets; an administrator."""
    async with site(tmp_path) as found:
        await found.add("admin", "administrator")
        yield found


async def sent(person: Person, path: str, fields: Any, key: str = "") -> tuple[int, Any]:
    """The answer to a POST of a program, under a key or none."""
    headers = {KEY: key} if key else {}
    return await person.json(f"/api/v1/{path}", "POST", json=fields, headers=headers)


async def position(person: Person) -> str:
    """The id of a rep's position."""
    _, found = await person.json("/api/v1/positions", params={"q": REP})
    return str(found["rows"][0]["id"])


async def test_a_field_that_is_not_taken_is_refused_and_not_left_out(company: Site) -> None:
    """Hours of an outlet, or the end of a message, that a program has sent were gone, and the answer was 201."""
    async with company.person("admin") as admin:
        outlets, messages = await admin.ids("outlets"), await admin.ids("messages")
        fields = {"code": "X", "name": "Y", "opening_hours": "8-18"}
        status, problem = await sent(admin, "outlets", fields)
        assert (status, problem["code"], problem["place"]) == (
            400,
            "unknown_column",
            "opening_hours",
        )
        fields = {"position": await position(admin), "text": "Hello", "valid_to": "2030-01-01"}
        status, problem = await sent(admin, "messages/write", fields)
        assert (status, problem["code"], problem["place"]) == (400, "unknown_column", "valid_to")
        assert (await admin.ids("outlets"), await admin.ids("messages")) == (outlets, messages)


async def test_an_act_that_is_sent_again_is_done_once_and_answered_alike(company: Site) -> None:
    """A message to two thousand people would come to each of them twice, because a line broke after the first."""
    async with company.person("admin") as admin:
        before = await admin.ids("messages")
        fields = {"position": await position(admin), "text": "Hello"}
        first = await sent(admin, "messages/write", fields, "k1")
        assert first[0] == 200
        assert await sent(admin, "messages/write", fields, "k1") == first
        assert len(await admin.ids("messages") - before) == 1
        status, problem = await sent(admin, "messages/write", {**fields, "text": "Other"}, "k1")
        assert (status, problem["code"]) == (409, "key_used_otherwise")
        assert (await sent(admin, "messages/write", fields, "k2"))[0] == 200
        assert len(await admin.ids("messages") - before) == 2


async def test_acts_that_are_sent_again_at_once_are_done_once(company: Site) -> None:
    """A program that waits no longer sends again while the first is under way."""
    async with company.person("admin") as admin:
        before = await admin.ids("messages")
        fields = {"position": await position(admin), "text": "Hello"}
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(sent(admin, "messages/write", fields, "k1")) for _ in range(6)
            ]
        assert {one.result()[0] for one in asked} == {200}
        assert len(await admin.ids("messages") - before) == 1


async def test_a_code_that_is_shown_once_is_not_kept_for_a_request_that_is_sent_again(
    company: Site,
) -> None:
    """A code for enrolment that stood in the database would be there for whoever reads a backup."""
    async with company.person("admin") as admin:
        status, first = await sent(admin, "gateways/register", {"code": "G1"}, "k1")
        assert (status, first["code"][:3]) == (200, "FM-")
        status, again = await sent(admin, "gateways/register", {"code": "G1"}, "k1")
        assert (status, again["text"], again["code"]) == (200, first["text"], None)
        assert first["code"] not in str(again)
        async with company.office.database.read() as connection:
            held = await connection.exec_driver_sql("SELECT answer FROM fm_idempotency")
            assert first["code"] not in str(held.fetchall())


async def test_what_has_failed_may_be_sent_again_under_its_key(company: Site) -> None:
    """A gateway that was away when it was told something would never be told it."""
    command = mock.AsyncMock(
        side_effect=[Retry("no_gateway_reachable", delay_s=1), {"ready": True}]
    )
    async with company.person("admin") as admin:
        await sent(admin, "gateways/register", {"code": "G1"})
        gateway = min(await admin.ids("gateways"))
        async with company.office.database.write() as connection:
            await connection.exec_driver_sql("UPDATE gateway SET status = 'enrolled'")
        path, fields = f"gateways/{gateway}/command", {"what": "status"}
        with mock.patch.object(Hands, "command", command):
            status, problem = await sent(admin, path, fields, "k1")
            assert (status, problem["code"]) == (503, "no_gateway_reachable")
            for _ in range(2):
                status, answer = await sent(admin, path, fields, "k1")
                assert (status, answer["facts"]) == (200, {"ready": True})
    assert command.call_count == 2


async def test_two_keys_are_told_apart_to_their_last_letter(company: Site) -> None:
    """The second record would never be made, and be answered with the first one's id."""
    async with company.person("admin") as admin:
        before = await admin.ids("positions")
        fields = {"code": "NEW", "name": "New", "role_id": to_text(stable_id("role", "rep"))}
        status, problem = await sent(admin, "positions", fields, "k" * 81)
        assert (status, problem["code"]) == (400, "bad_message")
        assert await admin.ids("positions") == before


async def test_half_a_character_is_no_text(company: Site) -> None:
    """JSON may hold what no database takes: it was a failure of the server."""
    async with company.person("admin") as admin:
        for fields in ({"code": "X", "name": "a\ud800"}, {"a\ud800": "x"}):
            status, problem = await sent(admin, "outlets", fields)
            assert (status, problem["code"]) == (400, "bad_message")


async def test_every_service_is_described(company: Site) -> None:
    """What the description leaves out nobody finds: the files of lists were not in it."""
    office, hands = company.office, hands_of(company.office)
    parts = (
        Resources(office), ActServices(hands), ExportPages(office), ReportServices(office, company.analyst),
    )  # fmt: skip
    services = [
        (route.method.lower(), re.sub(r"{(\w+):[^/]*?}(?=/|$)", r"{\1}", route.path))
        for part in parts for route in part.routes()
        if isinstance(route, web.RouteDef) and route.path.startswith("/api/")
    ]  # fmt: skip
    paths = document("Aurora")["paths"]
    assert [one for one in services if one[0] not in paths.get(one[1], {})] == []
    async with company.person("admin") as admin:
        outlet = min(await admin.ids("outlets"))
        address = f"{company.base}/api/v1/outlets/{outlet}"
        async with admin.browser.get(address) as answer:
            tag = answer.headers["ETag"]
        async with admin.browser.get(address, headers={"If-None-Match": tag}) as answer:
            assert answer.status == 304
