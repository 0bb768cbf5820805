"""What a few positions see, worked out from what the others are known to see, is what it is worked out from nothing."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hub.rules.subscriptions import COMPANY, OrganisationFacts, looked_at, subscriptions
from hub.rules.territory import PositionTree

_KEYS = st.integers(0, 3)


def _id(kind: str, number: int) -> bytes:
    return f"{kind:_<14}{number:02d}".encode()


@st.composite
def organisations(draw: st.DrawFn) -> OrganisationFacts:
    """Up to nine positions with patches, distributors, lists, warehouses, and people who stand in for others."""
    count = draw(st.integers(1, 9))
    posts = [_id("position", n) for n in range(count)]
    above = [None if not n else draw(st.none() | st.integers(0, n - 1)) for n in range(count)]
    tree = PositionTree(
        {post: None if one is None else posts[one] for post, one in zip(posts, above, strict=True)}
    )
    some = st.frozensets(st.sampled_from(posts), min_size=1)
    patches = draw(st.dictionaries(_KEYS.map(lambda n: _id("patch", n)), some))

    def links(kind: str, keys: st.SearchStrategy[bytes]) -> dict[bytes, frozenset[bytes]]:
        values = st.frozensets(_KEYS.map(lambda n: _id(kind, n)), min_size=1, max_size=2)
        return draw(st.dictionaries(keys, values, max_size=3))

    patch, distributor = (
        _KEYS.map(lambda n: _id("patch", n)),
        _KEYS.map(lambda n: _id("distributor", n)),
    )
    return OrganisationFacts(
        tree=tree,
        patches=patches,
        patch_distributors=links("distributor", patch),
        patch_price_lists=links("list", patch),
        default_price_lists=links("list", distributor | st.just(COMPANY)),
        distributor_warehouses=links("warehouse", distributor),
        van_warehouses=links("van", st.sampled_from(posts)),
        staff_of=draw(st.dictionaries(st.sampled_from(posts), distributor, max_size=2)),
        stand_ins=draw(st.dictionaries(st.sampled_from(posts), some, max_size=2)),
    )


@given(organisations(), st.data())
def test_what_is_known_of_others_changes_no_scope(
    facts: OrganisationFacts, data: st.DataObject
) -> None:
    """A move among two reps reads their branch only: a director would lose, or keep, what a whole refresh would not."""
    everyone = subscriptions(facts.tree.positions(), facts)
    chosen = data.draw(st.frozensets(st.sampled_from(sorted(everyone)), min_size=1))
    touched = facts.tree.with_above(chosen)
    touched |= {one for one, others in facts.stand_ins.items() if others & touched}
    settled = everyone.keys() - touched - facts.stand_ins.keys()
    walked, met = set(), set()
    for position in touched:
        more, others = looked_at(position, facts.tree, facts.stand_ins, settled)
        walked |= more
        met |= others
    known = replace(
        facts,
        patches={patch: posts for patch, posts in facts.patches.items() if posts & walked},
        held={position: everyone[position] for position in met},
    )
    assert subscriptions(touched, known) == {one: everyone[one] for one in touched}
