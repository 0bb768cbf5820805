"""The servers of a NATS cluster, as the settings name them."""

import pytest

from fieldmesh.basics.errors import Rejected
from hub.trust.bus_servers import places


def test_servers_have_names_of_their_own() -> None:
    """Each finds the others by the order in which they stand."""
    found = places(["nats1.example:4222", "nats2.example:4223"])
    assert [(one.name, one.host, one.port) for one in found] == [
        ("fieldmesh-1", "nats1.example", 4222),
        ("fieldmesh-2", "nats2.example", 4223),
    ]


@pytest.mark.parametrize(
    "servers", [["nats1.example"], ["nats1.example:70000"], ["a:1", "a:1"], ["a:1"], []]
)
def test_what_names_no_cluster_is_said_with_the_name_of_the_setting(servers: list[str]) -> None:
    """“A setting is wrong: []” sends nobody to the right line."""
    with pytest.raises(Rejected, match=r"bus\.servers"):
        places(servers)
