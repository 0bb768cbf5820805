"""What facts, dimensions and measures are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from typing_extensions import override

from hub.storage.columnar.terms import Column, Figure, Grain, Key, Term, Test


class Unit(StrEnum):
    """How a figure is written."""

    COUNT = "count"
    MONEY = "money"
    QUANTITY = "quantity"
    PERCENT = "percent"
    DECIMAL = "decimal"
    MINUTES = "minutes"
    DAYS = "days"
    BYTES = "bytes"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """A table of things that happened or stand, with what they can be asked by.

    Attributes:
        code: stable name.
        title: English msgid.
        table: whose rows.
        function: who may see them; its scope, and that of the report, say which.
        day: path of the day or moment; empty = rows stand as they are now, whatever the period.
        entities: kind of thing → path of its id, for the dimensions of that kind.
        view: list to which figures lead; empty = none.
        leads: dimension → filter of that list.
        view_day: filter of that list for the period.
    """

    code: str
    title: str
    table: str
    function: str
    day: str = ""
    entities: Mapping[str, str] = field(default_factory=dict)
    view: str = ""
    leads: Mapping[str, str] = field(default_factory=dict)
    view_day: str = ""


@dataclass(frozen=True, slots=True)
class Dimension:
    """What lines can be made by.

    Attributes:
        code: stable name.
        title: English msgid.
        entity: of what it is; the code of a fact for what only that fact has; `day` for time.
        path: of the value, from the entity's row; empty = its id.
        labels: paths of what it is called, when the value is an id.
        grain: of a day.
        term: the value of a fact's own dimension that is no plain path.
        bands: upper bounds, for values that are grouped.
        band_titles: English msgids, one more than bounds.
        coded: whether values are words of the program.
        view: list that a value leads to; empty = none.
    """

    code: str
    title: str
    entity: str
    path: str = ""
    labels: tuple[str, ...] = ()
    grain: Grain | None = None
    term: Term | None = None
    bands: tuple[int, ...] = ()
    band_titles: tuple[str, ...] = ()
    coded: bool = False
    view: str = ""

    def keys(self, fact: Fact) -> tuple[Key, ...]:
        """What the fact is grouped by: the value first, then what it is called.

        A row that the asker's scope hides has no id here: it is nobody's.
        """
        if self.term is not None:
            return (Key(self.term, bands=self.bands),)
        if self.entity == "day":
            return (Key(Column(fact.day), self.grain),)
        value = _joined(fact.entities.get(self.entity, ""), self.path)
        if not self.labels:
            return (Key(Column(value)),)
        own = Key(Column(_joined(value, "id")))
        return (own, *(Key(Column(_joined(value, one)), is_label=True) for one in self.labels))

    @property
    def is_filter(self) -> bool:
        """Whether figures can be narrowed by values of it."""
        return self.entity != "day" and self.term is None

    def fits(self, fact: Fact) -> bool:
        """Whether the fact can be asked by it."""
        if self.entity == "day":
            return bool(fact.day)
        return self.entity == fact.code or self.entity in fact.entities


def _joined(link: str, path: str) -> str:
    return ".".join(one for one in (link, path) if one)


class Calendar(StrEnum):
    """Of a question: its days, its workdays until today; of the months that it touches: all workdays, those gone."""

    DAYS = "days"
    ELAPSED = "elapsed"
    MONTHS = "months"
    GONE = "gone"


class Over(StrEnum):
    """Days of a figure: those of the question, as many before, or from the first day of its first month on."""

    ASKED = "asked"
    BEFORE = "before"
    MONTHS = "months"


@dataclass(frozen=True, slots=True)
class Days:
    """How many days there are; known without a row."""

    of: Calendar

    def value(self, held: "Held") -> Fraction | None:
        """As many as there are."""
        found = held.get(self.of)
        return None if found is None else Fraction(found)

    def bases(self) -> Iterator["Base"]:
        """None."""
        yield from ()


@dataclass(frozen=True, slots=True)
class Base:
    """One figure of one fact.

    Attributes:
        fact: whose rows.
        figure: what is made of them.
        scale: what it is divided by to be in its unit.
        over: which days.
    """

    fact: str
    figure: Figure
    scale: int = 1
    over: Over = Over.ASKED
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Its hash is worked out once: answers look it up in every line."""
        object.__setattr__(self, "_hash", hash((self.fact, self.figure, self.scale, self.over)))

    @override
    def __hash__(self) -> int:
        return self._hash

    def value(self, held: "Held") -> Fraction | None:
        """The figure; a count of nothing is 0, a sum of nothing is missing."""
        found = held.get(self)
        return None if found is None else Fraction(found, self.scale)

    def bases(self) -> Iterator["Base"]:
        """Itself."""
        yield self


