"""Device certificates as they come with a session; parsed once per certificate."""

from __future__ import annotations

from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from fieldmesh.basics.errors import Rejected


@lru_cache(maxsize=4_096)
def public_key_of(certificate: bytes) -> ec.EllipticCurvePublicKey:
    """The key whose signatures count as the certificate's holder's.

    Args:
        certificate: DER, already checked by TLS or against the authority.

    Raises:
        Rejected: ``foreign_certificate`` if it is not an ECDSA key.
    """
    key = x509.load_der_x509_certificate(certificate).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Rejected("foreign_certificate", place="certificate key")
    return key
