"""Logs as JSON lines: one event, one constant lower-case name, values as fields.

``LOG.info("batch_acknowledged", extra={"rows": 12})`` becomes
``{"at":"2026-01-31T10:00:00.000000Z","level":"info","event":"batch_acknowledged","rows":12,…}``.
Fields that hold for everything inside a block (session, device) are bound with `bound`.
"""

from __future__ import annotations

import contextlib
import contextvars
import datetime
import json
import logging
import sys
from typing import TYPE_CHECKING, Any, Final, TextIO

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_SECRET_WORDS: Final = ("password", "secret", "seed", "private", "verifier", "token", "jwt")
_MOST_TEXT: Final = 2_000
_BOUND: contextvars.ContextVar[dict[str, object]] = contextvars.ContextVar("log_fields")


@contextlib.contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Every event inside the block carries the fields."""
    token = _BOUND.set({**_BOUND.get({}), **fields})
    try:
        yield
    finally:
        _BOUND.reset(token)


class JsonLines(logging.Formatter):
    """One record, one line of JSON."""

    def __init__(self, fields: Mapping[str, object]) -> None:
        """Every line carries ``fields``."""
        super().__init__()
        self._fields = dict(fields)

    @override
    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line: dict[str, Any] = {
            "at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "logger": record.name,
            **self._fields,
            **_BOUND.get({}),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD:
                line[name] = _fit(name, value)
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, separators=(",", ":"))


def setup(
    *,
    level: str = "info",
    stream: TextIO | None = None,
    fields: Mapping[str, object] | None = None,
) -> None:
    """The program's logs go to ``stream`` (standard error) as JSON lines from ``level`` on."""
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(JsonLines(fields or {}))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    # On every TLS line that ends, asyncio warns of a habit of its own.
    logging.getLogger("asyncio").setLevel(max(root.level, logging.ERROR))
    for noisy in ("grpc", "nats", "aiohttp.access", "zeroconf", "aiosqlite"):
        logging.getLogger(noisy).setLevel(max(root.level, logging.WARNING))


def _fit(name: str, value: object) -> object:
    """What may stand in a line: no secret by its name, nothing endless, identifiers in hex."""
    if any(word in name.lower() for word in _SECRET_WORDS):
        return "***"
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value[:64]).hex()
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)[:_MOST_TEXT]
