"""Certificates that end while their node is away; it enrols again with a code, as the page for the night says."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from typing_extensions import override

from deploy.demo.processes import CommandFailedError
from device_agent.app import enroll
from device_agent.modes.enrol import EnrolmentWish
from fieldmesh.basics.errors import FieldmeshError
from fieldmesh.service.files import write_durably
from tests.chaos.arena import PASSWORD, Arena, lead_over
from tests.chaos.faults.fault import OfDevices, OfGateways, registered
from tests.kit.certificates import authority_key, ended
from tests.kit.standing import told

_MOST_S, _PAUSE_S = 180.0, 0.5
_UPSETS = (FieldmeshError, CommandFailedError, OSError, TimeoutError)
"""What stands in the way of a new certificate while other faults are in force: it is tried again."""


def _end(network: Arena, home: Path) -> None:
    file = home / "identity" / "certificate.der"
    with suppress(OSError):  # another fault has filled the disk: it holds on
        write_durably(file, ended(file.read_bytes(), authority_key(network.hub.folder)))


async def _until_done(act: Callable[[], Awaitable[None]]) -> None:
    async with asyncio.timeout(_MOST_S):
        while True:
            try:
                return await act()
            except _UPSETS as error:
                if _is_good_again(error):
                    return None
                await asyncio.sleep(_PAUSE_S)


def _is_good_again(error: BaseException) -> bool:
    """A gateway whose line to the hub stands renews by itself, before anybody brings a code."""
    known = told(error)[0] if isinstance(error, CommandFailedError) else ""
    return "already_enrolled" in {known, getattr(error, "code", "")}


@registered
class DeviceCertificateEnds(OfDevices):
    """A device was away for a year: nobody lets it in, its work goes on, and arrives under the new certificate."""

    name = "expired_device"

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        await network.put_down(self.node)
        _end(network, network.home(self.node))
        await network.take_up(self.node)
        return f"the certificate of {self.node} has ended"

    @override
    async def heal(self, network: Arena) -> None:
        await network.put_down(self.node)
        await _until_done(lambda: self._enrol(network))
        await network.take_up(self.node)

    async def _enrol(self, network: Arena) -> None:
        post = network.post(self.node)
        code = await network.office.device_code(self.node)
        door = f"127.0.0.1:{network.gateway(post.home).enrolment_port}"
        await enroll(network.home(self.node), EnrolmentWish(code, door, post.login, PASSWORD))


@registered
class GatewayCertificateEnds(OfGateways):
    """A gateway's certificate ended while it was away: devices turn to others, and it keeps what it holds."""

    name = "expired_gateway"
    weight = 1

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        await network.switch_off(self.node)
        _end(network, network.gateway(self.node).folder)
        await network.switch_on(self.node)
        return f"the certificate of {self.node} has ended"

    @override
    async def heal(self, network: Arena) -> None:
        await network.switch_off(self.node)
        await _until_done(lambda: self._enrol(network))
        await network.switch_on(self.node)

    async def _enrol(self, network: Arena) -> None:
        gateway = network.gateway(self.node)
        made = await network.hub.ask("gateway", "code", self.node, timeout_s=20.0)
        await gateway.enroll_with(str(made["code"]), network.hub)
        lead_over(gateway, network.lines[f"bus:{self.node}"])
