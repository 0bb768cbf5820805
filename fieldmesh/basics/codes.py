"""One-time enrolment codes: FM-<secret>-<authority>, both base32 without padding.

80 bits of secret, and the first 80 bits of the sha256 of the authority's certificate (DER), so that
whoever types the code also checks whom they talk to.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.limits import CODE_CHARACTERS

SECRET_BYTES = 10
FINGERPRINT_BYTES = 10
_PARTS = 3


@dataclass(frozen=True, slots=True)
class EnrolmentCode:
    """A parsed code.

    Attributes:
        secret: 10 random bytes, valid once.
        authority: first 10 bytes of the sha256 of the authority's certificate (DER).
    """

    secret: bytes
    authority: bytes

    def matches(self, certificate: bytes) -> bool:
        """Whether the code was made by the authority with this certificate (DER)."""
        return authority_fingerprint(certificate) == self.authority


def authority_fingerprint(certificate: bytes) -> bytes:
    """The first 10 bytes of the sha256 of a certificate (DER)."""
    return hashlib.sha256(certificate).digest()[:FINGERPRINT_BYTES]


def make_code(secret: bytes, certificate: bytes) -> str:
    """The code that a person types."""
    return f"FM-{_base32(secret)}-{_base32(authority_fingerprint(certificate))}"


def parse_code(text: str) -> EnrolmentCode:
    """The parts of a code, typed in either case, with or without blanks around it.

    Raises:
        Rejected: `bad_code`, the text is no enrolment code.
    """
    if len(text) > CODE_CHARACTERS:
        raise Rejected("bad_code", place="enrolment code")
    parts = text.strip().upper().split("-")
    if len(parts) != _PARTS or parts[0] != "FM":
        raise Rejected("bad_code", place="enrolment code")
    try:
        secret, authority = base64.b32decode(parts[1]), base64.b32decode(parts[2])
    except (binascii.Error, ValueError):
        raise Rejected("bad_code", place="enrolment code") from None
    if len(secret) != SECRET_BYTES or len(authority) != FINGERPRINT_BYTES:
        raise Rejected("bad_code", place="enrolment code")
    return EnrolmentCode(secret, authority)


def _base32(value: bytes) -> str:
    return base64.b32encode(value).decode("ascii").rstrip("=")
