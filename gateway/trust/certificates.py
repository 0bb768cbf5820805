"""The gateway's identity folder: key, certificate, authority, the hub's key, and the bus login.

Files, all readable by the gateway's user alone: ``key.pem``, ``certificate.der``,
``authority.der``, ``hub_key.der``, ``bus.seed``, ``bus.jwt``, ``gateway.json``. ``gateway.json``
is written last: while it is missing, the gateway is not enrolled.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fieldmesh.basics.errors import Rejected
from fieldmesh.service import tls
from fieldmesh.service.files import write_durably
from fieldmesh.service.grpc_server import NodeKeys

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class GatewayIdentity:
    """Everything that makes this process that gateway.

    Attributes:
        key_pem: private key of the certificate.
        bus_url: NATS servers, comma separated.
        bus_jwt: NATS user JWT.
        bus_seed: NATS user seed; never leaves this machine.
    """

    gateway_id: bytes
    name: str
    key_pem: bytes
    certificate: bytes
    authority: bytes
    hub_public_key: bytes
    bus_url: str
    bus_jwt: str
    bus_seed: bytes
    enrol_url: str

    def ends_at(self) -> int:
        """When the certificate ends, UTC microseconds."""
        return tls.certificate_ends(self.certificate)

    def problem(self, now: int) -> Rejected | None:
        """Why devices will not accept the certificate, or None if they will."""
        return tls.certificate_problem(
            self.certificate, self.authority, now, f"certificate of gateway {self.name}"
        )

    def node_keys(self) -> NodeKeys:
        """What servers of this gateway show: the certificate and the authority after it."""
        return NodeKeys(
            private_key=self.key_pem,
            certificate=tls.certificate_pem(self.certificate + tls.to_show(self.authority)),
            authority=tls.certificate_pem(b"".join(tls.authorities(self.authority))),
        )


def is_enrolled(folder: Path) -> bool:
    """Whether the folder holds a whole identity."""
    return (folder / "gateway.json").is_file()


def load(folder: Path) -> GatewayIdentity:
    """The identity in the folder.

    Raises:
        Rejected: ``gateway_not_enrolled``; ``key_file_missing`` or ``key_file_damaged``, with the
            file.
    """
    if not is_enrolled(folder):
        raise Rejected("gateway_not_enrolled", place=str(folder))
    try:
        facts = {
            name: str(value) for name, value in json.loads(_read(folder / "gateway.json")).items()
        }
        return GatewayIdentity(
            gateway_id=bytes.fromhex(facts["gateway_id"]),
            name=facts["name"],
            key_pem=_read(folder / "key.pem"),
            certificate=_read_certificate(folder / "certificate.der"),
            authority=_read_certificate(folder / "authority.der"),
            hub_public_key=_read(folder / "hub_key.der"),
            bus_url=facts["bus_url"],
            bus_jwt=_read(folder / "bus.jwt").decode("ascii"),
            bus_seed=_read(folder / "bus.seed"),
            enrol_url=facts["enrol_url"],
        )
    except (ValueError, KeyError, AttributeError):
        raise Rejected("key_file_damaged", place=str(folder / "gateway.json")) from None


def save(folder: Path, identity: GatewayIdentity) -> None:
    """The identity is in the folder for good; ``gateway.json`` last."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_durably(folder / "key.pem", identity.key_pem)
    write_durably(folder / "certificate.der", identity.certificate)
    write_durably(folder / "authority.der", identity.authority)
    write_durably(folder / "hub_key.der", identity.hub_public_key)
    write_durably(folder / "bus.seed", identity.bus_seed)
    write_durably(folder / "bus.jwt", identity.bus_jwt.encode("ascii"))
    facts = {
        "gateway_id": identity.gateway_id.hex(),
        "name": identity.name,
        "bus_url": identity.bus_url,
        "enrol_url": identity.enrol_url,
    }
    write_durably(folder / "gateway.json", json.dumps(facts, indent=2).encode("utf-8"))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise Rejected("key_file_missing", place=str(path)) from None


def _read_certificate(path: Path) -> bytes:
    data = _read(path)
    try:
        for one in tls.each_certificate(data):
            tls.certificate_ends(one)
    except (ValueError, Rejected):
        raise Rejected("key_file_damaged", place=str(path)) from None
    return data
