"""Is it what a device of ours signed? Checks that need no database; takes CPU time, so call it in a thread."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from fieldmesh.basics.errors import FieldmeshError, Rejected
from fieldmesh.codec import signature
from fieldmesh.codec.batch import BatchHeader, Change, decode_body, decode_header
from fieldmesh.codec.replication import Forwarded
from fieldmesh.service.tls import check_certificate


@dataclass(frozen=True, slots=True)
class Checked:
    """A forwarded batch after the checks.

    Attributes:
        forwarded: as it came.
        payload: the UpMessage's bytes.
        header: None when not even the header can be read.
        sha256: of the header bytes; of the payload when not even the message can be read.
        changes: empty when there is a problem.
        problem: why it goes to quarantine; None when it is sound.
    """

    forwarded: Forwarded
    payload: bytes
    header: BatchHeader | None
    sha256: bytes
    changes: Sequence[Change]
    problem: FieldmeshError | None


class Verifier:
    """Knows the authority; remembers certificates that it has checked."""

    def __init__(self, authority: bytes) -> None:
        """Certificates must be issued by this authority (DER)."""
        self._authority = authority
        self._sender = lru_cache(maxsize=16_384)(self._read_certificate)

    def check(self, forwarded: Forwarded, payload: bytes) -> Checked:
        """The batch with what it says, or with what is wrong with it."""
        sha256 = hashlib.sha256(forwarded.header).digest()
        header: BatchHeader | None = None
        try:
            header = decode_header(forwarded.header)
            device_id, key = self._sender(forwarded.certificate)
            place = f"batch {header.device_epoch}/{header.sequence}"
            if device_id != header.device_id:
                raise Rejected("foreign_batch", place=place)
            signature.verify(key, forwarded.header, forwarded.signature, place=place)
            changes = decode_body(header, forwarded.body)
        except FieldmeshError as problem:
            return Checked(forwarded, payload, header, sha256, (), problem)
        return Checked(forwarded, payload, header, sha256, changes, None)

    def _read_certificate(self, content: bytes) -> tuple[bytes, ec.EllipticCurvePublicKey]:
        # Its dates are not looked at: expiry never blocks an upload (promise 1). Revocation is looked at in `group`.
        peer = check_certificate(content, self._authority)
        key = load_der_public_key(peer.public_key)
        if peer.node_kind != "device" or not isinstance(key, ec.EllipticCurvePublicKey):
            raise Rejected("foreign_certificate", place="certificate")
        return peer.node_id, key
