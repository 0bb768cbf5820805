"""Values as JSON: decimals as text with their point, times as RFC 3339, ids as UUID; and back, as texts of a form."""

import datetime
import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from aiohttp import web

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.money import unscaled
from fieldmesh.data.model import ReplicatedColumn
from fieldmesh.data.types import Value, WireType
from hub.desk.asking import id_text

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
Json = str | int | bool | None


def as_json(column: ReplicatedColumn, value: Value) -> Json:
    """A value in storage form, for JSON."""
    match column.kind.wire, value:
        case WireType.DECIMAL, int():
            return str(unscaled(value, column.kind.scale))
        case WireType.TIME, int():
            moment = _EPOCH + datetime.timedelta(microseconds=value)
            return moment.isoformat().replace("+00:00", "Z")
        case WireType.BOOLEAN, int():
            return bool(value)
        case WireType.IDENTIFIER, bytes():
            return id_text(value)
        case _, bytes():
            return value.hex()
        case _, str() | int() | None:
            return value


def form_of(column: ReplicatedColumn) -> Callable[[Value], Json]:
    """`as_json` for the values of one column."""
    if column.kind.wire in {WireType.TEXT, WireType.INTEGER, WireType.DATE}:
        return _as_it_is
    return partial(as_json, column)


def _as_it_is(value: Value) -> Json:
    return value.hex() if isinstance(value, bytes) else value


async def read_json(request: web.Request) -> object:
    """What a request's body says; a body of nothing is an object of nothing.

    Raises:
        Rejected: `bad_message`, it can't be read.
    """
    try:
        return json.loads(await request.text() or "{}")
    except (ValueError, LookupError, RecursionError):
        raise Rejected("bad_message", place="body") from None


def refuse_unknown(what: str, texts: Iterable[str], known: Iterable[str]) -> None:
    """Every field is one that is taken: what is left out without a word is lost.

    Args:
        what: the list or act, for the person.
        texts: names of the fields that came.
        known: names of those that are taken.

    Raises:
        Rejected: `unknown_column`.
    """
    unknown = sorted(set(texts) - set(known))
    if unknown:
        name = unknown[0][:80]
        raise Rejected("unknown_column", place=name, table=what, column=name)


def as_texts(body: object) -> dict[str, str]:
    """The fields of a JSON object as texts of a form.

    Raises:
        Rejected: `bad_message`, with the field.
    """
    if not isinstance(body, dict) or not all(map(is_text, body)):
        raise Rejected("bad_message", place="body")
    return {name: _text(name, value) for name, value in body.items()}


def _text(name: str, value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case int():
            return str(value)
        case str() if is_text(value):
            return value
        case _:
            raise Rejected("bad_message", place=str(name)[:80])


def is_text(value: str) -> bool:
    """Whether it can be written down; JSON may hold halves of characters."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def schema(column: ReplicatedColumn) -> dict[str, Any]:
    """JSON Schema of a column. Source: JSON Schema 2020-12, as OpenAPI 3.1 uses it."""
    made: dict[str, Any]
    match column.kind.wire:
        case WireType.INTEGER:
            made = {"type": "integer"}
        case WireType.BOOLEAN:
            made = {"type": "boolean"}
        case WireType.DECIMAL:
            made = {
                "type": "string",
                "pattern": r"^-?\d+(\.\d+)?$",
                "example": f"{0:.{column.kind.scale}f}",
            }
        case WireType.TIME:
            made = {"type": "string", "format": "date-time"}
        case WireType.DATE:
            made = {"type": "string", "format": "date"}
        case WireType.IDENTIFIER:
            made = {"type": "string", "format": "uuid"}
        case _:
            made = {"type": "string"}
            if column.kind.precision:
                made["maxLength"] = column.kind.precision
    if column.nullable and column.kind.wire is not WireType.BOOLEAN:
        made["type"] = [made["type"], "null"]
    return made


def named(columns: Mapping[str, ReplicatedColumn], values: Mapping[str, Value]) -> dict[str, Json]:
    """Values by name, for JSON."""
    return {
        name: as_json(columns[name], value) for name, value in values.items() if name in columns
    }
