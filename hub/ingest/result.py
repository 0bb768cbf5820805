"""What the hub's transactions on groups of batches came to."""

from dataclasses import dataclass, field, fields


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
    last: bytes = b""
    """Hash of the batch that was applied last."""
    unfinished: set[bytes] = field(default_factory=set)
    """Devices of which more waits that could be decided now."""

    def add(self, later: "GroupResult") -> None:
        """What a later transaction came to counts too."""
        for one in fields(self):
            held, more = getattr(self, one.name), getattr(later, one.name)
            if isinstance(held, int):
                setattr(self, one.name, held + more)
        self.lsn = later.lsn
        self.unfinished |= later.unfinished
