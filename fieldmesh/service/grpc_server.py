"""gRPC servers and their credentials: TLS always, the peer known by its certificate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import grpc
import grpc.aio
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.limits import MESSAGE_BYTES
from fieldmesh.service.listening import refusal_of
from fieldmesh.service.tls import GATEWAY_NAME, PeerCertificate, read_certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

KEEPALIVE_MS: Final = 20_000
_LIMITS: Final = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_MS),
)
SERVER_OPTIONS: Final[tuple[tuple[str, int], ...]] = (
    *_LIMITS,
    ("grpc.http2.min_ping_interval_without_data_ms", KEEPALIVE_MS // 2),
    ("grpc.http2.max_ping_strikes", 4),
    ("grpc.max_metadata_size", 32 * 1024),
    ("grpc.so_reuseport", 0),
)
CHANNEL_OPTIONS: Final[tuple[tuple[str, int | str], ...]] = (
    *_LIMITS,
    ("grpc.ssl_target_name_override", GATEWAY_NAME),
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True, slots=True, repr=False)
class NodeKeys:
    """What a node shows and whom it trusts, PEM as gRPC takes it.

    Attributes:
        private_key: PKCS #8.
        certificate: the node's certificate; for a server, the authority's certificate after it, so
            that an enrolling device sees the whole chain.
        authority: the only authority that is trusted.
    """

    private_key: bytes
    certificate: bytes
    authority: bytes


def server_credentials(
    keys: Callable[[], NodeKeys], *, ask_for_certificate: bool = True
) -> grpc.ServerCredentials:
    """Credentials that follow a renewed certificate without a restart.

    Args:
        keys: what the server shows now; asked at each handshake, so it must be quick.
        ask_for_certificate: whether the peer must show one of our authority (not for enrolment).
    """
    held = keys()

    def configuration() -> Any:
        found = keys()
        return grpc.ssl_server_certificate_configuration(
            [(found.private_key, found.certificate)],
            root_certificates=found.authority if ask_for_certificate else None,
        )

    def renewed() -> Any:
        nonlocal held
        found = keys()
        if found == held:
            return None
        held = found
        return configuration()

    return grpc.dynamic_ssl_server_credentials(
        configuration(), renewed, require_client_authentication=ask_for_certificate
    )


def channel_credentials(authority: bytes, keys: NodeKeys | None = None) -> grpc.ChannelCredentials:
    """Credentials of a client that trusts ``authority`` (PEM) and shows its own certificate."""
    return grpc.ssl_channel_credentials(
        root_certificates=authority,
        private_key=keys.private_key if keys else None,
        certificate_chain=keys.certificate if keys else None,
    )


def open_channel(address: str, authority: bytes, keys: NodeKeys | None = None) -> grpc.aio.Channel:
    """A channel to a gateway at ``host:port``; whoever opens it closes it."""
    credentials = channel_credentials(authority, keys)
    return grpc.aio.secure_channel(address, credentials, options=CHANNEL_OPTIONS)


def make_server(
    services: Sequence[str], *, most_streams: int = 0
) -> tuple[grpc.aio.Server, health.aio.HealthServicer]:
    """A server with our limits, health and reflection; not started, without a port.

    Args:
        services: full names of the services that will be added.
        most_streams: how many calls one connection may have open at once; 0 = no limit of ours.

    Returns:
        The server, and the servicer that says whether it serves.
    """
    options: list[tuple[str, int]] = list(SERVER_OPTIONS)
    if most_streams:
        options.append(("grpc.max_concurrent_streams", most_streams))
    server = grpc.aio.server(options=options)
    checks = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    names = (*services, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    return server, checks


async def set_serving(
    checks: health.aio.HealthServicer, services: Sequence[str], *, serving: bool
) -> None:
    """Health says whether the services, and the whole server, serve."""
    states = health_pb2.HealthCheckResponse
    state = states.SERVING if serving else states.NOT_SERVING
    for name in ("", *services):
        await checks.set(name, state)


def bind(server: grpc.aio.Server, address: str, credentials: grpc.ServerCredentials) -> int:
    """The port on which the server will listen; port 0 in ``address`` = any free one.

    Raises:
        Rejected: `port_in_use` or `address_unusable`.
    """
    try:
        port = server.add_secure_port(address, credentials)
    except RuntimeError:
        port = 0
    if port == 0:
        raise refusal_of(address)
    return int(port)


def peer_identity(context: grpc.aio.ServicerContext[Any, Any]) -> PeerCertificate:
    """Who calls, by the certificate that the TLS handshake has verified.

    Raises:
        Rejected: `foreign_certificate`.
    """
    for pem in context.auth_context().get("x509_pem_cert", ()):
        return read_certificate(_der_of(pem))
    raise Rejected("foreign_certificate", place="certificate")


def _der_of(pem: bytes) -> bytes:
    try:
        return x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    except ValueError:
        raise Rejected("foreign_certificate", place="certificate") from None
