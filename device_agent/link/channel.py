"""A TLS connection to a gateway that shows the device's certificate."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc
import grpc.aio

from fieldmesh.basics.errors import Retry
from fieldmesh.basics.limits import MESSAGE_BYTES
from fieldmesh.service.grpc_problems import from_rpc_error
from fieldmesh.wire.v1 import session_pb2, session_pb2_grpc

GATEWAY_NAME = "gateway.fieldmesh"
"""Every gateway's certificate carries this name, so a device needs no DNS to know one."""


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """What the device shows and whom it trusts; PEM as gRPC takes it."""

    certificate_pem: bytes
    private_key_pem: bytes
    authority_pem: bytes


_OPTIONS = (
    ("grpc.ssl_target_name_override", GATEWAY_NAME),
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),
)


@asynccontextmanager
async def open_channel(
    address: str, authority_pem: bytes, identity: Identity | None
) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to `host:port`, closed at the end; it connects in the background at once.

    Args:
        address: host:port.
        authority_pem: the only authority that is trusted.
        identity: the device's certificate; None where a node has none yet (enrolment).
    """
    credentials = grpc.ssl_channel_credentials(
        root_certificates=authority_pem,
        private_key=identity.private_key_pem if identity else None,
        certificate_chain=identity.certificate_pem if identity else None,
    )
    channel = grpc.aio.secure_channel(address, credentials, options=_OPTIONS)
    channel.get_state(try_to_connect=True)
    try:
        yield channel
    finally:
        await channel.close()


async def ask_gateway_id(channel: grpc.aio.Channel, *, stall_s: float, peer: str) -> bytes:
    """Which gateway answers there; empty when it does not say. ``peer`` names it in problems.

    Raises:
        Retry: the line failed or stood still.
        Rejected: the gateway does not take this device.
    """
    try:
        info = await session_pb2_grpc.GatewayStub(channel).GetServerInfo(
            session_pb2.ServerInfoRequest(), timeout=stall_s
        )
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            raise Retry("line_stalled", stall_s=stall_s) from None
        raise from_rpc_error(error, peer=peer) from error
    return info.gateway_id
