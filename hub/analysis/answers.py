"""Answers: each fact of a question is asked for itself, and what belongs to the same line is put together.

Everyone gets the figures of what they may see: the function of each fact is needed, and a row counts only when both
that function's scope and the report's show it. The same holds for documents that a fact is compared with, as the
orders of an outlet with a cooler.
"""

import asyncio
import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import from_text
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import WireType
from fieldmesh.service.translation import _
from hub.analysis.model.kinds import (
    Base,
    Calendar,
    Dimension,
    Fact,
    Figure,
    Formula,
    Over,
    Spread,
    Stands,
    parts_of,
)
from hub.analysis.model.registry import DIMENSIONS, FACTS, FUNCTION_OF, MEASURES
from hub.analysis.model.sales import HANDLERS, WORTH
from hub.analysis.question import Compare, Question, checked, functions_of, year_before
from hub.rules.access import Access
from hub.storage.columnar.columns import Columns
from hub.storage.columnar.file import Mark, Row
from hub.storage.columnar.query import Asker, compiled, plain
from hub.storage.columnar.spread import Handling, spread
from hub.storage.columnar.terms import Asked, Column, Filled, Is, Key, Period, Test
from hub.storage.workdays import workdays

MOST_LINES, MOST_FIGURES = 200_000, 1_000_000
"""Of one answer. Each figure takes some 150 bytes and 7 microseconds, in which the hub's other threads hardly work."""
FRESH_S = 30.0
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

Line = tuple[object, ...]
"""Values of the dimensions: ids as bytes, days and words as texts, bands as numbers; None = not known or not seen."""
Figures = dict[str, Fraction | None]


@dataclass(frozen=True, slots=True)
class Answer:
    """The figures of a question.

    Attributes:
        question: as it was asked.
        period: its days.
        before: the days that it is compared with; None = none.
        lines: values of the dimensions → measure → figure.
        earlier: the same of the days before.
        total: the figures of everything.
        total_before: of the days before.
        labels: dimension → value → what it is called.
        mark: where the data stand.
    """

    question: Question
    period: Period
    before: Period | None
    lines: dict[Line, Figures]
    earlier: dict[Line, Figures]
    total: Figures
    total_before: Figures
    labels: dict[str, dict[object, str]]
    mark: Mark


@dataclass(slots=True)
class Analyst:
    """Answers questions over one copy."""

    columns: Columns
    clock: Clock

    async def answer(self, access: Access, question: Question, zone: datetime.tzinfo) -> Answer:
        """The figures, in the scope of whoever asks.

        Raises:
            Rejected: `function_missing`; `question_wrong`; `question_too_large`.
            Retry: `analysis_prepares`, `analysis_behind`, `question_too_heavy`.
        """
        access.need("report.view")
        question = checked(question)
        for function in functions_of(question):
            access.need(function)
        today = (_EPOCH + datetime.timedelta(microseconds=self.clock.now())).astimezone(zone).date()
        mark = await self.columns.recent(FRESH_S)
        period = question.period(today)
        before = _before(question, period)
        changes = self.columns.changes
        asking = _Asking(self.columns, access, question, zone, today)
        found = await asking.answer(period, before, mark)
        if changes == self.columns.changes:
            return found
        async with self.columns.still() as mark:
            return await asking.answer(period, before, mark)


def _before(question: Question, period: Period) -> Period | None:
    if question.compare is Compare.NOTHING:
        return None
    return period.previous if question.compare is Compare.PREVIOUS else year_before(period)


