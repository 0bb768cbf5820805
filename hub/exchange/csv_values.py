"""One cell of a CSV file, or field of a form → a value in storage form, or a reason in words."""

import datetime
import re
from decimal import Decimal

from fieldmesh.basics.money import scaled
from fieldmesh.data.model import ReplicatedColumn
from fieldmesh.data.types import Value, WireType
from fieldmesh.service.translation import _
from hub.rules.zones import zone_named

_YES = frozenset({"1", "yes", "true", "y", "да"})
_NO = frozenset({"0", "no", "false", "n", "не"})
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]+[.,]?[0-9]*|[.,][0-9]+)")
_MOST_TEXT = 16_000
_ZONE = "time_zone"
"""Columns of that name hold the name of a time zone."""


class BadValueError(Exception):
    """A cell can't be read; the message says why, for a person."""


def parse_value(column: ReplicatedColumn, text: str) -> Value:
    """The value of a cell that is not empty and is no reference.

    Raises:
        BadValueError: with the reason.
    """
    match column.kind.wire:
        case WireType.INTEGER:
            return whole_value(text)
        case WireType.BOOLEAN:
            return _boolean(text)
        case WireType.DECIMAL:
            return decimal_value(text, column.kind.precision, column.kind.scale)
        case WireType.DATE:
            return date_value(text)
        case WireType.TIME:
            return _time(text)
        case WireType.TEXT:
            found = _text(text, column.kind.precision)
            return _zone(found) if column.name == _ZONE else found
        case WireType.IDENTIFIER | WireType.BINARY:
            raise BadValueError(_("this column can't be loaded from a file"))


def whole_value(text: str) -> int:
    """A whole number of at most 18 digits.

    Raises:
        BadValueError: with the reason.
    """
    if not _WHOLE.fullmatch(text):
        raise BadValueError(_("{text} is not a whole number").format(text=_short(text)))
    return int(text)


def _boolean(text: str) -> int:
    lower = text.lower()
    if lower not in _YES | _NO:
        raise BadValueError(_("{text} is neither yes nor no").format(text=_short(text)))
    return int(lower in _YES)


def decimal_value(text: str, precision: int, scale: int) -> int:
    """A number with point or comma, scaled.

    Raises:
        BadValueError: with the reason.
    """
    if not _NUMBER.fullmatch(text):
        reason = _("{text} is not a number of digits with at most one point or comma")
        raise BadValueError(reason.format(text=_short(text)))
    value = Decimal(text.replace(",", "."))
    if abs(value) >= Decimal(10) ** (precision - scale):
        raise BadValueError(_("{text} is too large").format(text=_short(text)))
    if value != value.quantize(Decimal(1).scaleb(-scale)):
        raise BadValueError(
            _("{text} has more than {scale} digits after the point").format(
                text=_short(text), scale=scale
            )
        )
    return scaled(value, scale)


def date_value(text: str) -> str:
    """A day as it is stored and compared: YYYY-MM-DD.

    Raises:
        BadValueError: with the reason.
    """
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadValueError(
            _("{text} is not a date like 2026-01-31").format(text=_short(text))
        ) from None


def _time(text: str) -> int:
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise BadValueError(
            _("{text} is not a time like 2026-01-31T08:00:00+02:00").format(text=_short(text))
        ) from None
    if moment.tzinfo is None:
        raise BadValueError(_("{text} has no time zone: add Z or +02:00").format(text=_short(text)))
    return (moment - _EPOCH) // datetime.timedelta(microseconds=1)


def _text(text: str, most: int) -> str:
    if len(text) > (most or _MOST_TEXT):
        raise BadValueError(_("longer than {most} characters").format(most=most or _MOST_TEXT))
    if _CONTROL.search(text):
        raise BadValueError(_("holds a control character"))
    return text


def _zone(text: str) -> str:
    if zone_named(text) is None:
        reason = _("{text} is no time zone, such as Europe/Sofia")
        raise BadValueError(reason.format(text=_short(text)))
    return text


def _short(text: str) -> str:
    most = 40
    return text if len(text) <= most else text[:most] + "…"
