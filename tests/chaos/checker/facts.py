"""What the databases hold when the network has come to rest, as plain values."""

from dataclasses import dataclass, field

Place = tuple[str, int, int]
"""A batch: device id in hex, device epoch, sequence."""
Shelf = dict[str, tuple[int, int]]
"""Rows of one area: `table/id in hex` → LSN, and the hash that was worked out from the row's content."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A batch in the hub's inbox."""

    sha: str
    decision: str
    lsn: int


@dataclass(frozen=True, slots=True)
class Aside:
    """A batch in quarantine."""

    place: Place
    sha: str
    code: str
    gateway: str
    """Id of the gateway that forwarded it; empty when nobody knows."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that head office refused."""

    device: str
    table: str
    row: str
    code: str
    text: str
    epoch: int
    sequence: int
    lsn: int

    @property
    def name(self) -> str:
        """The row."""
        return f"{self.table}/{self.row}"

    @property
    def place(self) -> Place:
        """The batch that it came with."""
        return self.device, self.epoch, self.sequence


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the journal's chain."""

    number: int
    at: int
    kind: str
    actor: str
    payload: str
    previous: str
    hash: str


@dataclass(slots=True)
class HubFacts:
    """Head office. `written`: `table/id` of every row that a device made → device id, LSN; archived rows too."""

    lsn: int = 0
    epochs: list[tuple[int, int]] = field(default_factory=list)
    """Hub epoch, and the LSN after which it began: of earlier epochs only LSNs up to it count."""
    inbox: dict[Place, Decided] = field(default_factory=dict)
    waiting: list[Place] = field(default_factory=list)
    early: list[tuple[Place, str]] = field(default_factory=list)
    """A batch of which a part waits, and the row of another device that it waits for."""
    aside: list[Aside] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    written: dict[str, tuple[str, int]] = field(default_factory=dict)
    comments: dict[str, int] = field(default_factory=dict)
    """Comment of an order that a device made → how many orders have it."""
    lines: dict[str, set[str]] = field(default_factory=dict)
    """Order → its lines."""
    contents: dict[str, str] = field(default_factory=dict)
    """`table/id` of rows that devices made → what `reader.content` makes of them."""
    phones: dict[str, str] = field(default_factory=dict)
    """Contact → its telephone."""
    journal: list[Link] = field(default_factory=list)
    sessions: set[str] = field(default_factory=set)
    """Sync sessions that the journal tells of."""
    devices: dict[str, str] = field(default_factory=dict)
    """Code → id."""
    gateways: dict[str, str] = field(default_factory=dict)
    gateway_areas: dict[str, set[int]] = field(default_factory=dict)
    """Gateway code → the areas that it is to hold."""
    shelves: dict[int, Shelf] = field(default_factory=dict)
    device_tables: frozenset[str] = frozenset()
    """Names of tables that go to devices too."""
    misfits: list[str] = field(default_factory=list)
    """Rows that carry another hash than their content gives."""

    @property
    def device_codes(self) -> dict[str, str]:
        """Id → code."""
        return {one: code for code, one in self.devices.items()}

    @property
    def gateway_codes(self) -> dict[str, str]:
        """Id → code."""
        return {one: code for code, one in self.gateways.items()}


@dataclass(slots=True)
class GatewayFacts:
    """A gateway."""

    code: str
    mark: int = 0
    areas: dict[int, str] = field(default_factory=dict)
    """Area → its state."""
    inbox: dict[Place, set[str]] = field(default_factory=dict)
    unsent: int = 0
    """Outbox entries without a receipt."""
    provisional: int = 0
    shelves: dict[int, Shelf] = field(default_factory=dict)
    misfits: list[str] = field(default_factory=list)


@dataclass(slots=True)
class DeviceFacts:
    """A device."""

    code: str
    cursor: int = 0
    waiting: int = 0
    """Changes and batches without a second tick."""
    areas: set[int] = field(default_factory=set)
    shelves: dict[int, Shelf] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    """Sessions that ended well here and moved rows → gateway id."""
    misfits: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Facts:
    """All databases at rest."""

    hub: HubFacts
    gateways: dict[str, GatewayFacts]
    devices: dict[str, DeviceFacts]
