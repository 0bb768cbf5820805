"""Keys, certificate requests, names in certificates, and an authority known by its fingerprint.

Every node has one ECDSA P-256 key and one certificate of the hub's authority. Who a node is stands
in a SAN URI: ``fieldmesh:device:<uuid>`` or ``fieldmesh:gateway:<uuid>``. Issuing is the hub's own.
"""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import socket
import uuid
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from fieldmesh.basics.codes import authority_fingerprint
from fieldmesh.basics.errors import Rejected, Retry

GATEWAY_NAME: Final = "gateway.fieldmesh"
"""Every gateway's certificate carries this name, so a device needs no DNS to know one."""
HUB_NAME: Final = "hub.fieldmesh"
URI_PREFIX: Final = "fieldmesh"
NODE_KINDS: Final = frozenset({"device", "gateway"})
FETCH_TIMEOUT_S: Final = 10.0
UNREADABLE: Final = (
    ValueError,
    TypeError,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What the library says of a certificate or request that a stranger has made up."""
_MOST_CHAIN: Final = 8
_LONG_LENGTH: Final = 0x80
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND: Final = datetime.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """Who showed a certificate.

    Attributes:
        node_kind: ``device`` or ``gateway``.
        node_id: 16 bytes.
        der: the certificate.
        fingerprint: SHA-256 of the certificate, lower-case hex.
        public_key: DER SubjectPublicKeyInfo.
    """

    node_kind: str
    node_id: bytes
    der: bytes
    fingerprint: str
    public_key: bytes


def make_key() -> ec.EllipticCurvePrivateKey:
    """A new private key, ECDSA P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def key_der(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The private key, DER PKCS #8, not encrypted: whoever stores it protects it."""
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The private key, PEM PKCS #8, not encrypted: whoever stores it protects it."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def load_key(data: bytes) -> ec.EllipticCurvePrivateKey:
    """The private key in DER or PEM.

    Raises:
        Rejected: `key_file_damaged`.
    """
    try:
        if data.startswith(b"-----"):
            key = serialization.load_pem_private_key(data, password=None)
        else:
            key = serialization.load_der_private_key(data, password=None)
    except ValueError:
        raise Rejected("key_file_damaged") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Rejected("key_file_damaged")
    return key


def public_key_der(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public half, DER SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def make_csr(key: ec.EllipticCurvePrivateKey, common_name: str) -> bytes:
    """A certificate request (DER, signed by ``key``); the hub takes only the public key from it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.DER)


def device_uri(node_id: bytes) -> str:
    """What a device's certificate carries as SAN URI."""
    return f"{URI_PREFIX}:device:{uuid.UUID(bytes=node_id)}"


def gateway_uri(node_id: bytes) -> str:
    """What a gateway's certificate carries as SAN URI."""
    return f"{URI_PREFIX}:gateway:{uuid.UUID(bytes=node_id)}"


def gateway_dns_names(node_id: bytes) -> list[str]:
    """What a gateway's certificate carries as SAN DNS names."""
    return [GATEWAY_NAME, f"{node_id.hex()}.{GATEWAY_NAME}"]


def certificate_pem(der: bytes) -> bytes:
    """A certificate as PEM; of several, one behind the other.

    Raises:
        Rejected: `key_file_damaged`.
    """
    try:
        return b"".join(
            x509.load_der_x509_certificate(one).public_bytes(serialization.Encoding.PEM)
            for one in each_certificate(der)
        )
    except ValueError:
        raise Rejected("key_file_damaged", place="certificate") from None


def each_certificate(der: bytes) -> list[bytes]:
    """The certificates that stand one behind the other (DER tells its own length).

    Raises:
        Rejected: `key_file_damaged`.
    """
    found: list[bytes] = []
    while der:
        size = _der_size(der)
        if not 0 < size <= len(der):
            raise Rejected("key_file_damaged", place="certificate")
        found.append(der[:size])
        der = der[size:]
    if not found:
        raise Rejected("key_file_damaged", place="certificate")
    return found


def _der_size(der: bytes) -> int:
    first = der[1] if len(der) > 1 else 0
    if first < _LONG_LENGTH:
        return 2 + first
    places = first - _LONG_LENGTH
    return 2 + places + int.from_bytes(der[2 : 2 + places], "big")


def authorities(der: bytes) -> list[bytes]:
    """Of certificates one behind the other, those of authorities; a bridge between two is none."""
    return [one for one in each_certificate(der) if _vouches(one, one)]


def to_show(authority: bytes) -> bytes:
    """Authorities and bridges as a server shows them behind its certificate: the bridges first.

    Who trusts an older authority alone must meet the bridge before the new one itself, which it
    could only refuse; who trusts the new one finds it among those it trusts before it looks here.
    """
    every = each_certificate(authority)
    roots = authorities(authority)
    return b"".join([*(one for one in every if one not in roots), *roots])


def learn_authorities(held: bytes, shown: bytes) -> bytes:
    """Every authority that is held, or that `held` vouches for, the newest first.

    An authority is believed when one that is believed has signed its key: the bridge certificate
    that `fieldmesh-hub authority renew` makes. Whoever shows it needs no trust of its own.

    Args:
        held: authorities that are trusted, DER, one behind the other.
        shown: authorities and bridges, in any order; may be empty.
    """
    believed = dict.fromkeys(each_certificate(held))
    offered = each_certificate(shown) if shown else []
    while True:
        new = [
            one
            for one in offered
            if one not in believed and any(_vouches(other, one) for other in believed)
        ]
        if not new:
            break
        keys = {_key_of(one) for one in new}
        believed |= dict.fromkeys(
            [*new, *(one for one in authorities(shown) if _key_of(one) in keys)]
        )
    roots: list[bytes] = [one for one in believed if _vouches(one, one)]
    roots.sort(key=certificate_begins, reverse=True)
    return b"".join(roots)


def _vouches(issuer: bytes, subject: bytes) -> bool:
    """Whether the one authority has signed the other's certificate."""
    try:
        signed, signer = (x509.load_der_x509_certificate(one) for one in (subject, issuer))
        signed.verify_directly_issued_by(signer)
        limits = signed.extensions.get_extension_for_class(x509.BasicConstraints).value
    except UNREADABLE:
        return False
    return limits.ca


def _key_of(der: bytes) -> bytes:
    return (
        x509.load_der_x509_certificate(der)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def is_issued_by(der: bytes, authority: bytes) -> bool:
    """Whether that authority (the first, of several) has signed the certificate."""
    try:
        issuer = x509.load_der_x509_certificate(each_certificate(authority)[0])
        x509.load_der_x509_certificate(der).verify_directly_issued_by(issuer)
    except UNREADABLE:
        return False
    return True


def certificate_der(pem: bytes) -> bytes:
    """A certificate (the first of the text) as DER."""
    return x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)


def certificate_ends(der: bytes) -> int:
    """When the certificate ends, UTC microseconds."""
    return (x509.load_der_x509_certificate(der).not_valid_after_utc - _EPOCH) // _MICROSECOND


def certificate_begins(der: bytes) -> int:
    """When the certificate begins to hold, UTC microseconds."""
    return (x509.load_der_x509_certificate(der).not_valid_before_utc - _EPOCH) // _MICROSECOND


def fingerprint(der: bytes) -> str:
    """SHA-256 of the certificate, lower-case hex."""
    return hashlib.sha256(der).hexdigest()


@lru_cache(maxsize=2_048)
def read_certificate(der: bytes) -> PeerCertificate:
    """Who the certificate is for. Who signed it is not looked at.

    Raises:
        Rejected: `foreign_certificate`: it names no node of Fieldmesh.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except UNREADABLE:
        raise Rejected("foreign_certificate", place="certificate") from None
    for uri in names.get_values_for_type(x509.UniformResourceIdentifier):
        prefix, _, rest = uri.partition(":")
        kind, _, text = rest.partition(":")
        if prefix == URI_PREFIX and kind in NODE_KINDS:
            return _peer(certificate, der, kind, text)
    raise Rejected("foreign_certificate", place="certificate")


def _peer(certificate: x509.Certificate, der: bytes, kind: str, text: str) -> PeerCertificate:
    try:
        node_id = uuid.UUID(text).bytes
        key = certificate.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    except UNREADABLE:
        raise Rejected("foreign_certificate", place="certificate") from None
    return PeerCertificate(kind, node_id, der, fingerprint(der), key)


def check_certificate(der: bytes, authority: bytes) -> PeerCertificate:
    """Who the certificate is for; the authority has signed it.

    Whether it holds today is not looked at: what a device signed while its certificate held may
    come late.

    Args:
        der: the certificate.
        authority: the authority's certificate, DER; of several, any may have signed.

    Raises:
        Rejected: `foreign_certificate`.
    """
    if not any(is_issued_by(der, one) for one in each_certificate(authority)):
        raise Rejected("foreign_certificate", place="certificate")
    return read_certificate(der)


def certificate_problem(der: bytes, authority: bytes, now: int, place: str) -> Rejected | None:
    """Why others of this network will not accept the certificate, or None if they will.

    Args:
        der: the certificate.
        authority: the authority's certificate, DER.
        now: UTC microseconds.
        place: where the certificate stands, for a person.
    """
    try:
        check_certificate(der, authority)
    except Rejected:
        return Rejected("foreign_certificate", place=place)
    return Rejected("certificate_expired", place=place) if certificate_ends(der) < now else None


async def fetch_authority(
    host: str, port: int, wanted: bytes, *, timeout_s: float = FETCH_TIMEOUT_S
) -> bytes:
    """The authority's certificate (DER) that the server shows, known by its fingerprint.

    The handshake itself is not verified: what it shows is believed only if it is the certificate
    that the enrolment code names. The server must send its whole chain.

    Args:
        host: name or address.
        port: TLS port.
        wanted: the fingerprint in the enrolment code (`basics.codes.EnrolmentCode.authority`).
        timeout_s: for the whole exchange.

    Raises:
        Rejected: `authority_unknown`: another authority answers there.
        Retry: `no_gateway_reachable`.
    """
    try:
        async with asyncio.timeout(timeout_s):
            chain = await asyncio.to_thread(_shown_chain, host, port, timeout_s)
    except (OSError, TimeoutError, SSL.Error) as error:
        raise Retry("no_gateway_reachable", place=f"{host}:{port}") from error
    for der in chain:
        if authority_fingerprint(der) == wanted:
            return der
    raise Rejected("authority_unknown", place=f"{host}:{port}")


def _shown_chain(host: str, port: int, timeout_s: float) -> list[bytes]:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_verify(SSL.VERIFY_NONE)
    context.set_alpn_protos([b"h2", b"http/1.1"])
    with socket.create_connection((host, port), timeout=timeout_s) as plain:
        # pyOpenSSL wants a blocking socket; the kernel's own time-outs still end a silent server.
        plain.settimeout(None)
        _limit_waiting(plain, timeout_s)
        line = SSL.Connection(context, plain)
        line.set_tlsext_host_name(GATEWAY_NAME.encode("ascii"))
        line.set_connect_state()
        line.do_handshake()
        chain = line.get_peer_cert_chain(as_cryptography=True) or []
    return [found.public_bytes(serialization.Encoding.DER) for found in chain[:_MOST_CHAIN]]


def _limit_waiting(line: socket.socket, timeout_s: float) -> None:
    seconds = int(timeout_s)
    limit = seconds.to_bytes(8, "little") + int((timeout_s - seconds) * 1e6).to_bytes(8, "little")
    if hasattr(socket, "SO_RCVTIMEO"):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
