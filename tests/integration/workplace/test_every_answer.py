"""What holds for every answer: room for what the pages themselves send, words for what is refused, safe headers."""

from pathlib import Path

from hub.exchange.sample.generated import Size
from tests.kit.workplace import PASSWORD, site

SMALL = Size(offices=1, reps=1, outlets_a_rep=2, products=1)
HTML = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
MOVED, LINES = 1_000, 350


async def test_forms_as_large_as_the_pages_make_them_are_taken(tmp_path: Path) -> None:
    """The page ticks a thousand outlets, and its own form was refused in bare English; an order's answer was lost."""
    async with site(tmp_path, SMALL) as company:
        await company.add("admin", "administrator")
        async with company.person("admin") as admin:
            unknown = [("outlet", f"{number:032x}") for number in range(1, MOVED + 1)]
            fields = [("csrf", admin.csrf), ("to", "1" * 32), ("to.shown", ""), *unknown]
            address = f"{admin.base}/move-outlets"
            async with admin.browser.post(address, data=fields, headers=HTML) as answer:
                text = await answer.text()
                assert answer.status == 400, text
                assert "<h1>Move outlets</h1>" in text
            order = min(await admin.ids("orders"))
            answers = {"csrf": admin.csrf}
            for line in range(LINES):
                answers[f"accepted.{line:032x}"] = "1"
                answers[f"reason.{line:032x}"] = "няма на склад до края"
            address = f"{admin.base}/orders/{order}/answer"
            async with admin.browser.post(address, data=answers, headers=HTML) as answer:
                assert answer.status in {400, 409}
                assert "<h1>" in await answer.text()


async def test_what_the_server_itself_refuses_is_told_in_words(tmp_path: Path) -> None:
    """A bare line of English without a way back is no answer to a person."""
    async with site(tmp_path, SMALL) as company, company.stranger() as stranger:
        fields = {"login": "ann", "password": PASSWORD * 10_000}
        for language, too_large, refused in (
            ("en", "More was sent", "does not take such a request"),
            ("bg", "Изпратено е повече", "не приема такава заявка"),
        ):
            headers = {**HTML, "Accept-Language": language}
            status, text = await stranger.post("/sign-in", fields, headers=headers)
            assert (status, too_large in text, "<main" in text) == (413, True, True)
            async with stranger.browser.put(f"{company.base}/sign-in", headers=headers) as answer:
                assert answer.status == 405
                assert "POST" in answer.headers["Allow"]
                assert refused in await answer.text()
        status, problem = await stranger.json("/api/v1/outlets", "DELETE")
        assert (status, problem["status"], problem["code"]) == (405, 405, "request_refused")


async def test_files_go_out_with_the_headers_of_pages(tmp_path: Path) -> None:
    """A file of people or debts that a browser or proxy keeps is read by whoever comes next."""
    async with site(tmp_path, SMALL) as company:
        await company.add("admin", "administrator")
        async with company.person("admin") as admin:
            for path in ("/outlets", "/people/export", "/people/export?format=xlsx"):
                async with admin.browser.get(admin.base + path) as answer:
                    assert answer.status == 200
                    assert answer.headers["Cache-Control"] == "no-store"
                    assert answer.headers["X-Content-Type-Options"] == "nosniff"
                    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
