"""The states that documents go through, as tables: what may follow what.

A machine says what is possible, not who may do it: that is decided by `Policy.writers` and the
function rights of a workplace. A device may have gone several steps while it was offline, so a node
that takes its writes asks `reaches`; a node that makes one step itself asks `check`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from fieldmesh.basics.errors import Rejected

Move = tuple[str, str]


@dataclass(frozen=True, slots=True)
class StateMachine:
    """The states of one kind of document.

    Attributes:
        table: whose rows; empty for a track that is no column of a table of its own.
        first: states that a new row may have.
        moves: for each state, the states that may follow it; a state without any is final.
        guarded: moves that need a right of their own, such as reopening by a cashier.
    """

    table: str
    first: frozenset[str]
    moves: Mapping[str, frozenset[str]]
    guarded: frozenset[Move] = field(default=frozenset())

    @property
    def states(self) -> frozenset[str]:
        """Every state."""
        return frozenset(self.moves)

    @property
    def final(self) -> frozenset[str]:
        """States that nothing follows."""
        return frozenset(state for state, following in self.moves.items() if not following)

    def may(self, held: str, wanted: str) -> bool:
        """Whether ``wanted`` may follow ``held`` in one step; staying is no step."""
        return wanted in self.moves.get(held, frozenset())

    def reaches(self, held: str, wanted: str) -> bool:
        """Whether a row in ``held`` can come to ``wanted``, by unguarded moves; staying counts."""
        seen: set[str] = set()
        open_ = [held] if held in self.moves else []
        while open_:
            state = open_.pop()
            if state == wanted:
                return True
            seen.add(state)
            open_ += [
                following
                for following in self.moves[state] - seen
                if (state, following) not in self.guarded
            ]
        return False

    def check(self, held: str, wanted: str) -> None:
        """The step is one that the document may make.

        Raises:
            Rejected: `state_refused`, it is not.
        """
        if not self.may(held, wanted):
            raise Rejected("state_refused", table=self.table, held=held, wanted=wanted)


def _machine(table: str, first: str, *lines: str, guarded: tuple[Move, ...] = ()) -> StateMachine:
    """A machine from lines as ``saved: received cancelled``; a state with no line is final."""
    moves: dict[str, frozenset[str]] = {}
    for line in lines:
        state, _, following = line.partition(":")
        moves[state] = frozenset(following.split())
    for following_states in list(moves.values()):
        for state in following_states:
            moves.setdefault(state, frozenset())
    return StateMachine(
        table, frozenset(first.split()), MappingProxyType(moves), frozenset(guarded)
    )


ORDER = _machine(
    "sales_order",
    "draft saved",
    "draft: saved cancelled",
    "saved: received cancelled",
    "received: checked cancelled",
    "checked: on_approval routed cancelled",
    "on_approval: approved declined cancelled",
    "approved: routed cancelled",
    "routed: sent cancelled",
    "sent: acknowledged cancelled",
    "acknowledged: confirmed partly_confirmed rejected cancelled",
    "confirmed: picking cancelled",
    "partly_confirmed: picking cancelled",
    "picking: shipped partly_shipped",
    "shipped: delivered",
    "partly_shipped: delivered",
    "delivered: invoiced",
    "invoiced: closed",
)
"""A cancel document may come until picking has begun."""

EXCHANGE_TRACK = _machine(
    "",
    "new",
    "new: exported failed",
    "exported: accepted failed re_exported",
    "failed: re_exported",
    "re_exported: accepted failed",
)
"""Where a document stands towards a partner's system; apart from its business state."""

SALE_INVOICE = _machine(
    "sale_invoice",
    "issued",
    "issued: confirmed",
    "confirmed: uploaded cancelled",
    "uploaded: posted cancelled",
    "posted: cancelled",
)
"""Printing confirms and locks; only a counter-document cancels."""

PAYMENT = _machine(
    "payment",
    "taken",
    "taken: uploaded",
    "uploaded: handed_over",
    "handed_over: accepted disputed",
    "disputed: accepted",
    "accepted: posted",
)
VAN_LOAD = _machine(
    "van_load",
    "planned",
    "planned: loaded",
    "loaded: started",
    "started: finished",
    "finished: counted",
    "counted: settled",
    "settled: posted counted",
    "posted: counted",
    guarded=(("settled", "counted"), ("posted", "counted")),
)
"""A van's tour; only a cashier reopens it."""

SERVICE_REQUEST = _machine(
    "service_request",
    "new",
    "new: assigned rejected duplicate",
    "assigned: accepted rejected duplicate",
    "accepted: on_site rejected duplicate",
    "on_site: waiting_part workshop done",
    "waiting_part: on_site done",
    "workshop: on_site done",
    "done: verified",
    "verified: closed",
)
EQUIPMENT = _machine(
    "equipment",
    "in_stock",
    "in_stock: reserved written_off",
    "reserved: in_transit in_stock",
    "in_transit: placed in_stock",
    "placed: under_repair in_transit lost",
    "under_repair: placed in_stock",
    "lost: found",
    "found: placed in_stock",
)
"""Lost after two inspections that did not see it; what goes back travels through in_transit."""

OUTLET_CHANGE_REQUEST = _machine(
    "outlet_change_request",
    "new",
    "new: duplicate_check",
    "duplicate_check: approved merged rejected",
)
TASK = _machine(
    "task",
    "new",
    "new: sent in_work expired",
    "sent: in_work expired",
    "in_work: done expired",
    "done: accepted returned",
    "returned: in_work expired",
)
EXCHANGE_MESSAGE = _machine(
    "exchange_message",
    "built",
    "built: validated rejected",
    "validated: queued",
    "queued: sent dead",
    "sent: acknowledged rejected queued dead",
    "rejected: corrected dead",
    "corrected: validated",
)
"""Sent again by going back to the queue; dead after the last try."""

MACHINES: Mapping[str, StateMachine] = MappingProxyType(
    {
        machine.table: machine
        for machine in (
            ORDER,
            SALE_INVOICE,
            PAYMENT,
            VAN_LOAD,
            SERVICE_REQUEST,
            EQUIPMENT,
            OUTLET_CHANGE_REQUEST,
            TASK,
            EXCHANGE_MESSAGE,
        )
    }
)
"""The machine of a table's column ``state``."""
