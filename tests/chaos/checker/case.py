"""What the histories tell, sorted by who and what; and what is left of it when a fault took something away for good."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fieldmesh.basics.epochs import hub_epoch_of
from tests.chaos.checker.facts import Facts, HubFacts, Place

Event = dict[str, Any]
GATEWAY_DISK_LOST = "gateway_disk_lost"
COPIES_SPOILT = "copies_spoilt"
DEVICE_RESTORED = "device_restored"
HUB_RESTORED = "hub_restored"


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken, with what is needed to tell the story."""

    promise: int
    what: str
    """Short and stable, such as `lost_row`."""
    words: str
    device: str = ""
    since: float = 0.0
    until: float = 0.0
    """When it can have happened, monotonic seconds."""
    place: Place | None = None
    rows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Force:
    """A fault, from its beginning to when it was healed."""

    number: int
    name: str
    node: str
    begin: float
    end: float
    words: str
    effects: frozenset[str]
    explains: frozenset[str]


@dataclass(frozen=True, slots=True)
class Packed:
    """A batch as its device saw it waiting."""

    code: str
    place: Place
    sha: str
    at: float
    rows: frozenset[str]
    copied: bool = False
    """Whether a copy of the device packed it, in hands of which nobody relies on what they see."""


@dataclass(slots=True)
class Case:
    """Histories and facts, indexed. Devices are named by their codes, batches by `Place`."""

    events: list[Event]
    facts: Facts
    forces: list[Force] = field(default_factory=list)
    packed: dict[Place, list[Packed]] = field(default_factory=lambda: defaultdict(list))
    seen: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    """Device → what it showed, in time."""
    wrote: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    changed: dict[str, dict[str, list[Event]]] = field(default_factory=dict)
    """Contact → device → the telephones that it began to write, and wrote, in time."""
    removed: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    """`table/id` → by whom and when it began to be deleted, and was."""
    forbidden: dict[str, str] = field(default_factory=dict)
    """`table/id` of rows that nobody in the field may write → the device on which somebody tried."""
    sessions: dict[str, float] = field(default_factory=dict)
    """Sync session → when its device first told of it."""
    scopes: list[Event] = field(default_factory=list)
    pairs: list[Event] = field(default_factory=list)
    commits: list[tuple[int, float]] = field(default_factory=list)
    """LSNs of changes at head office, each with a moment before it."""
    spares: set[str] = field(default_factory=set)
    """Devices that have stood in for another."""
    days: list[float] = field(default_factory=list)
    """When each day began."""
    restores: list[float] = field(default_factory=list)
    """When the backups were taken from which head office was restored later."""
    end: float = 0.0
    _began: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Every event is in its place."""
        self.end = float(self.events[-1]["t"]) if self.events else 0.0
        self.forces = list(forces_of(self.events, self.end))
        self.restores = [one.begin for one in self.struck(HUB_RESTORED)]
        take = {
            "seen": self._seen, "wrote": self._wrote, "packed": self._packed, "changed": self._changed,
            "removed": self._removed, "forbidden": self._forbidden, "synced": self._synced, "day": self._day,
            "scope": self.scopes.append, "office": self._office, "office_step": self._office_step,
        }  # fmt: skip
        for event in self.events:
            if event["k"] in take:
                take[event["k"]](event)

    def _seen(self, event: Event) -> None:
        self.seen[str(event["d"])].append(event)
        for session in event["sessions"]:
            self.sessions.setdefault(session, float(event["t"]))

    def _wrote(self, event: Event) -> None:
        self.wrote[str(event["d"])].append(event)

    def _packed(self, event: Event) -> None:
        """A program that was started again, or a copy, notes what waits once more: it was packed when seen first."""
        code = str(event["d"])
        device = self.facts.hub.devices.get(code, code)
        place = (device, int(event["epoch"]), int(event["seq"]))
        rows = frozenset(f"{table}/{row}" for table, row in event["rows"])
        sha, copied = str(event["sha"]), bool(event.get("copied"))
        if not any(one.sha == sha and one.copied <= copied for one in self.packed[place]):
            self.packed[place].append(Packed(code, place, sha, float(event["t"]), rows, copied))

    def _changed(self, event: Event) -> None:
        by_device = self.changed.setdefault(str(event["row"]), defaultdict(list))
        by_device[str(event["d"])].append(event)

    def _removed(self, event: Event) -> None:
        self.removed[str(event["row"])].append(event)

    def _forbidden(self, event: Event) -> None:
        self.forbidden[str(event["row"])] = str(event["d"])

    def _synced(self, event: Event) -> None:
        if event["mode"] == "duplicate":
            self.spares.add(str(event["d"]))

    def _day(self, event: Event) -> None:
        self.days.append(float(event["t"]))

    def _office_step(self, event: Event) -> None:
        self._began[int(event["n"])] = float(event["t"])

    def _office(self, event: Event) -> None:
        if int(event["n"]) in self._began:
            self.commits.append((int(event["lsn"]), self._began[int(event["n"])]))
        if event["change"] == "pair":
            self.pairs.append(event)

    def struck(self, effect: str, node: str = "") -> list[Force]:
        """Faults with that effect, of that node or of any."""
        return [
            one for one in self.forces if effect in one.effects and (not node or one.node == node)
        ]

    def was_not_before(self, lsn: int) -> float:
        """A moment before which head office had not given that LSN: a change of its people came first."""
        return max((began for earlier, began in self.commits if earlier < lsn), default=0.0)

    def morning(self, at: float) -> float:
        """When the day of that moment began."""
        return max((day for day in self.days if day <= at), default=0.0)


def forces_of(events: Iterable[Event], end: float) -> Iterator[Force]:
    """The faults of a history that struck; one that was not healed lasts to the end."""
    begun: dict[int, Event] = {}
    words: dict[int, str] = {}
    missed: set[int] = set()
    healed: dict[int, float] = {}
    for event in events:
        if event["k"] != "fault":
            continue
        number = int(event["number"])
        if event["at"] == "begin":
            begun[number] = event
        elif event["at"] == "in force":
            words[number] = str(event["words"])
        elif event["at"] == "missed":
            missed.add(number)
        else:
            healed[number] = float(event["t"])
    for number, event in begun.items():
        if number in missed:
            continue
        yield Force(
            number, str(event["name"]), str(event["node"]), float(event["t"]), healed.get(number, end),
            words.get(number, ""), frozenset(event["effects"]), frozenset(event["explains"]),
        )  # fmt: skip


def counts_at(hub: HubFacts, lsn: int, cursor: int) -> bool:
    """Whether a commit is part of the state that a node at ``cursor`` shows.

    A commit of an earlier hub epoch counts only up to where the epochs after it began; a node that still stands in a
    lost future shows that future.
    """
    if lsn > cursor:
        return False
    first, last = hub_epoch_of(lsn), hub_epoch_of(cursor)
    return all(lsn <= began_after for epoch, began_after in hub.epochs if first < epoch <= last)
