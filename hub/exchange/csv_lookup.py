"""Codes → ids, read once for a file and kept while it is loaded."""

from fieldmesh.data.types import Value
from hub.exchange.csv_kinds import KEYS, SEPARATOR, Kind
from hub.storage.rows import Connection, all_rows

Key = tuple[Value, ...]


class Codes:
    """What the rows of a database are called, table by table; read when first asked for."""

    def __init__(self, connection: Connection) -> None:
        """Nothing is read yet."""
        self._connection = connection
        self._known: dict[str, dict[str, bytes]] = {}

    async def read(self, table: str) -> dict[str, bytes]:
        """Code → id of every row of the table; parts of longer codes are joined by ``/``."""
        if table not in self._known:
            self._known[table] = await self._read(table)
        return self._known[table]

    async def _read(self, table: str) -> dict[str, bytes]:
        names = KEYS[table]
        rows = await all_rows(self._connection, table, ("id", *names))
        if len(names) == 1:
            return {str(row[1]): row[0] for row in rows if isinstance(row[0], bytes)}
        owner = "product" if table == "product_unit" else "position"
        titles = {row_id: code for code, row_id in (await self.read(owner)).items()}
        return {
            f"{titles.get(row[1])}{SEPARATOR}{row[2]}": row[0]
            for row in rows
            if isinstance(row[0], bytes) and isinstance(row[1], bytes) and isinstance(row[2], str)
        }


async def ids_by_key(connection: Connection, kind: Kind) -> dict[Key, bytes]:
    """Key values → id of every row of the kind."""
    names = KEYS[kind.name]
    rows = await all_rows(connection, kind.name, ("id", *names))
    return {tuple(row[1:]): row[0] for row in rows if isinstance(row[0], bytes)}
