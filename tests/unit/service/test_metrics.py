"""Figures carry their node, and their names keep to the house's rules."""

import pytest

from fieldmesh.basics.errors import Defect
from fieldmesh.service.metrics import Registry


def test_two_nodes_in_one_process_do_not_mix() -> None:
    """The demo and the tests run many nodes in one process."""
    one, two = Registry("one"), Registry("two")
    for registry in (one, two):
        registry.counter("fieldmesh_gateway_batches_total", "How many?", "source")
        registry.gauge("fieldmesh_gateway_outbox_entries", "How deep?")
    figure = one.counter("fieldmesh_gateway_rows_total", "How many rows?", "source")
    figure.labels(source="wire").inc(3)
    assert one.value("fieldmesh_gateway_rows_total", source="wire") == 3
    assert two.value("fieldmesh_gateway_rows_total", source="wire") == 0
    assert b'fieldmesh_gateway_outbox_entries{node="two"} 0.0' in two.exposition()


@pytest.mark.parametrize(
    ("name", "question", "label"),
    [
        ("batches_total", "How many?", "source"),
        ("fieldmesh_gateway_batches_total", "", "source"),
        ("fieldmesh_gateway_batches_total", "How many?", "device_id"),
        ("fieldmesh_gateway_wait_ms", "How long?", "source"),
    ],
)
def test_a_figure_outside_the_rules_is_a_defect(name: str, question: str, label: str) -> None:
    """A label per device would make 40,000 series of one figure."""
    with pytest.raises(Defect):
        Registry("one").counter(name, question, label)