@dataclass(slots=True)
class _Asking:
    columns: Columns
    access: Access
    question: Question
    zone: datetime.tzinfo
    today: datetime.date
    labels: dict[str, dict[object, str]] = field(default_factory=lambda: defaultdict(dict))

    @property
    def most(self) -> int:
        """Lines, so that there are not too many figures either; those of the days compared with count."""
        times = 1 if self.question.compare is Compare.NOTHING else 2
        return min(MOST_LINES, MOST_FIGURES // (len(self.question.measures) * times))

    async def answer(self, period: Period, before: Period | None, mark: Mark) -> Answer:
        """Lines and totals, each asked for itself."""
        wanted = self.question.dimensions
        lines = await self.lines(period, wanted)
        total = (await self.lines(period, ())).get((), {})
        earlier = await self.lines(before, wanted) if before else {}
        total_before = (await self.lines(before, ())).get((), {}) if before else {}
        return Answer(
            self.question, period, before, lines, earlier, total, total_before, self.labels, mark
        )

    async def lines(self, period: Period, dimensions: Sequence[str]) -> dict[Line, Figures]:
        """Every line with the figures of all measures."""
        formulas = {code: MEASURES[code].formula for code in self.question.measures}
        whole: list[_Found] = []
        across: list[tuple[tuple[int, ...], _Found]] = []
        bases = _by_fact(base for one in formulas.values() for base in one.bases())
        for (fact, over), own in bases.items():
            places = tuple(n for n, code in enumerate(dimensions) if DIMENSIONS[code].fits(fact))
            days = _days_of(period, over)
            found = await self._ask(fact, own, days, [dimensions[n] for n in places])
            if len(places) < len(dimensions):
                across.append((places, found))
            else:
                whole.append(found)
        if any(isinstance(one, Spread) for held in formulas.values() for one in parts_of(held)):
            whole.append(await self._spread(period, dimensions))
        days_of = calendar(period, self.today)
        return await asyncio.to_thread(_together, whole, across, formulas, days_of)

    async def _ask(
        self, fact: Fact, bases: Sequence[Base], period: Period, dimensions: Sequence[str]
    ) -> "_Found":
        chosen = [DIMENSIONS[code] for code in dimensions]
        keys = [one.keys(fact) for one in chosen]
        asked = Asked(
            fact.table, fact.day, tuple(self._filters(fact)), tuple(key for one in keys for key in one),
            tuple(base.figure for base in bases), period, self.today, self.most,
        )  # fmt: skip
        rows = await self._rows(fact.code, compiled, asked, self._asker(fact))
        return await asyncio.to_thread(self._read, rows, bases, chosen, keys)

    async def _spread(self, period: Period, dimensions: Sequence[str]) -> "_Found":
        """Where products stand, by the documents that know what is asked by and that the person may see."""
        chosen = [DIMENSIONS[code] for code in dimensions]
        free = [one for one in chosen if one.entity != "product"]
        filters = {
            code: DIMENSIONS[code] for code, values in self.question.filters.items() if values
        }
        others = {code: one for code, one in filters.items() if one.entity != "product"}
        handled = [
            self._rows_of((FACTS[code], (), only), chosen, filters, period)
            for code, only in HANDLERS if self._knows(FACTS[code], (*chosen, *filters.values()))
        ]  # fmt: skip
        worth = [
            self._rows_of((FACTS[one.fact], (one.figure,), ()), free, others, period)
            for one in WORTH if self._knows(FACTS[one.fact], (*free, *others.values()))
        ]  # fmt: skip
        keys = [one.keys(FACTS[WORTH[0].fact]) for one in chosen]
        places, universe = 0, list[int]()
        for one, own in zip(chosen, keys, strict=True):
            universe += range(places, places + len(own)) if one in free else ()
            places += len(own)
        asked = Handling(handled, worth, places, tuple(universe), self.most)
        rows = await self._rows("spread", spread, asked)
        return await asyncio.to_thread(self._read, rows, tuple(Stands), chosen, keys)

    def _knows(self, fact: Fact, dimensions: Sequence[Dimension]) -> bool:
        return self.access.may(fact.function) and all(one.fits(fact) for one in dimensions)

    def _rows_of(
        self,
        what: tuple[Fact, tuple[Figure, ...], tuple[Test, ...]],
        dimensions: Sequence[Dimension],
        filters: Mapping[str, Dimension],
        period: Period,
    ) -> tuple[Asked, Asker]:
        """Figures of a fact by the dimensions, outlet and category."""
        fact, figures, only = what
        outlet, product = fact.entities["outlet"], fact.entities["product"]
        keys = [key for one in dimensions for key in one.keys(fact)]
        keys += [Key(Column(outlet)), Key(Column(f"{product}.product_group_id"))]
        tests = [_filter(one, fact, self.question.filters[code]) for code, one in filters.items()]
        known = (*only, *tests, Filled(Column(outlet)))
        asked = Asked(fact.table, fact.day, known, tuple(keys), figures, period, self.today)
        return asked, self._asker(fact)

    def _asker(self, fact: Fact) -> Asker:
        scopes = (self.access.scope_for("report.view"), self.access.scope_for(fact.function))
        linked = {table: self.access.scope_for(one) for table, one in FUNCTION_OF.items()}
        return Asker(tuple(dict.fromkeys(scopes)), self.zone, linked)

    async def _rows(
        self, place: str, compile_: Callable[..., tuple[str, list[Any]]], *asked: object
    ) -> list[Row]:
        """The rows of a question; its text is made in a thread, because that takes as long as a page may."""
        text, values = await asyncio.to_thread(compile_, *asked)
        rows = await self.columns.ask(text, values)
        if len(rows) > self.most:
            raise Rejected("question_too_large", place=place, most=self.most)
        return rows

    def _read(
        self,
        rows: Sequence[Sequence[object]],
        bases: Sequence[Base] | Sequence[Stands],
        chosen: Sequence[Dimension],
        keys: Sequence[tuple[Key, ...]],
    ) -> "_Found":
        """The lines of a fact; in a thread, because there may be many."""
        found: _Found = {}
        wide = sum(map(len, keys))
        for row in map(plain, rows):
            found[self._line(chosen, keys, row)] = dict(zip(bases, row[wide:], strict=True))
        return found

    def _line(
        self, chosen: Sequence[Dimension], keys: Sequence[tuple[Key, ...]], row: tuple[object, ...]
    ) -> Line:
        line, place = [], 0
        for dimension, own in zip(chosen, keys, strict=True):
            value, *labels = row[place : place + len(own)]
            place += len(own)
            parts = [str(one) for one in labels if one not in {None, ""}]
            if parts:
                self.labels[dimension.code][value] = " · ".join(dict.fromkeys(parts))
            line.append(value)
        return tuple(line)

    def _filters(self, fact: Fact) -> list[Test]:
        return [
            _filter(DIMENSIONS[code], fact, values)
            for code, values in self.question.filters.items()
            if values and DIMENSIONS[code].fits(fact)
        ]


_Found = dict[Line, dict[Base | Calendar | Stands, int | None]]


def _together(
    whole: Sequence[_Found],
    across: Sequence[tuple[tuple[int, ...], _Found]],
    formulas: Mapping[str, Formula],
    days: Mapping[Base | Calendar | Stands, int | None],
) -> dict[Line, Figures]:
    """What belongs to the same line, with the measures worked out; in a thread, because there may be many."""
    held: _Found = defaultdict(lambda: dict(days))
    for found in whole:
        for line, figures in found.items():
            held[line].update(figures)
    for places, found in across:
        for line, figures in held.items():
            figures.update(found.get(tuple(line[n] for n in places), {}))
    return {
        line: {code: formula.value(figures) for code, formula in formulas.items()}
        for line, figures in held.items()
    }


def _filter(dimension: Dimension, fact: Fact, texts: Sequence[str]) -> Test:
    """The dimension has one of the values.

    Raises:
        Rejected: `question_wrong`, a value can't be read.
    """
    term = dimension.keys(fact)[0].term
    path = term.path if isinstance(term, Column) else ""
    values: list[int | str | bytes] = []
    for text in texts:
        try:
            values.append(_value(fact.table, path, text))
        except ValueError:
            place = dimension.code
            raise Rejected(
                "question_wrong", place=place, text=_("no value: {text}").format(text=text[:40])
            ) from None
    return Is(Column(path), tuple(values))


def _value(table: str, path: str, text: str) -> int | str | bytes:
    *links, last = path.split(".")
    for link in links:
        table = TABLES[table].column(link).references or ""
    match TABLES[table].column(last).kind.wire:
        case WireType.IDENTIFIER:
            return from_text(text)
        case WireType.TEXT:
            return text
        case _:
            return int(text)


def calendar(period: Period, today: datetime.date) -> dict[Base | Calendar | Stands, int | None]:
    """How many days there are of each kind, of a period."""
    first = period.since.replace(day=1)
    last = (period.until.replace(day=1) + datetime.timedelta(days=31)).replace(day=1)
    return {
        Calendar.DAYS: (period.until - period.since).days + 1,
        Calendar.ELAPSED: workdays(period.since, min(period.until, today)),
        Calendar.MONTHS: workdays(first, last - datetime.timedelta(days=1)),
        Calendar.GONE: workdays(first, min(period.until, today)),
    }


def _days_of(period: Period, over: Over) -> Period:
    match over:
        case Over.ASKED:
            return period
        case Over.BEFORE:
            return period.previous
        case Over.MONTHS:
            return Period(period.since.replace(day=1), period.until)


def _by_fact(bases: Iterable[Base]) -> dict[tuple[Fact, Over], list[Base]]:
    """Bases by fact and days."""
    found: dict[tuple[str, Over], dict[Base, None]] = defaultdict(dict)
    for base in bases:
        found[base.fact, base.over][base] = None
    return {(FACTS[code], over): list(held) for (code, over), held in found.items()}
