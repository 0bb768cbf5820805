"""A refused row takes with it what depends on it, and nothing else (promise 7)."""

from fieldmesh.codec.batch import Change, Operation
from fieldmesh.codec.columns import TableRows
from fieldmesh.replica.quarantine import dependants
from tests.kit.rows import row_id

ORDERS = TableRows("sales_order", ("id", "outlet_id"), [[row_id(1), row_id(2)], [row_id(9)] * 2])
LINES = TableRows(
    "order_line",
    ("id", "order_id"),
    [[row_id(11), row_id(12), row_id(21)], [row_id(1), row_id(1), row_id(2)]],
)
INSERTS = [Change(Operation.INSERT, LINES, []), Change(Operation.INSERT, ORDERS, [])]


def test_lines_go_with_their_order() -> None:
    """Lines without an order are nobody's."""
    found = dependants({("sales_order", row_id(1))}, INSERTS)
    assert found == {("order_line", row_id(11)), ("order_line", row_id(12))}


def test_a_refused_line_leaves_its_order() -> None:
    """The rest of the batch is applied."""
    assert dependants({("order_line", row_id(11))}, INSERTS) == set()


def test_nothing_refused_nothing_depends() -> None:
    """The ordinary case costs nothing."""
    assert dependants(set(), INSERTS) == set()


def test_it_reaches_through_generations() -> None:
    """A visit that is refused takes its survey, and the survey its answers."""
    visit, response, answer = row_id(1), row_id(2), row_id(3)
    changes = [
        Change(Operation.INSERT, TableRows(table, ("id", column), [[one], [parent]]), [])
        for table, column, one, parent in (
            ("answer", "response_id", answer, response),
            ("survey_response", "visit_id", response, visit),
        )
    ]
    assert dependants({("visit", visit)}, changes) == {
        ("answer", answer),
        ("survey_response", response),
    }


def test_an_update_is_not_refused_with_its_parent() -> None:
    """Its row stands at the hub already."""
    update = Change(Operation.UPDATE, LINES, [])
    assert dependants({("sales_order", row_id(1))}, [update]) == set()
