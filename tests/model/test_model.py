"""Promises 1 to 6 over many orders of events, each failure shrunk to a short story."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import NetworkMachine
from tests.model.template import Template

STORIES, STEPS = 10, 20
MANY_STORIES, MANY_STEPS = 2_000, 50


def test_whatever_happens_nothing_is_lost_doubled_or_different(
    template: Template, request: pytest.FixtureRequest
) -> None:
    """Ten stories of up to twenty events; with --thorough two thousand of fifty, or --stories of fifty."""
    stories = request.config.getoption("--stories")
    if not stories and request.config.getoption("--thorough"):
        stories = MANY_STORIES
    NetworkMachine.template = template
    run_state_machine_as_test(
        NetworkMachine,
        settings=settings(
            max_examples=stories or STORIES,
            stateful_step_count=MANY_STEPS if stories else STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
