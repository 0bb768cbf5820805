"""A device that says what it likes: its real identity and key, and messages that no good program sends."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import grpc
import grpc.aio
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.demo.network import Device, Gateway, Network
from device_agent.link.channel import Identity
from device_agent.modes.context import load_identity
from device_agent.storage.home import Home
from device_agent.storage.identity import load_private_key
from device_agent.storage.keyring import Keyring
from fieldmesh.basics.errors import FieldmeshError
from fieldmesh.codec.batch import BatchHeader, encode_header
from fieldmesh.codec.signature import sign
from fieldmesh.data.schema import SCHEMA_VERSION
from fieldmesh.service import tls
from fieldmesh.service.grpc_problems import from_rpc_error
from fieldmesh.wire.v1 import batch_pb2, session_pb2

SESSION = "/fieldmesh.wire.v1.Gateway/Session"
ANSWER_S = 20.0


@dataclass(frozen=True, slots=True)
class RawDevice:
    """What the device's program holds, in the hands of a test."""

    gateway: Gateway
    identity: Identity
    key: ec.EllipticCurvePrivateKey
    device_id: bytes
    device_epoch: int
    last_sequence: int

    def hello(self, **other: object) -> bytes:
        """A good first message of a fast session, but for what is named."""
        values: dict[str, object] = {
            "device_id": self.device_id, "device_epoch": self.device_epoch, "mode": session_pb2.MODE_FAST,
            "schema_version": SCHEMA_VERSION, "protocol_version": 1, "app_version": "test",
            "session_id": bytes(16), "last_sequence": self.last_sequence,
        }  # fmt: skip
        hello = session_pb2.Hello(**{**values, **other})  # type: ignore[arg-type]
        return session_pb2.DeviceMessage(hello=hello).SerializeToString()

    def batch(self, header: BatchHeader, body: bytes) -> bytes:
        """The message of a batch, well signed, whatever it says."""
        content = encode_header(header)
        return self.signed(content, body, sign(self.key, content))

    def signed(self, header: bytes, body: bytes, signature: bytes) -> bytes:
        """The message of a batch."""
        batch = batch_pb2.SignedBatch(header=header, body=body, signature=signature)
        return session_pb2.DeviceMessage(batch=batch).SerializeToString()

    def upload_end(self, sequence: int) -> bytes:
        """The end of the uploads."""
        end = session_pb2.UploadEnd(last_sequence=sequence)
        return session_pb2.DeviceMessage(upload_end=end).SerializeToString()

    async def say(
        self, *messages: bytes, hold_s: float = 0.0
    ) -> tuple[list[str], FieldmeshError | None]:
        """What the gateway answered to these messages in one session, and how it refused the rest.

        With ``hold_s`` the device says no more for so long, and doesn't end its side.
        """
        authority = self.identity.authority_pem
        credentials = grpc.ssl_channel_credentials(
            authority, self.identity.private_key_pem, self.identity.certificate_pem
        )
        options = (
            ("grpc.ssl_target_name_override", tls.GATEWAY_NAME),
            ("grpc.max_send_message_length", -1),
            ("grpc.use_local_subchannel_pool", 1),
        )
        async with grpc.aio.secure_channel(
            self.gateway.address, credentials, options=options
        ) as line:
            call = line.stream_stream(SESSION)()
            async with asyncio.timeout(ANSWER_S):
                return await _talk(call, messages, hold_s)


async def _talk(
    call: "grpc.aio.StreamStreamCall[bytes, bytes]", messages: Sequence[bytes], hold_s: float
) -> tuple[list[str], FieldmeshError | None]:
    heard: list[str] = []
    try:
        for message in messages:
            await call.write(message)
        await asyncio.sleep(hold_s)
        await call.done_writing()
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        pass  # It has ended the call already; why is told below.
    try:
        while (answer := await call.read()) is not grpc.aio.EOF:
            said = session_pb2.GatewayMessage.FromString(cast("bytes", answer))
            heard.append(said.WhichOneof("message") or "")
    except grpc.aio.AioRpcError as error:
        return heard, from_rpc_error(error)
    code = await call.code()
    if code is grpc.StatusCode.OK:
        return heard, None
    trailing = await call.trailing_metadata()
    details = await call.details()
    error = grpc.aio.AioRpcError(code, await call.initial_metadata(), trailing, details=details)
    return heard, from_rpc_error(error)


async def raw_device(network: Network, device: Device, gateway: Gateway) -> RawDevice:
    """The device as it stands now."""
    status = await device.ask("status")
    home = Home(device.folder)
    key = Keyring(home).open(device.login, network.password)
    facts = json.loads(home.facts.read_bytes())
    return RawDevice(
        gateway,
        load_identity(home, key),
        load_private_key(home, key),
        bytes.fromhex(facts["device_id"]),
        int(str(status["device_epoch"])),
        int(str(status["last_sequence"])),
    )
