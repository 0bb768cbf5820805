"""Servers over mTLS: callers are known, strangers are refused, a code finds its authority."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from fieldmesh.basics.clock import SystemClock
from fieldmesh.basics.codes import authority_fingerprint
from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.service import tls
from fieldmesh.service.grpc_problems import abort, from_rpc_error
from fieldmesh.service.grpc_server import (
    NodeKeys,
    bind,
    make_server,
    open_channel,
    peer_identity,
    server_credentials,
    set_serving,
)
from hub.trust.authority import Authority, NodeKind

SERVICE = "test.Echo"
METHOD = f"/{SERVICE}/Who"


@dataclass
class Node:
    """A server that says who called."""

    authority: Authority
    keys: NodeKeys
    port: int = 0
    open_port: int = 0
    servers: list[grpc.aio.Server] = field(default_factory=list)


def issue(authority: Authority, kind: NodeKind, node_id: bytes) -> NodeKeys:
    """A node's keys, its certificate with the authority's after it."""
    key = tls.make_key()
    certificate = authority.issue_node(tls.make_csr(key, "node"), kind, node_id)
    chain = tls.certificate_pem(certificate.der) + authority.pem
    return NodeKeys(tls.key_pem(key), chain, authority.pem)


async def who(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
    """The caller's identity, or a problem when it asks for one."""
    if request == b"problem":
        await abort(context, Retry("gateway_busy", delay_s=2.5, place="here"))
    return peer_identity(context).node_id


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Ours."""
    (tmp_path / "a").mkdir()
    return Authority.create(tmp_path / "a", SystemClock(), "Ours")


@pytest.fixture
async def node(authority: Authority) -> AsyncIterator[Node]:
    """One server with and one without client certificates."""
    made = Node(authority, issue(authority, NodeKind.GATEWAY, b"g" * 16))
    handlers = {"Who": grpc.unary_unary_rpc_method_handler(who)}
    for ask in (True, False):
        server, checks = make_server([SERVICE])
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        credentials = server_credentials(lambda: made.keys, ask_for_certificate=ask)
        port = bind(server, "127.0.0.1:0", credentials)
        await server.start()
        await set_serving(checks, [SERVICE], serving=True)
        made.servers.append(server)
        made.port, made.open_port = (port, 0) if ask else (made.port, port)
    yield made
    for server in made.servers:
        await server.stop(None)


async def call(node: Node, keys: NodeKeys | None, request: bytes = b"", port: int = 0) -> bytes:
    """What the server answers."""
    async with open_channel(f"127.0.0.1:{port or node.port}", node.authority.pem, keys) as channel:
        try:
            answer: bytes = await channel.unary_unary(METHOD)(request, timeout=10)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        return answer


async def test_a_caller_is_known_by_its_certificate(node: Node) -> None:
    """A device must not be able to speak for another."""
    device = secrets.token_bytes(16)
    assert await call(node, issue(node.authority, NodeKind.DEVICE, device)) == device


async def test_a_stranger_does_not_get_in(node: Node, tmp_path: Path) -> None:
    """Neither without a certificate, nor with one of another company."""
    (tmp_path / "b").mkdir()
    foreign = Authority.create(tmp_path / "b", SystemClock(), "Foreign")
    stranger = issue(foreign, NodeKind.DEVICE, b"d" * 16)
    for keys in (None, NodeKeys(stranger.private_key, stranger.certificate, node.authority.pem)):
        with pytest.raises((Retry, Rejected)):
            await call(node, keys)


async def test_a_server_of_another_company_is_not_trusted(node: Node, tmp_path: Path) -> None:
    """And the device says why, instead of trying for ever."""
    (tmp_path / "b").mkdir()
    foreign = Authority.create(tmp_path / "b", SystemClock(), "Foreign")
    other = Node(foreign, node.keys)
    with pytest.raises(Rejected) as caught:
        await call(other, None, port=node.open_port)
    assert caught.value.code == "peer_certificate_bad"


async def test_a_problem_arrives_as_it_was_raised(node: Node) -> None:
    """The device waits exactly as long as the gateway asks."""
    with pytest.raises(Retry) as caught:
        await call(node, issue(node.authority, NodeKind.DEVICE, b"d" * 16), b"problem")
    assert (caught.value.code, caught.value.delay_s, caught.value.place) == (
        "gateway_busy",
        2.5,
        "here",
    )


async def test_a_renewed_certificate_is_shown_without_a_restart(node: Node) -> None:
    """Seven hundred gateways renew by themselves once a year."""
    device = issue(node.authority, NodeKind.DEVICE, b"d" * 16)
    await call(node, device)
    node.keys = issue(node.authority, NodeKind.GATEWAY, b"g" * 16)
    await call(node, device)
    shown = await asyncio.to_thread(tls._shown_chain, "127.0.0.1", node.open_port, 5.0)
    assert shown[0] == tls.certificate_der(node.keys.certificate)


async def test_a_code_finds_its_authority_and_no_other(node: Node) -> None:
    """A device trusts nobody yet: the code is all it has."""
    ours = authority_fingerprint(node.authority.certificate)
    found = await tls.fetch_authority("127.0.0.1", node.open_port, ours)
    assert found == node.authority.certificate
    with pytest.raises(Rejected) as caught:
        await tls.fetch_authority("127.0.0.1", node.open_port, b"0" * len(ours))
    assert caught.value.code == "authority_unknown"


async def test_a_silent_server_does_not_hold_an_enrolment_for_ever() -> None:
    """Hotel networks accept every connection and say nothing."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(Retry) as caught:
            await tls.fetch_authority("127.0.0.1", silent.getsockname()[1], b"x", timeout_s=0.5)
    assert caught.value.code == "no_gateway_reachable"


async def test_a_port_in_use_is_said_in_words(node: Node) -> None:
    """The administrator must learn which port."""
    server, _ = make_server([SERVICE])
    with pytest.raises(Rejected) as caught:
        bind(server, f"127.0.0.1:{node.port}", server_credentials(lambda: node.keys))
    assert caught.value.code == "port_in_use"
    assert str(node.port) in str(caught.value)
    await server.stop(None)


@pytest.mark.parametrize("host", ["192.0.2.1", "[2001:db8::1]", "no.such.name.invalid"])
async def test_an_address_of_another_machine_is_not_called_a_port_in_use(
    node: Node, host: str
) -> None:
    """Who looks for another program on that port looks in vain."""
    server, _ = make_server([SERVICE])
    with pytest.raises(Rejected) as caught:
        bind(server, f"{host}:7443", server_credentials(lambda: node.keys))
    assert caught.value.code == "address_unusable"
    await server.stop(None)


async def test_health_tells_whether_the_service_serves(node: Node) -> None:
    """Load balancers and probes ask this, over the same TLS."""
    device = issue(node.authority, NodeKind.DEVICE, b"d" * 16)
    async with open_channel(f"127.0.0.1:{node.port}", node.authority.pem, device) as channel:
        answer = await health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(service=SERVICE), timeout=10
        )
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_a_certificate_tells_who_it_is_for(authority: Authority) -> None:
    """What was signed long ago must still be known by its certificate."""
    keys = issue(authority, NodeKind.DEVICE, b"d" * 16)
    peer = tls.check_certificate(tls.certificate_der(keys.certificate), authority.certificate)
    assert (peer.node_kind, peer.node_id) == ("device", b"d" * 16)
    assert peer.public_key == tls.public_key_der(tls.load_key(keys.private_key))
    with pytest.raises(Rejected):
        tls.check_certificate(b"no certificate", authority.certificate)
    with pytest.raises(Rejected):
        tls.read_certificate(authority.certificate)
