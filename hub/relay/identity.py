"""rpc.hub.enrol, rpc.hub.renew and rpc.hub.lease: identity for devices, asked through their gateways.

The gateway's id stands in the subject, and the broker lets a gateway publish under its own only.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from google.protobuf.message import DecodeError

from fieldmesh.basics.errors import FieldmeshError, Rejected, Retry
from fieldmesh.service.bus import Bus
from fieldmesh.wire.v1 import enrol_pb2, replication_pb2
from hub.fleet.leases import LeaseGrant
from hub.trust.enrolment import EnrolmentGrant, EnrolmentRequest
from hub.trust.pace import Pace

LOG = logging.getLogger(__name__)

_GATEWAY_PLACE = 3
_ID_BYTES = 16


class Lease(Protocol):
    """Gives a lease."""

    def __call__(self, *, gateway_id: bytes, device_id: bytes) -> Awaitable[LeaseGrant]:
        """The gateway may hold what the device's position may see."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Answers the three requests.

    Attributes:
        enrol: decides about a code.
        renew: decides about a new certificate.
        lease: decides about a roaming device.
        pace: how often one gateway may ask for enrolments.
    """

    enrol: Callable[[EnrolmentRequest], Awaitable[EnrolmentGrant]]
    renew: Callable[[bytes, bytes], Awaitable[EnrolmentGrant]]
    lease: Lease
    pace: Pace

    async def run(self, bus: Bus) -> None:
        """Requests are answered until the line breaks.

        Raises:
            Retry: `bus_unreachable`.
        """
        methods = {"enrol": self._enrol, "renew": self._renew, "lease": self._lease}
        async with asyncio.TaskGroup() as group:
            for name, method in methods.items():
                subject = f"rpc.hub.{name}.*"
                group.create_task(bus.respond_all(subject, _answering(method)), name=subject)

    async def _enrol(self, gateway_id: bytes, data: bytes) -> bytes:
        self.pace.take(gateway_id.hex())
        asked = enrol_pb2.EnrolRequest.FromString(data)
        request = EnrolmentRequest(
            code=asked.code,
            csr=asked.csr,
            hardware_id=asked.hardware_id,
            app_version=asked.app_version,
        )
        return _reply(await self.enrol(request)).SerializeToString()

    async def _renew(self, _gateway_id: bytes, data: bytes) -> bytes:
        asked = replication_pb2.ForwardedRenew.FromString(data)
        return _reply(await self.renew(asked.certificate, asked.csr)).SerializeToString()

    async def _lease(self, gateway_id: bytes, data: bytes) -> bytes:
        asked = replication_pb2.LeaseRequest.FromString(data)
        grant = await self.lease(gateway_id=gateway_id, device_id=asked.device_id)
        reply = replication_pb2.LeaseReply(expires_at=grant.expires_at, lsn=grant.lsn)
        return reply.SerializeToString()


def _answering(
    method: Callable[[bytes, bytes], Awaitable[bytes]],
) -> Callable[[str, bytes], Awaitable[bytes]]:
    async def answer(subject: str, data: bytes) -> bytes:
        try:
            gateway_id = _gateway(subject)
            value = await method(gateway_id, data)
        except DecodeError:
            return _problem(Rejected("bad_message", place=subject))
        except FieldmeshError as error:
            LOG.info("request_refused", extra={"subject": subject, "problem": error.code})
            return _problem(error)
        return replication_pb2.Reply(value=value).SerializeToString()

    return answer


def _gateway(subject: str) -> bytes:
    try:
        gateway_id = bytes.fromhex(subject.split(".")[_GATEWAY_PLACE])
    except (IndexError, ValueError):
        raise Rejected("bad_message", place=subject) from None
    if len(gateway_id) != _ID_BYTES:
        raise Rejected("bad_message", place=subject)
    return gateway_id


def _problem(error: FieldmeshError) -> bytes:
    problem = replication_pb2.Problem(code=error.code, text=str(error))
    problem.fields.update({name: str(value) for name, value in error.fields.items()})
    if error.place:
        problem.fields["place"] = error.place
    if isinstance(error, Retry):
        problem.retry_after_ms = int(error.delay_s * 1000)
    return replication_pb2.Reply(problem=problem).SerializeToString()


def _reply(grant: EnrolmentGrant) -> enrol_pb2.EnrolReply:
    return enrol_pb2.EnrolReply(
        certificate=grant.certificate,
        authority=grant.authority,
        node_id=grant.node_id,
        position_id=grant.position_id,
        document_prefix=grant.document_prefix,
        gateways=[
            enrol_pb2.GatewayAddress(
                gateway_id=one.gateway_id,
                name=one.name,
                addresses=one.addresses,
                enrolment_address=one.enrolment_address,
            )
            for one in grant.gateways
        ],
        sign_ins=[
            enrol_pb2.SignIn(
                user_id=one.user_id, login=one.login, person=one.person, verifier=one.verifier
            )
            for one in grant.sign_ins
        ],
        hub_public_key=grant.hub_public_key,
        bus_url=grant.bus_url,
        bus_credentials=grant.bus_credentials,
        spare=grant.spare,
    )
