"""The process that has loaded the product's programs, and forks for each call of `tests.kit.ready`.

python -m tests.kit.ready_server FD     # FD: a socket that listens; it ends when its standard input does
"""

import contextlib
import gc
import marshal
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module

_MAINS = {
    "fieldmesh-hub": "hub.cli",
    "fieldmesh-gateway": "gateway.cli",
    "fieldmesh-device": "device_agent.cli",
}
_PARTS = (
    "hub.cli.program", "hub.cli.setup", "hub.cli.organisation", "hub.cli.people", "hub.cli.gateways",
    "hub.cli.devices", "hub.cli.oversight", "hub.cli.bus", "hub.cli.backups", "hub.cli.authority",
    "hub.cli.sample", "hub.cli.commanding", "hub.ingest.making", "gateway.cli.commands",
    "device_agent.cli.commands",
)  # fmt: skip
"""What the commands load when they run."""
_LONGEST = 2**20
_PIPES = 3


@dataclass(frozen=True, slots=True)
class Call:
    """What a caller wants, with its pipes."""

    name: str
    words: list[str]
    folder: str
    environment: dict[str, str]
    pipes: list[int]


@dataclass(slots=True)
class Server:
    """Waits for calls, and for the ends of callers and children."""

    line: socket.socket
    watch: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    open: set[socket.socket | int] = field(default_factory=set)

    def run(self) -> Call | None:
        """None when it is no longer needed; in a child, its call."""
        self.watch.register(self.line, selectors.EVENT_READ, self._fork)
        self.watch.register(0, selectors.EVENT_READ, None)
        while True:
            for key, _ in self.watch.select():
                if key.data is None:
                    return None
                if call := key.data():
                    return call

    def _fork(self) -> Call | None:
        caller, _ = self.line.accept()
        content, pipes, _, _ = socket.recv_fds(caller, _LONGEST, _PIPES)
        if len(pipes) < _PIPES:
            caller.close()
            return None
        child = os.fork()
        if child == 0:
            caller.close()
            self._forget()
            return Call(*marshal.loads(content), pipes)  # noqa: S302 - from `tests.kit.ready`
        for pipe in pipes:
            os.close(pipe)
        end = os.pidfd_open(child)
        self.open |= {caller, end}
        self.watch.register(end, selectors.EVENT_READ, lambda: self._ended(child, caller, end))
        self.watch.register(caller, selectors.EVENT_READ, lambda: self._left(child, caller))
        return None

    def _ended(self, child: int, caller: socket.socket, end: int) -> None:
        _, status = os.waitpid(child, 0)
        with contextlib.suppress(OSError):  # The caller has been killed.
            caller.send(str(os.waitstatus_to_exitcode(status)).encode())
        self._drop(caller)
        self.watch.unregister(end)
        self.open.discard(end)
        os.close(end)

    def _left(self, child: int, caller: socket.socket) -> None:
        if caller in self.open:  # Else its child's end was seen in the same look.
            os.kill(child, signal.SIGKILL)
            self._drop(caller)

    def _drop(self, caller: socket.socket) -> None:
        if caller in self.open:
            self.watch.unregister(caller)
            self.open.discard(caller)
            caller.close()

    def _forget(self) -> None:
        """Nothing of it is left in a child."""
        self.watch.close()
        self.line.close()
        for one in self.open:
            if isinstance(one, int):
                os.close(one)
            else:
                one.close()


def main() -> int:
    """Serves; in a child, runs the program that was called."""
    gc.disable()
    for part in _PARTS:
        import_module(part)
    programs: dict[str, Callable[[], int]] = {
        name: import_module(module).main for name, module in _MAINS.items()
    }
    gc.freeze()
    call = Server(socket.socket(fileno=int(sys.argv[1]))).run()
    if call is None:
        return 0
    gc.enable()
    for place, pipe in enumerate(call.pipes):
        os.dup2(pipe, place)
        os.close(pipe)
    os.chdir(call.folder)
    os.environ.clear()  # noqa: TID251 - it has its caller's
    os.environ.update(call.environment)  # noqa: TID251 - the same
    sys.argv = [call.name, *call.words]
    return programs[call.name]()


if __name__ == "__main__":
    sys.exit(main())
