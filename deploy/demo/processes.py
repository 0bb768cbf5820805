"""Programs of the product as processes: run to their end for an answer, or started, watched and stopped."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

TRY_AGAIN = 75
_STOP_S = 20.0


class CommandFailedError(Exception):
    """A program said no. `answer` is its JSON, `code` its exit code."""

    def __init__(
        self, words: list[str], code: int, answer: Mapping[str, object], error: str
    ) -> None:
        """The command ``words`` ended with ``code``."""
        self.code = code
        self.answer = answer
        self.error = error
        super().__init__(f"{' '.join(words)} ended with {code}: {answer or error[-2000:]}")


PROGRAMS: ContextVar[Path] = ContextVar("PROGRAMS", default=Path(sys.executable).parent)
"""The folder of the product's programs: those beside this Python, or those of another release."""


def program(name: str) -> str:
    """The path of one of the product's programs."""
    return str(PROGRAMS.get() / name)


async def ask(name: str, *words: str, timeout_s: float = 120.0) -> dict[str, object]:
    """The JSON answer of a command that ended well.

    Raises:
        CommandFailedError: it ended with another code than 0.
        TimeoutError: it did not end in time; it was killed.
    """
    command = [program(name), *words, "--json"]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(timeout_s):
            out, error = await process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    answer = _json(out)
    if process.returncode != 0:
        raise CommandFailedError(
            [name, *words], process.returncode or 0, answer, error.decode(errors="replace")
        )
    return answer


def _json(out: bytes) -> dict[str, object]:
    lines = out.decode(errors="replace").strip().splitlines()
    try:
        answer = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


@dataclass(slots=True)
class Service:
    """A program that runs until it is stopped. Its log goes to a file."""

    name: str
    words: list[str]
    log: Path
    process: asyncio.subprocess.Process | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    """Beside that of this process."""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid if self.process is not None else 0

    @property
    def has_ended(self) -> bool:
        """Whether it was started and is gone."""
        return self.process is not None and self.process.returncode is not None

    async def start(self) -> None:
        """The process runs, in a session of its own."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                program(self.name), *self.words, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, env={**os.environ, **self.environment},  # noqa: TID251 - handed on
            )  # fmt: skip

    async def stop(self) -> int:
        """It has ended in good order, or was killed after 20 seconds. Returns its exit code."""
        if self.process is None:
            return 0
        if self.process.returncode is None:
            self.process.terminate()
            try:
                async with asyncio.timeout(_STOP_S):
                    await self.process.wait()
            except TimeoutError:
                await self.kill()
        return self.process.returncode or 0

    async def kill(self) -> None:
        """It is gone at once, as if the power had failed, with its children."""
        if self.process is None or self.process.returncode is not None:
            return
        for pid in (self.process.pid, *_children(self.process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        await self.process.wait()

    def check(self) -> None:
        """It runs.

        Raises:
            RuntimeError: it has ended; with the end of its log.
        """
        if self.process is None or self.process.returncode is not None:
            text = self.log.read_text("utf-8", errors="replace")[-2000:]
            raise RuntimeError(f"{self.name} has ended: {text}")


def _children(pid: int) -> list[int]:
    """Processes that it has started; each leads a group of its own, as the message bus does."""
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(one) for one in children.read_text("ascii").split()]
    return found


async def wait_for(path: Path, service: Service, *, timeout_s: float = 60.0) -> dict[str, int]:
    """The ports that a service has written to its ports file.

    Raises:
        TimeoutError: it did not in time.
        RuntimeError: it has ended.
    """
    async with asyncio.timeout(timeout_s):
        while True:
            service.check()
            held = await asyncio.to_thread(_ports, path)
            if held and held.get("pid", service.pid) == service.pid:
                return held
            await asyncio.sleep(0.05)


def _ports(path: Path) -> dict[str, int]:
    try:
        return {key: int(value) for key, value in json.loads(path.read_text("utf-8")).items()}
    except (OSError, ValueError):
        return {}
