"""What the library's client needs around it: waiting with an end, closing, TLS."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from typing import TYPE_CHECKING, Final

import nats.errors

from fieldmesh.service.tls import authorities, certificate_pem

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

LOG = logging.getLogger(__name__)

CLOSE_S: Final = 1.0
BROKEN: Final = (nats.errors.Error, OSError, TimeoutError, ssl.SSLError)
"""What a line that fails raises."""
_LOOK_S: Final = 1.0


async def next_message(listening: Subscription) -> Msg | None:
    """The next message of a subscription; None when none came within a second."""
    try:
        return await listening.next_msg(timeout=_LOOK_S)
    except TimeoutError:
        return None


async def close_client(client: Client) -> None:
    """The client is closed, or given up: nobody waits for it longer than a second."""
    # After a TLS handshake that failed, the library waits for an end that never comes.
    with contextlib.suppress(*BROKEN):
        async with asyncio.timeout(CLOSE_S):
            await client.close()


def give_up_waiting(client: Client) -> None:
    """Requests that wait for an answer fail now; the library would let their time run out."""
    for waiting in list(client._resp_map.values()):  # noqa: SLF001 - it offers no door
        if not waiting.done():
            waiting.set_exception(nats.errors.ConnectionClosedError())


async def note(error: Exception) -> None:
    """What the library reports of a line stands in the log."""
    LOG.info("bus_problem", extra={"problem": str(error) or type(error).__name__})


def context_of(authority: bytes) -> ssl.SSLContext:
    """TLS towards servers of these authorities."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(
        cadata=certificate_pem(b"".join(authorities(authority))).decode("ascii")
    )
    return context
