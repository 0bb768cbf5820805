"""Asking the hub: one request, one reply, or a problem that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fieldmesh.basics.errors import Fenced, FieldmeshError, Rejected, Retry
from fieldmesh.wire.v1 import replication_pb2

if TYPE_CHECKING:
    from fieldmesh.service.bus import Bus
    from gateway.storage.signals import HubLine

REQUEST_S: Final = 10.0


class HubRequests:
    """Requests on ``rpc.hub.<method>.<gateway>``."""

    def __init__(self, bus: Bus, line: HubLine, gateway_id: bytes) -> None:
        """Ask over ``bus`` in the name of the gateway."""
        self._bus = bus
        self._line = line
        self._gateway = gateway_id.hex()

    async def __call__(self, method: str, payload: bytes) -> bytes:
        """The serialized reply of the method.

        Raises:
            Retry: ``hub_unreachable``, or what the hub asks to be tried again.
            FieldmeshError: what the hub refused, with its code.
        """
        return await self.ask(method, payload, timeout_s=REQUEST_S)

    async def ask(self, method: str, payload: bytes, *, timeout_s: float) -> bytes:
        """As a call, with a time-out of one's own."""
        try:
            data = await self._bus.request(
                f"rpc.hub.{method}.{self._gateway}", payload, timeout_s=timeout_s
            )
        except Retry as problem:
            self._line.problem = problem.code
            raise Retry("hub_unreachable", delay_s=problem.delay_s) from problem
        reply = replication_pb2.Reply.FromString(data)
        if reply.WhichOneof("result") == "problem":
            raise to_error(reply.problem)
        return reply.value


def to_error(problem: replication_pb2.Problem) -> FieldmeshError:
    """The hub's problem as the error that it was there."""
    fields = {str(name): value for name, value in problem.fields.items()}
    place = fields.pop("place", "")
    if problem.retry_after_ms:
        return Retry(problem.code, delay_s=problem.retry_after_ms / 1000, place=place, **fields)
    if problem.code in {"device_revoked", "certificate_revoked"}:
        return Fenced(problem.code, place=place, **fields)
    return Rejected(problem.code, place=place, **fields)


def to_problem(error: FieldmeshError) -> replication_pb2.Reply:
    """An error of this gateway as a reply to the hub."""
    delay_s = error.delay_s if isinstance(error, Retry) else 0.0
    fields = {name: str(value) for name, value in error.fields.items()}
    if error.place:
        fields["place"] = error.place
    return replication_pb2.Reply(
        problem=replication_pb2.Problem(
            code=error.code,
            text=str(error),
            fields=fields,
            retry_after_ms=int(delay_s * 1000),
        )
    )
