"""What people do, step by step: a pure function of the seed, the device and the step's number.

How far a device comes depends on the machine; what it does in its 300th step does not.
"""

import random
from dataclasses import dataclass
from enum import StrEnum

from tests.chaos.shape import Post, Shape

ROAMS = 0.25
"""Of syncs, how many are at a gateway that is not the device's home."""
_PAUSE_S = (0.02, 0.4)


class Deed(StrEnum):
    """What a rep does in one step."""

    ORDER = "order"
    VISIT = "visit"
    PAYMENT = "payment"
    TRACK = "track"
    CONTACT = "contact"
    FORGET = "forget"
    FORBIDDEN = "forbidden"
    SYNC = "sync"
    LOOK = "look"


_DEEDS = {
    Deed.ORDER: 26, Deed.VISIT: 9, Deed.PAYMENT: 6, Deed.TRACK: 4, Deed.CONTACT: 8, Deed.FORGET: 2, Deed.FORBIDDEN: 1,
    Deed.SYNC: 33, Deed.LOOK: 14,
}  # fmt: skip
_MODES = {"fast": 56, "full": 36, "initialize": 8}


@dataclass(frozen=True, slots=True)
class Step:
    """One step. Numbers that choose among what a device has are taken modulo how much it has."""

    number: int
    deed: Deed
    pause_s: float
    """Before it."""
    outlet: int
    """Which of the device's outlets, in the order of their codes."""
    lines: int
    """Of an order."""
    amount: int
    """Of a payment in cents; also which words a contact gets."""
    mode: str
    gateway: str
    """Code of the gateway to sync with; empty = whichever the device chooses."""


def step(seed: int, post: Post, shape: Shape, number: int) -> Step:
    """The device's step of that number."""
    choose = random.Random(f"{seed} {post.device} {number}")
    deed = choose.choices(list(_DEEDS), list(_DEEDS.values()))[0]
    mode = choose.choices(list(_MODES), list(_MODES.values()))[0]
    gateway = post.home
    where = choose.random()
    if where < ROAMS:
        gateway = choose.choice([one for one in shape.gateways if one != post.home] or [post.home])
    elif where > 0.95:
        gateway = ""
    return Step(
        number,
        deed,
        choose.uniform(*_PAUSE_S),
        choose.randrange(1_000),
        choose.randint(3, 14),
        choose.randint(100, 50_000),
        mode,
        gateway,
    )


class Change(StrEnum):
    """What head office does."""

    PAIR = "pair"
    PRICE = "price"
    MOVE = "move"


_CHANGES = {Change.PAIR: 55, Change.PRICE: 25, Change.MOVE: 20}


@dataclass(frozen=True, slots=True)
class OfficeStep:
    """One change at head office."""

    number: int
    change: Change
    pause_s: float
    rep: int
    outlet: int
    to_rep: int
    product: int
    cents: int


def office_step(seed: int, shape: Shape, number: int) -> OfficeStep:
    """Head office's step of that number. The first outlet of each rep never moves: it belongs to the pairs."""
    choose = random.Random(f"{seed} office {number}")
    change = choose.choices(list(_CHANGES), list(_CHANGES.values()))[0]
    reps = len(shape.posts)
    return OfficeStep(
        number,
        change,
        choose.uniform(0.8, 2.5),
        choose.randrange(reps),
        choose.randrange(1, shape.outlets_a_rep),
        choose.randrange(reps),
        choose.randrange(1, shape.products),
        choose.randint(100, 9_000),
    )
