"""Plain SQL on the device's database, for programs and people.

Whatever writes to a replicated table is captured by its triggers in the same transaction; this
module adds nothing to that but values that can be printed.
"""

from dataclasses import dataclass

from device_agent.storage.database import Connection

Value = int | str | bytes | float | None


@dataclass(frozen=True, slots=True)
class Result:
    """What a statement gave."""

    columns: list[str]
    rows: list[tuple[Value, ...]]
    rows_changed: int

    def printable(self) -> list[dict[str, int | str | float | None]]:
        """Rows by column name; identifiers in hex."""
        return [
            {
                name: value.hex() if isinstance(value, bytes) else value
                for name, value in zip(self.columns, row, strict=True)
            }
            for row in self.rows
        ]


def run_sql(connection: Connection, statement: str, values: tuple[Value, ...] = ()) -> Result:
    """The statement has been run within the caller's transaction."""
    cursor = connection.execute(statement, values)
    columns = [line[0] for line in cursor.description or ()]
    rows = cursor.fetchall() if columns else []
    return Result(columns, rows, max(cursor.rowcount, 0))


def tables(connection: Connection) -> dict[str, int]:
    """Tables and how many rows each has, without the agent's own."""
    names = [
        name
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
            " AND name NOT LIKE 'fm\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite%' ORDER BY name"
        )
    ]
    return {
        name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608
        for name in names
    }
