"""Pages for the night are followed command by command, in a network in that trouble, to the end that they promise.

`make runbooks` follows all of them, `make test` a seeded choice of those that were followed to their end.
The house demands that no section is left out.
"""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.demo.network import Network
from tests.faults import runbook_devices, runbook_gateways, runbook_hub
from tests.kit.network import small_network
from tests.kit.runbooks import Operator

Trouble = Callable[[Network, Operator, Path], Awaitable[None]]
CHOSEN = 2
"""How many pages are followed in `make test`."""


@dataclass(frozen=True, slots=True)
class Story:
    """Makes the trouble, and follows these sections in this order."""

    name: str
    tell: Trouble
    sections: tuple[tuple[str, str], ...]
    gateways: int = 1


def story(tell: Trouble, page: str, *sections: str, gateways: int = 1) -> Story:
    """The story of one page; a section of another page is named with it, page/section."""
    pairs = [one.split("/", 1) if "/" in one else [page, one] for one in sections]
    return Story(tell.__name__, tell, tuple((one[0], one[1]) for one in pairs), gateways)


STORIES = (
    story(runbook_devices.a_batch_is_elsewhere, "gap", "First look", "It is still somewhere", gateways=2),
    story(runbook_devices.a_batch_is_gone, "gap", "First look", "It is gone for good",
          "quarantine/First look", "quarantine/Apply it", gateways=2),
    story(runbook_devices.a_batch_was_altered, "quarantine", "First look", "Close it", gateways=2),
    story(runbook_devices.a_device_is_stuck, "stuck-device", "First look", "It reaches no gateway",
          "Its rows are wrong", "The device is broken", "It is lost or stolen"),
    story(runbook_devices.a_device_came_from_an_image, "restored-image", "A device"),
    story(runbook_devices.a_devices_certificate_ended, "expired-certificates", "A device"),
    story(runbook_gateways.a_gateway_is_broken, "lost-gateway", "Broken", "Over"),
    story(runbook_gateways.a_gateway_is_stolen, "lost-gateway", "Stolen", "Over"),
    story(runbook_gateways.a_gateway_is_cut_off, "gateway-cut-off", "First look", "Over"),
    story(runbook_gateways.a_gateways_certificate_ended, "expired-certificates", "A gateway"),
    story(runbook_gateways.a_gateway_came_from_an_image, "restored-image", "A gateway"),
    story(runbook_gateways.a_disk_is_full, "disk-full", "First look", "Over"),
    story(runbook_hub.the_hub_is_lost, "lost-hub", "From last night's backup", "Over"),
    story(runbook_hub.the_database_was_put_back, "lost-hub",
          "The database was put back by other means", "Over"),
    story(runbook_hub.the_hub_came_from_an_image, "restored-image", "The hub"),
    story(runbook_hub.the_hub_stands_still, "hub-stands-still", "First look", "Restart"),
    story(runbook_hub.the_authority_ends_soon, "expired-authority", "First look", "While it holds"),
    story(runbook_hub.the_authority_has_ended, "expired-authority", "After its end",
          "expired-certificates/A gateway", "expired-certificates/A device"),
)  # fmt: skip


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """All stories, or a seeded choice."""
    if "told" in metafunc.fixturenames:
        seed = metafunc.config.getoption("randomly_seed", 0)
        thorough = metafunc.config.getoption("--thorough")
        chosen = STORIES if thorough else random.Random(f"{seed}").sample(STORIES, CHOSEN)
        metafunc.parametrize("told", chosen, ids=[one.name for one in chosen])


async def test_a_page_for_the_night_leads_out_of_the_trouble(told: Story, tmp_path: Path) -> None:
    """A tired person follows it to the letter: each command does and says what the page says."""
    async with small_network(tmp_path, gateways=told.gateways) as network:
        operator = Operator(network, network.gateways[0], network.devices[0])
        await told.tell(network, operator, tmp_path)
        assert tuple(operator.followed) == told.sections
