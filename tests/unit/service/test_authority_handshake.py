"""A server of the newest authority is believed by clients that trust it, or any authority before it."""

import asyncio
import ssl
from pathlib import Path

import grpc
import grpc.aio
import pytest

from fieldmesh.basics.clock import SystemClock
from fieldmesh.service import tls
from fieldmesh.service.grpc_server import (
    NodeKeys,
    bind,
    make_server,
    open_channel,
    server_credentials,
    set_serving,
)
from hub.trust.authority import Authority, NodeKind

NODE = b"n" * 16
SERVICE = "test"


@pytest.fixture
def generations(tmp_path: Path) -> list[Authority]:
    """Three authorities, each vouched for by the one before."""
    made = [Authority.create(tmp_path, SystemClock(), "Test")]
    for _ in range(2):
        made.append(made[-1].renewed(tmp_path, "Test"))
    return made


def keys_of(authority: Authority) -> NodeKeys:
    """What a gateway of that authority shows and believes."""
    key = tls.make_key()
    issued = authority.issue_node(tls.make_csr(key, "gateway"), NodeKind.GATEWAY, NODE)
    return NodeKeys(
        tls.key_pem(key),
        tls.certificate_pem(issued.der + tls.to_show(authority.chain)),
        tls.certificate_pem(b"".join(tls.authorities(authority.chain))),
    )


@pytest.mark.parametrize("trusted", range(3))
async def test_a_gateway_is_believed_over_grpc(generations: list[Authority], trusted: int) -> None:
    """Devices come with whatever authority they knew when they were last seen, and a certificate of it."""
    server, checks = make_server([SERVICE])
    port = bind(server, "127.0.0.1:0", server_credentials(lambda: keys_of(generations[-1])))
    await server.start()
    await set_serving(checks, [SERVICE], serving=True)
    device = keys_of(generations[trusted])
    root = tls.certificate_pem(generations[trusted].certificate)
    channel = open_channel(f"127.0.0.1:{port}", root, device)
    try:
        async with asyncio.timeout(10):
            await channel.channel_ready()
    finally:
        await channel.close()
        await server.stop(None)
    assert channel.get_state() == grpc.ChannelConnectivity.SHUTDOWN


@pytest.mark.parametrize("trusted", range(3))
async def test_the_hub_is_believed_by_openssl(
    generations: list[Authority], trusted: int, tmp_path: Path
) -> None:
    """Gateways reach the bus and the enrolment page that way."""
    keys = keys_of(generations[-1])
    chain = tmp_path / "chain.pem"
    chain.write_bytes(keys.private_key + keys.certificate)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(chain)
    asking = ssl.create_default_context(
        cadata=tls.certificate_pem(generations[trusted].certificate).decode()
    )
    into_server, into_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = serving.wrap_bio(into_server, into_client, server_side=True)
    client = asking.wrap_bio(into_client, into_server, server_hostname=tls.GATEWAY_NAME)
    waiting = [client, server]
    for _ in range(20):
        for one in list(waiting):
            try:
                one.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(one)
    assert waiting == []
