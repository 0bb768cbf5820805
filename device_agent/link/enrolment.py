"""A code becomes a certificate; a certificate becomes its successor.

The device makes its key; the key never leaves it. The code says which authority is the right one,
so a stranger's gateway cannot take the device in.
"""

from dataclasses import dataclass

import grpc
import grpc.aio

from device_agent.link.channel import Identity, open_channel
from device_agent.link.messages import GatewayKnown
from fieldmesh.service.grpc_problems import from_rpc_error
from fieldmesh.wire.v1 import enrol_pb2, session_pb2_grpc

ENROL_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class PersonKnown:
    """A person who may sign in on this device."""

    user_id: bytes
    login: str
    person: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What the hub gave the device."""

    certificate: bytes
    authority: bytes
    device_id: bytes
    position_id: bytes
    document_prefix: str
    spare: bool
    hub_public_key: bytes
    gateways: list[GatewayKnown]
    people: list[PersonKnown]


@dataclass(frozen=True, slots=True)
class EnrolmentAsked:
    """What the device asks with."""

    code: str
    csr: bytes
    hardware_id: str
    app_version: str


async def enrol(address: str, authority_pem: bytes, asked: EnrolmentAsked) -> Enrolled:
    """The device has a certificate.

    Args:
        address: host:port of a gateway's enrolment door.
        authority_pem: the authority that the code names.
        asked: code, request and where it comes from.

    Raises:
        Rejected: the code is wrong, used or too old.
        Retry: the gateway or the hub cannot be reached now.
    """
    request = enrol_pb2.EnrolRequest(
        code=asked.code,
        csr=asked.csr,
        hardware_id=asked.hardware_id,
        app_version=asked.app_version,
    )
    async with open_channel(address, authority_pem, None) as channel:
        try:
            reply = await session_pb2_grpc.EnrolmentStub(channel).Enrol(
                request, timeout=ENROL_TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer=f"gateway {address}") from error
    return _enrolled(reply)


async def renew(address: str, identity: Identity, csr: bytes) -> Enrolled:
    """A certificate that ends later, for the same device and key.

    Raises:
        Rejected: the hub refuses. Retry: not now.
    """
    async with open_channel(address, identity.authority_pem, identity) as channel:
        try:
            reply = await session_pb2_grpc.GatewayStub(channel).Renew(
                enrol_pb2.RenewRequest(csr=csr), timeout=ENROL_TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, peer=f"gateway {address}") from error
    return _enrolled(reply)


def _enrolled(reply: enrol_pb2.EnrolReply) -> Enrolled:
    return Enrolled(
        certificate=reply.certificate,
        authority=reply.authority,
        device_id=reply.node_id,
        position_id=reply.position_id,
        document_prefix=reply.document_prefix,
        spare=reply.spare,
        hub_public_key=reply.hub_public_key,
        gateways=[
            GatewayKnown(
                gateway_id=known.gateway_id,
                name=known.name,
                addresses=list(known.addresses),
                enrolment_address=known.enrolment_address,
            )
            for known in reply.gateways
        ],
        people=[
            PersonKnown(found.user_id, found.login, found.person, found.verifier)
            for found in reply.sign_ins
        ],
    )
