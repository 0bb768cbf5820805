"""The state machine: every rule is something that happens on an ordinary or a bad day."""
# ruff: noqa: D102 - a model: names say it

import asyncio
import tempfile
from collections.abc import Coroutine
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from fieldmesh.session.transitions import Mode
from tests.model import promises
from tests.model.line import Weather
from tests.model.template import Template
from tests.model.world import DEVICES, GATEWAYS, SECOND_US, World

devices, gateways = st.sampled_from(DEVICES), st.sampled_from(GATEWAYS)
modes = st.sampled_from([Mode.FAST, Mode.FULL, Mode.FAST, Mode.FULL, Mode.INITIALIZE])
few = st.integers(0, 3)
maybe_full = st.sampled_from([None, None, None, 0, 1])
"""How many commits are good before the disk is full; None = it never is."""
fair = st.just(Weather())
foul = st.builds(Weather, messages=st.integers(1, 9), gateway_goes_on=st.booleans())


class NetworkMachine(RuleBasedStateMachine):
    """A network in which anything may happen, and at whose end everything must be right.

    A story loses one thing only: head office's newest commits, a gateway's disk, or a device's newest
    state. What only two of them held would be gone with both, and no design can bring it back.
    """

    template: ClassVar[Template]
    """Set before it runs."""

    def __init__(self) -> None:
        """A copy of the company is open."""
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self._folder = tempfile.TemporaryDirectory(dir=self.template.folder.parent)
        self.world = World(self.template, Path(self._folder.name) / "net")
        self.lost = ""
        self.saved: set[str] = set()
        self.prices = 0
        self._do(self.world.open())

    def _disk(self, name: str, good: int | None) -> AbstractContextManager[None]:
        return nullcontext() if good is None else self.world.full_disk(name, good)

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @rule(device=devices, lines=st.integers(1, 4), outlet=st.integers(0, 4))
    def a_rep_takes_an_order(self, device: str, lines: int, outlet: int) -> None:
        self._do(self.world.order(device, lines, outlet))

    @rule(device=devices, gateway=gateways, mode=modes, weather=fair | foul)
    def a_device_syncs(self, device: str, gateway: str, mode: Mode, weather: Weather) -> None:
        self._do(self.world.sync(device, gateway, mode, weather))

    @rule(device=devices, gateway=gateways, mode=modes, gateways_disk=st.booleans(), good=few)
    def a_device_syncs_and_a_disk_is_full(
        self,
        device: str,
        gateway: str,
        mode: Mode,
        gateways_disk: bool,  # noqa: FBT001
        good: int,
    ) -> None:
        with self.world.full_disk(gateway if gateways_disk else device, good):
            self._do(self.world.sync(device, gateway, mode, Weather()))

    @rule(gateway=gateways, unheard=st.integers(0, 2))
    def a_gateway_sends(self, gateway: str, unheard: int) -> None:
        node = self.world.gateways[gateway]
        node.line.lose_words = unheard
        self._do(node.send())
        node.line.lose_words = 0

    @rule(
        gateway=gateways,
        deliveries=st.sampled_from([1, 2, 3, 5, 1_000]),
        skip=st.sampled_from([0, 0, 0, 1]),
        full=maybe_full,
    )
    def a_gateway_hears(self, gateway: str, deliveries: int, skip: int, full: int | None) -> None:
        node = self.world.gateways[gateway]
        node.line.deliveries, node.line.skip = deliveries, skip
        with self._disk(gateway, full):
            self._do(node.hear())

    @rule(gateway=gateways)
    def a_gateway_fetches_areas(self, gateway: str) -> None:
        self._do(self.world.gateways[gateway].seed())

    @rule(most=st.integers(1, 6), backwards=st.booleans(), deaf=st.booleans(), full=maybe_full)
    def head_office_takes(self, most: int, backwards: bool, deaf: bool, full: int | None) -> None:  # noqa: FBT001
        """In another order than they were sent, and without the broker hearing that it did."""
        messages = self.world.broker.waiting_up()[:most]
        for message in messages:
            message.deaf = deaf
        with self._disk("hub", full):
            self._do(self.world.hub.take(messages[::-1] if backwards else messages))
        self._do(promises.in_order(self.world))
        for message in messages:
            message.deaf = False

    @rule(unheard=st.sampled_from([0, 0, 1, 2]))
    def head_office_publishes(self, unheard: int) -> None:
        self.world.hub.line.lose_words = unheard
        self._do(self.world.hub.relay_once())
        self.world.hub.line.lose_words = 0

    @rule()
    def a_price_changes(self) -> None:
        self.prices += 1
        self._do(self.world.set_price(self.prices))

    @rule(number=st.integers(0, 4), position=st.sampled_from(["REP0001", "REP0002"]))
    def an_outlet_moves(self, number: int, position: str) -> None:
        self._do(self.world.move_outlet(number, position))

    @rule(node=st.sampled_from(["hub", *GATEWAYS, *DEVICES]))
    def a_process_is_killed(self, node: str) -> None:
        self._do(self.world.restart(node))

    @rule(seconds=st.sampled_from([1, 70, 3_600, 86_400]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.advance(seconds * SECOND_US)

    @rule()
    def the_broker_forgets_what_it_knew(self) -> None:
        """The window in which it drops repeated ids has passed."""
        self.world.broker.up.ids.clear()
        self.world.broker.down.ids.clear()

    @rule(keep=st.integers(0, 3))
    def the_broker_drops_old_messages(self, keep: int) -> None:
        """What DOWN keeps is limited: a gateway that was away longer has missed something."""
        down = self.world.broker.down
        del down.messages[: max(0, len(down.messages) - keep)]

    @rule()
    def the_broker_loses_its_store(self) -> None:
        """Outboxes hold what was on its way up; what was on its way down is fetched anew."""
        self.world.broker.lose_store()

    @precondition(lambda self: self.lost in {"", "gateway"})
    @rule(gateway=gateways)
    def a_gateway_loses_its_disk(self, gateway: str) -> None:
        self.lost = "gateway"
        self._do(self.world.lose_gateway(gateway))

    @rule()
    def the_hub_is_backed_up(self) -> None:
        self.saved.add("hub")
        self._do(self.world.backup_hub())

    @precondition(lambda self: "hub" in self.saved and self.lost in {"", "hub"})
    @rule(older=st.booleans())
    def the_hub_is_restored(self, *, older: bool) -> None:
        self.lost = "hub"
        self._do(self.world.restore_hub(older=older))

    @rule(node=st.sampled_from([*DEVICES, *GATEWAYS]))
    def a_node_is_copied(self, node: str) -> None:
        self.saved.add(node)
        self._do(self.world.save_image(node))

    @precondition(lambda self: self.saved & set(DEVICES) and self.lost in {"", "device"})
    @rule(device=devices)
    def a_device_is_restored_from_its_copy(self, device: str) -> None:
        if device in self.saved:
            self.lost = "device"
            self._do(self.world.restore_image(device))

    @precondition(lambda self: self.saved & set(GATEWAYS) and self.lost in {"", "gateway"})
    @rule(gateway=gateways)
    def a_gateway_is_restored_from_its_copy(self, gateway: str) -> None:
        if gateway in self.saved:
            self.lost = "gateway"
            self._do(self.world.restore_image(gateway))

    @rule()
    def somebody_counts(self) -> None:
        self._do(promises.never_doubled(self.world))

    def teardown(self) -> None:
        """At rest everything is there, once, in order, and the same everywhere."""
        try:
            self._do(self.world.at_rest())
            self._do(promises.never_doubled(self.world))
            self._do(promises.nothing_lost(self.world))
            self._do(promises.all_equal(self.world))
        finally:
            self._do(self.world.close())
            self.loop.close()
            self._folder.cleanup()
