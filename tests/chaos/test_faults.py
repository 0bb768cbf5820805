"""What the nemesis can do is found by its name and befalls nodes that a campaign has."""

import pytest

from tests.chaos.faults.fault import find
from tests.chaos.shape import company

SHAPE = company(gateways=2, devices=4, crews=2)
NODES = {
    "hub",
    "broker",
    *SHAPE.gateways,
    *SHAPE.crews,
    *SHAPE.devices,
    *(f"organisation of {device}" for device in SHAPE.devices),
    *SHAPE.bus_lines,
    *SHAPE.field_lines,
}


def test_every_fault_befalls_a_node_that_a_campaign_has() -> None:
    """Another one would be planned and never begin."""
    for name, fault in find().items():
        nodes = fault.nodes(SHAPE)
        assert nodes, name
        assert set(nodes) <= NODES, name
        assert all(fault(node).holds <= NODES for node in nodes), name
        assert 0 < fault.lasts_s[0] <= fault.lasts_s[1], name


def test_a_word_chooses_all_faults_of_its_kind() -> None:
    """`FAULTS=kill` means every kind of node; a misspelt word must not mean none."""
    assert {"kill_gateway", "kill_devices"} <= find(["kill"]).keys()
    assert all(name.startswith("kill_") for name in find(["kill"]))
    with pytest.raises(ValueError, match="there is no fault kil;"):
        find(["kil"])
