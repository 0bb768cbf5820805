"""Values for people: numbers, money, days and times in the person's language and time zone."""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache, partial

from babel.dates import format_date, format_datetime, format_timedelta, get_timezone_name
from babel.numbers import format_decimal
from markupsafe import Markup

from fieldmesh.basics.money import unscaled
from fieldmesh.data.model import ReplicatedColumn
from fieldmesh.data.states import MACHINES
from fieldmesh.data.types import Value, WireType
from fieldmesh.service.translation import translate
from hub.desk.words import word

NOTHING = "–"
_SHORT_TIME = "d MMM y, HH:mm"
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MEGA, _KILO = 1 << 20, 1 << 10
_CODED = frozenset(
    {"state", "status", "kind", "mode", "outcome", "tier", "direction", "auth_kind", "payment_form", "type",
     "vat_mode", "condition", "severity", "geo_band", "result", "scope_rule"}
)  # fmt: skip
_SHORT_WORDS = 20
_KEPT = 8_192
"""Numbers and days that are kept in words: a page has the same ones many times."""


@dataclass(frozen=True, slots=True)
class Showing:
    """How values are shown to one person.

    Attributes:
        language: ``en`` or ``bg``.
        zone: of the person's office.
    """

    language: str
    zone: datetime.tzinfo

    def value(self, column: ReplicatedColumn, value: Value) -> str:
        """Any value of the schema, in storage form."""
        if value is None or value == "":
            return NOTHING
        match column.kind.wire, value:
            case WireType.DECIMAL, int():
                shown = _stored(value, column.kind.scale, self.language)
            case WireType.BOOLEAN, int():
                shown = translate("yes", self.language) if value else translate("no", self.language)
            case WireType.TIME, int():
                shown = self.time(value)
            case WireType.DATE, str():
                shown = self.day(value)
            case WireType.INTEGER, int():
                shown = self.whole(column.name, value)
            case WireType.TEXT, str():
                shown = self.text(column, value)
            case _, bytes():
                shown = value.hex()[:16]
            case _:
                shown = str(value)
        return shown

    def plain(self, column: ReplicatedColumn, value: Value) -> str:
        """As `value`, without markup: for titles, labels and fields."""
        if column.kind.wire is WireType.TIME and isinstance(value, int):
            return format_datetime(self.moment(value), _SHORT_TIME, locale=self.language)
        return self.value(column, value)

    def shower(self, column: ReplicatedColumn) -> Callable[[Value], str]:
        """What shows values of the column; for texts that are shown as they are it does nothing else."""
        if column.kind.wire is WireType.TEXT and column.name not in _CODED:
            return _as_it_is
        return partial(self.value, column)

    def text(self, column: ReplicatedColumn, value: str) -> str:
        """A text; coded ones in words."""
        coded = column.name in _CODED and len(value) <= _SHORT_WORDS
        return word(value, self.language) if coded else value

    def whole(self, name: str, value: int) -> str:
        """A whole number; sizes and clock differences with their unit."""
        if name in {"size_bytes", "bytes_up", "bytes_down"}:
            return self.size(value)
        if name == "clock_skew_us":
            return f"{_number(value / 1_000_000, '#,##0.0', self.language)} s"
        return _number(value, None, self.language)

    def decimal(self, value: Decimal, scale: int) -> str:
        """A decimal: money with its two digits, prices and quantities without idle zeros."""
        return _number(value, _pattern(scale), self.language)

    def day(self, value: str) -> str:
        """A day of the form YYYY-MM-DD."""
        return _day(value, self.language)

    def moment(self, at: int) -> datetime.datetime:
        """UTC microseconds in the person's time zone."""
        return (_EPOCH + datetime.timedelta(microseconds=at)).astimezone(self.zone)

    def time(self, at: int) -> Markup:
        """A moment, as an element that tells the exact one and the zone."""
        moment = self.moment(at)
        shown = format_datetime(moment, _SHORT_TIME, locale=self.language)
        zone = get_timezone_name(moment, "short", locale=self.language)
        return Markup('<time datetime="{}" title="{} {}">{}</time>').format(
            moment.isoformat(timespec="seconds"),
            format_datetime(moment, "d MMMM y, HH:mm:ss", locale=self.language),
            zone,
            shown,
        )

    def ago(self, at: int | None, now: int) -> str:
        """How long ago it was, in words."""
        if not at:
            return NOTHING
        return format_timedelta(
            datetime.timedelta(microseconds=at - now), add_direction=True, locale=self.language
        )

    def size(self, count: int) -> str:
        """A size in bytes, KiB or MiB."""
        if count >= _MEGA:
            return f"{_number(count / _MEGA, '#,##0.0', self.language)} MiB"
        if count >= _KILO:
            return f"{_number(count / _KILO, '#,##0', self.language)} KiB"
        return f"{count} B"


def _as_it_is(value: Value) -> str:
    return str(value) if value else NOTHING


def _pattern(scale: int) -> str:
    return "#,##0.00" if scale == 2 else "#,##0." + "#" * scale  # noqa: PLR2004 - money


@lru_cache(maxsize=_KEPT)
def _stored(value: int, scale: int, language: str) -> str:
    """A decimal in storage form, shown."""
    return format_decimal(unscaled(value, scale), _pattern(scale), locale=language)


@lru_cache(maxsize=_KEPT)
def _number(value: Decimal | float, pattern: str | None, language: str) -> str:
    return format_decimal(value, pattern, locale=language)


@lru_cache(maxsize=_KEPT)
def _day(value: str, language: str) -> str:
    try:
        return format_date(datetime.date.fromisoformat(value), "medium", locale=language)
    except ValueError:
        return value


def is_number(column: ReplicatedColumn) -> bool:
    """Whether values stand at the right edge."""
    return column.kind.wire in {WireType.DECIMAL, WireType.INTEGER}


def state_tone(table: str, value: Value) -> str:
    """A colour for a state: good, bad, busy or none."""
    if value in {
        "rejected", "declined", "failed", "dead", "lost", "revoked", "disputed", "cancelled", "expired", "refused",
        "fenced", "quarantined", "written_off", "locked", "error",
    }:  # fmt: skip
        return "bad"
    machine = MACHINES.get(table)
    if value in {"active", "enrolled", "done", "applied"}:
        return "good"
    if machine is not None and isinstance(value, str):
        return "good" if value in machine.final else "busy"
    return ""
