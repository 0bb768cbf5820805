"""Problems as gRPC statuses and back; the only place that translates between the two.

A status carries ``google.rpc.ErrorInfo`` (code, place, fields), ``RetryInfo`` (delay) and
``LocalizedMessage`` (words for a person), so that the other side raises the same error again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from fieldmesh.basics.errors import Defect, Fenced, FieldmeshError, Quarantined, Rejected, Retry
from fieldmesh.basics.problems import problem_of

if TYPE_CHECKING:
    from typing import Any

    import grpc.aio

DOMAIN: Final = "fieldmesh"
_KIND: Final = "_kind"
_PLACE: Final = "_place"
_MOST_TEXT: Final = 500
_MOST_FIELDS: Final = 16
_KINDS: Final[dict[str, type[FieldmeshError]]] = {
    "rejected": Rejected,
    "fenced": Fenced,
    "quarantined": Quarantined,
    "defect": Defect,
}
_UNNAMED: Final = {
    grpc.StatusCode.UNAVAILABLE: "no_gateway_reachable",
    grpc.StatusCode.DEADLINE_EXCEEDED: "request_timed_out",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "frame_too_large",
    grpc.StatusCode.CANCELLED: "session_cut",
    grpc.StatusCode.UNAUTHENTICATED: "foreign_certificate",
    grpc.StatusCode.PERMISSION_DENIED: "foreign_certificate",
    grpc.StatusCode.UNIMPLEMENTED: "protocol_not_spoken",
}
_ABOUT_A_MACHINE: Final = {
    "disk_full",
    "disk_failed",
    "disk_read_only",
    "database_busy",
    "database_unreadable",
}
_TRY_AGAIN: Final = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.ABORTED,
}


def to_status(error: FieldmeshError) -> status_pb2.Status:
    """The error as google.rpc.Status with its details."""
    problem = problem_of(error)
    facts = {name: str(value)[:_MOST_TEXT] for name, value in error.fields.items()}
    facts = dict(list(facts.items())[:_MOST_FIELDS])
    facts[_KIND] = next((name for name, kind in _KINDS.items() if isinstance(error, kind)), "retry")
    if error.place:
        facts[_PLACE] = error.place[:_MOST_TEXT]
    details = [
        _packed(error_details_pb2.ErrorInfo(reason=error.code, domain=DOMAIN, metadata=facts)),
        _packed(error_details_pb2.LocalizedMessage(locale="en", message=str(error)[:_MOST_TEXT])),
    ]
    if isinstance(error, Retry):
        delay = error_details_pb2.RetryInfo()
        delay.retry_delay.FromMilliseconds(int(error.delay_s * 1000))
        details.append(_packed(delay))
    code = grpc.StatusCode[problem.grpc_status].value[0]
    return status_pb2.Status(code=code, message=str(error)[:_MOST_TEXT], details=details)


async def abort(context: grpc.aio.ServicerContext[Any, Any], error: FieldmeshError) -> NoReturn:
    """The call has ended with the error as its status."""
    status = rpc_status.to_status(to_status(error))
    await context.abort(status.code, status.details, status.trailing_metadata)
    raise AssertionError  # abort never returns


def from_rpc_error(error: grpc.aio.AioRpcError, *, peer: str = "") -> FieldmeshError:
    """The error that the other side raised, or what the missing answer means.

    Args:
        error: how the call ended.
        peer: how the other side is named to a person: trouble with its machine names it.
    """
    status = _status_of(error)
    if status is None:
        return _unnamed(error, peer)
    facts: dict[str, str] = {}
    code, delay_s, retry = "", 0.0, False
    for detail in status.details:
        info, delay = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        if detail.Unpack(info) and info.domain == DOMAIN:
            code, facts = info.reason, dict(info.metadata)
        elif detail.Unpack(delay):
            retry, delay_s = True, delay.retry_delay.ToMilliseconds() / 1000
    if not code:
        return _unnamed(error, peer)
    kind = facts.pop(_KIND, "rejected")
    place = facts.pop(_PLACE, "")
    if code in _ABOUT_A_MACHINE:
        place = f"{peer} {place}".strip()
    fields: dict[str, Any] = {name: value for name, value in facts.items() if name != "place"}
    if retry or kind == "retry":
        fields.pop("delay_s", None)
        return Retry(code, place=place, delay_s=delay_s, **fields)
    return _KINDS.get(kind, Rejected)(code, place=place, **fields)


def _status_of(error: grpc.aio.AioRpcError) -> status_pb2.Status | None:
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin" and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                return None
    return None


def _unnamed(error: grpc.aio.AioRpcError, peer: str) -> FieldmeshError:
    """The line or another program ended the call: only the status tells why."""
    status = error.code()
    text = (error.details() or "")[:_MOST_TEXT]
    code = _UNNAMED.get(status, "session_cut")
    if status is grpc.StatusCode.UNAVAILABLE and _is_about_certificates(text):
        # An alert is the other side's word on our certificate; all else is our own on theirs.
        code = "foreign_certificate" if "alert" in text.lower() else "peer_certificate_bad"
        return Rejected(code, place=peer or "connection", text=text)
    if status in _TRY_AGAIN or code == "session_cut":
        return Retry(code, place=peer, text=text, status=status.name)
    return Rejected(code, place=peer, text=text, status=status.name)


def _is_about_certificates(text: str) -> bool:
    lowered = text.lower()
    return "certificate" in lowered or ("ssl" in lowered and "handshake" in lowered)


def _packed(message: Any) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(message)
    return packed
