"""What the hub's transactions on groups of batches came to."""

from dataclasses import dataclass


@dataclass(slots=True)
class GroupResult:
    """What a transaction came to."""

    lsn: int = 0
    applied: int = 0
    rows: int = 0
    refused: int = 0
    waiting: int = 0
    early: int = 0
    """Rows that wait for a row of another device."""
    quarantined: int = 0
    breaks: int = 0
    """Batches that follow another one than was decided before them."""
    repeated: int = 0
    conflicts: int = 0
    sessions: int = 0
