"""What may follow what."""

import pytest

from fieldmesh.basics.errors import Rejected
from fieldmesh.data.schema import TABLES
from fieldmesh.data.states import EXCHANGE_TRACK, MACHINES, ORDER, VAN_LOAD, StateMachine

every_machine = pytest.mark.parametrize(
    "machine",
    [*MACHINES.values(), EXCHANGE_TRACK],
    ids=[*MACHINES, "exchange_track"],
)


@every_machine
def test_every_state_can_be_reached(machine: StateMachine) -> None:
    """A state that nothing leads to is a misspelling."""
    for state in machine.states:
        assert any(machine.reaches(first, state) for first in machine.first), state


@every_machine
def test_guarded_moves_are_moves(machine: StateMachine) -> None:
    """A guard on a move that is not there guards nothing."""
    assert all(machine.may(*move) for move in machine.guarded)


@pytest.mark.parametrize("machine", MACHINES.values(), ids=list(MACHINES))
def test_a_new_row_begins_in_a_first_state(machine: StateMachine) -> None:
    """The table's default is what a device gives when it says nothing."""
    assert TABLES[machine.table].column("state").default in machine.first


def test_an_order_can_be_cancelled_until_picking_begins() -> None:
    """What is on the shelf of the warehouse still can be stopped; what is on the pallet can't."""
    before = ("saved", "received", "on_approval", "routed", "sent", "confirmed", "partly_confirmed")
    assert all(ORDER.may(state, "cancelled") for state in before)
    after = ("picking", "shipped", "delivered", "closed", "declined", "rejected")
    assert not any(ORDER.reaches(state, "cancelled") for state in after)
    assert ORDER.final == {"cancelled", "declined", "rejected", "closed"}


def test_an_order_that_comes_late_may_have_gone_several_steps() -> None:
    """Devices and partners are offline; the hub hears of the last step only."""
    assert ORDER.reaches("saved", "on_approval")
    assert ORDER.reaches("saved", "saved")
    assert not ORDER.reaches("closed", "saved")
    assert not ORDER.reaches("unheard_of", "saved")


def test_only_a_cashier_reopens_a_tour() -> None:
    """The money was counted."""
    assert ("posted", "counted") in VAN_LOAD.guarded
    assert VAN_LOAD.may("posted", "counted")
    assert not VAN_LOAD.reaches("posted", "counted")


def test_a_wrong_step_is_refused_with_both_states() -> None:
    """The words name what stands and what was wanted."""
    ORDER.check("saved", "received")
    with pytest.raises(Rejected) as refused:
        ORDER.check("closed", "saved")
    assert refused.value.code == "state_refused"
    assert "from closed to saved" in str(refused.value)
