"""Identifiers: UUIDv7, 16 bytes, made where the row is born. Source: RFC 9562, section 5.7."""

import random
import uuid
from hashlib import blake2b
from typing import NewType

from fieldmesh.basics.clock import Clock

DeviceId = NewType("DeviceId", bytes)
GatewayId = NewType("GatewayId", bytes)
PositionId = NewType("PositionId", bytes)
UserId = NewType("UserId", bytes)
RowId = NewType("RowId", bytes)

_LOW_BITS = 62
_MIDDLE_BITS = 12


class IdentifierMaker:
    """Makes identifiers that sort by the time they were made, also within one millisecond."""

    def __init__(self, clock: Clock, randomness: random.Random) -> None:
        """Identifiers take their time from ``clock`` and their tail from ``randomness``."""
        self._clock = clock
        self._random = randomness
        self._last = 0

    def new(self) -> bytes:
        """A new identifier, above every one that this maker made before. Not thread-safe."""
        milliseconds = self._clock.now() // 1000
        middle = self._random.getrandbits(_MIDDLE_BITS - 1)
        ticket = (milliseconds << _MIDDLE_BITS) | middle
        if ticket <= self._last:
            ticket = self._last + 1
        self._last = ticket
        milliseconds, middle = ticket >> _MIDDLE_BITS, ticket & ((1 << _MIDDLE_BITS) - 1)
        value = (milliseconds << 80) | (0x7 << 76) | (middle << 64)
        value |= (0b10 << _LOW_BITS) | self._random.getrandbits(_LOW_BITS)
        return value.to_bytes(16, "big")


def stable_id(kind: str, *key: object) -> bytes:
    """The identifier of a thing, the same at each run (UUID version 8, RFC 9562): loading again changes nothing."""
    digest = bytearray(blake2b(repr((kind, *key)).encode(), digest_size=16).digest())
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return bytes(digest)


def stable_document_id(at: int, kind: str, *key: object) -> bytes:
    """As `stable_id`, for a document made at ``at`` (UTC microseconds): it sorts by that time, as UUIDv7 do."""
    moment = (max(0, at) // 1000).to_bytes(6, "big")
    rest = bytearray(stable_id(kind, *key)[6:])
    rest[0] = rest[0] & 0x0F | 0x70
    return moment + bytes(rest)


def to_text(identifier: bytes) -> str:
    """The identifier in the usual form with hyphens."""
    plain = identifier.hex()
    return f"{plain[:8]}-{plain[8:12]}-{plain[12:16]}-{plain[16:20]}-{plain[20:]}"


def from_text(text: str) -> bytes:
    """The 16 bytes of an identifier in any usual form.

    Raises:
        ValueError: the text is not a UUID.
    """
    return uuid.UUID(text).bytes
