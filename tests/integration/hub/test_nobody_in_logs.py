"""What people are called and where they are reached stands in the database, and in no log of a failure."""

import logging

import pytest
from sqlalchemy import exc

from fieldmesh.basics.errors import Rejected
from fieldmesh.codec.batch import Change, Operation
from fieldmesh.codec.columns import from_rows
from fieldmesh.service.logs import JsonLines
from hub.storage.database import refusing_rows
from tests.kit.company import SmallCompany
from tests.kit.lane import Delivered, consumer_of

NUMBER = "+359 88 123 4567"


def written(records: list[logging.LogRecord]) -> str:
    """The lines of the log, traces too."""
    lines = JsonLines({})
    return "\n".join(lines.format(record) for record in records)


async def test_a_batch_that_the_database_refuses_leaves_none_of_its_rows_in_the_log(
    company: SmallCompany, caplog: pytest.LogCaptureFixture
) -> None:
    """Logs are copied to people who may not know them; the trace beside the careful entry had the telephone number."""
    device, good = await company.device("D1"), await company.device("D2")
    line = (company.identifiers.new(), company.outlets[0], "Ann", NUMBER)
    rows = from_rows("contact", ("id", "outlet_id", "name", "phone"), [line, line])
    batches = [
        device.pack([Change(Operation.INSERT, rows, [])]),
        good.pack(good.order(company.outlets[0])),
    ]
    with caplog.at_level(logging.INFO):
        result = await consumer_of(company).take([Delivered(one.payload) for one in batches])  # type: ignore[misc]
    assert (result.applied, result.quarantined) == (1, 1)
    log = written(caplog.records)
    assert "database_refused" in log
    assert "batch_failed" in log
    assert NUMBER not in log


@pytest.mark.parametrize(
    "text",
    [
        "Cannot insert duplicate key row in object 'dbo.contact'. The duplicate key value is ({}). (2601)",
        "String or binary data would be truncated in table 'hub.dbo.contact', column 'phone'. Truncated value: '{}'.",
        "Conversion failed when converting the nvarchar value '{}' to data type int.",
    ],
)
def test_what_sql_server_quotes_of_a_row_is_left_out(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its errors name values, in their own words."""
    told = exc.IntegrityError("INSERT", (), Exception("23000", text.format(NUMBER)))
    with pytest.raises(Rejected) as refused, refusing_rows():
        raise told
    logging.getLogger("hub.test").error("batch_failed", exc_info=refused.value)
    log = written(caplog.records)
    assert text[:20] in log
    assert NUMBER not in log
