"""The measuring process's end of the fleet: gateways that share processes, and those with one of their own."""

import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.demo.network import LOCAL
from fieldmesh.service.database import connect
from gateway.app.home import Home
from tests.bench.company import Measured
from tests.bench.fleet_gateways import standing_of

_SERVE_S, _ASK_S = 900.0, 120.0
_LIMIT = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Standing:
    """The least mark of all gateways, areas that are not ready, entries without a receipt."""

    mark: int
    missing: int
    waiting: int


@dataclass(slots=True)
class Fleet:
    """Every gateway of the company.

    Attributes:
        addresses: where devices sync, by gateway.
    """

    measured: Measured
    processes: list[asyncio.subprocess.Process] = field(default_factory=list)
    addresses: dict[str, str] = field(default_factory=dict)

    @property
    def pids(self) -> list[int]:
        """Of the processes that gateways share."""
        return [one.pid for one in self.processes]

    async def serve(self) -> None:
        """All gateways serve."""
        self.addresses = {one.code: one.address for one in self.measured.network.gateways}
        for ports in await self._ask("serve", _SERVE_S):
            self.addresses |= {code: f"{LOCAL}:{port}" for code, port in ports.items()}

    async def standing(self) -> Standing:
        """Where they stand, all together."""
        told = [Standing(**one) for one in await self._ask("standing", _ASK_S)]
        for one in self.measured.network.gateways:
            with closing(connect(Home(one.folder).database, read_only=True)) as connection:
                told.append(Standing(*standing_of(connection)))
        return Standing(
            min(one.mark for one in told),
            sum(one.missing for one in told),
            sum(one.waiting for one in told),
        )

    async def differing(self) -> list[object]:
        """Gateways that have not the same rows as the hub, with what differs."""
        return [one for told in await self._ask("verify", _SERVE_S) for one in told["differing"]]

    async def _ask(self, word: str, most_s: float) -> list[dict[str, Any]]:
        for one in self.processes:
            assert one.stdin is not None
            one.stdin.write(f"{word}\n".encode())
        return [await _answer(one, most_s) for one in self.processes]


def planned(measured: Measured, codes: Sequence[str], processes: int) -> list[Path]:
    """A file for each process: its gateways and their homes."""
    found = []
    for number in range(processes):
        gateways = [
            {"code": code, "home": str(home_of(measured, code).path)}
            for code in codes[number::processes]
        ]
        path = measured.folder / f"fleet-{number}.json"
        path.write_text(json.dumps({"gateways": gateways}), encoding="utf-8")
        found.append(path)
    return found


def home_of(measured: Measured, code: str) -> Home:
    """Where the gateway's files lie."""
    return Home(measured.folder / "fleet" / code)


async def started(stack: AsyncExitStack, measured: Measured, plans: Sequence[Path]) -> Fleet:
    """The processes run, their gateways do not serve yet; when the stack ends they are gone."""
    fleet = Fleet(measured)
    for plan in plans:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.fleet_gateways", str(plan),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_LIMIT,
        )  # fmt: skip
        stack.push_async_callback(_end, process)
        fleet.processes.append(process)
    return fleet


async def _answer(process: asyncio.subprocess.Process, most_s: float) -> dict[str, Any]:
    assert process.stdout is not None
    async with asyncio.timeout(most_s):
        line = await process.stdout.readline()
    if not line:
        raise RuntimeError("a process of gateways has failed; it said why above")
    answer: dict[str, Any] = json.loads(line)
    return answer


async def _end(process: asyncio.subprocess.Process) -> None:
    """A hard end: what its gateways acknowledged is committed, and hundreds of orderly ones take long."""
    if process.returncode is None:
        process.kill()
    await process.wait()
