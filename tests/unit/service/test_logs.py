"""Log lines are JSON, carry their context, and keep secrets to themselves."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from fieldmesh.service import logs

LOG = logging.getLogger("test")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the lines go."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    written = io.StringIO()
    logs.setup(level="debug", stream=written, fields={"node": "gw-7"})
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    """Each line as an object."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_with_its_fields(stream: io.StringIO) -> None:
    """What is formatted into a text can't be searched for."""
    with logs.bound(session="s1"):
        LOG.info("batch_acknowledged", extra={"rows": 3, "device_id": b"\x01\x02"})
    (line,) = lines(stream)
    assert line["event"] == "batch_acknowledged"
    assert line["level"] == "info"
    assert (line["rows"], line["device_id"]) == (3, "0102")
    assert (line["node"], line["session"]) == ("gw-7", "s1")
    assert str(line["at"]).endswith("Z")


def test_secrets_and_endless_values_stay_out(stream: io.StringIO) -> None:
    """A log goes to more people than the database does."""
    LOG.warning("sign_in", extra={"password": "hunter2", "bus_seed": b"SU", "long": "x" * 99_999})
    assert "hunter2" not in stream.getvalue()
    (line,) = lines(stream)
    assert line["password"] == line["bus_seed"] == "***"
    assert len(str(line["long"])) == 2000


def test_an_exception_is_told_in_the_same_line(stream: io.StringIO) -> None:
    """A stack of calls over forty lines belongs to no event."""
    try:
        raise ValueError("broken")
    except ValueError:
        LOG.exception("loop_failed")
    (line,) = lines(stream)
    assert line["error"] == "ValueError"
    assert "broken" in str(line["trace"])
