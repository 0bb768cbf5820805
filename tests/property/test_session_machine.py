"""Two machines that hear each other, under any order of what both could say."""

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from fieldmesh.basics import limits
from fieldmesh.session.device_side import DeviceSession
from fieldmesh.session.gateway_side import GatewaySession
from fieldmesh.session.machine import LocalProtocolError
from fieldmesh.session.transitions import DOWNLOADING_MODES, REPAIRING_MODES, Mode, State

DEVICE_SAYS = ["batch", "upload_end", "applied"]
GATEWAY_SAYS = [
    "welcome",
    "acknowledgement",
    "download_start",
    "chunk",
    "download_end",
    "repair",
    "done",
]


class Dialogue(RuleBasedStateMachine):
    """Each side says what it likes; messages in flight arrive later, in order, or never."""

    device: DeviceSession
    gateway: GatewaySession
    mode: Mode

    @initialize(mode=st.sampled_from(Mode))
    def begin(self, mode: Mode) -> None:
        """The device has said Hello."""
        self.mode = mode
        self.device = DeviceSession(mode)
        self.device.send("hello")
        self.gateway = GatewaySession(mode)
        self.up: list[str] = []
        self.down: list[str] = []
        self.heard: list[str] = []

    @rule(message=st.sampled_from(DEVICE_SAYS))
    def device_says(self, message: str) -> None:
        """What the device's machine lets pass is on its way."""
        try:
            self.device.send(message)
        except LocalProtocolError:
            return
        self.up.append(message)

    @rule(message=st.sampled_from(GATEWAY_SAYS))
    def gateway_says(self, message: str) -> None:
        """What the gateway's machine lets pass is on its way."""
        try:
            self.gateway.send(message)
        except LocalProtocolError:
            return
        self.down.append(message)

    @rule()
    def gateway_hears(self) -> None:
        """A gateway that has ended a session reads no more."""
        if self.up and not self.gateway.is_ended:
            self.gateway.receive(self.up.pop(0))

    @rule()
    def device_hears(self) -> None:
        """What an honest gateway says is never refused, however late it comes."""
        if self.down:
            message = self.down.pop(0)
            self.device.receive(message)
            self.heard.append(message)

    @invariant()
    def nothing_comes_down_that_was_not_asked_for(self) -> None:
        """Fast and upload bring no rows; only full is repaired, twice at most."""
        if self.mode not in DOWNLOADING_MODES:
            assert "chunk" not in self.heard
        repairs = self.heard.count("repair")
        assert repairs <= (limits.REPAIRS_IN_SESSION if self.mode in REPAIRING_MODES else 0)
        assert self.heard.count("download_start") <= 1

    @invariant()
    def both_agree_when_nothing_is_in_flight(self) -> None:
        """Two machines of one table that heard the same stand in the same state."""
        if not self.up and not self.down and not self.gateway.is_ended:
            assert self.device.state is self.gateway.state
        if self.device.is_ended:
            assert self.gateway.state is State.ENDED


TestDialogue = Dialogue.TestCase
TestDialogue.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
