"""What the running hub and commands beside it tell each other in files of its home: ports, and the last backup."""

import json
import os

from fieldmesh.service.files import write_durably
from hub.config import HubHome


def running_ports(home: HubHome) -> dict[str, int] | None:
    """The ports of the hub that serves this home now; None when none does."""
    try:
        content = json.loads(home.ports_file.read_text("utf-8"))
        os.kill(int(content["pid"]), 0)
    except (OSError, ValueError, KeyError):
        return None
    return {name: int(port) for name, port in content.items()}


def kept_ports(home: HubHome) -> dict[str, int]:
    """The ports of the last run; empty when there was none."""
    try:
        content = json.loads(home.kept_ports_file.read_text("utf-8"))
        return {name: int(port) for name, port in content.items()}
    except (OSError, ValueError):
        return {}


def write_ports(home: HubHome, **ports: int) -> None:
    """`run/ports.json` tells where the hub listens."""
    for file, content in (
        (home.kept_ports_file, ports),
        (home.ports_file, {**ports, "pid": os.getpid()}),
    ):
        unfinished = file.with_suffix(".new")
        unfinished.write_text(json.dumps(content), encoding="utf-8")
        unfinished.replace(file)


def note_backup(home: HubHome, at: int) -> None:
    """The running hub knows of a backup that was taken at ``at``, UTC microseconds."""
    write_durably(home.backed_up_file, str(at).encode())


def last_backup(home: HubHome) -> int:
    """When the last backup was taken; 0 = of none is known."""
    try:
        return int(home.backed_up_file.read_text("ascii"))
    except (OSError, ValueError):
        return 0
