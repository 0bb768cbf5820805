"""Keeps the patches of outlets and legal parties true to the assignments."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from fieldmesh.data.types import Value, as_bytes
from hub.rules.patches import (
    NOBODY,
    Assignment,
    Positions,
    party_positions,
    patch_for,
    serving_positions,
)
from hub.storage.changes import ChangeWriter
from hub.storage.org_changes import update_rows
from hub.storage.rows import Connection, rows_where
from hub.storage.scopes import add_patches, positions_of_patches


@dataclass(slots=True)
class Moved:
    """What a refresh of patches did.

    Attributes:
        rows: outlets and legal parties that changed their patch.
        positions: positions that one of the patches, old or new, contains.
        parties: legal parties of the outlets that were looked at.
    """

    rows: int = 0
    positions: set[bytes] = field(default_factory=set)
    parties: set[bytes] = field(default_factory=set)


async def refresh_outlets(
    writer: ChangeWriter, outlets: Collection[bytes], day: str, moved: Moved
) -> None:
    """The outlets stand in the patch of the positions that serve them on ``day``."""
    names = ("id", "patch_id", "legal_party_id")
    rows = await rows_where(writer.connection, "outlet", names, "id", outlets)
    serving = await _serving(writer.connection, [as_bytes(row[0]) for row in rows], day)
    moved.parties.update(row[2] for row in rows if isinstance(row[2], bytes))
    held = {as_bytes(row[0]): row[1] for row in rows}
    wanted = {outlet: serving.get(outlet, NOBODY) for outlet in held}
    await _move(writer, "outlet", held, wanted, moved)


async def refresh_parties(
    writer: ChangeWriter, parties: Collection[bytes], day: str, moved: Moved
) -> None:
    """The legal parties stand in the patch of all who serve one of their outlets on ``day``."""
    connection = writer.connection
    rows = await rows_where(connection, "legal_party", ("id", "patch_id"), "id", parties)
    outlets = await rows_where(
        connection, "outlet", ("id", "legal_party_id"), "legal_party_id", parties
    )
    party_of = {as_bytes(row[0]): row[1] if isinstance(row[1], bytes) else None for row in outlets}
    union = party_positions(party_of, await _serving(connection, list(party_of), day))
    held = {as_bytes(row[0]): row[1] for row in rows}
    wanted = {party: union.get(party, NOBODY) for party in held}
    await _move(writer, "legal_party", held, wanted, moved)


async def _serving(
    connection: Connection, outlets: Iterable[bytes], day: str
) -> dict[bytes, Positions]:
    names = ("outlet_id", "position_id", "valid_from", "valid_to")
    rows = await rows_where(connection, "outlet_assignment", names, "outlet_id", outlets)
    assignments = (
        Assignment(as_bytes(row[0]), as_bytes(row[1]), _day(row[2]), _day(row[3])) for row in rows
    )
    return serving_positions(assignments, day)


async def _move(
    writer: ChangeWriter,
    table: str,
    held: dict[bytes, Value],
    wanted: dict[bytes, Positions],
    moved: Moved,
) -> None:
    patches = {positions: patch_for(positions) for positions in set(wanted.values())}
    changes = [
        (row_id, patches[positions])
        for row_id, positions in wanted.items()
        if patches[positions] != held[row_id]
    ]
    if not changes:
        return
    new = {patch: positions for positions, patch in patches.items() if patch is not None}
    await add_patches(writer.connection, new)
    left = {held[row_id] for row_id, _ in changes}
    old = [patch for patch in left if isinstance(patch, bytes)]
    for positions in (await positions_of_patches(writer.connection, old)).values():
        moved.positions |= positions
    for row_id, _ in changes:
        moved.positions |= wanted[row_id]
    moved.rows += await update_rows(writer, table, ("id", "patch_id"), changes)


def _day(value: Value) -> str | None:
    return value if isinstance(value, str) else None
