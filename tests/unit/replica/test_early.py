"""What leans on a row that has not come waits for it, and nothing else does (promises 1 and 7)."""

from fieldmesh.codec.batch import Change, Operation
from fieldmesh.codec.columns import TableRows
from fieldmesh.replica.early import leaned_on, leaning_on, parted, rows_of
from tests.kit.rows import row_id

REQUEST, WORK, PART, OTHER = (row_id(number) for number in (1, 2, 3, 4))
ASKED = Change(
    Operation.INSERT,
    TableRows("service_request", ("id", "outlet_id"), [[REQUEST], [row_id(9)]]),
    [7],
)
WORKED = Change(
    Operation.INSERT, TableRows("service_work", ("id", "request_id"), [[WORK], [REQUEST]]), []
)
USED = Change(Operation.INSERT, TableRows("service_part", ("id", "work_id"), [[PART], [WORK]]), [])
CHANGED = Change(
    Operation.UPDATE,
    TableRows("service_request", ("id", "description"), [[REQUEST, OTHER], ["noise", "leak"]]),
    [8, 9],
)
MISSING = {("service_request", REQUEST)}


def test_a_change_leans_on_its_row_and_a_new_row_on_what_it_follows() -> None:
    """An outlet that head office owns is there or was never: nothing waits for it."""
    assert leaned_on([WORKED, USED]) == {"service_request": {REQUEST}}
    assert leaned_on([CHANGED]) == {"service_request": {REQUEST, OTHER}}


def test_what_comes_in_the_same_batch_is_not_leaned_on() -> None:
    """Else a batch would wait for itself."""
    assert leaned_on([ASKED, WORKED, USED]) == {}


def test_new_rows_beside_a_row_that_waits_wait_with_it() -> None:
    """Parts without their work are nobody's; another request has nothing to do with it."""
    request = ("service_request", REQUEST)
    assert leaning_on(MISSING, [WORKED, USED, CHANGED]) == {
        ("service_work", WORK): request,
        ("service_part", PART): request,
        request: request,
    }


def test_changes_are_parted_row_by_row_with_their_clocks() -> None:
    """The rest of the batch is applied."""
    waits, applied = parted([CHANGED, WORKED], MISSING)
    assert rows_of(waits) == [("service_request", REQUEST)]
    assert waits[0].clocks == [8]
    assert rows_of(applied) == [("service_request", OTHER), ("service_work", WORK)]
    assert applied[0].clocks == [9]