@dataclass(frozen=True, slots=True)
class Ratio:
    """One figure by another, times a factor. ``across``: the whole is taken without the dimensions that it lacks."""

    part: "Formula"
    whole: "Formula"
    times: int = 1
    across: bool = False

    def value(self, held: "Held") -> Fraction | None:
        """The ratio; missing when the whole is, or is nothing."""
        part, whole = self.part.value(held), self.whole.value(held)
        if not whole:
            return None
        return (part or Fraction(0)) * self.times / whole

    def bases(self) -> Iterator[Base]:
        """Of both."""
        yield from self.part.bases()
        yield from self.whole.bases()


@dataclass(frozen=True, slots=True)
class Sum:
    """Figures added; those in ``less`` are taken off."""

    plus: tuple["Formula", ...]
    less: tuple["Formula", ...] = ()

    def value(self, held: "Held") -> Fraction | None:
        """The sum; missing only when everything is."""
        signed = [(one.value(held), 1) for one in self.plus]
        signed += [(one.value(held), -1) for one in self.less]
        known = [value * sign for value, sign in signed if value is not None]
        return sum(known, Fraction(0)) if known else None

    def bases(self) -> Iterator[Base]:
        """Of all."""
        for one in (*self.plus, *self.less):
            yield from one.bases()


@dataclass(frozen=True, slots=True)
class Product:
    """One figure times another."""

    left: "Formula"
    right: "Formula"

    def value(self, held: "Held") -> Fraction | None:
        """The product; missing when one of them is."""
        left, right = self.left.value(held), self.right.value(held)
        return None if left is None or right is None else left * right

    def bases(self) -> Iterator[Base]:
        """Of both."""
        yield from self.left.bases()
        yield from self.right.bases()


@dataclass(frozen=True, slots=True)
class Mean:
    """The weighted mean of the figures that are known: (weight, figure)."""

    parts: tuple[tuple[int, "Formula"], ...]

    def value(self, held: "Held") -> Fraction | None:
        """The mean; missing when everything is."""
        found = [(weight, one.value(held)) for weight, one in self.parts]
        known = [(weight, value) for weight, value in found if value is not None]
        whole = sum(weight for weight, _ in known)
        return sum((w * value for w, value in known), Fraction(0)) / whole if whole else None

    def bases(self) -> Iterator[Base]:
        """Of all."""
        for _weight, one in self.parts:
            yield from one.bases()


class Stands(StrEnum):
    """Of products: how many outlets handle them, what these sell of their categories, what all outlets sell of them."""

    OUTLETS = "outlets"
    HANDLED = "handled"
    UNIVERSE = "universe"


@dataclass(frozen=True, slots=True)
class Spread:
    """How far the products of a line are spread; ``through``: the figure whose rights and dimensions it needs."""

    stands: Stands
    through: Base

    def value(self, held: "Held") -> Fraction | None:
        """As many, or as much."""
        found = held.get(self.stands)
        return None if found is None else Fraction(found)

    def bases(self) -> Iterator[Base]:
        """The figure that it needs."""
        yield self.through


Formula = Base | Ratio | Sum | Product | Mean | Days | Spread
Held = Mapping[Base | Calendar | Stands, int | None]
"""The figures of a line."""


def parts_of(formula: Formula) -> Iterator[Formula]:
    """The formula and everything that it is made of."""
    yield formula
    inner: tuple[Formula, ...] = ()
    match formula:
        case Ratio(left, right) | Product(left, right):
            inner = (left, right)
        case Sum(plus, less):
            inner = (*plus, *less)
        case Mean(parts):
            inner = tuple(one for _weight, one in parts)
        case Base() | Days() | Spread():
            pass
    for one in inner:
        yield from parts_of(one)


def universes(formula: Formula) -> Iterator[Base]:
    """Figures that are wholes of a ratio across: taken without the dimensions that they lack."""
    for one in parts_of(formula):
        if isinstance(one, Ratio) and one.across:
            yield from one.whole.bases()


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure that people ask for.

    Attributes:
        code: stable name.
        title: English msgid.
        unit: how it is written.
        formula: what it is.
        meaning: the formula in words, English msgid.
        high_is_good: whether more is better; None = neither.
    """

    code: str
    title: str
    unit: Unit
    formula: Formula
    meaning: str
    high_is_good: bool | None = True


__all__ = [
    "Base", "Calendar", "Column", "Days", "Dimension", "Fact", "Figure", "Formula", "Grain", "Held", "Mean", "Measure",
    "Over", "Product", "Ratio", "Spread", "Stands", "Sum", "Test", "Unit", "parts_of", "universes",
]  # fmt: skip
