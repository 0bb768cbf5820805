"""The certificate authority of the network: one ECDSA P-256 key at the hub, and those before it.

`authority.pem` holds the authority that issues, then the bridge by which the one before vouches for
its key, then the one before, and so on. A node that trusts any of them can learn the newest.
"""

import datetime
import hashlib
import ipaddress
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.limits import CSR_BYTES
from fieldmesh.service.files import write_durably
from fieldmesh.service.tls import UNREADABLE, check_certificate, is_issued_by
from hub.trust.files import read_secret

AUTHORITY_DAYS = 20 * 365
NODE_DAYS = 365
_BACK_DAYS = 2
"""A certificate holds from before it is made, because clocks of devices may be a day slow."""
_DAY = datetime.timedelta(days=1)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


class NodeKind(StrEnum):
    """What a certificate is for."""

    DEVICE = "device"
    GATEWAY = "gateway"
    HUB = "hub"


@dataclass(frozen=True, slots=True)
class Certificate:
    """An issued certificate.

    Attributes:
        der: the certificate.
        serial: serial number, hexadecimal.
        fingerprint: sha256 of the DER, hexadecimal.
        expires_at: UTC microseconds.
    """

    der: bytes
    serial: str
    fingerprint: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class NodeName:
    """What a certificate says about its owner."""

    kind: NodeKind
    node_id: bytes
    public_key: bytes


@dataclass(frozen=True, slots=True)
class AuthorityFacts:
    """What a person wants to know of an authority; times in UTC microseconds."""

    certificate: bytes
    name: str
    began_at: int
    ends_at: int


class Authority:
    """Issues and checks certificates. Its key never leaves the folder it was made in."""

    def __init__(
        self, chain: Sequence[x509.Certificate], key: ec.EllipticCurvePrivateKey, clock: Clock
    ) -> None:
        """The authority of the chain whose key that is; earlier ones and bridges stand in it too."""
        self._chain = tuple(chain)
        self._certificate = next(one for one in chain if _is_of(one, key))
        self._key = key
        self._clock = clock
        self.certificate = self._certificate.public_bytes(serialization.Encoding.DER)
        self.chain = b"".join(one.public_bytes(serialization.Encoding.DER) for one in self._chain)
        """All of it, DER, one behind the other: what nodes are told."""

    @classmethod
    def create(cls, folder: Path, clock: Clock, company: str) -> Self:
        """A new authority, its key in ``folder``.

        Raises:
            Rejected: `authority_exists`, the folder holds one already.
        """
        if (folder / "authority_key.pem").exists():
            raise Rejected("authority_exists", place=str(folder))
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(f"{company} Fieldmesh authority"[:64])
        certificate = _authority_certificate(clock, name, key.public_key(), name, key)
        write_durably(folder / "authority_key.pem", key_to_pem(key))
        write_durably(folder / "authority.pem", _pem(certificate))
        return cls([certificate], key, clock)

    def renewed(self, folder: Path, company: str) -> "Authority":
        """A new authority that issues from now on; this one vouches for it, and stays trusted until its end.

        Durability: certificates first, the key last; without its key the new one is not in force.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        today = _today(self._clock)
        name = _name(f"{company[:20]} Fieldmesh authority of {today:%Y-%m-%d %H:%M:%S}"[:64])
        certificate = _authority_certificate(self._clock, name, key.public_key(), name, key)
        bridge = _authority_certificate(
            self._clock, name, key.public_key(), self._certificate.subject, self._key
        )
        kept = self._chain[self._chain.index(self._certificate) :]
        made = Authority([certificate, bridge, *kept], key, self._clock)
        write_durably(folder / "authority.pem", made.pem)
        write_durably(folder / "authority_key.pem", key_to_pem(key))
        return made

    @classmethod
    def load(cls, folder: Path, clock: Clock) -> Self:
        """The authority of that folder.

        Raises:
            Rejected: `key_file_missing`, `key_file_open_to_others` or `key_file_damaged`.
        """
        key = load_key(folder / "authority_key.pem")
        try:
            content = (folder / "authority.pem").read_bytes()
            return cls(x509.load_pem_x509_certificates(content), key, clock)
        except FileNotFoundError:
            raise Rejected("key_file_missing", place=str(folder / "authority.pem")) from None
        except (ValueError, StopIteration):
            raise Rejected("key_file_damaged", place=str(folder / "authority.pem")) from None

    @property
    def pem(self) -> bytes:
        """The whole chain."""
        return b"".join(_pem(one) for one in self._chain)

    @property
    def roots(self) -> "list[AuthorityFacts]":
        """The authorities that count, the one that issues first."""
        roots = [one for one in self._chain if one.subject == one.issuer]
        roots.sort(key=lambda one: one != self._certificate)
        return [_facts(one) for one in roots]

    def is_in_force(self, certificate_der: bytes) -> bool:
        """Whether an authority that has not ended has signed the certificate."""
        now = self._clock.now()
        return any(
            one.ends_at > now and is_issued_by(certificate_der, one.certificate)
            for one in self.roots
        )

    def issue_node(self, csr_der: bytes, kind: NodeKind, node_id: bytes) -> Certificate:
        """A certificate for a device or gateway; only the key is taken from the request.

        Raises:
            Rejected: `bad_csr`, the request is too large, damaged, not signed by its key, or not
                ECDSA P-256.
        """
        key = csr_key(csr_der)
        text = str(uuid.UUID(bytes=node_id))
        names: list[x509.GeneralName] = [
            x509.UniformResourceIdentifier(f"fieldmesh:{kind.value}:{text}")
        ]
        uses = [ExtendedKeyUsageOID.CLIENT_AUTH]
        if kind is NodeKind.GATEWAY:
            names.append(x509.DNSName("gateway.fieldmesh"))
            names.append(x509.DNSName(f"{node_id.hex()}.gateway.fieldmesh"))
            uses.append(ExtendedKeyUsageOID.SERVER_AUTH)
        return self._issue(key, text, names, uses)

    def issue_server(self, key: ec.EllipticCurvePublicKey, hosts: Sequence[str]) -> Certificate:
        """A certificate for the hub's own servers under the names and addresses ``hosts``."""
        wanted = dict.fromkeys(("hub.fieldmesh", "localhost", "127.0.0.1", "::1", *hosts))
        return self._issue(
            key,
            "hub.fieldmesh",
            [_general_name(host) for host in wanted],
            [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
        )

    def check(self, certificate_der: bytes) -> NodeName:
        """Who owns a certificate that this authority issued and that holds today.

        Raises:
            Rejected: `foreign_certificate`, or `certificate_expired`.
        """
        try:
            certificate = x509.load_der_x509_certificate(certificate_der)
            check_certificate(certificate_der, self.chain)
            name = _owner(certificate)
        except UNREADABLE:
            raise Rejected("foreign_certificate", place="certificate") from None
        if certificate.not_valid_after_utc < _today(self._clock):
            raise Rejected("certificate_expired", place="certificate")
        return name

    def _issue(
        self,
        key: ec.EllipticCurvePublicKey,
        common_name: str,
        names: Sequence[x509.GeneralName],
        uses: Sequence[x509.ObjectIdentifier],
    ) -> Certificate:
        builder = _builder(
            self._clock, _name(common_name), key, NODE_DAYS, self._certificate.not_valid_after_utc
        )
        builder = builder.issuer_name(self._certificate.subject)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=False, path_length=None), critical=True
        )
        builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(issuer, critical=False)
        return _issued(builder.sign(self._key, hashes.SHA256()))


