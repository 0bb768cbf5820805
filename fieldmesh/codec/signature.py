"""Signatures: ECDSA over P-256 with SHA-256, DER, by the key behind the node's certificate."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from fieldmesh.basics.errors import Rejected

_ALGORITHM = ec.ECDSA(hashes.SHA256())


def new_key() -> ec.EllipticCurvePrivateKey:
    """A new private key."""
    return ec.generate_private_key(ec.SECP256R1())


def sign(key: ec.EllipticCurvePrivateKey, content: bytes) -> bytes:
    """The signature of the content, DER."""
    return key.sign(content, _ALGORITHM)


def verify(
    key: ec.EllipticCurvePublicKey, content: bytes, signature: bytes, *, place: str = ""
) -> None:
    """The content was signed by the holder of the key.

    Args:
        key: the holder's.
        content: what was signed.
        signature: DER.
        place: what it is, for the problem.

    Raises:
        Rejected: `signature_invalid`.
    """
    try:
        key.verify(signature, content, _ALGORITHM)
    except InvalidSignature:
        raise Rejected("signature_invalid", place=place) from None
