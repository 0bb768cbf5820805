"""All acts, by the view to which they belong."""

from collections.abc import Sequence

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import N_
from hub.desk.operation import Operation
from hub.desk.operations import documents, network, outlets, people, plans, sign_ins

OPERATIONS: tuple[Operation, ...] = (
    *network.OPERATIONS,
    *people.OPERATIONS,
    *sign_ins.OPERATIONS,
    *outlets.OPERATIONS,
    *documents.OPERATIONS,
    *plans.OPERATIONS,
)


def operations_of(view: str, *, of_record: bool) -> Sequence[Operation]:
    """The acts of a view's list, or of its records."""
    return [one for one in OPERATIONS if one.view == view and one.of_record is of_record]


def operation_named(view: str, name: str, *, of_record: bool) -> Operation:
    """The act of that name.

    Raises:
        Rejected: `not_found`.
    """
    for one in operations_of(view, of_record=of_record):
        if one.name == name:
            return one
    raise Rejected("not_found", place="address", text=N_("there is no such act"))
