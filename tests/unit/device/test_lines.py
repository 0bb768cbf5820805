"""Promise 7: a line keeps the rules of head office where the rep can still do something about it."""

from decimal import Decimal

import pytest
from sqlcipher3 import dbapi2

from device_agent.work.lines import Asked, OrderLine, Priced, above_zero, priced
from device_agent.work.prices import Terms
from fieldmesh.basics.errors import Rejected
from tests.kit.databases import device_database

LIST, UNIT, PRODUCT = (bytes([number]) * 16 for number in (1, 2, 3))
TERMS = Terms(bytes(16), None, None, None, LIST, "cash", "net", None, blocked=False)


@pytest.fixture
def device() -> dbapi2.Connection:
    """One product in packs of 6, 12 to 60 at a time, at 2.50 and by hand not below 2.00 since June."""
    connection = device_database()
    connection.execute("UPDATE fm_state SET applying = 1")
    connection.execute("INSERT INTO product (id, code, name) VALUES (?, 'W', 'Water')", (PRODUCT,))
    connection.execute(
        "INSERT INTO product_unit (id, product_id, unit_code, order_multiple, minimum_quantity,"
        " maximum_quantity) VALUES (?, ?, 'bottle', 6000, 12000, 60000)",
        (UNIT, PRODUCT),
    )
    connection.executemany(
        "INSERT INTO price (price_list_id, product_unit_id, amount, minimum_amount, valid_from)"
        " VALUES (?, ?, ?, ?, ?)",
        [(LIST, UNIT, 300000, 290000, "2026-01-01"), (LIST, UNIT, 250000, 200000, "2026-06-01")],
    )
    return connection


def _priced(
    device: dbapi2.Connection,
    quantity: str,
    price: str | None = None,
    *,
    date: str = "2026-11-26",
    is_return: bool = False,
) -> Priced:
    line = OrderLine(UNIT, Decimal(quantity), None if price is None else Decimal(price))
    return priced(device, TERMS, Asked(line, 4, date, is_return))


def test_a_quantity_is_rounded_to_the_pack_and_one_above_the_most_is_told(
    device: dbapi2.Connection,
) -> None:
    """The rep hears at the shelf that a person at head office will look at the order."""
    assert _priced(device, "60") == Priced(60_000, 250_000, 150_00)
    assert _priced(device, "1") == Priced(12_000, 250_000, 30_00, ["quantities_rounded"])
    far = _priced(device, "61")
    assert far.quantity == 66_000
    assert far.notes == ["quantities_rounded", "above_maximum_quantity"]


def test_a_price_by_hand_keeps_above_the_lowest_of_its_day(device: dbapi2.Connection) -> None:
    """Head office would refuse the line tomorrow, when the outlet is far away."""
    assert _priced(device, "12", "2.00").price == 200_000
    with pytest.raises(Rejected) as caught:
        _priced(device, "12", "1.99999")
    assert (caught.value.code, caught.value.place) == ("below_minimum_price", "line 4")
    assert caught.value.fields["lowest"] == "2"
    with pytest.raises(Rejected):
        _priced(device, "12", "2.50", date="2026-05-31")
    assert _priced(device, "12", "0.01", is_return=True).price == 1_000


@pytest.mark.parametrize(
    "number", ["NaN", "sNaN", "Infinity", "-Infinity", "-1", "0", "0.0001", "1e11", "1e999999"]
)
def test_a_quantity_that_is_none_is_refused_with_its_line(
    device: dbapi2.Connection, number: str
) -> None:
    """Whatever a program or a file brings as a number."""
    with pytest.raises(Rejected) as caught:
        _priced(device, number)
    assert (caught.value.code, caught.value.place) == ("quantity_invalid", "line 4")


def test_an_amount_that_no_column_holds_is_refused(device: dbapi2.Connection) -> None:
    """Quantity and price fit each by itself."""
    with pytest.raises(Rejected) as caught:
        _priced(device, "99999999996", "999999999")
    assert caught.value.code == "quantity_invalid"
    for wrong in ("NaN", "-0.01", "1e9"):
        with pytest.raises(Rejected) as caught:
            _priced(device, "12", wrong)
        assert caught.value.place == "line 4, price"


def test_what_rounds_to_nothing_is_no_amount() -> None:
    """A payment of less than a cent."""
    assert above_zero(Decimal("0.005"), 2, place="amount") == 1
    with pytest.raises(Rejected):
        above_zero(Decimal("0.0049"), 2, place="amount")
