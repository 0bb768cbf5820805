"""The conductor's end of a crew: a worker process with devices in it, started, told, killed and started again."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ANSWER_S = 120.0
_LIMIT = 1 << 20


class CrewFailedError(Exception):
    """A crew ended by itself, or answered that it could not."""


@dataclass(slots=True)
class Crew:
    """Devices in one process. Its plan is a JSON file that says all it must know to go on after a kill."""

    name: str
    plan: Path
    log: Path
    process: asyncio.subprocess.Process | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    """Beside that of this process."""
    _asked: int = 0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def pid(self) -> int:
        """Its process id; 0 = it does not run."""
        return self.process.pid if self.process and self.process.returncode is None else 0

    async def start(self) -> None:
        """The process runs and has opened its devices."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.chaos.crew", str(self.plan), stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE, stderr=log, start_new_session=True, limit=_LIMIT,
                env={**os.environ, **self.environment},  # noqa: TID251 - handed on
            )  # fmt: skip
        await self.ask("ready")

    async def ask(self, what: str, *, within_s: float = ANSWER_S, **facts: Any) -> dict[str, Any]:
        """The crew's answer; one question at a time.

        Raises:
            CrewFailedError: it ended, or could not.
            TimeoutError: it did not answer in time.
        """
        async with self._turn:
            self._asked += 1
            try:
                async with asyncio.timeout(within_s):
                    told = await self._answer(self._asked, {"do": what, **facts})
            except TimeoutError:
                raise
            except OSError as error:
                raise CrewFailedError(f"{self.name} has ended: {self._last_words()}") from error
        if "problem" in told:
            raise CrewFailedError(f"{self.name}, {what}: {told['problem']}")
        return told

    async def _answer(self, number: int, question: dict[str, Any]) -> dict[str, Any]:
        """The answer to the question of that number; late answers to earlier ones are passed over."""
        process = self.process
        if not self.pid or process is None or process.stdin is None or process.stdout is None:
            raise CrewFailedError(f"{self.name} does not run: {self._last_words()}")
        process.stdin.write(json.dumps({"number": number, **question}).encode() + b"\n")
        await process.stdin.drain()
        while line := await process.stdout.readline():
            told: dict[str, Any] = json.loads(line)
            if told["number"] == number:
                return told
        raise CrewFailedError(f"{self.name} has ended: {self._last_words()}")

    async def kill(self) -> None:
        """It is gone at once."""
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        if self.process is not None:
            await self.process.wait()

    async def stop(self) -> None:
        """It has closed its devices and ended, or was killed after its time."""
        if self.process is not None and self.pid:
            with contextlib.suppress(CrewFailedError, TimeoutError):
                await self.ask("stop", within_s=20.0)
                async with asyncio.timeout(20.0):
                    await self.process.wait()
        await self.kill()

    def _last_words(self) -> str:
        return self.log.read_text("utf-8", errors="replace")[-1500:] if self.log.exists() else ""
