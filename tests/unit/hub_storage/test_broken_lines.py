"""What a database that is away says is not what is wrong with a statement: whoever asked tries again."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import exc

from fieldmesh.basics.errors import FieldmeshError, Rejected, Retry
from hub.storage.database import HubDatabase, sqlite_url


class DriverError(Exception):
    """As pyodbc raises it: the SQLSTATE, then the text."""


async def refusal(folder: Path, error: exc.SQLAlchemyError) -> FieldmeshError:
    """How an error within a transaction reaches the caller."""
    database = HubDatabase(sqlite_url(folder / "hub.db"))
    try:
        with pytest.raises(FieldmeshError) as caught:
            async with database.read():
                raise error
    finally:
        await database.close()
    return caught.value


def said(
    kind: Callable[..., exc.DBAPIError], state: str, text: str, *, broken: bool = False
) -> exc.DBAPIError:
    """The driver's error as SQLAlchemy hands it on."""
    orig = DriverError(state, f"[{state}] [Microsoft][ODBC Driver 18 for SQL Server]{text}")
    return kind("SELECT 1", (), orig, connection_invalidated=broken)


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("08S01", "Communication link failure"),
        ("08001", "A network-related error has occurred"),
        ("HYT00", "Login timeout expired"),
        ("HYT01", "Connection timeout expired"),
        ("40001", "Transaction (Process ID 60) was deadlocked and has been chosen as the victim"),
    ],
)
@pytest.mark.parametrize("kind", [exc.OperationalError, exc.DBAPIError])
async def test_a_database_that_is_away_is_asked_again(
    tmp_path: Path, kind: Callable[..., exc.DBAPIError], state: str, text: str
) -> None:
    """Refused for good, a batch would go to quarantine because somebody restarted SQL Server."""
    found = await refusal(tmp_path, said(kind, state, text))
    assert isinstance(found, Retry)
    assert found.code == "database_busy"


async def test_a_line_that_broke_is_taken_again_whatever_the_driver_calls_it(
    tmp_path: Path,
) -> None:
    """SQLAlchemy knows more ways in which a line ends than there are SQLSTATEs for it."""
    broken = said(exc.OperationalError, "01000", "The connection is broken", broken=True)
    found = await refusal(tmp_path, broken)
    assert isinstance(found, Retry)
    assert found.code == "database_busy"


async def test_what_is_wrong_with_the_database_or_the_rows_is_not_tried_for_ever(
    tmp_path: Path,
) -> None:
    """Asked again and again it would hold up everything behind it, and nobody would hear why."""
    for kind, state, text, code in (
        (exc.OperationalError, "42S02", "Invalid object name 'fm_hub'", "database_unreadable"),
        (exc.IntegrityError, "23000", "Violation of PRIMARY KEY constraint", "rows_refused"),
    ):
        found = await refusal(tmp_path, said(kind, state, text))
        assert isinstance(found, Rejected)
        assert found.code == code
