"""What was done under which fault, and how much of it held: the figures of a campaign."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.checker.case import Case, Force, Violation

Event = dict[str, Any]
Span = tuple[float, float]
"""Begin and end, monotonic seconds."""


@dataclass(slots=True)
class Count:
    """Operations: rows written, syncs, tick checks; and violations that they may have led to."""

    times: int = 0
    """How often the fault struck."""
    seconds: float = 0.0
    """How long it was in force, overlaps counted once."""
    rows: int = 0
    syncs: int = 0
    ticks: int = 0
    violations: int = 0
    repairs: int = 0
    """Syncs in which a device's copy was not as its digest said, and was repaired."""
    modes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Mode → outcome → how often."""

    @property
    def operations(self) -> int:
        """All together."""
        return self.rows + self.syncs + self.ticks

    @property
    def pass_rate(self) -> float:
        """Share of operations without a violation."""
        return 1 - min(1.0, self.violations / self.operations) if self.operations else 1.0

    def add(self, event: Event) -> None:
        """The event is counted, if it is an operation."""
        match event["k"]:
            case "wrote":
                self.rows += len(event["rows"])
            case "synced":
                self.syncs += 1
                self.repairs += bool(event.get("repaired"))
                self.modes[str(event["mode"])][str(event["outcome"])] += 1
            case "seen":
                self.ticks += 1
            case _:
                pass

    def as_json(self) -> dict[str, Any]:
        """For build/chaos.json."""
        return {
            "times": self.times,
            "seconds": round(self.seconds, 1),
            "operations": self.operations,
            "rows": self.rows,
            "syncs": self.syncs,
            "ticks": self.ticks,
            "violations": self.violations,
            "repairs": self.repairs,
            "pass_rate": self.pass_rate,
            "modes": {mode: dict(found) for mode, found in sorted(self.modes.items())},
        }


@dataclass(slots=True)
class Tally:
    """Of the whole campaign, of each fault, of time without a fault."""

    every: Count = field(default_factory=Count)
    calm: Count = field(default_factory=Count)
    faults: dict[str, Count] = field(default_factory=dict)


_KINDS = frozenset({"wrote", "synced", "seen"})


def tally(case: Case, violations: Iterable[Violation], names: Iterable[str] = ()) -> Tally:
    """The figures; an operation counts for each fault that was in force when it ended.

    Args:
        case: what happened.
        violations: what the checker found.
        names: of all faults that were planned: one that never struck shows as such.
    """
    found = Tally(faults={name: Count() for name in names})
    spans: dict[str, list[Span]] = {}
    for force in sorted(case.forces, key=lambda one: one.name):
        found.faults.setdefault(force.name, Count()).times += 1
        spans.setdefault(force.name, []).append((force.begin, force.end))
    merged = {name: _merged(held) for name, held in spans.items()}
    for name, held in merged.items():
        found.faults[name].seconds = sum(end - begin for begin, end in held)
    for event in case.events:
        if event["k"] in _KINDS and not event.get("glance"):
            found.every.add(event)
            at = float(event["t"])
            counts = [found.faults[name] for name, held in merged.items() if _covers(held, at)]
            for count in counts or [found.calm]:
                count.add(event)
    for violation in violations:
        found.every.violations += 1
        for name in {one.name for one in suspects(case, violation)}:
            found.faults[name].violations += 1
    return found


def _covers(spans: list[Span], at: float) -> bool:
    place = bisect_right(spans, (at, float("inf"))) - 1
    return place >= 0 and spans[place][1] >= at


def suspects(case: Case, violation: Violation) -> list[Force]:
    """Faults that were in force when it can have happened."""
    return [
        one for one in case.forces if one.begin <= violation.until and one.end >= violation.since
    ]


def _merged(spans: list[Span]) -> list[Span]:
    """Without overlaps, in order."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found
