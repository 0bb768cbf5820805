"""What was made for an outlet that has moved away stands, whatever came with it in one transaction."""

import pytest

from fieldmesh.codec.batch import Change, Operation
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from tests.kit.company import SmallCompany


def new(table: str, **values: Value) -> list[Change]:
    """A new row of a table."""
    rows = from_rows(table, tuple(values), [tuple(values.values())])
    return [Change(Operation.INSERT, rows, [])]


@pytest.mark.parametrize("refusals", [0, 3])
async def test_what_hangs_on_a_visit_of_a_former_outlet_is_taken_in_a_later_transaction_too(
    company: SmallCompany, refusals: int
) -> None:
    """Promise 7: answers of a survey were refused because the visit had come a batch before them."""
    device = await company.device()
    outlet, visit, response, answer, link = (company.identifiers.new() for _ in range(5))
    await company.insert("outlet", ("id", "patch_id", "code"), [(outlet, b"x" * 16, "F")])
    if not refusals:
        names = ("id", "outlet_id", "position_id")
        await company.insert("outlet_assignment", names, [(link, outlet, company.position_id)])
    else:
        await company.insert("visit", ("id", "outlet_id"), [(visit, outlet)])
    for changes in (
        new("visit", id=visit, outlet_id=outlet),
        new("survey_response", id=response, visit_id=visit),
        new("answer", id=answer, response_id=response, value="yes"),
    ):
        await company.ingest.apply([device.pack(changes)])
    refused = await company.query('SELECT count(*) FROM "reject"')
    assert refused == [(refusals,)]
    expected = [] if refusals else [(answer,)]
    assert await company.query("SELECT id FROM answer") == expected


async def test_a_contact_that_was_deleted_and_comes_again_is_refused_to_nobody(
    company: SmallCompany,
) -> None:
    """Promise 7: its batch was signed anew after the outlet had moved; the rep was told that it is not theirs."""
    device = await company.device()
    outlet, contact, link = (company.identifiers.new() for _ in range(3))
    await company.insert("outlet", ("id", "patch_id", "code"), [(outlet, b"x" * 16, "F")])
    names = ("id", "outlet_id", "position_id")
    await company.insert("outlet_assignment", names, [(link, outlet, company.position_id)])
    rows = from_rows("contact", ("id", "outlet_id", "name"), [(contact, outlet, "Ann")])
    made = Change(Operation.INSERT, rows, [1])
    gone = Change(Operation.DELETE, from_rows("contact", ("id",), [(contact,)]), [2])
    for change in (made, gone, made):
        await company.ingest.apply([device.pack([change])])
    assert await company.query('SELECT table_name, code FROM "reject"') == []
    assert await company.query("SELECT deleted FROM contact") == [(1,)]
