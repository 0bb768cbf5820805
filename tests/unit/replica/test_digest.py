"""Digests: equal sums, equal rows."""

from fieldmesh.replica.digest import (
    ALL_BUCKETS,
    BUCKETS,
    Digest,
    Sums,
    bucket_bytes,
    bucket_of,
    differing,
    sums_of,
)

HASHES = [(1 << 62) - 1, 1, 0xFFFFFFFF, 1 << 32]


def test_sums_are_of_the_two_halves() -> None:
    """Each sum stays in a signed integer, for billions of rows."""
    assert sums_of(HASHES) == Sums(4, 0xFFFFFFFF + 1 + 0xFFFFFFFF, (1 << 30) - 1 + 1)
    assert sums_of([]) == Sums()


def test_sums_can_be_kept_as_rows_come_and_go() -> None:
    """Nobody counts forty thousand rows at each sync."""
    assert sums_of(HASHES[:2]) + sums_of(HASHES[2:]) == sums_of(HASHES)
    assert sums_of(HASHES) - sums_of(HASHES[2:]) == sums_of(HASHES[:2])


def test_every_row_has_one_bucket() -> None:
    """A repair that misses a bucket never ends."""
    for bucket in range(BUCKETS):
        first, last = bucket_bytes(bucket)
        ids = [bytes(15) + bytes([byte]) for byte in range(first, last + 1)]
        assert {bucket_of(one) for one in ids} == {bucket}
        assert len(ids) == 16
    assert ALL_BUCKETS == 16
    assert bucket_bytes(ALL_BUCKETS) == (0, 255)


def test_differences_are_found_on_both_sides() -> None:
    """Rows that only the other has differ as much as rows that only we have."""
    equal, ours = Digest(1, 2, 3, 4, "contact", 0), Digest(1, 1, 1, 1, "contact", 1)
    theirs, changed = Digest(2, 5, 5, 5), Digest(1, 2, 3, 5, "contact", 0)
    assert differing([equal], [equal]) == []
    assert differing([equal, ours], [changed, theirs]) == [
        (equal, changed),
        (ours, None),
        (Digest(2, 0, 0, 0), theirs),
    ]


def test_nothing_and_no_digest_are_equal() -> None:
    """An empty partition has no line at some nodes and a line of zeros at others."""
    empty = Digest(1, 0, 0, 0)
    assert differing([empty], []) == []
    assert differing([], [empty]) == []
    assert empty.sums == Sums()
