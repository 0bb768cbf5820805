"""The hub's own broker, as somebody with the rights of its machine finds it."""

import contextlib
import os
import shutil
import signal
from pathlib import Path


def lose_store(hub: Path) -> None:
    """The broker is killed and its streams are gone; whoever runs it may start it again.

    Args:
        hub: home folder of the hub.
    """
    streams = hub / "bus" / "streams"
    lost = streams.with_name("lost")
    pid = int((hub / "bus" / "nats.pid").read_text("ascii"))
    if streams.exists():
        streams.rename(lost)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(lost, ignore_errors=True)
