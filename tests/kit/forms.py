"""Forms as a browser reads them from a page, to be sent with exactly the fields that stand there."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode

from tests.kit.workplace import Person

Pairs = list[tuple[str, str]]


@dataclass
class Form:
    """A form of a page: where it goes, and its fields in their order."""

    action: str
    method: str
    fields: Pairs = field(default_factory=list)

    def filled(self, **texts: str) -> Pairs:
        """Its fields with other texts; ``__`` in a name stands for a dot."""
        named = {name.replace("__", "."): text for name, text in texts.items()}
        assert named.keys() <= {name for name, _ in self.fields}, (named, self.fields)
        return [(name, named.get(name, text)) for name, text in self.fields]


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._select, self._area = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(named.get("action", ""), named.get("method", "get")))
        elif self.found:
            self._field(tag, named)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            name, text = self.found[-1].fields[-1]
            self.found[-1].fields[-1] = (name, text + data)

    def _field(self, tag: str, named: dict[str, str]) -> None:
        fields, name = self.found[-1].fields, named.get("name", "")
        is_ticked = named.get("type") not in {"checkbox", "radio"} or "checked" in named
        if tag == "input" and name and is_ticked:
            fields.append((name, named.get("value", "")))
        elif tag == "textarea" and name:
            fields.append((name, ""))
            self._area = name
        elif tag == "select" and name:
            fields.append((name, ""))
            self._select = name
        elif tag == "option" and self._select and "selected" in named:
            fields[-1] = (self._select, named.get("value", ""))


def forms_of(page: str) -> list[Form]:
    """The forms of a page. A select without a chosen option sends an empty text."""
    reader = _Forms()
    reader.feed(page)
    return reader.found


def form_of(page: str, action: str) -> Form:
    """The page's form that goes there."""
    found = [one for one in forms_of(page) if one.action.partition("?")[0] == action]
    assert found, f"no form goes to {action}"
    return found[0]


async def sent(person: Person, form: Form, pairs: Pairs | None = None) -> tuple[int, str]:
    """Status and text after the form was sent, with its own fields or with these."""
    fields = form.fields if pairs is None else pairs
    if form.method == "get":
        return await person.get(f"{form.action}?{urlencode(fields)}")
    headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
    address = person.base + form.action
    async with person.browser.post(address, data=fields, headers=headers) as answer:
        return answer.status, await answer.text()
