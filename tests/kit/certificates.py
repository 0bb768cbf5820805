"""Certificates of other servers, and such that nobody should accept: with other dates, or by another authority."""

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fieldmesh.basics.clock import SystemClock
from fieldmesh.service.tls import certificate_pem
from hub.trust.authority import Authority, key_to_pem


@dataclass(frozen=True)
class ServerFiles:
    """PEM files of a server on this machine."""

    authority: Path
    chain: Path
    key: Path


def server_files(folder: Path) -> ServerFiles:
    """A server called localhost, and an authority that only it has."""
    folder.mkdir(exist_ok=True)
    authority = Authority.create(folder / "authority", SystemClock(), "Somebody else")
    key = ec.generate_private_key(ec.SECP256R1())
    issued = authority.issue_server(key.public_key(), ["localhost"])
    files = ServerFiles(folder / "authority.pem", folder / "chain.pem", folder / "key.pem")
    files.authority.write_bytes(authority.pem)
    files.chain.write_bytes(certificate_pem(issued.der) + authority.pem)
    files.key.write_bytes(key_to_pem(key))
    return files


_DAY = datetime.timedelta(days=1)


def authority_key(hub: Path) -> ec.EllipticCurvePrivateKey:
    """The key of the authority of the hub in that folder."""
    content = (hub / "trust" / "authority_key.pem").read_bytes()
    key = serialization.load_pem_private_key(content, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def stranger_key() -> ec.EllipticCurvePrivateKey:
    """The key of an authority that nobody here knows."""
    return ec.generate_private_key(ec.SECP256R1())


def ended(certificate: bytes, signer: ec.EllipticCurvePrivateKey) -> bytes:
    """The same certificate, signed by the key, but it ended yesterday."""
    today = datetime.datetime.now(datetime.UTC)  # noqa: TID251 - TLS looks at the machine's clock
    return _copy(certificate, signer, today - 9 * _DAY, today - _DAY)


def of_tomorrow(certificate: bytes, signer: ec.EllipticCurvePrivateKey) -> bytes:
    """The same certificate, signed by the key, but it begins tomorrow."""
    today = datetime.datetime.now(datetime.UTC)  # noqa: TID251 - TLS looks at the machine's clock
    return _copy(certificate, signer, today + _DAY, today + 365 * _DAY)


def signed_by(certificate: bytes, signer: ec.EllipticCurvePrivateKey) -> bytes:
    """The same certificate, but signed by that key."""
    held = x509.load_der_x509_certificate(certificate)
    return _copy(certificate, signer, held.not_valid_before_utc, held.not_valid_after_utc)


def _copy(
    certificate: bytes,
    signer: ec.EllipticCurvePrivateKey,
    begins: datetime.datetime,
    ends: datetime.datetime,
) -> bytes:
    held = x509.load_der_x509_certificate(certificate)
    key = held.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    builder = x509.CertificateBuilder(
        issuer_name=held.issuer,
        subject_name=held.subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=begins,
        not_valid_after=ends,
    )
    for extension in held.extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
