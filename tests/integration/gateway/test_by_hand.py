"""Blobs, carrier files, the command line and small ports of a running gateway."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from typing import TYPE_CHECKING

import grpc.aio
import pytest

from fieldmesh.service import tls
from fieldmesh.service.grpc_problems import from_rpc_error
from fieldmesh.service.grpc_server import open_channel
from fieldmesh.wire.v1 import batch_pb2, blob_pb2, enrol_pb2, session_pb2, session_pb2_grpc
from tests.integration.gateway.world import World, order, place_region

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from gateway.app.building import Gateway
    from tests.integration.gateway.world import Device


def channel_of(gateway: Gateway, device: Device) -> grpc.aio.Channel:
    """A connection of the device."""
    return open_channel(
        f"127.0.0.1:{gateway.ports['gateway']}",
        tls.certificate_pem(device.authority),
        device.keys(),
    )


async def run_cli(world: World, *arguments: str) -> tuple[int, dict[str, object]]:
    """Exit code and JSON answer of the real program."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway.cli",
        *arguments,
        "--home",
        str(world.home.path),
        "--json",
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, json.loads(output)


async def test_a_cut_photo_goes_on_at_its_byte_and_comes_back_whole(tmp_path: Path) -> None:
    """Without it a photo over a bad line would start anew for ever."""
    world = World(tmp_path)
    device = world.device()
    photo = bytes(range(256)) * 3_000
    name = hashlib.sha256(photo).digest()

    async def chunks(start: int, stop: int) -> AsyncIterator[blob_pb2.BlobChunk]:
        for offset in range(start, stop, 100_000):
            data = photo[offset : min(offset + 100_000, stop)]
            yield blob_pb2.BlobChunk(sha256=name, size=len(photo), offset=offset, data=data)

    async with world.running() as gateway, channel_of(gateway, device) as channel:
        stub = session_pb2_grpc.GatewayStub(channel)
        state = await stub.PutBlob(chunks(0, 300_000))
        assert (state.held, state.complete) == (300_000, False)
        found = await stub.FindBlob(blob_pb2.FindBlobRequest(sha256=name))
        assert found.held == 300_000
        state = await stub.PutBlob(chunks(found.held, len(photo)))
        assert state.complete
        back = [c.data async for c in stub.GetBlob(blob_pb2.GetBlobRequest(sha256=name, offset=7))]
        assert b"".join(back) == photo[7:]


async def test_a_photo_that_is_not_what_its_name_says_is_refused(tmp_path: Path) -> None:
    """Without it a damaged photo would be kept under a good name."""
    world = World(tmp_path)
    device = world.device()

    async def chunks() -> AsyncIterator[blob_pb2.BlobChunk]:
        yield blob_pb2.BlobChunk(sha256=bytes(32), size=3, data=b"abc")

    async with world.running() as gateway, channel_of(gateway, device) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await session_pb2_grpc.GatewayStub(channel).PutBlob(chunks())
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("offset", "size", "code", "held"),
    [(0, 300_000, "blob_piece_too_large", 0), (7, 100, "blob_gap", 3), (3, 998, "blob_differs", 3)],
)
async def test_a_piece_that_can_not_be_taken_says_what_is_wrong(
    tmp_path: Path, offset: int, size: int, code: str, held: int
) -> None:
    """“Make the photo smaller” and “from the start” sent authors of clients the wrong way; what came is kept."""
    world = World(tmp_path)
    device = world.device()
    name = bytes(range(32))
    whole = 400_000 if size > 1_000 else 1_000

    async def chunks() -> AsyncIterator[blob_pb2.BlobChunk]:
        yield blob_pb2.BlobChunk(sha256=name, size=whole, data=bytes(held))
        yield blob_pb2.BlobChunk(offset=offset, data=bytes(size))

    async with world.running() as gateway, channel_of(gateway, device) as channel:
        stub = session_pb2_grpc.GatewayStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.PutBlob(chunks())
        problem = from_rpc_error(caught.value)
        assert problem.code == code
        if code == "blob_gap":
            assert "Go on at byte 3." in str(problem)
        found = await stub.FindBlob(blob_pb2.FindBlobRequest(sha256=name))
        assert (found.held, found.complete) == (held, False)


