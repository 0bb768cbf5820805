"""One-time codes and issued certificates. Only hashes of codes are kept."""

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from hub.storage.org_tables import CERTIFICATE, CODE, ENDED_BUS_KEY
from hub.storage.rows import Connection


@dataclass(frozen=True, slots=True)
class StoredCode:
    """A one-time code.

    Attributes:
        secret_hash: sha256 of its secret, hexadecimal.
        node_kind: ``device`` or ``gateway``.
        node_id: whom it lets in.
        expires_at: UTC microseconds.
        used_at: UTC microseconds; None = not used yet.
        used_by_key: digest of the public key that used it.
    """

    secret_hash: str
    node_kind: str
    node_id: bytes
    expires_at: int
    used_at: int | None = None
    used_by_key: str | None = None


@dataclass(frozen=True, slots=True)
class StoredCertificate:
    """An issued certificate; times in UTC microseconds."""

    serial: str
    node_kind: str
    node_id: bytes
    fingerprint: str
    certificate: bytes
    issued_at: int
    expires_at: int
    revoked_at: int | None = None


async def add_code(connection: Connection, code: StoredCode) -> None:
    """The code can be used; earlier codes of the same node cannot any more, nor by the key that used one."""
    await drop_codes(connection, code.node_id)
    values = {field: getattr(code, field) for field in StoredCode.__slots__}
    await connection.execute(sa.insert(CODE).values(values))


async def drop_codes(connection: Connection, node_id: bytes) -> None:
    """No code of the node is left, used or not."""
    await connection.execute(sa.delete(CODE).where(CODE.c.node_id == node_id))


async def drop_all_codes(connection: Connection) -> None:
    """No code lets anybody in any more."""
    await connection.execute(sa.delete(CODE))


async def find_code(connection: Connection, secret_hash: str) -> StoredCode | None:
    """The code with that hash."""
    query = sa.select(*(CODE.c[field] for field in StoredCode.__slots__))
    row = (await connection.execute(query.where(CODE.c.secret_hash == secret_hash))).first()
    return None if row is None else StoredCode(*row)


async def use_code(
    connection: Connection, secret_hash: str, *, used_at: int, used_by_key: str
) -> None:
    """The code is used, by that key."""
    change = sa.update(CODE).where(CODE.c.secret_hash == secret_hash)
    await connection.execute(change.values(used_at=used_at, used_by_key=used_by_key))


async def forget_codes(connection: Connection, before: int) -> int:
    """Codes that expired before that time are gone; returns how many."""
    gone = await connection.execute(sa.delete(CODE).where(CODE.c.expires_at < before))
    return int(gone.rowcount)


async def add_certificate(connection: Connection, certificate: StoredCertificate) -> None:
    """The certificate is on record."""
    values = {field: getattr(certificate, field) for field in StoredCertificate.__slots__}
    await connection.execute(sa.insert(CERTIFICATE).values(values))


async def certificates_of(connection: Connection, node_id: bytes) -> list[StoredCertificate]:
    """The certificates of a node, newest first."""
    query = sa.select(*(CERTIFICATE.c[field] for field in StoredCertificate.__slots__))
    query = query.where(CERTIFICATE.c.node_id == node_id)
    query = query.order_by(CERTIFICATE.c.issued_at.desc())
    return [StoredCertificate(*row) for row in (await connection.execute(query)).all()]


async def all_certificates(connection: Connection) -> list[StoredCertificate]:
    """Every certificate, the oldest first."""
    query = sa.select(*(CERTIFICATE.c[field] for field in StoredCertificate.__slots__))
    rows = await connection.execute(query.order_by(CERTIFICATE.c.issued_at))
    return [StoredCertificate(*row) for row in rows.all()]


async def end_certificates(connection: Connection, serials: Collection[str], at: int) -> None:
    """The certificates of these serials are revoked; none of them was before."""
    if serials:
        these = CERTIFICATE.c.serial.in_(serials)
        await connection.execute(sa.update(CERTIFICATE).where(these).values(revoked_at=at))


async def end_bus_key(connection: Connection, gateway_id: bytes, key: str, ended_at: int) -> None:
    """The gateway is another user of the bus now; `nodes.revoked_bus_keys` names this one."""
    await connection.execute(sa.delete(ENDED_BUS_KEY).where(ENDED_BUS_KEY.c.bus_key == key))
    values = {"bus_key": key, "gateway_id": gateway_id, "ended_at": ended_at}
    await connection.execute(sa.insert(ENDED_BUS_KEY).values(values))


async def ended_bus_keys(connection: Connection) -> tuple[tuple[str, bytes, int], ...]:
    """Keys that gateways had before: key, gateway, when it ended."""
    columns = ENDED_BUS_KEY.c
    query = sa.select(columns.bus_key, columns.gateway_id, columns.ended_at)
    return tuple(tuple(row) for row in (await connection.execute(query)).all())


async def revoke_certificates(connection: Connection, node_id: bytes, at: int) -> list[str]:
    """All certificates of the node are revoked; returns the serials that were not yet."""
    mine = sa.and_(CERTIFICATE.c.node_id == node_id, CERTIFICATE.c.revoked_at.is_(None))
    rows = (await connection.execute(sa.select(CERTIFICATE.c.serial).where(mine))).all()
    serials = [str(row[0]) for row in rows]
    await end_certificates(connection, serials, at)
    return serials
