"""Certificates for devices: asked of the hub, for a code or for a certificate that ends soon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from fieldmesh.basics import limits
from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.wire.v1 import enrol_pb2, replication_pb2

if TYPE_CHECKING:
    from fieldmesh.basics.clock import Clock

_MOST_A_MINUTE: Final = 30
_MINUTE_S: Final = 60.0
_MOST_CODE: Final = 64
_MOST_TEXT: Final = 128


class HubCall(Protocol):
    """One request to the hub: the serialized reply of ``method``."""

    async def __call__(self, method: str, payload: bytes) -> bytes:
        """Ask the hub.

        Raises:
            Retry: ``hub_unreachable``.
            FieldmeshError: what the hub refused, with its code.
        """


class EnrolmentDesk:
    """Passes enrolments on to the hub; slows down those who guess codes."""

    def __init__(self, ask_hub: HubCall, clock: Clock) -> None:
        """Use ``ask_hub`` for every certificate."""
        self._ask_hub = ask_hub
        self._clock = clock
        self._recent: list[float] = []

    async def enrol(self, request: enrol_pb2.EnrolRequest) -> enrol_pb2.EnrolReply:
        """A certificate for a code.

        Raises:
            Rejected: ``field_too_long``, ``bad_csr``, ``enrolment_refused`` and the like.
            Retry: ``too_many_enrolments``, ``hub_unreachable``.
        """
        self._slow_down()
        _check_csr(request.csr)
        _check_sizes(
            ("code", request.code, _MOST_CODE),
            ("hardware_id", request.hardware_id, _MOST_TEXT),
            ("app_version", request.app_version, _MOST_CODE),
        )
        reply = await self._ask_hub("enrol", request.SerializeToString())
        return enrol_pb2.EnrolReply.FromString(reply)

    async def renew(self, certificate: bytes, csr: bytes) -> enrol_pb2.EnrolReply:
        """A new certificate for the device that holds ``certificate``.

        Raises:
            Rejected: the hub refuses.
            Retry: ``hub_unreachable``.
        """
        _check_csr(csr)
        request = replication_pb2.ForwardedRenew(certificate=certificate, csr=csr)
        reply = await self._ask_hub("renew", request.SerializeToString())
        return enrol_pb2.EnrolReply.FromString(reply)

    def _slow_down(self) -> None:
        now = self._clock.monotonic()
        self._recent = [at for at in self._recent if at > now - _MINUTE_S]
        if len(self._recent) >= _MOST_A_MINUTE:
            raise Retry("too_many_enrolments", delay_s=_MINUTE_S)
        self._recent.append(now)


def _check_csr(csr: bytes) -> None:
    if not csr or len(csr) > limits.CSR_BYTES:
        reason = f"size must be 1 to {limits.CSR_BYTES} bytes"
        raise Rejected("bad_csr", place="csr", reason=reason)


def _check_sizes(*fields: tuple[str, str, int]) -> None:
    for name, content, most in fields:
        if len(content) > most:
            raise Rejected("field_too_long", place=name, most=most)
