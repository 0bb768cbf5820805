"""A small campaign as its histories and databases tell it, in which every promise was kept; tests plant violations."""

import copy
import hashlib
from dataclasses import dataclass, field
from typing import Any

from fieldmesh.data.policy import PartitionKind
from fieldmesh.replica.partition import partition_id
from tests.chaos.checker.case import Case
from tests.chaos.checker.facts import (
    Aside,
    Decided,
    DeviceFacts,
    Facts,
    GatewayFacts,
    HubFacts,
    Link,
    Place,
    Reject,
)
from tests.chaos.checker.judge import judge
from tests.chaos.checker.rest import BEGINNING
from tests.chaos.reader import FIRST_AMOUNT

DEVICE, GATEWAY, POSITION = "d1" * 16, "a1" * 16, "b1" * 16
OWN = partition_id(PartitionKind.DEVICE, bytes.fromhex(DEVICE))
AREA, OTHER_AREA = 101, 202
ORDER, LINE, WORK = "11" * 16, "22" * 16, "33" * 16
FIRST, SECOND = (DEVICE, 1, 1), (DEVICE, 1, 2)
ROW, LINE_ROW = f"sales_order/{ORDER}", f"order_line/{LINE}"


def linked(kinds: list[str]) -> list[Link]:
    """A whole chain."""
    chain: list[Link] = []
    for number, kind in enumerate(kinds, start=1):
        previous = chain[-1].hash if chain else BEGINNING
        content = f"{previous}\n{number}\n{number}\n{kind}\nhub\n{{}}\n"
        made = hashlib.sha256(content.encode()).hexdigest()
        chain.append(Link(number, number, kind, "hub", "{}", previous, made))
    return chain


def pair(number: int) -> list[str]:
    """What a device shows of a whole change of that number."""
    return [f"[{FIRST_AMOUNT + number}]", f'["pair {number}"]', f'["pair {number}"]']


def _seen(
    at: float, cursor: int, tick: list[int], hub: list[int], shown: list[str]
) -> dict[str, Any]:
    return {
        "t": at, "k": "seen", "d": "D01", "epoch": 1, "next": 3, "cursor": cursor, "hub": hub,
        "gateways": {GATEWAY: tick}, "areas": [AREA, OWN], "position": POSITION, "pair": shown, "torn": [],
        "newest": 7, "sessions": ["5e"],
    }  # fmt: skip


def _packed(at: float, place: Place, sha: str, rows: list[list[str]]) -> dict[str, Any]:
    return {
        "t": at,
        "k": "packed",
        "d": "D01",
        "epoch": place[1],
        "seq": place[2],
        "sha": sha,
        "rows": rows,
    }


def _events() -> list[dict[str, Any]]:
    order = [["sales_order", ORDER], ["order_line", LINE]]
    work = [["service_work", WORK]]
    scope = {POSITION: [AREA]}
    return [
        {"t": 0.0, "k": "scope", "lsn": 1, "positions": scope},
        {"t": 1.0, "k": "office", "n": 1, "change": "pair", "lsn": 10},
        {
            "t": 2.0,
            "k": "wrote",
            "d": "D01",
            "n": 1,
            "deed": "order",
            "rows": order,
            "contents": ["c1", "c2"],
        },
        _packed(3.0, FIRST, "f1", order),
        _seen(4.0, 10, [1, 1], [0, 0], pair(1)),
        {"t": 5.0, "k": "office", "n": 2, "change": "pair", "lsn": 20},
        {"t": 5.9, "k": "forbidden", "d": "D01", "row": f"service_work/{WORK}"},
        {
            "t": 6.0,
            "k": "wrote",
            "d": "D01",
            "n": 2,
            "deed": "forbidden",
            "rows": work,
            "contents": [""],
        },
        _packed(7.0, SECOND, "f2", work),
        {
            "t": 7.5,
            "k": "synced",
            "d": "D01",
            "mode": "full",
            "gateway": "GW1",
            "outcome": "done",
            "problem": "",
        },
        _seen(8.0, 20, [1, 2], [1, 1], pair(2)),
        _seen(9.0, 30, [1, 2], [1, 2], pair(2)),
        {"t": 10.0, "k": "rest", "devices": {"D01": {"at_rest": True}}},
    ]


def _facts() -> Facts:
    shelves = {
        AREA: {ROW: (12, 77), LINE_ROW: (12, 78)},
        OWN: {"reject/44": (21, 79)},
        OTHER_AREA: {"outlet/9": (2, 5)},
    }
    hub = HubFacts(
        lsn=30,
        epochs=[(0, 0)],
        inbox={FIRST: Decided("f1", "applied", 12), SECOND: Decided("f2", "applied", 21)},
        rejects=[
            Reject(
                DEVICE, "service_work", WORK, "not_your_table", "Only technicians may.", 1, 2, 21
            )
        ],
        written={ROW: (DEVICE, 12), LINE_ROW: (DEVICE, 12)},
        comments={"D01 step 1": 1},
        lines={ORDER: {LINE}},
        contents={ROW: "c1", LINE_ROW: "c2"},
        journal=linked(["day_begun", "sync_session", "price"]),
        sessions={"5e"},
        devices={"D01": DEVICE},
        gateways={"GW1": GATEWAY},
        gateway_areas={"GW1": {AREA, OWN}},
        shelves=shelves,
        device_tables=frozenset({"sales_order", "order_line", "reject", "outlet"}),
    )
    mine = {area: dict(shelves[area]) for area in (AREA, OWN)}
    gateway = GatewayFacts(
        "GW1", 30, {AREA: "ready", OWN: "ready"}, {FIRST: {"f1"}, SECOND: {"f2"}}, shelves=copy.deepcopy(mine)
    )  # fmt: skip
    device = DeviceFacts("D01", 30, 0, {AREA, OWN}, copy.deepcopy(mine), {"5e": GATEWAY})
    return Facts(hub, {"GW1": gateway}, {"D01": device})


@dataclass(slots=True)
class SmallCase:
    """The campaign; tests change what its histories and databases say before they ask for the verdict."""

    events: list[dict[str, Any]] = field(default_factory=_events)
    facts: Facts = field(default_factory=_facts)

    def event(self, kind: str, number: int = 0) -> dict[str, Any]:
        """The event of that kind; of several, by their order."""
        return [one for one in self.events if one["k"] == kind][number]

    def strike(
        self,
        begin: float,
        end: float,
        node: str,
        effects: tuple[str, ...] = (),
        explains: tuple[str, ...] = (),
    ) -> None:
        """A fault was in force."""
        about = {"k": "fault", "number": len(self.events), "name": "planted", "node": node}
        self.events += [
            {"t": begin, "at": "begin", "effects": effects, "explains": explains, **about},
            {"t": begin, "at": "in force", "words": "", **about},
            {"t": end, "at": "healed", **about},
        ]
        self.events.sort(key=lambda one: float(one["t"]))

    def put_aside(self, place: Place, sha: str, code: str) -> None:
        """A batch is in quarantine, and its device was told."""
        self.facts.hub.aside.append(Aside(place, sha, code, GATEWAY))
        self.facts.hub.rejects.append(
            Reject(place[0], "", "f0" * 16, "batch_put_aside", "Ask.", *place[1:], 25)
        )

    def case(self) -> Case:
        """What the checker looks at."""
        return Case(self.events, self.facts)

    def found(self) -> set[str]:
        """What it finds."""
        return {one.what for one in judge(self.case())}
