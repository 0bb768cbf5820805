"""Digests: sums over row hashes. Equal digests = equal rows; the order of rows does not matter."""

from collections.abc import Iterable
from dataclasses import dataclass

BUCKETS = 16
ALL_BUCKETS = 16
"""`Digest.bucket` when the digest covers all buckets."""
_LOW_MASK = 0xFFFFFFFF
_LOW_BITS = 32


@dataclass(frozen=True, slots=True)
class Sums:
    """Rows, and the sums of the low 32 and the high 30 bits of their hashes."""

    rows: int = 0
    low: int = 0
    high: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        """Both sets together."""
        return Sums(self.rows + other.rows, self.low + other.low, self.high + other.high)

    def __sub__(self, other: "Sums") -> "Sums":
        """This set without the other."""
        return Sums(self.rows - other.rows, self.low - other.low, self.high - other.high)


@dataclass(frozen=True, slots=True)
class Digest:
    """The digest of a partition, a table in it, or a bucket of that table."""

    partition: int
    rows: int
    low: int
    high: int
    table: str = ""
    bucket: int = ALL_BUCKETS

    @property
    def sums(self) -> Sums:
        """Its sums."""
        return Sums(self.rows, self.low, self.high)


def sums_of(hashes: Iterable[int]) -> Sums:
    """The sums of a set of row hashes."""
    held = list(hashes)
    low = sum(map(_LOW_MASK.__and__, held))
    return Sums(len(held), low, (sum(held) - low) >> _LOW_BITS)


def bucket_of(row_id: bytes) -> int:
    """The bucket of a row: the high half of its id's last byte."""
    return row_id[-1] >> 4


def bucket_bytes(bucket: int) -> tuple[int, int]:
    """First and last value of the id's last byte in a bucket (or in all)."""
    if bucket == ALL_BUCKETS:
        return 0, 255
    return bucket << 4, bucket << 4 | 15


def differing(own: Iterable[Digest], other: Iterable[Digest]) -> list[tuple[Digest, Digest | None]]:
    """Where two nodes differ, by (partition, table, bucket): own digest and the other's.

    The other's is None where the other has none; own sums are zero where we have none.
    """
    theirs = {(d.partition, d.table, d.bucket): d for d in other}
    found: list[tuple[Digest, Digest | None]] = []
    for mine in own:
        against = theirs.pop((mine.partition, mine.table, mine.bucket), None)
        if (against.sums if against else Sums()) != mine.sums:
            found.append((mine, against))
    found.extend(
        (Digest(d.partition, 0, 0, 0, d.table, d.bucket), d) for d in theirs.values() if d.rows
    )
    return found
