"""Facts of the organisation → partitions of a position. Promise 6 (Scope)."""

from dataclasses import replace

from fieldmesh.data.policy import PartitionKind
from hub.rules.subscriptions import COMPANY, GLOBAL, OrganisationFacts, Target, subscriptions
from hub.rules.territory import PositionTree


def _id(letter: str) -> bytes:
    return letter.encode() * 16


SUPERVISOR, ONE, TWO = _id("s"), _id("1"), _id("2")
FACTS = OrganisationFacts(
    tree=PositionTree({SUPERVISOR: None, ONE: SUPERVISOR, TWO: SUPERVISOR}),
    patches={
        _id("a"): frozenset({ONE}),
        _id("b"): frozenset({TWO}),
        _id("c"): frozenset({ONE, TWO}),
    },
    patch_distributors={_id("a"): frozenset({_id("d")})},
    patch_price_lists={_id("b"): frozenset({_id("P")})},
    default_price_lists={COMPANY: frozenset({_id("Q")}), _id("d"): frozenset({_id("R")})},
    distributor_warehouses={_id("d"): frozenset({_id("w")})},
    unit_warehouses={_id("u"): frozenset({_id("x")})},
    van_warehouses={TWO: frozenset({_id("v")})},
    units_above={ONE: (_id("u"),)},
)


def _keys(position: bytes, kind: PartitionKind) -> set[bytes]:
    targets = subscriptions([position], FACTS)[position]
    return {target.key for target in targets if target.kind is kind}


def test_a_rep_sees_every_patch_that_contains_the_rep() -> None:
    """Without it an outlet shared with a merchandiser would be missing."""
    assert _keys(ONE, PartitionKind.PATCH) == {_id("a"), _id("c")}


def test_a_rep_sees_no_patch_of_a_colleague() -> None:
    """Without it rows would leave their scope."""
    assert _id("a") not in _keys(TWO, PartitionKind.PATCH)


def test_a_supervisor_sees_what_the_positions_below_see() -> None:
    """Without it a supervisor could not check the work of the team."""
    both = subscriptions([ONE, TWO], FACTS)
    own = subscriptions([SUPERVISOR], FACTS)[SUPERVISOR]
    assert own == both[ONE] | both[TWO] | {Target(PartitionKind.POSITION, SUPERVISOR)}


def test_price_lists_are_those_of_contracts_and_the_defaults() -> None:
    """Without it a device would have products without prices."""
    assert _keys(ONE, PartitionKind.PRICELIST) == {_id("Q"), _id("R")}
    assert _keys(TWO, PartitionKind.PRICELIST) == {_id("P"), _id("Q")}


def test_warehouses_are_those_of_distributors_units_and_vans() -> None:
    """Without it a device could not show stock."""
    assert _keys(ONE, PartitionKind.WAREHOUSE) == {_id("w"), _id("x")}
    assert _keys(TWO, PartitionKind.WAREHOUSE) == {_id("v")}


def test_everyone_sees_the_global_partition() -> None:
    """Without it there would be no products on a device."""
    assert GLOBAL in subscriptions([TWO], FACTS)[TWO]


def test_an_unknown_position_has_no_targets() -> None:
    """Without it a device of a deleted position would keep its rows."""
    assert subscriptions([_id("?")], FACTS)[_id("?")] == frozenset()


def test_who_stands_in_sees_what_the_absent_sees_and_the_post_above_does_not() -> None:
    """A substitute without the absent rep's outlets can't work; a supervisor would see another team's."""
    away = _id("9")
    tree = PositionTree({SUPERVISOR: None, ONE: SUPERVISOR, TWO: SUPERVISOR, away: None})
    patches = {**FACTS.patches, _id("z"): frozenset({away})}
    facts = replace(FACTS, tree=tree, patches=patches, stand_ins={ONE: frozenset({away})})
    before = replace(facts, stand_ins={})
    absent = subscriptions([away], facts)[away]
    assert subscriptions([ONE], facts)[ONE] == subscriptions([ONE], before)[ONE] | absent
    above = subscriptions([SUPERVISOR], facts)[SUPERVISOR]
    assert above == subscriptions([SUPERVISOR], before)[SUPERVISOR]
