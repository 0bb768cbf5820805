"""What a gateway refuses is told in words that lead to what is wrong: who writes a client reads nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest

from fieldmesh.basics.clock import SystemClock
from fieldmesh.basics.errors import Rejected
from fieldmesh.codec import signature
from fieldmesh.codec.batch import decode_header, encode_header
from fieldmesh.service.grpc_problems import from_rpc_error
from fieldmesh.wire.v1 import blob_pb2, enrol_pb2, session_pb2, session_pb2_grpc
from gateway.serving.enrolment import EnrolmentDesk
from gateway.storage import cache
from tests.integration.gateway.world import World, error_of, order, place_region, rows_of

if TYPE_CHECKING:
    from pathlib import Path

FAST = session_pb2.MODE_FAST


class _Hub:
    async def __call__(self, method: str, payload: bytes) -> bytes:
        """Nobody is asked."""
        raise AssertionError(method, payload)


@pytest.mark.parametrize(
    ("wrong", "code", "said"),
    [
        (
            {"hardware_id": "ж" * 129},
            "field_too_long",
            "hardware_id is longer than 128 characters.",
        ),
        ({"csr": b""}, "bad_csr", "request can't be read"),
        ({"csr": bytes(4097)}, "bad_csr", "request can't be read"),
    ],
)
async def test_what_is_too_long_to_enrol_is_counted_as_it_is_told(
    wrong: dict[str, Any], code: str, said: str
) -> None:
    """It said bytes and counted characters: 100 Cyrillic letters passed, and whoever counted 128 bytes cut them."""
    desk = EnrolmentDesk(_Hub(), SystemClock())
    facts = {"code": "FM-A-B", "csr": b"x", "hardware_id": "ж" * 128, "app_version": "1"}
    with pytest.raises(Rejected) as caught:
        await desk.enrol(enrol_pb2.EnrolRequest(**{**facts, **wrong}))
    assert caught.value.code == code
    assert said in str(caught.value)


async def test_a_batch_that_names_one_before_it_that_can_not_be_is_refused(tmp_path: Path) -> None:
    """Without it the first tick came, and head office waited for batch 3/0 until a person gave it up."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway:
        _, _, outlets = await place_region(gateway, [device])
        device.epoch = 4
        batch = device.pack(order(outlets[0]))
        header = replace(decode_header(batch.header), previous_epoch=3)
        batch.header = encode_header(header)
        batch.signature = signature.sign(device.key, batch.header)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await world.talk(gateway, device, device.hello(FAST), [batch])
        assert "previous_sequence of batch 4/1" in str(caught.value.details())


async def test_a_message_of_no_kind_is_told_as_that(tmp_path: Path) -> None:
    """“Found: None” says nothing to who writes a client."""
    world = World(tmp_path)
    device = world.device()
    async with world.running() as gateway, device.channel(gateway.ports["gateway"]) as channel:
        for hello in ([], [session_pb2.DeviceMessage(hello=device.hello(FAST))]):
            call = session_pb2_grpc.GatewayStub(channel).Session()
            for message in (*hello, session_pb2.DeviceMessage()):
                await call.write(message)
            if hello:
                await call.read()
            problem = from_rpc_error(await error_of(call))
            assert (problem.code, "None" in str(problem)) == ("bad_message", False)
            assert "of a kind that is not known" in problem.place


async def test_a_revoked_device_neither_brings_nor_gets_photos(tmp_path: Path) -> None:
    """A stolen device that skips the session, where it is told to erase itself, got all photos that it could name."""
    world = World(tmp_path)
    device = world.device()
    row = {"id": device.device_id, "lsn": 200, "state": "revoked"}
    async with world.running() as gateway, device.channel(gateway.ports["gateway"]) as channel:
        await gateway.database.write(lambda c: cache.apply_rows(c, rows_of("device", row)))
        stub = session_pb2_grpc.GatewayStub(channel)
        photo = b"a photo"
        name = hashlib.sha256(photo).digest()
        piece = blob_pb2.BlobChunk(sha256=name, size=len(photo), data=photo)
        for call in (
            stub.FindBlob(blob_pb2.FindBlobRequest(sha256=name)),
            stub.PutBlob(iter([piece])),
            stub.GetBlob(blob_pb2.GetBlobRequest(sha256=name)).read(),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call
            assert from_rpc_error(caught.value).code == "device_revoked"
        assert not list(gateway.home.blobs.iterdir())
