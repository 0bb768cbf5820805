"""What is said once about a table: where its rows live, who may write them, how conflicts end.

Partition rules (docs/architecture/core.md, section 2) are values; `hub` works them out, device and
gateway only look at them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class PartitionKind(StrEnum):
    """Units of distribution."""

    GLOBAL = "global"
    PRICELIST = "pricelist"
    WAREHOUSE = "warehouse"
    DISTRIBUTOR = "distributor"
    PATCH = "patch"
    POSITION = "position"
    DEVICE = "device"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Global:
    """Everyone has the rows."""


@dataclass(frozen=True, slots=True)
class HubOnly:
    """The hub alone has the rows (partition 0); devices may still upload them."""


@dataclass(frozen=True, slots=True)
class Own:
    """The row's own id is the key of its partition."""

    kind: PartitionKind


@dataclass(frozen=True, slots=True)
class Keyed:
    """A column holds the key of the partition."""

    kind: PartitionKind
    column: str


@dataclass(frozen=True, slots=True)
class Patched:
    """A column, kept by the hub, holds the patch of the row."""

    column: str = "patch_id"


@dataclass(frozen=True, slots=True)
class Follows:
    """The row is where its parent is: the row of ``table`` whose id stands in ``column``."""

    table: str
    column: str


@dataclass(frozen=True, slots=True)
class First:
    """The first of these rules whose column is not null."""

    rules: tuple["PartitionRule", ...]

    def __init__(self, *rules: "PartitionRule") -> None:
        """The rules in the order in which they are asked."""
        object.__setattr__(self, "rules", rules)


PartitionRule = Global | HubOnly | Own | Keyed | Patched | Follows | First


@dataclass(frozen=True, slots=True)
class NamedBy:
    """Whoever sees a row of ``table`` that names this one in ``column`` sees this one; for people, not for sync."""

    table: str
    column: str


SightRule = PartitionRule | NamedBy


class Audience(StrEnum):
    """How far the rows of a table travel."""

    DEVICE = "device"
    GATEWAY = "gateway"
    HUB = "hub"


class Conflict(StrEnum):
    """What happens when a device's write meets another one."""

    INSERT_ONLY = "insert_only"
    HUB_WINS = "hub_wins"
    MERGE_COLUMNS = "merge_columns"
    MOVEMENTS = "movements"


class WriterRole(StrEnum):
    """Kinds of positions that may write a table, and the hub's own people."""

    REP = "rep"
    MERCHANDISER = "merchandiser"
    TECHNICIAN = "technician"
    SUPERVISOR = "supervisor"
    HEAD = "head"
    DISTRIBUTOR = "distributor"
    HUB = "hub"


@dataclass(frozen=True, slots=True)
class KeepLast:
    """Only the newest ``count`` rows for each value of ``column`` leave the hub."""

    count: int
    column: str


@dataclass(frozen=True, slots=True)
class KeepDays:
    """Rows leave the hub until ``days`` days after the date or time in ``column``."""

    days: int
    column: str


Retention = KeepLast | KeepDays


@dataclass(frozen=True, slots=True)
class Policy:
    """The replication policy of a table.

    Attributes:
        partition: where its rows live.
        audience: how far they travel.
        writers: which roles may write them; devices of other roles are refused.
        conflict: what happens when writes meet.
        retention: which rows stay at the hub only.
        hub_columns: columns that a device may not set.
        author: columns that say who wrote the row: the writer's own position, or a person in it.
        owner: column with the position whose row it is; positions beside it may not change it.
        handed_over_whole: nothing follows its rows that did not come in the same batch.
        seen_by: where people see it, when that is not where its rows live.
    """

    partition: PartitionRule
    audience: Audience
    writers: frozenset[WriterRole]
    conflict: Conflict
    retention: Retention | None = None
    hub_columns: frozenset[str] = frozenset()
    author: frozenset[str] = frozenset()
    owner: str | None = None
    handed_over_whole: bool = False
    seen_by: SightRule | None = None

    @property
    def sight(self) -> SightRule:
        """The rule by which people see rows of the table."""
        return self.partition if self.seen_by is None else self.seen_by


FIELD = frozenset(
    {WriterRole.REP, WriterRole.MERCHANDISER, WriterRole.TECHNICIAN, WriterRole.SUPERVISOR}
)
"""Roles that work with a device."""
HUB_WRITES = frozenset({WriterRole.HUB})
"""Written by head office only."""


def rules_of(rule: PartitionRule) -> Iterator[PartitionRule]:
    """The rule itself, or the rules of a `First`, in order."""
    if isinstance(rule, First):
        yield from rule.rules
    else:
        yield rule


def rule_columns(rule: PartitionRule) -> list[str]:
    """The columns that say where a row lives, in the order in which they are asked."""
    return [column for one in rules_of(rule) if (column := rule_column(one))]


def rule_column(rule: PartitionRule) -> str | None:
    """The column that a rule reads; None when it reads none."""
    match rule:
        case Keyed() | Patched() | Follows():
            return rule.column
        case _:
            return None
