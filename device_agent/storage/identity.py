"""The device's key and certificates at rest. The private key is sealed under the database key."""

import ssl

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from device_agent.storage.home import Home, write_durably
from device_agent.storage.sealed import seal, unseal
from fieldmesh.basics.errors import Rejected

_PLACE = "key.enc"


def save_private_key(
    home: Home, key: bytes, private_key: ec.EllipticCurvePrivateKey
) -> None:
    """The private key is durable, sealed under the database key."""
    content = private_key.private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
    )
    write_durably(home.private_key, seal(key, content, _PLACE))


def load_private_key(home: Home, key: bytes) -> ec.EllipticCurvePrivateKey:
    """The private key.

    Raises:
        Rejected: `sealed_file_damaged` or `device_home_damaged`.
    """
    content = unseal(key, home.private_key.read_bytes(), _PLACE)
    private_key = load_der_private_key(content, password=None)
    if not isinstance(private_key, ec.EllipticCurvePrivateKey):
        raise Rejected("device_home_damaged", place=str(home.private_key))
    return private_key


def private_key_pem(private_key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key as gRPC takes it; never written anywhere."""
    return private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def certificate_pem(certificate: bytes) -> bytes:
    """A DER certificate as gRPC takes it."""
    return ssl.DER_cert_to_PEM_cert(certificate).encode("ascii")
