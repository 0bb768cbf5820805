"""Who may say what, when: one table for both sides, in all modes.

States: OPENING (nothing was said), UPLOADING (batches go up), WAITING (uploads ended), DOWNLOADING,
APPLYING (the device makes it durable), CHECKING (the device has said what differs), ENDED. The
gateway may say Welcome and Acknowledgement as soon as it has the Hello, while batches still go up;
Done ends a session at any point.
"""

from enum import StrEnum

from fieldmesh.basics import limits


class Mode(StrEnum):
    """The five sync modes."""

    FAST = "fast"
    FULL = "full"
    INITIALIZE = "initialize"
    DUPLICATE = "duplicate"
    UPLOAD = "upload"


class State(StrEnum):
    """Where a session stands."""

    OPENING = "opening"
    UPLOADING = "uploading"
    WAITING = "waiting"
    DOWNLOADING = "downloading"
    APPLYING = "applying"
    CHECKING = "checking"
    ENDED = "ended"


class Sender(StrEnum):
    """Who says something."""

    DEVICE = "device"
    GATEWAY = "gateway"


DOWNLOADING_MODES = frozenset({Mode.FULL, Mode.INITIALIZE, Mode.DUPLICATE})
"""Modes in which rows come down."""
REPAIRING_MODES = frozenset({Mode.FULL})
"""Modes in which differences are repaired."""
MOST_TIMES = {
    "welcome": 1,
    "repair": limits.REPAIRS_IN_SESSION,
    "batch": limits.BATCHES_IN_SESSION,
}
"""How often a message may be said in one session; others as often as they fit."""
AFTER_WELCOME = frozenset({"acknowledgement", "download_start"})
"""Messages that may not come before Welcome."""

TRANSITIONS: dict[tuple[State, Sender, str], State] = {
    (State.OPENING, Sender.DEVICE, "hello"): State.UPLOADING,
    (State.UPLOADING, Sender.DEVICE, "batch"): State.UPLOADING,
    (State.UPLOADING, Sender.DEVICE, "upload_end"): State.WAITING,
    (State.UPLOADING, Sender.GATEWAY, "welcome"): State.UPLOADING,
    (State.UPLOADING, Sender.GATEWAY, "acknowledgement"): State.UPLOADING,
    (State.WAITING, Sender.GATEWAY, "welcome"): State.WAITING,
    (State.WAITING, Sender.GATEWAY, "acknowledgement"): State.WAITING,
    (State.WAITING, Sender.GATEWAY, "download_start"): State.DOWNLOADING,
    (State.DOWNLOADING, Sender.GATEWAY, "chunk"): State.DOWNLOADING,
    (State.DOWNLOADING, Sender.GATEWAY, "download_end"): State.APPLYING,
    (State.APPLYING, Sender.DEVICE, "applied"): State.CHECKING,
    (State.CHECKING, Sender.GATEWAY, "repair"): State.APPLYING,
    (State.OPENING, Sender.GATEWAY, "done"): State.ENDED,
    (State.UPLOADING, Sender.GATEWAY, "done"): State.ENDED,
    (State.WAITING, Sender.GATEWAY, "done"): State.ENDED,
    (State.DOWNLOADING, Sender.GATEWAY, "done"): State.ENDED,
    (State.APPLYING, Sender.GATEWAY, "done"): State.ENDED,
    (State.CHECKING, Sender.GATEWAY, "done"): State.ENDED,
}
"""(state, who, message) → next state. What is not here is not allowed."""


def next_state(mode: Mode, state: State, sender: Sender, message: str) -> State | None:
    """The state after a message; None when it may not be said here."""
    if message == "download_start" and mode not in DOWNLOADING_MODES:
        return None
    if message == "repair" and mode not in REPAIRING_MODES:
        return None
    return TRANSITIONS.get((state, sender, message))


def as_diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.OPENING}"]
    lines += [
        f"    {state} --> {target}: {sender} says {message}"
        for (state, sender, message), target in TRANSITIONS.items()
    ]
    return "\n".join([*lines, f"    {State.ENDED} --> [*]"])
