"""What somebody asks of a list, from the texts of an address: filters, search, place in the list.

``state=saved&state=sent`` one of; ``date.from=…``, ``date.until=…`` (a day, inclusive) for days and times;
``position_id=<id>``; ``blocked=1``. The cursor ``after`` is opaque.
"""

import base64
import binascii
import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import from_text, to_text
from fieldmesh.data.model import ReplicatedColumn
from fieldmesh.data.types import Value, WireType
from hub.desk.view import View
from hub.exchange.csv_values import BadValueError, whole_value
from hub.storage import search
from hub.storage.lists import MOST_ROWS, Condition, Test

MOST_WORDS = 8
_NO_FILTERS = frozenset({"q", "after", "limit"})
_MOST_DIGITS = 18
_MOST_NUMBER = 2**63 - 1
_DAY = datetime.timedelta(days=1)
_MICROSECOND = datetime.timedelta(microseconds=1)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of a list.

    Attributes:
        conditions: filters.
        words: what is searched for.
        after: where the page begins.
        most: rows of the page.
    """

    conditions: tuple[Condition, ...] = ()
    words: str = ""
    after: tuple[Value, ...] | None = None
    most: int = 50


def read_ask(
    view: View, texts: Mapping[str, Sequence[str]], zone: datetime.tzinfo, *, most: int = 50
) -> Ask:
    """The ask of an address. Names that are no filter of the view are refused; so are words where nothing has any.

    Args:
        view: whose list.
        texts: parameter → its values.
        zone: in which days begin and end.
        most: rows of a page where the address does not say.

    Raises:
        Rejected: `bad_filter`, with the parameter.
    """
    conditions: list[Condition] = []
    for name, values in texts.items():
        given = [value for value in values if value != ""]
        if name in _NO_FILTERS or not given:
            continue
        path, _, end = name.partition(".from") if ".from" in name else name.partition(".until")
        if path not in {one.path for one in view.filters}:
            raise Rejected("bad_filter", place=name, text=name)
        column = view.column(path)
        if name == f"{path}.from":
            conditions.append(Condition(path, Test.FROM, (_moment(column, given[0], zone, name),)))
        elif name == f"{path}.until":
            until = _moment(column, given[0], zone, name, following=True)
            conditions.append(Condition(path, Test.BEFORE, (until,)))
        elif end or not given:
            raise Rejected("bad_filter", place=name, text=name)
        else:
            found = tuple(read_value(column, value, name) for value in given)
            conditions.append(Condition(path, Test.ONE_OF, found))
    words = " ".join(" ".join(texts.get("q", ())).split()[:MOST_WORDS])
    if words and not is_searchable(view):
        raise Rejected("bad_filter", place="q", text="q")
    after = next(iter(texts.get("after", ())), "")
    limit = next(iter(texts.get("limit", ())), "")
    return Ask(tuple(conditions), words, read_cursor(after) if after else None, _limit(limit, most))


def is_searchable(view: View) -> bool:
    """Whether rows of the view are found by words or numbers."""
    return search.is_searchable(view.table)


def read_value(column: ReplicatedColumn, text: str, place: str) -> Value:
    """A filter's value in storage form.

    Raises:
        Rejected: `bad_filter`.
    """
    try:
        match column.kind.wire:
            case WireType.IDENTIFIER:
                return from_text(text)
            case WireType.INTEGER | WireType.BOOLEAN | WireType.DECIMAL | WireType.TIME:
                return whole_value(text)
            case WireType.DATE:
                return datetime.date.fromisoformat(text).isoformat()
            case _:
                return text
    except (ValueError, BadValueError):
        raise Rejected("bad_filter", place=place, text=text[:80]) from None


def write_cursor(after: tuple[Value, ...]) -> str:
    """Where the next page begins, as a word for an address."""
    plain = [{"b": to_hex(one)} if isinstance(one, bytes) else one for one in after]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[Value, ...]:
    """The place that `write_cursor` wrote.

    Raises:
        Rejected: `bad_filter`, it was not written by this program.
    """
    try:
        plain = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        found = tuple(bytes.fromhex(one["b"]) if isinstance(one, dict) else one for one in plain)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        raise Rejected("bad_filter", place="after", text=text[:80]) from None
    if not all(_may_stand(one) for one in found):
        raise Rejected("bad_filter", place="after", text=text[:80])
    return found


def _may_stand(one: object) -> bool:
    """Whether a column may hold it."""
    if isinstance(one, int):
        return abs(one) <= _MOST_NUMBER
    return one is None or isinstance(one, str | bytes)


def plain_number(text: str) -> int | None:
    """A number of plain digits, as addresses and hidden fields hold them; None = it is none, or too long."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def to_hex(value: bytes) -> str:
    """Bytes as hex."""
    return value.hex()


def id_text(value: Value) -> str:
    """An id as it stands in addresses; empty when there is none."""
    return to_text(value) if isinstance(value, bytes) else ""


def _limit(text: str, most: int) -> int:
    if not text:
        return most
    limit = plain_number(text)
    if limit is None or not 1 <= limit <= MOST_ROWS:
        raise Rejected("bad_filter", place="limit", text=text[:20])
    return limit


def _moment(
    column: ReplicatedColumn,
    text: str,
    zone: datetime.tzinfo,
    place: str,
    *,
    following: bool = False,
) -> Value:
    """The beginning of a day, or of the day after it, in the form of the column."""
    try:
        day = datetime.date.fromisoformat(text[:10])
        day = day + _DAY if following else day
    except (ValueError, OverflowError):
        raise Rejected("bad_filter", place=place, text=text[:80]) from None
    if column.kind.wire is WireType.DATE:
        return day.isoformat()
    if column.kind.wire is not WireType.TIME:
        raise Rejected("bad_filter", place=place, text=text[:80])
    moment = datetime.datetime.combine(day, datetime.time(), zone)
    return (moment - _EPOCH) // _MICROSECOND
