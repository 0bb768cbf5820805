"""What stands behind the gateway double: an authority, and the rows of one position."""
# ruff: noqa: D102, D107 - a double

import datetime
import hashlib
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fieldmesh.codec.columns import from_rows
from fieldmesh.codec.row_hash import row_hashes
from fieldmesh.data.schema import TABLES
from fieldmesh.data.types import Value
from fieldmesh.wire.v1 import table_pb2

Row = tuple[Value, ...]


def identifier(number: int) -> bytes:
    """A fixed identifier that looks like a UUIDv7."""
    return number.to_bytes(6, "big") + b"\x70\x00\x80" + hashlib.sha256(b"%d" % number).digest()[:7]


class Authority:
    """Issues certificates as the hub does."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign(self.key.public_key(), "Fieldmesh test", None)
        self.hub_key = ec.generate_private_key(ec.SECP256R1())

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def issue(self, public_key: ec.EllipticCurvePublicKey, uri: str, names: list[str]) -> bytes:
        sans = [
            x509.UniformResourceIdentifier(uri),
            *(x509.DNSName(name) for name in names),
        ]
        made = self._sign(public_key, uri, x509.SubjectAlternativeName(sans))
        return made.public_bytes(serialization.Encoding.DER)

    def _sign(
        self,
        public_key: ec.EllipticCurvePublicKey,
        name: str,
        sans: x509.SubjectAlternativeName | None,
    ) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:60])])
        issuer = self.certificate.subject if sans is not None else subject
        begin = datetime.datetime.fromtimestamp(0, datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + datetime.timedelta(days=40_000))
            .add_extension(x509.BasicConstraints(ca=sans is None, path_length=None), critical=True)
        )
        if sans is not None:
            builder = builder.add_extension(sans, critical=False)
        return builder.sign(self.key, hashes.SHA256())


@dataclass
class Company:
    """What the hub would hold, for one position."""

    rows: dict[str, dict[bytes, Row]] = field(default_factory=dict)
    removals: list[tuple[str, bytes, int, int]] = field(default_factory=list)
    partitions: set[int] = field(default_factory=lambda: {11, 12})
    lsn: int = 1 << 40
    restored: bool = False
    """Whether devices come from a lost future: everything goes down whole."""

    def put(self, table: str, row_id: bytes, partition: int, **values: Value) -> bytes:
        """The row is the hub's newest version."""
        self.lsn += 1
        known = TABLES[table]
        system = {
            "id": row_id,
            "partition": partition,
            "lsn": self.lsn,
            "created_at": 1,
            "changed_at": 1,
        }
        given = system | values
        row = tuple(given.get(column.name, column.neutral) for column in known.wire_columns)
        at = known.wire_names.index("row_hash")
        digest = row_hashes(from_rows(table, known.wire_names, [row]), known)[0]
        self.rows.setdefault(table, {})[row_id] = (*row[:at], digest, *row[at + 1 :])
        return row_id

    def remove(self, table: str, row_id: bytes) -> None:
        """The row is gone."""
        self.lsn += 1
        row = self.rows[table].pop(row_id)
        self.removals.append((table, row_id, self.value(table, row, "partition"), self.lsn))

    def value(self, table: str, row: Row, name: str) -> int:
        """One integer of a row."""
        found = row[TABLES[table].wire_names.index(name)]
        assert isinstance(found, int)
        return found

    def digests(self) -> list[table_pb2.Digest]:
        """One per partition."""
        sums = {partition: [0, 0, 0] for partition in self.partitions}
        for table, rows in self.rows.items():
            for row in rows.values():
                partition = self.value(table, row, "partition")
                if partition in sums:
                    value = self.value(table, row, "row_hash")
                    sums[partition][0] += 1
                    sums[partition][1] += value & 0xFFFFFFFF
                    sums[partition][2] += value >> 32
        return [
            table_pb2.Digest(partition=p, bucket=16, rows=s[0], low=s[1], high=s[2])
            for p, s in sorted(sums.items())
        ]
