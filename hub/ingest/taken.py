"""Which ids of new rows have a row already, asked of the database once for a whole group of batches."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from hub.storage.presence import ids_present
from hub.storage.rows import Connection


class TakenIds:
    """Ids that have a row, be it written or only collected, of those that were asked for."""

    def __init__(self, connection: Connection) -> None:
        """Nothing was asked yet; ``connection`` is the one that writes the rows."""
        self._connection = connection
        self._asked: dict[str, set[Value]] = defaultdict(set)
        self._taken: dict[str, set[Value]] = defaultdict(set)

    async def ask(self, name: str, ids: Iterable[Value]) -> None:
        """Of these ids it is known whether they are taken."""
        new = set(ids) - self._asked[name]
        if new:
            self._taken[name] |= await ids_present(self._connection, TABLES[name], new)
            self._asked[name] |= new

    async def among(self, name: str, ids: Sequence[Value]) -> set[Value]:
        """Those of the ids that are taken."""
        if not self._asked[name].issuperset(ids):
            await self.ask(name, ids)
        return self._taken[name].intersection(ids)

    def take(self, name: str, ids: Iterable[Value]) -> None:
        """Rows of these ids, which were asked for, stand from now on."""
        self._taken[name].update(ids)
