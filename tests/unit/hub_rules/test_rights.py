"""Who may write what. Promise 7 (Authority)."""

from fieldmesh.data.policy import WriterRole
from fieldmesh.data.schema import TABLES
from hub.rules.rights import Writer, why_not_row, why_not_table

REP = Writer(WriterRole.REP, {7})


def test_a_rep_may_write_orders_and_not_prices() -> None:
    """Without it a device could set its own prices."""
    assert why_not_table(REP, TABLES["sales_order"]) is None
    assert why_not_table(REP, TABLES["price"]) == "not_your_table"


def test_a_position_without_a_role_may_write_nothing() -> None:
    """Without it an unfinished organisation would be an open door."""
    assert why_not_table(Writer(None, {7}), TABLES["sales_order"]) == "not_your_table"


def test_a_row_must_lie_in_the_scope_of_the_writer() -> None:
    """Without it a rep could write orders for a colleague's outlets."""
    table = TABLES["sales_order"]
    assert why_not_row(REP, table, 7) is None
    assert why_not_row(REP, table, 8) == "outside_scope"
    assert why_not_row(REP, table, 0) == "outside_scope"


def test_upload_only_rows_have_no_scope() -> None:
    """Without it no track of positions would reach head office."""
    assert why_not_row(REP, TABLES["gps_point"], 0) is None
