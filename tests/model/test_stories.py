"""Stories that the model once told, kept word for word, and one for each thing that is broken on purpose in mutants."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fieldmesh.session.transitions import Mode
from gateway.storage import outbox, partitions
from gateway.storage.transaction import Transaction
from tests.kit.dishonest import rewritten
from tests.model import promises
from tests.model.line import Weather
from tests.model.template import Template
from tests.model.world import World

DAY_US = 86_400_000_000


@pytest.fixture(name="world")
async def _world(template: Template, tmp_path: Path) -> AsyncIterator[World]:
    made = World(template, tmp_path / "net")
    await made.open()
    yield made
    await made.close()


async def ends_well(world: World) -> None:
    """What every story ends with."""
    await world.at_rest()
    await promises.never_doubled(world)
    await promises.nothing_lost(world)
    await promises.all_equal(world)


@pytest.mark.parametrize("published", [1, 60])
async def test_a_gateway_that_was_away_while_the_broker_lost_its_store_misses_nothing(
    world: World, published: int
) -> None:
    """Its place in the old stream means nothing in the new one, however long that has grown."""
    # The company was made with another broker: this one's stream begins anew, as after a lost store.
    for number in range(published):
        await world.set_price(number)
        await world.hub.relay_once()
    await world.gateways["GW1"].hear()
    await ends_well(world)


async def test_what_was_published_before_the_store_was_lost_is_fetched_again(world: World) -> None:
    """A gateway that had not heard it yet must not take the first mark of the new stream for enough."""
    await world.at_rest()
    await world.set_price(1)
    await world.hub.relay_once()
    world.broker.lose_store()
    world.clock.advance(5_000_000)
    await world.hub.relay_once()
    await ends_well(world)


async def test_a_gateway_that_comes_before_the_new_stream_has_a_message_misses_nothing(
    world: World,
) -> None:
    """An empty stream says nothing of what was in the old one: only head office knows that there was something."""
    await world.at_rest()
    await world.set_price(1)
    await world.hub.relay_once()
    world.broker.lose_store()
    await world.gateways["GW1"].hear()
    await ends_well(world)


async def test_a_gateway_that_was_seeded_but_has_no_mark_yet_when_the_store_is_lost_again_misses_nothing(
    world: World,
) -> None:
    """What it was given is as old as its seed: the second loss took what came after that."""
    await world.at_rest()
    gateway = world.gateways["GW1"]
    await world.set_price(1)
    await world.hub.relay_once()
    world.broker.lose_store()
    await gateway.hear()
    await gateway.seed()
    await world.set_price(2)
    await world.hub.relay_once()
    world.broker.lose_store()
    world.clock.advance(5_000_000)
    await world.hub.relay_once()
    await ends_well(world)


async def test_a_first_delivery_that_is_lost_is_missed(world: World) -> None:
    """The number of the first delivery is known from the hub's welcome, so even that hole is seen."""
    await world.set_price(1)
    await world.hub.relay_once()
    line = world.gateways["GW2"].line
    line.deliveries, line.skip = 2, 1
    await world.gateways["GW2"].hear()
    await ends_well(world)


async def test_a_device_that_asks_while_its_gateway_is_seeded_anew_is_not_given_a_torn_state(
    world: World,
) -> None:
    """The stream forgot what the gateway had not heard: what it holds is no state of head office."""
    for number in range(3):
        await world.set_price(number)
    await world.hub.relay_once()
    del world.broker.down.messages[:-3]
    await world.gateways["GW1"].hear()
    assert await world.sync("D1", "GW1", Mode.FULL, Weather()) == "deferred"
    await world.gateways["GW1"].seed()
    assert await world.sync("D1", "GW1", Mode.FULL, Weather()) == "done"
    await ends_well(world)


async def test_a_gateway_that_loses_its_disk_twice_in_a_moment_sends_what_it_takes_in(
    world: World,
) -> None:
    """What it sends for the second time is nobody's repetition."""
    await world.lose_gateway("GW1")
    await world.sync("D2", "GW1", Mode.FAST, Weather())
    await world.gateways["GW1"].send()
    await world.lose_gateway("GW1")
    await world.order("D1")
    await ends_well(world)


async def test_the_same_backup_may_be_restored_twice(world: World) -> None:
    """What head office did after the first restore is a lost future like the one before."""
    await world.backup_hub()
    for number in range(3):
        for price in range(number + 1):
            await world.set_price(number + price)
            await world.hub.relay_once()
        await world.gateways["GW1"].hear()
        await world.sync("D1", "GW1", Mode.FULL, Weather())
        await world.restore_hub()
    await world.set_price(4)
    await ends_well(world)


async def test_a_newer_backup_that_is_restored_after_an_older_one_stands(world: World) -> None:
    """By mistake the older one came first: what it undid counts again, and no stream brings it."""
    await world.backup_hub()
    await world.set_price(1)
    await world.order("D1")
    await world.at_rest()
    await world.backup_hub()
    await world.restore_hub(older=True)
    await world.order("D2")
    await world.at_rest()
    await world.restore_hub()
    await ends_well(world)


