"""Business rules on uploads. Promise 7 (Authority)."""

from collections.abc import Sequence

from fieldmesh.codec.batch import Change, Operation
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from hub.rules.documents import DocumentFacts, UnitFacts, check, for_approval, wanted

ORDER, LINE, UNIT, LIST = b"o" * 16, b"l" * 16, b"u" * 16, b"p" * 16
FACTS = DocumentFacts(
    units={UNIT: UnitFacts("Juice", order_multiple=6_000, maximum_quantity=60_000)},
    minimum_prices={(LIST, UNIT): 100_000},
)


def _change(table: str, names: Sequence[str], *row: Value) -> Change:
    rows = from_rows(table, names, [row])
    return Change(Operation.INSERT, rows, [])


def _order(*, is_return: int = 0) -> Change:
    return _change("sales_order", ("id", "price_list_id", "is_return"), ORDER, LIST, is_return)


def _line(quantity: int = 6_000, price: int = 120_000, unit: bytes = UNIT) -> Change:
    names = ("id", "order_id", "product_unit_id", "quantity", "price")
    return _change("order_line", names, LINE, ORDER, unit, quantity, price)


def test_a_sound_order_passes() -> None:
    """Without it nothing could be sold."""
    assert check([_order(), _line()], FACTS) == []


def test_a_line_without_quantity_is_refused() -> None:
    """Without it warehouses would pick nothing."""
    assert [one.code for one in check([_order(), _line(quantity=0)], FACTS)] == ["quantity_zero"]


def test_a_line_of_an_unknown_product_is_refused() -> None:
    """Without it an order would hold what nobody sells."""
    refusals = check([_order(), _line(unit=b"?" * 16)], FACTS)
    assert [(one.row_id, one.code) for one in refusals] == [(LINE, "reference_missing")]


def test_a_price_below_the_lowest_is_refused_with_both_prices() -> None:
    """Without it the rep could not know what would be allowed."""
    (refusal,) = check([_order(), _line(price=90_000)], FACTS)
    assert refusal.code == "below_minimum_price"
    assert refusal.fields == {"product": "Juice", "price": "0.9", "lowest": "1"}


def test_a_return_has_no_lowest_price() -> None:
    """Without it goods could not be taken back at what they cost."""
    assert check([_order(is_return=1), _line(price=1)], FACTS) == []


def test_a_pack_size_that_changed_sends_the_order_to_a_person() -> None:
    """Without it a rep's old data would cost the customer the order."""
    assert check([_order(), _line(quantity=7_000)], FACTS) == []
    reasons = for_approval([_order(), _line(quantity=7_000)], FACTS)
    assert reasons == {ORDER: ["Juice: 7 is not a multiple of 6"]}


def test_what_must_be_known_is_collected_over_batches() -> None:
    """Without it each batch would cost queries of its own."""
    found = wanted([_line(unit=b"x" * 16)], wanted([_order(), _line()]))
    assert found.units == {UNIT, b"x" * 16}
    assert found.price_lists == {LIST}
