"""What a person sees while a sync runs: one line or bar per step."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """Steps of a sync, in the order in which they can come."""

    CONNECT = "connect"
    PACK = "pack"
    UPLOAD = "upload"
    ACKNOWLEDGE = "acknowledge"
    DOWNLOAD = "download"
    APPLY = "apply"
    VERIFY = "verify"
    SWAP = "swap"
    WAIT = "wait"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a step is."""

    step: Step
    done: int = 0
    total: int = 0
    """In the unit of the step: bytes for transfers, rows else; 0 = not known."""
    note: str = ""


ProgressCallback = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """Nobody looks."""
    del progress
