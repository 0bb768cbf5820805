"""Commands of the product without the second that loading takes: a process that has loaded them forks for each call.

Whoever calls one of the programs below with `--json` gets a child of `tests.kit.ready_server`, with the caller's words,
folder, environment and pipes. It runs the same `main` and ends as a program ends; a caller that is killed takes it
along. Services, commands that are watched while they run, and callers with a library of their own before the system's
get the program itself, as everybody does under `--thorough`.
"""

import atexit
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from deploy.demo.processes import PROGRAMS
from tests.kit.releases import programs_of

NAMES = ("fieldmesh-hub", "fieldmesh-gateway", "fieldmesh-device")
WANTED = ContextVar("WANTED", default=False)
"""Set by the run of tests, unless it is a thorough one."""
_TREE = Path(__file__).parents[2]
_BACKLOG = 64
_END_S = 10.0
_CALLER = """#!{python} -IS
import _socket, marshal, os, sys
name = sys.argv[0].rpartition("/")[2]
itself = "--json" not in sys.argv or "--progress-json" in sys.argv or "serve" in sys.argv
if itself or "LD_PRELOAD" in os.environ:
    os.execv("{programs}/" + name, sys.argv)
line = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
line.connect("{address}")
pipes = b"".join(one.to_bytes(4, sys.byteorder) for one in (0, 1, 2))
call = marshal.dumps((name, sys.argv[1:], os.getcwd(), dict(os.environ)))
line.sendmsg([call], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, pipes)])
code = int(line.recv(16))
if code < 0:
    os.kill(os.getpid(), -code)
os._exit(code)
"""


@contextmanager
def ready() -> Iterator[None]:
    """What is asked in the block is answered by programs that are loaded.

    By the programs themselves where that is not wanted, where they are those of another release, and on a system that
    can't tell of a child's end.
    """
    is_able = hasattr(os, "pidfd_open") and PROGRAMS.get() == Path(sys.executable).parent
    with programs_of(_folder()) if WANTED.get() and is_able else nullcontext():
        yield


@cache
def _folder() -> Path:
    """Of the callers; the process behind them was started, and ends with this one."""
    made = tempfile.TemporaryDirectory(prefix="fieldmesh-ready-")
    folder = Path(made.name)
    address = folder / "line"
    text = _CALLER.format(python=sys.executable, programs=PROGRAMS.get(), address=address)
    for name in NAMES:
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
        line.bind(str(address))
        line.listen(_BACKLOG)
        server = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-m", "tests.kit.ready_server", str(line.fileno())],
            cwd=_TREE, pass_fds=[line.fileno()], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip

    def end() -> None:
        if server.stdin is not None:
            server.stdin.close()
        server.wait(_END_S)
        made.cleanup()

    atexit.register(end)
    return folder
