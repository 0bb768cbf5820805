"""Questions in addresses: read from the parameters of a page, written back as fields and links.

span, since, until, compare, chart, sort, down, top, m (measures), r (rows), a (across), f.<dimension> (filters)
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import N_, translate
from hub.analysis.model.registry import DIMENSIONS, MEASURES
from hub.analysis.question import SPAN_TITLES, Chart, Compare, Question, Span
from hub.desk.asking import plain_number

MOST_TOP = 1_000
COMPARE_TITLES = {
    Compare.NOTHING: N_("nothing"), Compare.PREVIOUS: N_("the days before"), Compare.YEAR: N_("the year before"),
}  # fmt: skip
CHART_TITLES = {
    Chart.BARS: N_("Bars"), Chart.LINE: N_("Line"), Chart.NONE: N_("No chart"),
}  # fmt: skip
Texts = Mapping[str, Sequence[str]]
_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the form, as `field` of parts.html takes it."""

    name: str
    title: str
    kind: str = "text"
    value: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    source: str = ""
    shown: str = ""


def _one(texts: Texts, name: str) -> str:
    return next((value for value in texts.get(name, ()) if value), "")


def _choice(kind: type[_Choice], texts: Texts, name: str, otherwise: _Choice) -> _Choice:
    if name not in texts:
        return otherwise
    try:
        return kind(next(iter(texts[name]), ""))
    except ValueError:
        raise Rejected("bad_filter", place=name, text=_one(texts, name)[:40]) from None


def _day(texts: Texts, name: str, otherwise: datetime.date | None) -> datetime.date | None:
    text = _one(texts, name)
    if not text:
        return None if name in texts else otherwise
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise Rejected("bad_filter", place=name, text=text[:40]) from None


def narrowed(question: Question, texts: Texts) -> Question:
    """The question with the days, filters, comparison and order that an address asks.

    Raises:
        Rejected: `bad_filter`.
    """
    filters = dict(question.filters)
    for name, values in texts.items():
        if name.startswith("f.") and not name.endswith(".shown"):
            filters[name[2:]] = tuple(value for value in values if value)
    return replace(
        question,
        span=_choice(Span, texts, "span", question.span),
        since=_day(texts, "since", question.since),
        until=_day(texts, "until", question.until),
        compare=_choice(Compare, texts, "compare", question.compare),
        sort=_one(texts, "sort") or question.sort,
        descends=_one(texts, "down") != "0" if "down" in texts else question.descends,
        filters={name: values for name, values in filters.items() if values},
    )


def built(texts: Texts) -> Question | None:
    """The question of the builder's form; None when it names no figure yet.

    Raises:
        Rejected: `bad_filter`.
    """
    return _read(texts) if any(texts.get("m", ())) else None


def readable(texts: Texts) -> Question:
    """The builder's form without what can't be read in it: so it stands there again."""
    held = dict(texts)
    while True:
        try:
            return _read(held)
        except Rejected as error:
            if held.pop(error.place, None) is None:
                return Question(())


def _read(texts: Texts) -> Question:
    measures = tuple(dict.fromkeys(one for one in texts.get("m", ()) if one))
    rows = tuple(dict.fromkeys(one for one in texts.get("r", ()) if one))
    asked_top = _one(texts, "top") or "0"
    top = plain_number(asked_top)
    if top is None or top > MOST_TOP:
        raise Rejected("bad_filter", place="top", text=asked_top[:20])
    chart = _choice(Chart, texts, "chart", Chart.BARS)
    filters = dict.fromkeys((one for one in texts.get("fd", ()) if one), ())
    asked = Question(measures, rows, _one(texts, "a"), filters=filters, top=top, chart=chart)
    named: dict[str, list[str]] = {}
    for name, value in zip(texts.get("fd", ()), texts.get("fv", ()), strict=False):
        if name and value:
            named.setdefault(f"f.{name}", list(texts.get(f"f.{name}", ()))).append(value)
    return narrowed(asked, {**texts, **named})


def parameters(question: Question) -> list[tuple[str, str]]:
    """The whole question as parameters of an address."""
    found = [("m", one) for one in question.measures] + [("r", one) for one in question.rows]
    found += [("a", question.across), ("chart", question.chart), ("top", str(question.top or ""))]
    return [*found, *asked_days(question)]


def asked_days(question: Question) -> list[tuple[str, str]]:
    """Days, filters, comparison and order as parameters."""
    found = [
        ("span", question.span.value), ("compare", question.compare.value), ("sort", question.sort),
        ("down", "1" if question.descends else "0"),
        ("since", question.since.isoformat() if question.since else ""),
        ("until", question.until.isoformat() if question.until else ""),
    ]  # fmt: skip
    found += [(f"f.{name}", value) for name, values in question.filters.items() for value in values]
    return found


def asked_of(question: Question, held: Question) -> list[tuple[str, str]]:
    """The same, also where nothing stands in place of what the kept question holds."""
    cleared = [(f"f.{name}", "") for name in held.filters if name not in question.filters]
    return [*asked_days(question), *cleared]


def day_fields(question: Question, language: str) -> list[Field]:
    """Fields for days and comparison."""
    return [
        Field("span", translate("Days", language), "select", question.span.value,
              tuple((one.value, translate(title, language)) for one, title in SPAN_TITLES.items())),
        Field("since", translate("or from", language), "date", question.since.isoformat() if question.since else ""),
        Field("until", translate("until", language), "date", question.until.isoformat() if question.until else ""),
        Field("compare", translate("Compare with", language), "select", question.compare.value,
              tuple((one.value, translate(title, language)) for one, title in COMPARE_TITLES.items())),
    ]  # fmt: skip


def dimension_choices(language: str, *, nothing: bool = True) -> tuple[tuple[str, str], ...]:
    """Every dimension by its title."""
    found = [(code, translate(one.title, language)) for code, one in DIMENSIONS.items()]
    return (("", "–"), *found) if nothing else tuple(found)


def measure_choices(codes: Sequence[str], language: str) -> list[tuple[str, str, str]]:
    """(code, title, meaning) of measures."""
    return [
        (
            code,
            translate(MEASURES[code].title, language),
            translate(MEASURES[code].meaning, language),
        )
        for code in codes
    ]