async def test_an_order_that_a_restored_hub_has_lost_stays_on_its_device(world: World) -> None:
    """Promises 4 and 8: the device has forgotten its batch; its gateway shows the rows until the hub has them again."""
    await world.at_rest()
    await world.backup_hub()
    await world.order("D1")
    await world.at_rest()
    await world.restore_hub()
    await world.hub.relay_once()
    gateway = world.gateways["GW1"]
    for _ in range(2):
        await gateway.hear()
        await gateway.seed()
    assert await world.sync("D1", "GW1", Mode.FULL, Weather()) == "done"
    (order,) = world.made.orders["D1"]
    there = await world.devices["D1"].agent.sql("SELECT lower(hex(id)), lsn FROM sales_order")
    assert (order, 0) in [tuple(row) for row in there.rows]
    await ends_well(world)


async def test_a_gateway_that_was_seeded_ahead_of_its_mark_keeps_nothing_of_a_lost_future(
    world: World,
) -> None:
    """Its mark never was in that future, so nothing but the seed tells of it."""
    await world.at_rest()
    await world.backup_hub()
    await world.set_price(1)
    parts = world.gateways["GW1"].parts
    await parts.database.write(
        lambda c: partitions.seed_again(c, None, world.clock.now(), whole=True)
    )
    parts.signals.hub.reachable = False  # no seed waits for a mark that does not come
    await world.gateways["GW1"].seed()
    await world.restore_hub()
    await world.move_outlet(0, "REP0002")
    await ends_well(world)


async def test_a_device_is_shown_no_torn_state_by_a_gateway_that_lost_its_home_and_is_behind(
    world: World,
) -> None:
    """The filter takes away what was published before the loss, of which the gateway has not heard yet."""
    await world.at_rest()
    await world.set_price(1)
    await world.hub.relay_once()
    await world.change_home("D2", "GW1")
    await world.gateways["GW2"].hear()
    assert await world.sync("D2", "GW2", Mode.FULL, Weather()) == "deferred"
    await world.change_home("D2", "GW2")
    await ends_well(world)


async def test_an_answer_that_was_cut_off_doubles_nothing(world: World) -> None:
    """The gateway holds the batch, the device does not know: both gateways get it, head office once."""
    await world.order("D1")
    outcome = await world.sync("D1", "GW1", Mode.FAST, Weather(3, gateway_goes_on=True))
    assert outcome == "no_gateway_reachable"
    assert await world.sync("D1", "GW2", Mode.FAST, Weather()) == "done"
    await ends_well(world)


async def test_a_batch_that_comes_again_changes_nothing(world: World) -> None:
    """The broker did not hear that head office has it: it is answered from the inbox."""
    await world.order("D1")
    await world.sync("D1", "GW1", Mode.FAST, Weather())
    await world.gateways["GW1"].send()
    messages = world.broker.waiting_up()
    first = await world.hub.consumer.take(messages)
    assert (first.applied, first.repeated) == (1, 0)
    before = await promises.stamps(world)
    again = await world.hub.consumer.take(messages)
    assert (again.applied, again.repeated) == (0, 1)
    assert await promises.stamps(world) == before
    await ends_well(world)


async def test_head_office_acknowledges_only_what_it_has_committed(world: World) -> None:
    """Its disk is full: the broker keeps the batch and delivers it again."""
    await world.order("D1")
    await world.sync("D1", "GW1", Mode.FAST, Weather())
    await world.gateways["GW1"].send()
    waiting = len(world.broker.waiting_up())
    with world.full_disk("hub"):
        await world.hub.take(world.broker.waiting_up())
    assert len(world.broker.waiting_up()) == waiting
    await ends_well(world)


@pytest.mark.parametrize("good", [0, 1, 2])
async def test_a_gateway_gives_its_tick_only_to_what_it_has_committed(
    world: World, good: int
) -> None:
    """Its disk is full at some commit of the session; then it is lost. The device sends everything again."""
    await world.order("D1")
    with world.full_disk("GW1", good):
        await world.sync("D1", "GW1", Mode.FAST, Weather())
    held = (await world.gateways["GW1"].parts.database.read(outbox.depth)).entries
    ticked = (await world.devices["D1"].agent.status()).standing.at_gateway_rows
    assert held or not ticked
    await ends_well(world)


async def test_a_gateway_keeps_a_batch_until_head_office_has_decided(world: World) -> None:
    """The broker took it, and then lost its store."""
    await world.order("D1")
    await world.sync("D1", "GW1", Mode.FAST, Weather())
    await world.gateways["GW1"].send()
    world.broker.up.messages.clear()
    world.broker.up.ids.clear()
    await ends_well(world)


