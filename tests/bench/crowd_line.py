"""The measuring process's end of a crowd: devices in one process that start at a word and tell of each session."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fieldmesh.service.tls import key_pem
from tests.bench.company import BareDevice, Measured

_LIMIT = 1024 * 1024


@dataclass(slots=True)
class Crowd:
    """A crowd that is ready."""

    process: asyncio.subprocess.Process
    told: list[dict[str, Any]] = field(default_factory=list)

    async def run(self) -> None:
        """It starts now, and every session that was planned has ended."""
        self.start()
        await self.ended()

    def start(self) -> None:
        """It starts now."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"go\n")

    def stop(self) -> None:
        """No new session begins."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    async def ended(self) -> None:
        """Every session that was begun has ended, well.

        Raises:
            RuntimeError: the process failed.
        """
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            if line == b"end\n":
                return
            self.told.append(json.loads(line))
        raise RuntimeError("a crowd of devices has failed; it said why above")

    def seconds(self, *, since: float = 0.0, until: float = float("inf")) -> list[float]:
        """How long the sessions took that began in that time."""
        return [float(one["seconds"]) for one in self.told if since <= one["started"] < until]


@dataclass(frozen=True, slots=True)
class Visits:
    """What one device does: sessions of a mode, each not before its second.

    Attributes:
        sequence: its newest batch so far.
        brings: visits that go up in each session; more than one are packed before the start.
        address: its gateway, if that is not the measured one.
    """

    device: BareDevice
    mode: str
    at: Sequence[float]
    sequence: int = 0
    brings: int = 1
    address: str = ""


@asynccontextmanager
async def crowd(measured: Measured, name: str, visits: Sequence[Visits]) -> AsyncIterator[Crowd]:
    """The crowd's process is ready; at the end it is gone."""
    path = measured.folder / f"{name}.json"
    path.write_text(json.dumps(await _plan(measured, visits)), encoding="utf-8")
    path.chmod(0o600)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.crowd", str(path),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_LIMIT,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        if await process.stdout.readline() != b"ready\n":
            raise RuntimeError("a crowd of devices did not start; it said why above")
        yield Crowd(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(20.0):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _plan(measured: Measured, visits: Sequence[Visits]) -> dict[str, Any]:
    facts = {one: await measured.facts(one) for one in {one.device.position for one in visits}}
    first = visits[0].device
    known = facts[first.position]
    return {
        "authority": first.keys.authority.decode(),
        "units": [unit.hex() for unit in known.units],
        "template": known.template.hex(),
        "questions": [question.hex() for question in known.questions],
        "devices": [
            {
                "device": one.device.device_id.hex(),
                "key": key_pem(one.device.key).decode(),
                "chain": one.device.keys.certificate.decode(),
                "outlets": [outlet.hex() for outlet in facts[one.device.position].outlets],
                "mode": one.mode,
                "at": list(one.at),
                "sequence": one.sequence,
                "brings": one.brings,
                "address": one.address or measured.gateway.address,
            }
            for one in visits
        ],
    }
