"""A line to the message bus with a gateway's real credentials, in the hands of whoever took them."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import nkeys
from nats.aio.client import Client

from fieldmesh.service.nats_identity import gateway_inbox
from fieldmesh.service.tls import HUB_NAME, certificate_pem
from gateway.trust.certificates import GatewayIdentity

DEADLINE_S = 10.0


@dataclass
class StolenLine:
    """What the thief can say, and what the broker says to that."""

    client: Client
    own: str
    refusals: list[str] = field(default_factory=list)

    @property
    def inbox(self) -> str:
        """Where this gateway may be answered."""
        return gateway_inbox(self.own)

    async def ask(self, method: str, payload: bytes) -> bytes:
        """What the hub answers."""
        answer = await self.client.request(
            f"rpc.hub.{method}.{self.own}", payload, timeout=DEADLINE_S
        )
        return answer.data

    async def refused(self, act: Callable[[], object], subject: str) -> bool:
        """Whether the broker forbids it: an allowed word right after it proves that it was heard."""
        await act()  # type: ignore[misc]
        await self.client.flush()
        async with asyncio.timeout(DEADLINE_S):
            while True:
                if any(f'"{subject.lower()}"' in one for one in self.refusals):
                    return True
                await self.client.flush()
                await asyncio.sleep(0.01)


@asynccontextmanager
async def stolen_line(identity: GatewayIdentity) -> AsyncIterator[StolenLine]:
    """A connection with the gateway's key, ended at the end of the block."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=certificate_pem(identity.authority).decode("ascii"))
    own = identity.gateway_id.hex()
    line = StolenLine(Client(), own)

    async def heard(error: Exception) -> None:
        line.refusals.append(str(error).lower())

    def signed(nonce: str) -> bytes:
        pair = nkeys.from_seed(bytearray(identity.bus_seed))
        return base64.b64encode(pair.sign(nonce.encode()))

    await line.client.connect(
        servers=identity.bus_url.split(","),
        tls=context,
        tls_hostname=HUB_NAME,
        user_jwt_cb=lambda: bytearray(identity.bus_jwt.encode("ascii")),
        signature_cb=signed,
        error_cb=heard,
        inbox_prefix=gateway_inbox(own).encode("ascii"),
        allow_reconnect=False,
    )
    try:
        yield line
    finally:
        await line.client.close()
