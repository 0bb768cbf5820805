"""Whose rights hold whose: what a person may hand on."""

from dataclasses import replace

import pytest

from fieldmesh.basics.errors import Rejected
from hub.rules.access import Access, Post, holds
from hub.rules.functions import RoleKind, defaults
from hub.rules.territory import PositionTree
from hub.storage.reach import EVERYTHING, Below, OfDistributor, Scope

TREE = PositionTree({b"top": None, b"east": b"top", b"rep": b"east", b"west": b"top"})
SELLER, OTHER = b"seller", b"other"


def post(
    kind: RoleKind, place: bytes = b"", *, distributor: bytes | None = None, **wider: str
) -> Post:
    """A post with the functions of its kind; `order_view="company"` widens one."""
    functions: dict[str, dict[str, str]] = {code: {} for code in defaults(kind)}
    rules = {name.replace("_", "."): rule for name, rule in wider.items()}
    functions |= {code: {} for code in rules}
    return Post(place, kind, distributor, functions, rules)


def may_give(given: Post, *own: Post, by: str = "people.assign") -> bool:
    """Whether somebody with the posts gives this one."""
    access = Access(b"u" * 16, "ann", "Ann", own)
    try:
        access.need_to_give(given, by, TREE)
    except Rejected as problem:
        if problem.code != "more_than_own":
            raise
        return False
    return True


@pytest.mark.parametrize(
    ("wide", "narrow", "wanted"),
    [
        (EVERYTHING, EVERYTHING, True),
        (EVERYTHING, Scope(frozenset({OfDistributor(SELLER)})), True),
        (Scope(frozenset({Below(frozenset({b"east"}))})), EVERYTHING, False),
        (
            Scope(frozenset({Below(frozenset({b"east"}))})),
            Scope(frozenset({Below(frozenset({b"rep", b"east"}))})),
            True,
        ),
        (
            Scope(frozenset({Below(frozenset({b"east"}))})),
            Scope(frozenset({Below(frozenset({b"rep", b"west"}))})),
            False,
        ),
        (
            Scope(frozenset({Below(frozenset({b"top"}))})),
            Scope(frozenset({OfDistributor(SELLER)})),
            False,
        ),
        (
            Scope(frozenset({OfDistributor(SELLER)})),
            Scope(frozenset({OfDistributor(OTHER)})),
            False,
        ),
        (Scope(), Scope(), True),
    ],
)
def test_a_scope_holds_what_lies_below_and_the_same_distributor(
    wide: Scope, narrow: Scope, *, wanted: bool
) -> None:
    """A comparison by "everything or not" let all other reaches pass for each other."""
    assert holds(wide, narrow, TREE) is wanted


def test_a_head_gives_the_posts_below_and_none_that_reach_elsewhere() -> None:
    """Each of these was given by a head of a region."""
    head = post(RoleKind.HEAD, b"east")
    assert may_give(post(RoleKind.REP, b"rep"), head)
    assert may_give(post(RoleKind.HEAD, b"east"), head)
    assert not may_give(post(RoleKind.REP, b"west"), head)
    assert not may_give(post(RoleKind.DISTRIBUTOR, b"rep", distributor=SELLER), head)
    assert not may_give(post(RoleKind.REP, b"rep", order_view="company"), head)
    assert not may_give(post(RoleKind.REP, b"rep", order_handle="company"), head)
    seller = post(RoleKind.REP, b"rep", distributor=SELLER, order_view="distributor")
    assert not may_give(seller, head)
    assert may_give(post(RoleKind.REP, b"rep", order_view="subtree"), head)
    empty = Post(b"west", RoleKind.REP)
    assert not may_give(empty, head)
    assert may_give(replace(empty, position_id=b"rep"), head)


def test_what_one_has_as_wide_is_handed_on_and_one_more_post_takes_nothing_away() -> None:
    """A guard that asks for more than one's own would keep people from their work."""
    wide = post(RoleKind.HEAD, b"east", order_view="company")
    assert may_give(post(RoleKind.REP, b"rep", order_view="company"), wide)
    tech = post(RoleKind.BRANCH_IT)
    assert may_give(post(RoleKind.REP, b"west"), tech)
    assert may_give(post(RoleKind.REP, b"west"), tech, post(RoleKind.REP, b"rep"))
    assert not may_give(post(RoleKind.ADMINISTRATOR), tech)
    for kind in RoleKind:
        given = post(kind, b"west", distributor=SELLER)
        assert may_give(given, post(RoleKind.ADMINISTRATOR), by="organisation.change")


@pytest.mark.parametrize(("text", "most"), [("500", 500), ("²", None), ("--5", None), ("-1", -1)])
def test_a_limit_that_is_no_number_is_none(text: str, most: int | None) -> None:
    """One odd sign in a workplace must not end every use of the function."""
    given = Post(b"", RoleKind.ADMINISTRATOR, None, {"order.approve": {"most_amount": text}}, {})
    access = Access(b"u" * 16, "ann", "Ann", (given,))
    assert access.limit("order.approve", "most_amount") == most
