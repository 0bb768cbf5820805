"""A node tells how it is, and nothing else."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.health import Health, HealthServer
from fieldmesh.service.metrics import Registry


class Node:
    """A node whose readiness a test may change."""

    def __init__(self) -> None:
        """Ready."""
        self.ready = True
        self.registry = Registry("one")
        self.registry.gauge("fieldmesh_gateway_outbox_entries", "How deep?")
        self.server = HealthServer(self.health, self.registry)
        self.port = 0

    def health(self) -> Health:
        """As of now."""
        return Health(self.ready, {"hub": "ok" if self.ready else "away"}, {"devices": 3})

    async def ask(self, text: bytes) -> tuple[str, bytes]:
        """Status line and body of an answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(text)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        head, _, body = answer.partition(b"\r\n\r\n")
        return head.split(b"\r\n")[0].decode(), body


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    """Listening on a free port."""
    made = Node()
    made.port = await made.server.start("127.0.0.1", 0)
    yield made
    await made.server.stop()


async def test_a_probe_sees_whether_the_node_can_work(node: Node) -> None:
    """A load balancer must not send devices to a node that cannot serve."""
    status, body = await node.ask(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status == "HTTP/1.1 200 OK"
    assert json.loads(body) == {"status": "ok", "checks": {"hub": "ok"}, "facts": {"devices": 3}}
    node.ready = False
    status, body = await node.ask(b"GET /health?deep=1 HTTP/1.1\r\n\r\n")
    assert status == "HTTP/1.1 503 Service Unavailable"
    assert json.loads(body)["checks"] == {"hub": "away"}


async def test_figures_are_served(node: Node) -> None:
    """Prometheus reads them here."""
    _, body = await node.ask(b"GET /metrics HTTP/1.1\r\n\r\n")
    assert b'fieldmesh_gateway_outbox_entries{node="one"} 0.0' in body


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        (b"GET /etc/passwd HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found"),
        (b"POST /health HTTP/1.1\r\n\r\n", "HTTP/1.1 405 Method Not Allowed"),
        (b"nonsense\r\n\r\n", "HTTP/1.1 405 Method Not Allowed"),
        (b"x" * 20_000 + b"\r\n\r\n", ""),
    ],
)
async def test_anything_else_is_refused(node: Node, request_text: bytes, status: str) -> None:
    """A stranger's request costs a few bytes and tells nothing."""
    try:
        found, _ = await node.ask(request_text)
    except ConnectionError:
        found = ""
    assert found == status


async def test_a_port_in_use_is_said_in_words(node: Node) -> None:
    """The administrator must learn which port."""
    second = HealthServer(node.health, node.registry)
    with pytest.raises(Rejected) as caught:
        await second.start("127.0.0.1", node.port)
    assert caught.value.code == "port_in_use"


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.name.invalid"])
async def test_an_address_of_another_machine_is_not_called_a_port_in_use(
    node: Node, host: str
) -> None:
    """Who looks for another program on that port looks in vain."""
    other = HealthServer(node.health, node.registry)
    with pytest.raises(Rejected) as caught:
        await other.start(host, 0)
    assert caught.value.code == "address_unusable"
