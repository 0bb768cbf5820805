"""The device says, signed, at which gateway it is. Promise 6 (Scope): only with it a guest's rows come to a gateway."""

from collections.abc import Awaitable, Callable

from device_agent.modes.context import SyncContext
from device_agent.storage.state import DeviceState
from fieldmesh.codec.presence import sign_presence


async def say_presence(
    context: SyncContext,
    state: DeviceState,
    gateway_id: bytes,
    ask_gateway_id: Callable[[], Awaitable[bytes]],
) -> tuple[bytes, int]:
    """The device's word, and its time by the clock that gateways have (UTC microseconds).

    A gateway that is not known yet is asked who it is.

    Raises:
        Retry: the gateway does not answer.
    """
    there = gateway_id or await ask_gateway_id()
    at = context.clock.now() + state.clock_offset
    return sign_presence(state.device_id, there, at, context.sign), at
