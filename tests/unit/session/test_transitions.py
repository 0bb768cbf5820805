"""The table of a session: every way through it ends, and the picture of it is true."""

from collections import deque

import pytest

from fieldmesh.session.transitions import (
    AFTER_WELCOME,
    DOWNLOADING_MODES,
    MOST_TIMES,
    TRANSITIONS,
    Mode,
    Sender,
    State,
    as_diagram,
    next_state,
)
from fieldmesh.wire.v1 import session_pb2

MESSAGES = {
    Sender.DEVICE: {field.name for field in session_pb2.DeviceMessage.DESCRIPTOR.fields},
    Sender.GATEWAY: {field.name for field in session_pb2.GatewayMessage.DESCRIPTOR.fields},
}


def test_every_message_of_the_wire_has_its_place() -> None:
    """A message that no state allows could never be said."""
    said = {(sender, message) for _, sender, message in TRANSITIONS}
    assert said == {(sender, one) for sender, messages in MESSAGES.items() for one in messages}
    assert {*MOST_TIMES, *AFTER_WELCOME} <= {message for _, message in said}


@pytest.mark.parametrize("mode", list(Mode))
def test_every_state_that_can_be_reached_can_be_left_by_done(mode: Mode) -> None:
    """A gateway may end a session at any point: deferred, wiped, fenced."""
    reached, waiting = {State.OPENING}, deque([State.OPENING])
    while waiting:
        state = waiting.popleft()
        for sender, messages in MESSAGES.items():
            for message in messages:
                target = next_state(mode, state, sender, message)
                if target is not None and target not in reached:
                    reached.add(target)
                    waiting.append(target)
    assert State.ENDED in reached
    for state in reached - {State.ENDED}:
        assert next_state(mode, state, Sender.GATEWAY, "done") is State.ENDED
    assert (State.APPLYING in reached) == (mode in DOWNLOADING_MODES)


def test_nothing_is_said_after_the_end() -> None:
    """Done is the last word."""
    assert not [key for key in TRANSITIONS if key[0] is State.ENDED]


def test_the_picture_holds_every_transition() -> None:
    """A picture that lags behind is worse than none."""
    lines = as_diagram().splitlines()
    assert lines[0] == "stateDiagram-v2"
    assert len(lines) == len(TRANSITIONS) + 3
    assert "    applying --> checking: device says applied" in lines
