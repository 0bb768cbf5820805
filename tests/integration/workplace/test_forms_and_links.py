"""Forms of pages, sent with exactly the fields that a browser finds there; and what records are called where linked."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fieldmesh.codec.columns import from_rows
from hub.desk.views.registry import VIEWS
from hub.storage.org_changes import head_office_write
from tests.kit.forms import form_of, forms_of, sent
from tests.kit.workplace import PASSWORD, SUPERVISOR, Person, Site, site

RECORD = re.compile(r'<a class="row" href="/([a-z-]+)/([0-9a-f-]{36})">')


@pytest.fixture
async def company(tmp_path: Path) -> AsyncIterator[Site]:
    """Two offices, each with a supervisor and two reps of six outlets; an administrator."""
    async with site(tmp_path) as found:
        await found.add("admin", "administrator")
        yield found


async def first_of(person: Person, name: str) -> dict[str, str]:
    """The first record of a list."""
    _, page = await person.json(f"/api/v1/{name}?limit=1")
    return dict((await person.json(f"/api/v1/{name}/{page['rows'][0]['id']}"))[1])


async def test_a_list_is_narrowed_by_the_record_that_its_filter_names(company: Site) -> None:
    """The filter sends the shown text beside the id; a list that refuses it can be narrowed by nothing."""
    async with company.person("admin") as admin:
        outlet = await first_of(admin, "outlets")
        of_it = await admin.ids(f"orders?outlet_id={outlet['id']}")
        assert 0 < len(of_it) < len(await admin.ids("orders"))
        form = form_of((await admin.get("/orders"))[1], "/orders")
        label = f"{outlet['code']} · {outlet['name']}"
        status, page = await sent(
            admin, form, form.filled(outlet_id__shown=label, outlet_id=outlet["id"])
        )
        assert status == 200
        assert {row for _, row in RECORD.findall(page)} == of_it
        again = form_of(page, "/orders")
        assert ("outlet_id.shown", label) in again.fields
        assert (await sent(admin, again))[0] == 200
        link = re.search(r'href="(/orders/export[^"]*)"', page)
        assert link is not None
        status, file = await admin.get(link[1].replace("&amp;", "&"))
        assert status == 200
        assert len(file.splitlines()) == len(of_it) + 1


async def test_every_form_that_asks_can_be_sent_as_it_stands(company: Site) -> None:
    """Searching and narrowing begin with forms whose fields are empty; none may end in a page that is not there."""
    async with company.person(SUPERVISOR) as person:
        pages = {
            "/today",
            "/today/map",
            "/move-outlets",
            "/schedule",
            "/journal",
            "/analysis/build",
        }
        pages |= {f"/{view.name}" for view in VIEWS.values()}
        asked: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
        for address in pages:
            status, text = await person.get(address)
            assert status in {200, 403}, address
            for form in forms_of(text):
                if form.method != "get" or (form.action, tuple(form.fields)) in asked:
                    continue
                asked.add((form.action, tuple(form.fields)))
                assert (await sent(person, form))[0] == 200, (address, form)


async def test_what_is_typed_names_the_record_or_is_refused_and_never_becomes_nothing(
    company: Site,
) -> None:
    """Without a script, or with Enter before choosing, a distributor would be lost with "Saved."."""
    async with company.person("admin") as admin:
        rows = await admin.json("/api/v1/distributors?limit=2")
        one, other = [row["id"] for row in rows[1]["rows"]]
        code = (await admin.json(f"/api/v1/distributors/{other}"))[1]["code"]
        path = f"/api/v1/outlets/{(await first_of(admin, 'outlets'))['id']}"
        await admin.json(path, "PATCH", json={"distributor_id": one})
        page = path.removeprefix("/api/v1") + "/change"

        form = form_of((await admin.get(page))[1], page)
        typed = form.filled(distributor_id__shown="nobody of that name", distributor_id="")
        status, text = await sent(admin, form, typed)
        assert status == 400
        assert "choose one from the list" in text
        assert ("distributor_id.shown", "nobody of that name") in form_of(text, page).fields
        assert (await admin.json(path))[1]["distributor_id"] == one
        assert (await sent(admin, form_of(text, page)))[0] == 400

        assert (await sent(admin, form, form.filled(distributor_id__shown=code)))[0] == 200
        assert (await admin.json(path))[1]["distributor_id"] == other
        form = form_of((await admin.get(page))[1], page)
        assert (await sent(admin, form, form.filled(distributor_id__shown="")))[0] == 200
        assert (await admin.json(path))[1]["distributor_id"] is None

        form = form_of((await admin.get("/outlets"))[1], "/outlets")
        status, text = await sent(admin, form, form.filled(distributor_id__shown="nobody"))
        assert status == 400
        assert not RECORD.findall(text)
        assert ("distributor_id.shown", "nobody") in form_of(text, "/outlets").fields
        status, text = await sent(admin, form, form.filled(distributor_id__shown=code.lower()))
        assert status == 200
        assert ("distributor_id", other) in form_of(text, "/outlets").fields


async def test_an_act_is_not_done_for_nobody_when_the_typed_name_is_unknown(company: Site) -> None:
    """A message that was meant for one position would go to everybody."""
    async with company.person("admin") as admin:
        form = form_of((await admin.get("/messages/write"))[1], "/messages/write")
        fields = form.filled(position__shown="no such post", text="Hello")
        status, text = await sent(admin, form, fields)
        assert status == 400
        assert "choose one from the list" in text
        assert not await admin.ids("messages")


async def test_a_visit_is_called_by_outlet_and_time_wherever_it_is_linked(
    company: Site,
) -> None:
    """Nobody reads microseconds since 1970."""
    async with company.person("admin") as admin:
        order = await first_of(admin, "orders")
        outlet, position = order["outlet_id"], order["position_id"]
        name = (await admin.json(f"/api/v1/outlets/{outlet}"))[1]["name"]
        visit = await _visited(company, outlet, position, order["id"])
        for address in (f"/orders/{order['id']}", f"/visits/{visit}"):
            status, page = await admin.get(address)
            assert status == 200
            assert f"{name} · 24 Nov 2025, 16:00" in page, address
            assert not re.search(r"\d{16}|&lt;time", page), address
        _, offered = await admin.json("/choices/visits?q=anything")
        assert [one["label"] for one in offered] == [f"{name} · 24 Nov 2025, 16:00"]


async def _visited(company: Site, outlet: str, position: str, order: str) -> str:
    """A visit of 16:00 UTC in which the order was made; returns its id."""
    office = company.office
    at, visit = 1_764_000_000_000_000, office.maker.identifiers.new()
    ids = [bytes.fromhex(one.replace("-", "")) for one in (outlet, position, order)]
    async with head_office_write(
        office.database, office.clock, actor="test", kind="test", about={}
    ) as writer:
        names = ("id", "outlet_id", "position_id", "started_at")
        await writer.insert("visit", from_rows("visit", names, [(visit, ids[0], ids[1], at)]))
        link = from_rows("sales_order", ("id", "visit_id"), [(ids[2], visit)])
        await writer.update("sales_order", link)
    text = visit.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


async def test_words_are_refused_where_nothing_has_any(company: Site) -> None:
    """A search of visits was a failure inside the program."""
    async with company.person("admin") as admin:
        for query in ("q=anything", "order=-id"):
            status, problem = await admin.json(f"/api/v1/visits?{query}")
            assert (status, problem["code"]) == (400, "bad_filter"), query
            assert (await admin.get(f"/visits?{query}"))[0] == 400


async def test_a_slip_in_a_move_leaves_what_was_found_and_ticked(company: Site) -> None:
    """Who forgot to say who gets them would find and tick hundreds of outlets anew."""
    async with company.person("admin") as admin:
        form = form_of((await admin.get("/move-outlets"))[1], "/move-outlets/find")
        status, page = await sent(admin, form, form.filled(**{"from.shown": "REP0001"}))
        assert status == 200
        form = form_of(page, "/move-outlets")
        outlets = [pair for pair in form.fields if pair[0] == "outlet"]
        assert len(outlets) == 6
        kept = [pair for pair in form.fields if pair not in outlets[2:]]
        for typed in ("", "nobody"):
            pairs = [(name, typed if name == "to.shown" else text) for name, text in kept]
            status, page = await sent(admin, form, pairs)
            assert status == 400
            assert "choose one from the list" in page
            again = form_of(page, "/move-outlets").fields
            assert page.count('name="outlet"') == 6
            assert [pair for pair in again if pair[0] == "outlet"] == outlets[:2]
            assert ("to.shown", typed) in again
        pairs = [(name, "rep0002" if name == "to.shown" else text) for name, text in kept]
        status, page = await sent(admin, form, pairs)
        assert status == 200
        assert "2 outlets go to" in page


async def test_a_thousand_codes_are_found_and_wrong_ones_are_named(company: Site) -> None:
    """Fifty codes pasted and forty-seven outlets shown is a mistake that nobody sees."""
    async with company.person("admin") as admin:
        outlet = await first_of(admin, "outlets")
        codes = [outlet["code"], *(f"WRONG-CODE-{number:06d}" for number in range(999))]
        form = form_of((await admin.get("/move-outlets"))[1], "/move-outlets/find")
        status, page = await sent(admin, form, form.filled(codes=" ".join(codes)))
        assert status == 200
        assert page.count('name="outlet"') == 1
        assert "WRONG-CODE-000998" in page.partition("there is no outlet")[2]
        status, page = await sent(admin, form, form.filled(city="Town"))
        assert status == 200
        assert page.count('name="outlet"') == len(await admin.ids("outlets"))


async def test_the_file_of_the_journal_is_whole_from_every_page(company: Site) -> None:
    """Who takes it on page 2 would lack the newest, without a sign."""
    async with company.person("admin") as admin:
        _, page = await admin.get("/journal?actor=admin&before=1000000")
        links = re.findall(r'href="(/journal[^"]*)"', page)
        assert "/journal?actor=admin&amp;format=csv" in links
        assert "/journal?actor=admin" in links


async def test_signing_in_leads_to_just_the_page_that_was_wanted(company: Site) -> None:
    """A bookmark of orders on approval of one outlet would show those of all outlets."""
    async with company.stranger() as stranger:
        for wanted in ("/orders?state=closed&state=new", "/outlets?q=A%26B%23c+d"):
            _, page = await stranger.get(wanted)
            form = form_of(page, "/sign-in")
            pairs = form.filled(login="admin", password=PASSWORD)
            headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
            address = stranger.base + form.action
            async with stranger.browser.post(address, data=pairs, headers=headers) as answer:
                assert answer.url.raw_path_qs == wanted
            await stranger.get("/outlets")
            await stranger.post("/sign-out", {})


async def test_who_chooses_other_colours_stays_where_they_are(company: Site) -> None:
    """The choice took the filters away; and a page of a strange address would lead there."""
    async with company.person("admin") as admin:
        for referrer, then in (
            ("/orders?state=new", "/orders?state=new"),
            ("//evil.example/x", "/"),
            ("", "/"),
        ):
            headers = {"Sec-Fetch-Site": "same-origin", "Referer": admin.base + referrer}
            fields = {"csrf": admin.csrf, "theme": "dark"}
            async with admin.browser.post(
                f"{admin.base}/theme", data=fields, headers=headers, allow_redirects=False
            ) as answer:
                assert answer.headers["Location"] == then


async def test_a_coded_value_is_one_of_those_that_are_known(company: Site) -> None:
    """A position that is "Active" is not active, and nobody sees why its devices get nothing."""
    async with company.person("admin") as admin:
        position, person = await first_of(admin, "positions"), await first_of(admin, "people")
        for path, fields in (
            (f"positions/{position['id']}", {"status": "Active"}),
            (f"people/{person['id']}", {"auth_kind": "LDAP"}),
        ):
            status, problem = await admin.json(f"/api/v1/{path}", "PATCH", json=fields)
            assert (status, problem["code"]) == (400, "form_wrong"), fields
        fields = {"kpi": "visits", "value": "5", "position": position["id"]}
        for period, expected in (("11.2026", 400), ("2026-13", 400), ("2026-Q4", 200)):
            status, done = await admin.json(
                "/api/v1/targets/set", "POST", json={**fields, "period": period}
            )
            assert status == expected, (period, done)


async def test_saving_a_form_leaves_a_value_that_its_list_does_not_know(company: Site) -> None:
    """Somebody who is blocked could sign in again because their mail address was corrected."""
    async with company.person("admin") as admin:
        (row_id,) = await admin.ids("people?q=rep0001")
        person, office = {"id": row_id}, company.office
        async with head_office_write(
            office.database, office.clock, actor="test", kind="test", about={}
        ) as writer:
            row = (bytes.fromhex(person["id"].replace("-", "")), "blocked")
            await writer.update("app_user", from_rows("app_user", ("id", "status"), [row]))
        path = f"/people/{person['id']}/change"
        form = form_of((await admin.get(path))[1], path)
        assert ("status", "blocked") in form.fields
        assert (await sent(admin, form, form.filled(mail="a@example.com")))[0] == 200
        row_now = (await admin.json(f"/api/v1/people/{person['id']}"))[1]
        assert (row_now["status"], row_now["mail"]) == ("blocked", "a@example.com")
        form = form_of((await admin.get("/people?status=blocked"))[1], "/people")
        assert ("status", "blocked") in form.fields


async def test_the_history_of_a_record_names_what_was_changed(company: Site) -> None:
    """Ids of 36 signs and numbers with a point are not what people changed."""
    async with company.person("admin") as admin:
        rows = (await admin.json("/api/v1/distributors?limit=2"))[1]["rows"]
        names = [(await admin.json(f"/api/v1/distributors/{row['id']}"))[1]["name"] for row in rows]
        path = f"/outlets/{(await first_of(admin, 'outlets'))['id']}"
        for row in rows:
            fields = {"distributor_id": row["id"]}
            assert (await admin.json(f"/api/v1{path}", "PATCH", json=fields))[0] == 200
        _, page = await admin.get(path)
        history = page.partition('<ol class="history">')[2]
        assert re.search(rf"<del>[^<]*{names[0]}</del> → <ins>[^<]*{names[1]}</ins>", history)
        assert rows[0]["id"] not in history
