"""The device's key and certificates at rest. The private key is sealed under the database key."""

import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from device_agent.storage.gateways import GatewayRow
from device_agent.storage.home import Home
from device_agent.storage.sealed import seal, unseal
from device_agent.storage.state import DeviceState
from fieldmesh.basics.errors import Rejected
from fieldmesh.service import tls
from fieldmesh.service.files import write_durably

_PLACE = "key.enc"


def save_private_key(home: Home, key: bytes, private_key: ec.EllipticCurvePrivateKey) -> None:
    """The private key is durable, sealed under the database key."""
    content = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
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


def certificate_pem(file: Path) -> bytes:
    """The file's DER certificate as gRPC takes it.

    Raises:
        Rejected: `device_home_damaged`, it holds no certificate.
    """
    try:
        return tls.certificate_pem(file.read_bytes())
    except Rejected:
        raise Rejected("device_home_damaged", place=str(file)) from None


def save_facts(home: Home, state: DeviceState, gateways: list[GatewayRow]) -> None:
    """What the hub said at enrolment is durable beside the database."""
    facts = {
        "device_id": state.device_id.hex(),
        "position_id": state.position_id.hex(),
        "spare": state.spare,
        "document_prefix": state.document_prefix,
        "gateways": [
            [row.address, row.gateway_id.hex(), row.name, row.enrolment_address] for row in gateways
        ],
    }
    write_durably(home.facts, json.dumps(facts, indent=1).encode())


def load_facts(home: Home) -> tuple[DeviceState, list[GatewayRow]]:
    """A device as enrolled, that knows nothing else any more.

    Raises:
        Rejected: `device_home_damaged`.
    """
    try:
        facts = json.loads(home.facts.read_bytes())
        state = DeviceState(
            device_id=bytes.fromhex(facts["device_id"]),
            position_id=bytes.fromhex(facts["position_id"]),
            spare=int(facts["spare"]),
            document_prefix=str(facts["document_prefix"]),
        )
        gateways = [
            GatewayRow(address, bytes.fromhex(gateway_id), name, enrolment_address)
            for address, gateway_id, name, enrolment_address in facts["gateways"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        raise Rejected("device_home_damaged", place=str(home.facts)) from None
    return state, gateways
