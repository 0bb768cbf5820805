"""What the hub has signed for one device: the one place where a device believes it. Promises 1 and 7 (Authority).

A gateway only carries such words. Ticks begin, under the signature, with words that no wipe order can begin with, so
one is never taken for the other.
"""

from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from google.protobuf.message import DecodeError, Message

from fieldmesh.basics.errors import Rejected
from fieldmesh.codec import signature

M = TypeVar("M", bound=Message)


def parse_word(kind: type[M], content: bytes, *, code: str, place: str) -> M:
    """The message behind the bytes.

    Raises:
        Rejected: ``code``: unreadable.
    """
    try:
        return kind.FromString(content)
    except DecodeError:
        raise Rejected(code, place=place, why="unreadable") from None


def check_word(signed: bytes, proof: bytes, *, hub_key: bytes, code: str, place: str) -> None:
    """The hub has signed these bytes.

    Args:
        signed: what was signed, with its context.
        proof: the signature.
        hub_key: public key of the hub, DER.
        code: the problem when it has not.
        place: what this is, for people who look for the fault.

    Raises:
        Rejected: ``code``, with what is wrong.
    """
    key = load_der_public_key(hub_key)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Rejected(code, place="hub key", why="not an EC key")
    try:
        signature.verify(key, signed, proof)
    except Rejected:
        raise Rejected(code, place=place, why="signature") from None
