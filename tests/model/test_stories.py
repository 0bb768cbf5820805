"""Stories that the model once told, kept word for word."""

from pathlib import Path

import pytest

from fieldmesh.session.transitions import Mode
from tests.model.line import Weather
from tests.model.template import Template
from tests.model.world import World


@pytest.mark.parametrize("published", [1, 60])
async def test_a_gateway_that_was_away_while_the_broker_lost_its_store_misses_nothing(
    template: Template, tmp_path: Path, published: int
) -> None:
    """Its place in the old stream means nothing in the new one, however long that has grown."""
    world = World(template, tmp_path / "net")
    await world.open()
    # The company was made with another broker: this one's stream begins anew, as after a lost store.
    for number in range(published):
        await world.set_price(number)
        await world.hub.relay_once()
    await world.gateways["GW1"].hear()
    await world.at_rest()
    await world.all_equal()
    await world.close()


async def test_what_was_published_before_the_store_was_lost_is_fetched_again(
    template: Template, tmp_path: Path
) -> None:
    """A gateway that had not heard it yet must not take the first mark of the new stream for enough."""
    world = World(template, tmp_path / "net")
    await world.open()
    await world.at_rest()
    await world.set_price(1)
    await world.hub.relay_once()
    down = world.broker.down
    down.messages.clear()
    down.last = 0
    down.ids.clear()
    world.broker.listeners.clear()
    world.clock.advance(5_000_000)
    await world.hub.relay_once()
    await world.at_rest()
    await world.all_equal()
    await world.close()


async def test_an_answer_that_was_cut_off_doubles_nothing(
    template: Template, tmp_path: Path
) -> None:
    """The gateway holds the batch, the device does not know: both gateways get it, head office once."""
    world = World(template, tmp_path / "net")
    await world.open()
    await world.order("D1")
    outcome = await world.sync("D1", "GW1", Mode.FAST, Weather(3, gateway_goes_on=True))
    assert outcome == "no_gateway_reachable"
    assert await world.sync("D1", "GW2", Mode.FAST, Weather()) == "done"
    await world.at_rest()
    await world.never_doubled()
    await world.nothing_lost()
    await world.all_equal()
    await world.close()