def csr_key(csr_der: bytes) -> ec.EllipticCurvePublicKey:
    """The key that asks for a certificate and has proved that it is there.

    Raises:
        Rejected: `bad_csr`.
    """
    if not csr_der or len(csr_der) > CSR_BYTES:
        raise Rejected("bad_csr", place="csr", reason=f"size must be 1 to {CSR_BYTES} bytes")
    try:
        request = x509.load_der_x509_csr(csr_der)
        key = request.public_key()
        signed = request.is_signature_valid
    except UNREADABLE:
        raise Rejected("bad_csr", place="csr", reason="it cannot be read") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Rejected("bad_csr", place="csr", reason="its key must be ECDSA P-256")
    if not signed:
        raise Rejected("bad_csr", place="csr", reason="it is not signed by its own key")
    return key


def public_key_digest(key: ec.EllipticCurvePublicKey) -> str:
    """The sha256 of a public key (SubjectPublicKeyInfo), hexadecimal."""
    return hashlib.sha256(public_key_der(key)).hexdigest()


def public_key_der(key: ec.EllipticCurvePublicKey) -> bytes:
    """A public key as DER SubjectPublicKeyInfo."""
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(encoding, form)


def key_to_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as PEM, without a password: the file's mode protects it."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The private key of a file.

    Raises:
        Rejected: `key_file_missing`, `key_file_open_to_others` or `key_file_damaged`.
    """
    try:
        key = serialization.load_pem_private_key(read_secret(path), password=None)
    except ValueError:
        raise Rejected("key_file_damaged", place=str(path)) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Rejected("key_file_damaged", place=str(path))
    return key


def _owner(certificate: x509.Certificate) -> NodeName:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TypeError
    for uri in names.get_values_for_type(x509.UniformResourceIdentifier):
        scheme, _, rest = uri.partition(":")
        kind, _, node = rest.partition(":")
        if scheme == "fieldmesh" and kind in {NodeKind.DEVICE, NodeKind.GATEWAY}:
            return NodeName(NodeKind(kind), uuid.UUID(node).bytes, public_key_der(key))
    raise ValueError(names)


def _issued(certificate: x509.Certificate) -> Certificate:
    der = certificate.public_bytes(serialization.Encoding.DER)
    expires_at = (certificate.not_valid_after_utc - _EPOCH) // datetime.timedelta(microseconds=1)
    serial = f"{certificate.serial_number:x}"
    return Certificate(der, serial, hashlib.sha256(der).hexdigest(), expires_at)


def _authority_certificate(
    clock: Clock,
    name: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    signer: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    builder = _builder(clock, name, key, AUTHORITY_DAYS).issuer_name(issuer)
    for extension, critical in (
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (_usage(signs_certificates=True), True),
        (x509.SubjectKeyIdentifier.from_public_key(key), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False),
    ):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer, hashes.SHA256())


def _is_of(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> bool:
    is_root = certificate.subject == certificate.issuer
    return is_root and certificate.public_key() == key.public_key()


def _facts(certificate: x509.Certificate) -> AuthorityFacts:
    microsecond = datetime.timedelta(microseconds=1)
    return AuthorityFacts(
        certificate.public_bytes(serialization.Encoding.DER),
        certificate.subject.rfc4514_string().partition("=")[2],
        (certificate.not_valid_before_utc - _EPOCH) // microsecond,
        (certificate.not_valid_after_utc - _EPOCH) // microsecond,
    )


def _builder(
    clock: Clock,
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
    days: int,
    latest: datetime.datetime | None = None,
) -> x509.CertificateBuilder:
    """A certificate from before today on for so many days, but not beyond ``latest``."""
    today = _today(clock)
    ends = today + days * _DAY
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - _BACK_DAYS * _DAY)
        .not_valid_after(min(ends, latest or ends))
    )


def _today(clock: Clock) -> datetime.datetime:
    return _EPOCH + datetime.timedelta(seconds=clock.now() // 1_000_000)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
