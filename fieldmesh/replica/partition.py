"""Partition and patch keys (docs/architecture/core.md, section 2): worked out, not registered."""

from collections.abc import Iterable
from hashlib import blake2b

from fieldmesh.data.policy import PartitionKind

NOWHERE = 0
"""The partition of rows that the hub alone has."""


def partition_id(kind: PartitionKind | str, key: bytes = b"") -> int:
    """The 63-bit number of a partition; global has an empty key."""
    text = f"{kind}:{key.hex()}".encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big") >> 1


def patch_id(position_ids: Iterable[bytes]) -> bytes:
    """The 16 bytes that name a set of positions."""
    return blake2b(b"patch" + b"".join(sorted(set(position_ids))), digest_size=16).digest()


GLOBAL = partition_id(PartitionKind.GLOBAL)
"""The partition that everyone has."""
