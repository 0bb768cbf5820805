"""Assignments → patches."""

from fieldmesh.replica.partition import patch_id
from hub.rules.patches import Assignment, party_positions, patch_for, serving_positions

OUTLET, OTHER, PARTY = b"o" * 16, b"p" * 16, b"l" * 16
REP, TECHNICIAN = b"r" * 16, b"t" * 16


def test_the_patch_of_an_outlet_is_the_set_of_those_who_serve_it() -> None:
    """Without it a row served by two people would need two homes."""
    serving = serving_positions(
        [Assignment(OUTLET, REP), Assignment(OUTLET, TECHNICIAN)], "2026-05-01"
    )
    assert serving == {OUTLET: frozenset({REP, TECHNICIAN})}
    assert patch_for(serving[OUTLET]) == patch_id([TECHNICIAN, REP])


def test_an_assignment_holds_on_its_first_and_on_its_last_day() -> None:
    """Without it an outlet would belong to nobody for a day when it changes hands."""
    assignment = Assignment(OUTLET, REP, "2026-05-01", "2026-05-31")
    days = ("2026-04-30", "2026-05-01", "2026-05-31", "2026-06-01")
    assert [assignment.holds_on(day) for day in days] == [False, True, True, False]


def test_a_chain_belongs_to_everyone_who_serves_one_of_its_outlets() -> None:
    """Without it a rep could not see the debts of a chain that others serve too."""
    serving = {OUTLET: frozenset({REP}), OTHER: frozenset({TECHNICIAN})}
    union = party_positions({OUTLET: PARTY, OTHER: PARTY}, serving)
    assert union == {PARTY: frozenset({REP, TECHNICIAN})}


def test_an_outlet_that_nobody_serves_has_no_patch() -> None:
    """Without it rows would travel to devices that have no right to them."""
    assert patch_for(frozenset()) is None
