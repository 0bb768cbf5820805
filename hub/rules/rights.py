"""Who may write what: the table's writers against the role of the position, and its scope.

Promise 7 (Authority).
"""

from collections.abc import Container
from dataclasses import dataclass

from fieldmesh.data.model import ReplicatedTable
from fieldmesh.data.policy import WriterRole


@dataclass(frozen=True, slots=True)
class Writer:
    """Who stands behind a batch.

    Attributes:
        role: kind of the role of the device's position; None when the position has no role that
            writes.
        partitions: partitions that the position may see, its own and its device's included.
        position_id: the device's position.
        people: users who fill that position, or did.
    """

    role: WriterRole | None
    partitions: Container[int]
    position_id: bytes | None = None
    people: frozenset[bytes] = frozenset()


def why_not_table(writer: Writer, table: ReplicatedTable) -> str | None:
    """Why the writer may not write that table at all, as a problem code; None when it may."""
    if writer.role is None:
        return "not_your_table"
    return None if writer.role in table.policy.writers else "not_your_table"


def why_not_row(writer: Writer, table: ReplicatedTable, partition: int) -> str | None:
    """Why a row of that partition is out of the writer's reach, as a problem code.

    None when it is not.

    Rows of upload-only tables stand in partition 0 and have no scope.
    """
    if partition == 0:
        return None if table.upload_only else "outside_scope"
    return None if partition in writer.partitions else "outside_scope"
