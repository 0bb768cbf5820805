"""Becoming a gateway: a code from the hub is turned into an identity.

The authority's certificate is taken from the TLS handshake and believed only if it matches the
fingerprint inside the code; then the code is sent over a
connection that trusts that authority alone.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import nkeys

from fieldmesh.basics.codes import parse_code
from fieldmesh.basics.errors import FieldmeshError, Rejected, Retry
from fieldmesh.service import tls
from gateway.trust.certificates import GatewayIdentity

if TYPE_CHECKING:
    from collections.abc import Sequence

_PORT: Final = 443
_TIMEOUT_S: Final = 30.0
_RETRY_S: Final = 10.0
_MOST_ANSWER: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Application:
    """What the hub is told of the new gateway.

    Attributes:
        name: how people call it; empty: as head office has called it.
        addresses: host:port where devices sync, best first.
        enrolment_address: host:port where devices enrol.
    """

    code: str
    hub_url: str
    name: str
    hardware_id: str
    app_version: str
    addresses: Sequence[str]
    enrolment_address: str


async def enrol(application: Application, seed: bytes) -> GatewayIdentity:
    """The identity that the hub gave for the code.

    Args:
        application: code and facts.
        seed: 32 random bytes for the bus login.

    Raises:
        Rejected: the code is no code, does not belong to this hub, or is refused by it.
        Retry: ``hub_unreachable``.
    """
    code = parse_code(application.code)
    host, port = _address(application.hub_url)
    authority = await tls.fetch_authority(host, port, code.authority)
    key = tls.make_key()
    name = application.name or socket.gethostname()
    bus_seed = nkeys.encode_seed(seed, nkeys.PREFIX_BYTE_USER)
    request = {
        "code": application.code,
        "csr": base64.b64encode(tls.make_csr(key, name)).decode("ascii"),
        "hardware_id": application.hardware_id,
        "app_version": application.app_version,
        "addresses": list(application.addresses),
        "enrolment_address": application.enrolment_address,
        "name": application.name,
        "bus_key": nkeys.from_seed(bytearray(bus_seed)).public_key.decode("ascii"),
    }
    reply = await asyncio.to_thread(_post, host, port, authority, request)
    return GatewayIdentity(
        gateway_id=base64.b64decode(reply["node_id"]),
        name=reply.get("name") or name,
        key_pem=tls.key_pem(key),
        certificate=base64.b64decode(reply["certificate"]),
        authority=base64.b64decode(reply["authority"]),
        hub_public_key=base64.b64decode(reply["hub_public_key"]),
        bus_url=reply["bus_url"],
        bus_jwt=reply["bus_credentials"],
        bus_seed=bytes(bus_seed),
        enrol_url=application.hub_url,
    )


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url if "//" in url else f"https://{url}")
    try:
        port = parts.port or _PORT
    except ValueError:
        port = 0
    if parts.scheme != "https" or not parts.hostname or not port:
        raise Rejected("bad_hub_address", place=url)
    return parts.hostname, port


def _post(host: str, port: int, authority: bytes, request: dict[str, object]) -> dict[str, Any]:
    context = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(authority))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False  # the authority is the hub's own, and was checked by the code
    connection = http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_S, context=context)
    try:
        body = json.dumps(request)
        connection.request("POST", "/v1/enrol", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read(_MOST_ANSWER))
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Retry("hub_unreachable", delay_s=_RETRY_S, place=f"{host}:{port}") from error
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise _refused(answer)
    return dict(answer)


def _refused(answer: dict[str, Any]) -> FieldmeshError:
    detail = str(answer.get("detail", answer.get("title", "")))
    return Rejected(str(answer.get("code", "enrolment_refused")), detail=detail)
