"""In whose name a row stands: nobody writes in another's. Promise 7 (Authority)."""

from collections.abc import Iterator

from fieldmesh.codec.columns import TableRows
from fieldmesh.data.model import ReplicatedTable
from fieldmesh.data.types import Value
from hub.rules.documents import Refusal
from hub.rules.rights import Writer


def in_another_name(writer: Writer, table: ReplicatedTable, rows: TableRows) -> Iterator[Refusal]:
    """The rows that name another position or another person as the one who wrote them."""
    for name in table.policy.author & set(rows.names):
        is_position = table.column(name).references == "position"
        own: set[Value] = {writer.position_id} if is_position else set(writer.people)
        values = rows.column(name)
        foreign = set(values) - own - {None}
        if foreign:
            yield from (
                Refusal(table.name, row_id, "another_name", {"column": name})
                for row_id, value in zip(rows.column("id"), values, strict=True)
                if value in foreign and isinstance(row_id, bytes)
            )