async def test_a_carrier_file_is_taken_in_once_through_the_command_line(tmp_path: Path) -> None:
    """Promises 1 and 2 for batches carried by hand."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        _, _, outlets = await place_region(gateway, [device])
        batches = [device.pack(order(outlets[0])) for _ in range(3)]
        file = batch_pb2.CarrierFile(
            format=1, device_certificate=device.certificate, batches=batches
        )
        path = tmp_path / "export.fmc"
        path.write_bytes(file.SerializeToString())
        assert await run_cli(world, "import", str(path)) == (
            0,
            {
                "device": device.device_id.hex(),
                "batches": 3,
                "new": 3,
                "held_before": 0,
                "differing": 0,
            },
        )
        _, again = await run_cli(world, "import", str(path))
        assert (again["new"], again["held_before"]) == (0, 3)
        file.ClearField("batches")
        path.write_bytes(file.SerializeToString())
        code, nothing = await run_cli(world, "import", str(path))
        assert (code, nothing["batches"]) == (0, 0), "a device that has handed over everything"
        path.write_bytes(b"no carrier file")
        code, answer = await run_cli(world, "import", str(path))
        assert (code, answer["problem"]["code"]) == (1, "bad_carrier_file")  # type: ignore[index]


async def test_status_answers_while_the_gateway_runs_and_while_it_is_stopped(
    tmp_path: Path,
) -> None:
    """Without it an administrator could not look at a stopped gateway."""
    world = World(tmp_path)
    async with world.running() as gateway:
        code, status = await run_cli(world, "status")
        assert (code, status["running"], status["hub_reachable"]) == (0, True, False)
        assert status["ports"] == gateway.ports
        code, answer = await run_cli(world, "verify")
        assert (code, answer["problem"]["code"]) == (75, "hub_unreachable")  # type: ignore[index]
    code, status = await run_cli(world, "status")
    assert (code, status["running"]) == (0, False)


@pytest.mark.parametrize("command", ["partitions", "devices", "sessions", "config show"])
async def test_lists_answer_in_json(tmp_path: Path, command: str) -> None:
    """Scripts read every list."""
    world = World(tmp_path)
    async with world.running():
        code, answer = await run_cli(world, *command.split())
        assert code == 0
        assert len(answer) == 1


async def test_a_home_without_identity_says_what_to_do(tmp_path: Path) -> None:
    """A refused start names its remedy."""
    world = World(tmp_path)
    (world.home.identity / "gateway.json").unlink()
    code, answer = await run_cli(world, "serve")
    assert (code, answer["problem"]["code"]) == (1, "gateway_not_enrolled")  # type: ignore[index]


async def test_a_port_in_use_is_one_clear_message(tmp_path: Path) -> None:
    """A second gateway on the same port is refused, not half started."""
    world, other = World(tmp_path / "one"), World(tmp_path / "two")
    async with world.running() as gateway:
        port = str(gateway.ports["gateway"])
        code, answer = await run_cli(
            other,
            "serve",
            "--port",
            port,
            "--enrolment-port",
            "0",
            "--metrics-port",
            "0",
            "--no-announce",
            "--listen-host",
            "127.0.0.1",
        )
        assert (code, answer["problem"]["code"]) == (1, "port_in_use")  # type: ignore[index]


async def test_health_metrics_and_server_info_answer(tmp_path: Path) -> None:
    """Whoever watches gateways needs one place to look."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        await world.talk(gateway, device, device.hello(session_pb2.MODE_FAST))
        body = await _get(gateway.ports["metrics"], "/metrics")
        assert b"fieldmesh_gateway_sessions_total" in body
        assert b'"status": "ok"' in await _get(gateway.ports["metrics"], "/health")
        async with channel_of(gateway, device) as channel:
            stub = session_pb2_grpc.GatewayStub(channel)
            info = await stub.GetServerInfo(session_pb2.ServerInfoRequest())
            assert info.gateway_id == world.gateway_id
            assert not info.hub_reachable


async def test_enrolment_with_the_hub_away_asks_to_try_again(tmp_path: Path) -> None:
    """A new device is told to wait, not that its code is wrong."""
    world = World(tmp_path)
    async with world.running() as gateway:
        address = f"127.0.0.1:{gateway.ports['enrolment']}"
        authority = tls.certificate_pem(world.authority.certificate)
        async with open_channel(address, authority) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await session_pb2_grpc.EnrolmentStub(channel).Enrol(
                    enrol_pb2.EnrolRequest(code="FM-A-B", csr=b"x")
                )
            assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


async def _get(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await writer.drain()
    body = await reader.read()
    writer.close()
    return body
