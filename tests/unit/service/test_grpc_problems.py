"""A problem crosses the wire and is the same problem on the other side."""

import grpc
import grpc.aio
import pytest

from fieldmesh.basics.errors import Fenced, FieldmeshError, Quarantined, Rejected, Retry
from fieldmesh.service.grpc_problems import from_rpc_error, to_status


def received(error: FieldmeshError) -> FieldmeshError:
    """What the caller makes of the status."""
    status = to_status(error)
    code = next(found for found in grpc.StatusCode if found.value[0] == status.code)
    trailing = grpc.aio.Metadata(("grpc-status-details-bin", status.SerializeToString()))
    return from_rpc_error(
        grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, details=status.message)
    )


@pytest.mark.parametrize(
    "error",
    [
        Rejected("bad_hello", place="session_id", reason="too short"),
        Fenced("cloned_device", device="x"),
        Quarantined("signature_invalid"),
        Retry("gateway_busy", delay_s=1.5, waiting="12"),
    ],
)
def test_a_problem_survives_the_wire(error: FieldmeshError) -> None:
    """A device decides by the class and the code what it does next."""
    found = received(error)
    assert type(found) is type(error)
    assert (found.code, found.place, found.fields) == (error.code, error.place, error.fields)
    if isinstance(error, Retry):
        assert isinstance(found, Retry)
        assert found.delay_s == error.delay_s


@pytest.mark.parametrize(
    ("status", "details", "kind", "code"),
    [
        (grpc.StatusCode.UNAVAILABLE, "connection refused", Retry, "no_gateway_reachable"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "", Retry, "request_timed_out"),
        (grpc.StatusCode.UNAVAILABLE, "CERTIFICATE_VERIFY", Rejected, "peer_certificate_bad"),
        (grpc.StatusCode.UNAVAILABLE, "SSL alert bad certificate", Rejected, "foreign_certificate"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "message too large", Rejected, "frame_too_large"),
        (grpc.StatusCode.INTERNAL, "RST_STREAM", Retry, "session_cut"),
        (grpc.StatusCode.UNIMPLEMENTED, "", Rejected, "protocol_not_spoken"),
    ],
)  # fmt: skip
def test_a_call_that_ends_without_our_words_has_a_meaning_too(
    status: grpc.StatusCode, details: str, kind: type[FieldmeshError], code: str
) -> None:
    """A cut line and a foreign certificate must not look the same to a person."""
    found = from_rpc_error(
        grpc.aio.AioRpcError(status, grpc.aio.Metadata(), grpc.aio.Metadata(), details=details)
    )
    assert isinstance(found, kind)
    assert found.code == code


def test_damaged_details_do_not_break_the_caller() -> None:
    """What a stranger sends must not raise anything but a problem."""
    trailing = grpc.aio.Metadata(("grpc-status-details-bin", b"\xff\xff\xff"))
    found = from_rpc_error(
        grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, grpc.aio.Metadata(), trailing)
    )
    assert found.code == "session_cut"
