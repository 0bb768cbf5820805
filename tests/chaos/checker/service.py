"""That the network goes on. Promise 8 (Office autonomy), and that no program ends by itself."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.chaos.checker.case import Case, Force, Violation

_AWAY = frozenset({"kill_hub", "stop_hub"})
"""Faults with which head office is away for everybody."""
_LEAST_TRIES = 20
_BY_DISK = frozenset({"full_disk", "read_only_disk", "power_cut", "slow_disk"})
"""With a disk that does not work a program may end."""


def branches_work_alone(case: Case) -> Iterator[Violation]:
    """Promise 8: while head office is away, syncs with a gateway come to their end as ever."""
    away = [one for one in case.forces if one.name in _AWAY]
    done: dict[str, Counter[bool]] = defaultdict(Counter)
    asked_at: dict[str, float] = {}
    for event in case.events:
        if event["k"] == "sync":
            asked_at[str(event["d"])] = float(event["t"])
        elif event["k"] == "synced" and event["mode"] in {"fast", "full"}:
            began, ended = asked_at.get(str(event["d"]), 0.0), float(event["t"])
            if any(one.begin <= began and ended <= one.end for one in away):
                done[str(event["mode"])][event["outcome"] == "done"] += 1
    for mode, counts in done.items():
        if counts.total() >= _LEAST_TRIES and not counts[True]:
            yield Violation(
                8, "stands_still", f"none of {counts.total()} {mode} syncs came to an end while head office was away",
                until=case.end,
            )  # fmt: skip


def programs_run_on(case: Case) -> Iterator[Violation]:
    """Promise 8: a hub, a gateway or a device's program ends when it is told to or killed, not by itself."""
    for event in case.events:
        if event["k"] == "ended_by_itself" and not _had_no_disk(
            case.forces, event["node"], event["t"]
        ):
            yield Violation(
                8, "ended_by_itself", f"{event['node']} ended with exit code {event['code']}", until=float(event["t"])
            )  # fmt: skip


def _had_no_disk(forces: list[Force], node: str, at: float) -> bool:
    return any(
        one.name in _BY_DISK and one.node == node and one.begin <= at <= one.end for one in forces
    )
