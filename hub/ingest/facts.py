"""What the business rules look at, read once for a group of batches."""

import datetime
from collections.abc import Sequence

from hub.ingest.verify import Checked
from hub.rules.documents import DocumentFacts, UnitFacts, Wanted, wanted
from hub.storage.changes import ChangeWriter
from hub.storage.document_facts import minimum_price_rows, unit_rows

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


async def read_facts(writer: ChangeWriter, batches: Sequence[Checked]) -> DocumentFacts:
    """Facts on everything that the batches name."""
    need = Wanted()
    for batch in batches:
        wanted(batch.changes, need)
    if not need.units:
        return DocumentFacts()
    today = (_EPOCH + datetime.timedelta(microseconds=writer.now)).date().isoformat()
    units = {row[0]: UnitFacts(*row[1:]) for row in await unit_rows(writer.connection, need.units)}
    prices = await minimum_price_rows(writer.connection, need.price_lists, need.units, today)
    return DocumentFacts(units, {(row[0], row[1]): row[2] for row in prices})
