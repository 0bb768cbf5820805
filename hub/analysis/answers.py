"""Answers: each fact of a question is asked for itself, and what belongs to the same line is put together.

Everyone gets the figures of what they may see: the function of each fact is needed, and a row counts only when both
that function's scope and the report's show it.
"""

import asyncio
import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import from_text
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import WireType
from hub.analysis.model.kinds import Base, Dimension, Fact, Formula
from hub.analysis.model.registry import DIMENSIONS, FACTS, MEASURES
from hub.analysis.question import Compare, Question, checked, functions_of, year_before
from hub.rules.access import Access
from hub.storage.columnar.columns import Columns
from hub.storage.columnar.file import Mark
from hub.storage.columnar.query import Asker, compiled, plain
from hub.storage.columnar.terms import Asked, Column, Is, Key, Period, Test

MOST_LINES = 200_000
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
            Retry: `analysis_prepares`, `question_too_heavy`.
        """
        access.need("report.view")
        question = checked(question)
        for function in functions_of(question):
            access.need(function)
        today = (_EPOCH + datetime.timedelta(microseconds=self.clock.now())).astimezone(zone).date()
        mark = await self.columns.recent(FRESH_S)
        period = question.period(today)
        before = _before(question, period)
        asking = _Asking(self.columns, access, question, zone, today)
        lines = await asking.lines(period, question.dimensions)
        total = (await asking.lines(period, ())).get((), {})
        earlier = await asking.lines(before, question.dimensions) if before else {}
        total_before = (await asking.lines(before, ())).get((), {}) if before else {}
        return Answer(
            question, period, before, lines, earlier, total, total_before, asking.labels, mark
        )


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

    async def lines(self, period: Period, dimensions: Sequence[str]) -> dict[Line, Figures]:
        """Every line with the figures of all measures."""
        formulas = {code: MEASURES[code].formula for code in self.question.measures}
        whole: list[_Found] = []
        across: list[tuple[tuple[int, ...], _Found]] = []
        bases = _by_fact(base for one in formulas.values() for base in one.bases())
        for fact, own in bases.items():
            places = tuple(n for n, code in enumerate(dimensions) if DIMENSIONS[code].fits(fact))
            found = await self._ask(fact, own, period, [dimensions[n] for n in places])
            if len(places) < len(dimensions):
                across.append((places, found))
            else:
                whole.append(found)
        return await asyncio.to_thread(_together, whole, across, formulas)

    async def _ask(
        self, fact: Fact, bases: Sequence[Base], period: Period, dimensions: Sequence[str]
    ) -> "_Found":
        chosen = [DIMENSIONS[code] for code in dimensions]
        keys = [one.keys(fact) for one in chosen]
        scopes = (self.access.scope_for("report.view"), self.access.scope_for(fact.function))
        asked = Asked(
            fact.table, fact.day, tuple(self._filters(fact)), tuple(key for one in keys for key in one),
            tuple(base.figure for base in bases), period, self.today, MOST_LINES,
        )  # fmt: skip
        text, values = compiled(asked, Asker(tuple(dict.fromkeys(scopes)), self.zone))
        rows = await self.columns.ask(text, values)
        if len(rows) > MOST_LINES:
            raise Rejected("question_too_large", place=fact.code, most=MOST_LINES)
        return await asyncio.to_thread(self._read, rows, bases, chosen, keys)

    def _read(
        self,
        rows: Sequence[Sequence[object]],
        bases: Sequence[Base],
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


_Found = dict[Line, dict[Base, int | None]]


def _together(
    whole: Sequence[_Found],
    across: Sequence[tuple[tuple[int, ...], _Found]],
    formulas: Mapping[str, Formula],
) -> dict[Line, Figures]:
    """What belongs to the same line, with the measures worked out; in a thread, because there may be many."""
    held: _Found = defaultdict(dict)
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
            raise Rejected("question_wrong", place=place, text=f"no value: {text[:40]}") from None
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


def _by_fact(bases: Iterable[Base]) -> dict[Fact, list[Base]]:
    found: dict[str, dict[Base, None]] = defaultdict(dict)
    for base in bases:
        found[base.fact][base] = None
    return {FACTS[code]: list(held) for code, held in found.items()}
