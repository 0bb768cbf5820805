"""Numbers and days that no program writes and anybody can type: they are refused in words, not by a failure."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from fieldmesh.basics.identifiers import from_text
from hub.storage.org_changes import head_office_write, update_rows
from tests.kit.workplace import REP, Site, site

_MANY = "9" * 5_000


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Site]:
    """A company with an administrator."""
    async with site(tmp_path) as found:
        await found.add("admin", "administrator")
        yield found


def _cursor(*places: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(places).encode()).decode().rstrip("=")


async def test_days_and_numbers_out_of_reach_in_an_address_are_refused_in_words(
    company: Site,
) -> None:
    """Each of them was a failure of the server, with an alarm for who keeps it."""
    refused = (
        "orders?date.until=9999-12-31", "visits?started_at.until=9999-12-31",
        "orders?limit=²", f"orders?limit={_MANY}", f"routes?weekday={2**63}", "routes?weekday=²",
        f"orders?after={_cursor(2**63, 'b')}", f"orders?after={_cursor(-(2**64))}",
        f"orders?after={base64.urlsafe_b64encode(b'[' * 5_000).decode()}",
    )  # fmt: skip
    shown = (
        "/today?day=9999-12-31", "/today/map?day=0001-01-01", "/journal?before=²", "/journal?until=9999-12-31",
        "/schedule?until=9999-12-31", "/schedule?until=0001-01-01", "/oversight/quarantine?after=²",
    )  # fmt: skip
    async with company.person("admin") as admin:
        answers = {one: await admin.json(f"/api/v1/{one}") for one in refused}
        pages = {one: (await admin.get(one))[0] for one in shown}
    found = {one: (status, said["code"]) for one, (status, said) in answers.items()}
    assert found == dict.fromkeys(refused, (400, "bad_filter"))
    assert pages == dict.fromkeys(shown, 200)


@pytest.mark.parametrize("version", ["²", _MANY])
async def test_a_version_that_is_no_number_changes_nothing(company: Site, version: str) -> None:
    """A record that is changed beside what was read loses somebody's work; a failure tells nobody why."""
    async with company.person("admin") as admin:
        row = min(await admin.ids("outlets"))
        path, old = f"/api/v1/outlets/{row}", {"If-Match": f'"{version}"'}
        status, said = await admin.json(path, "PATCH", json={"name": "Other"}, headers=old)
        assert (status, said["code"]) == (400, "bad_message")
        status, _ = await admin.post("/account/tokens", {"name": "T", "days": version})
        assert status == 400


@pytest.mark.parametrize("value", ["²", "1" * 12, "0.0001", "1e5", "."])
async def test_a_field_for_a_number_takes_what_its_column_holds(company: Site, value: str) -> None:
    """Whoever typed it reads which field is wrong."""
    async with company.person("admin") as admin:
        _, found = await admin.json("/api/v1/positions", params={"q": REP})
        fields = {"position": found["rows"][0]["id"], "period": "2031-12", "kpi": "visits"}
        path = "/api/v1/targets/set"
        status, said = await admin.json(path, "POST", json=fields | {"value": value})
        assert (status, said["code"]) == (400, "form_wrong")
        assert (await admin.json(path, "POST", json=fields | {"value": "10,5"}))[0] == 200


@pytest.mark.parametrize("accepted", ["²", "9" * 30])
async def test_an_answer_that_is_no_quantity_is_asked_for_again(
    company: Site, accepted: str
) -> None:
    """The form comes back with its problem; the order waits as before."""
    async with company.person("admin") as admin:
        _, found = await admin.json("/api/v1/orders?limit=1")
        order = found["rows"][0]["id"]
        office = company.office
        async with head_office_write(
            office.database, office.clock, actor="test", kind="test", about={}
        ) as writer:
            await update_rows(
                writer, "sales_order", ("id", "state"), [(from_text(order), "routed")]
            )
        _, text = await admin.get(f"/orders/{order}/answer")
        names = [part.split('"')[0] for part in text.split('name="accepted.')[1:]]
        fields = {f"accepted.{name}": accepted for name in names}
        assert (await admin.post(f"/orders/{order}/answer", fields))[0] == 400
        assert (await admin.json(f"/api/v1/orders/{order}"))[1]["state"] == "routed"


_FORM = "application/x-www-form-urlencoded"
BODIES = (
    ("/sign-in", f"{_FORM}; charset=nonsense", b"login=a&password=b"),
    ("/sign-in", _FORM, b"login=\xff&password=b"),
    ("/sign-in", "multipart/form-data; boundary=x", b"--x\r\n\r\nnameless\r\n--x--\r\n"),
    ("/sign-in", "multipart/form-data", b"no boundary"),
    ("/v1/enrol", "application/json; charset=nonsense", b"{}"),
    ("/v1/enrol", "application/json", b"[" * 60_000),
    ("/v1/enrol", "application/json", b"\xff"),
)


@pytest.mark.parametrize(("path", "kind", "body"), BODIES)
async def test_a_body_that_is_none_is_refused_in_words(
    company: Site, caplog: pytest.LogCaptureFixture, path: str, kind: str, body: bytes
) -> None:
    """Anybody who reaches the port could fill the log with failures of the server."""
    async with company.stranger() as stranger:
        headers = {"Content-Type": kind}
        address = company.base + path
        async with stranger.browser.post(address, data=body, headers=headers) as answer:
            assert answer.status == 400
    assert "request_failed" not in caplog.text


async def test_what_nobody_has_offered_is_refused_in_words_too(
    company: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """A function that is none, a year before the first, a file that is called like the folder above it."""
    async with company.person("admin") as admin:
        fields = {"name": "T", "days": "3", "function": "of.nothing"}
        assert (await admin.post("/account/tokens", fields))[0] == 400
        days = "since=0001-01-02&until=0001-01-03&compare=year"
        status, problem = await admin.json(f"/api/v1/reports/sales?{days}")
        assert (status, problem["code"]) == (400, "question_wrong")
        for name in ("..", "\u200b", "n" * 300):
            form = aiohttp.FormData({"csrf": admin.csrf, "kind": "product"})
            form.add_field("file", b"code\n", filename=name)
            headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
            address = company.base + "/import"
            async with admin.browser.post(address, data=form, headers=headers) as answer:
                assert answer.status == 200
    assert "request_failed" not in caplog.text


async def test_the_description_of_the_services_is_made_once(company: Site) -> None:
    """Half a megabyte, made anew for each stranger who asks, is 8 ms in which nobody else is served."""
    async with company.stranger() as program:
        address = f"{company.base}/api/v1/openapi.json"
        async with program.browser.get(address) as answer:
            tag = answer.headers["ETag"]
            assert json.loads(await answer.read())["openapi"] == "3.1.0"
        async with program.browser.get(address, headers={"If-None-Match": tag}) as answer:
            assert (answer.status, await answer.read()) == (304, b"")