async def test_a_gateway_whose_clock_was_ahead_sends_again_what_the_broker_lost(
    world: World,
) -> None:
    """By its clock it was sent in three days' time: it must not wait until then."""
    await world.order("D1")
    await world.sync("D1", "GW1", Mode.FAST, Weather())
    world.clock.advance(3 * DAY_US)
    await world.gateways["GW1"].send()
    world.clock.advance(-3 * DAY_US)
    world.broker.lose_store()
    await ends_well(world)


@pytest.mark.parametrize("good", [0, 1, 2])
async def test_a_gateway_that_could_not_commit_a_mark_fetches_it_again(
    world: World, good: int
) -> None:
    """Its place in the stream and the rows are one commit."""
    await world.at_rest()
    for number in range(3):
        await world.set_price(number)
        await world.hub.relay_once()
    with world.full_disk("GW1", good):
        await world.gateways["GW1"].hear()
    await ends_well(world)


@pytest.mark.parametrize("good", [0, 1, 2])
async def test_a_device_that_could_not_commit_a_delta_asks_for_it_again(
    world: World, good: int
) -> None:
    """Its cursor and the rows are one commit."""
    await world.at_rest()
    await world.set_price(1)
    await world.hub.relay_once()
    await world.gateways["GW1"].hear()
    with world.full_disk("D1", good):
        await world.sync("D1", "GW1", Mode.FULL, Weather())
    await ends_well(world)


async def test_an_outlet_that_goes_to_another_rep_leaves_and_comes(world: World) -> None:
    """With its orders, those included that the old rep has not sent yet."""
    await world.order("D1")
    await world.at_rest()
    await world.order("D1", lines=3)
    for number in range(5):
        await world.move_outlet(number, "REP0002")
    await ends_well(world)


async def test_a_batch_that_its_gateway_rewrote_is_not_applied(world: World) -> None:
    """Everything in it fits but the signature; the device gives the right one again."""
    await world.order("D1")
    await world.sync("D1", "GW1", Mode.FAST, Weather())
    gateway = world.gateways["GW1"]

    def rewrite(connection: Transaction) -> None:
        held = connection.execute(
            "SELECT outbox_number, payload FROM fm_outbox WHERE kind = 'batch'"
        )
        for number, payload in held.fetchall():
            connection.execute(
                "UPDATE fm_outbox SET payload = ? WHERE outbox_number = ?",
                (rewritten(payload), number),
            )

    await gateway.parts.database.write(rewrite)
    await gateway.send()
    await world.hub.take(world.broker.waiting_up())
    assert await world.at_hub(
        "SELECT count(*) FROM sales_order WHERE lower(hex(id)) IN (SELECT value FROM json_each(?))"
    ) == [(0,)]
    await world.at_rest()
    await promises.never_doubled(world)
    await promises.nothing_lost(world)
    assert await world.at_hub("SELECT code FROM fm_quarantine WHERE ? <> ''") == [
        ("signature_invalid",)
    ]


async def test_a_batch_that_overtakes_another_waits_for_it(world: World) -> None:
    """The first one's order is at a gateway that was not heard yet."""
    await world.order("D1", outlet=0)
    await world.sync("D1", "GW1", Mode.FAST, Weather())
    await world.order("D1", lines=3, outlet=1)
    await world.sync("D1", "GW2", Mode.FAST, Weather())
    await world.gateways["GW2"].send()
    for message in world.broker.waiting_up()[::-1]:
        await world.hub.take([message])
        await promises.in_order(world)
    await ends_well(world)


async def test_a_gateway_from_an_older_image_loses_nothing_and_uses_no_number_twice(
    world: World,
) -> None:
    """What it takes in now must not pass for a repetition of what it sent before."""
    await world.save_image("GW1")
    await world.order("D1")
    await world.sync("D1", "GW1", Mode.FAST, Weather())
    await world.gateways["GW1"].send()
    await world.restore_image("GW1")
    await world.order("D2")
    await world.sync("D2", "GW1", Mode.FAST, Weather())
    await world.gateways["GW1"].send()
    await ends_well(world)


async def test_a_device_that_packed_beside_its_clone_is_not_waited_for_for_ever(
    world: World,
) -> None:
    """What it packed and no gateway took goes up under other numbers: nobody may wait for the old ones."""
    await world.save_image("D1")
    await world.order("D1")
    await world.sync("D1", "GW2", Mode.FAST, Weather())
    await world.gateways["GW2"].send()
    await world.hub.take(world.broker.waiting_up())
    await world.restore_image("D1")
    await world.order("D1", outlet=1)
    assert await world.sync("D1", "GW1", Mode.FAST, Weather()) == "done"
    await world.gateways["GW1"].send()
    await world.hub.take(world.broker.waiting_up())
    await world.hub.relay_once()
    await world.gateways["GW1"].hear()
    assert await world.sync("D1", "GW1", Mode.FULL, Weather()) == "initialize_needed"
    await world.order("D1", lines=3)
    assert await world.sync("D1", "GW1", Mode.INITIALIZE, Weather()) == "done"
    await ends_well(world)
