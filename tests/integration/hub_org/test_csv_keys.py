"""A line of a file changes the row that it means, or none."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from fieldmesh.codec.columns import from_rows
from fieldmesh.data.types import Value
from hub.exchange import csv_batch, csv_import
from hub.fleet.office import Office
from hub.storage import journal
from hub.storage.org_changes import head_office_write, update_rows, upsert_rows
from hub.storage.rows import Row, all_rows, ids_by_code
from tests.integration.hub_org.conftest import load

_DEBTS = "outlet,number,distributor,rest\nA,1001,D1,10\nA,1001,D2,20\nA,1002,D1,30\n"


async def rows_of(office: Office, table: str, *names: str) -> list[Row]:
    """What the table holds, in order."""
    async with office.database.read() as connection:
        return sorted(tuple(row) for row in await all_rows(connection, table, names))


async def test_documents_of_two_distributors_may_have_one_number(
    office: Office, tmp_path: Path
) -> None:
    """Without it what an outlet owes one distributor would be lost in what it owes the other."""
    await load(office, tmp_path, "distributor", "code\nD1\nD2\n")
    done = await load(office, tmp_path, "debt_doc", _DEBTS)
    assert (done.loaded, done.changed, done.bad) == (3, 3, 0)
    assert [row[1] for row in await rows_of(office, "debt_doc", "number", "rest")] == [
        1000,
        2000,
        3000,
    ]
    assert (await load(office, tmp_path, "debt_doc", _DEBTS)).changed == 0


async def test_a_file_without_the_distributor_changes_the_only_document_of_that_number(
    office: Office, tmp_path: Path
) -> None:
    """Without it such a file would double the debts, or write to the distributor who comes last."""
    await load(office, tmp_path, "distributor", "code\nD1\nD2\n")
    await load(office, tmp_path, "debt_doc", _DEBTS)
    done = await load(
        office, tmp_path, "debt_doc", "outlet,number,rest\nA,1001,5\nA,1002,6\nB,1001,7\n"
    )
    assert [str(one) for one in done.problems] == [
        "debt_doc.csv:2:outlet,number: there are several such rows"
    ]
    assert (done.loaded, done.changed, done.bad) == (2, 2, 1)
    rests = [row[1] for row in await rows_of(office, "debt_doc", "number", "rest")]
    assert rests == [700, 1000, 2000, 600]


async def test_a_row_that_is_archived_is_found_by_the_file_that_made_it(
    office: Office, tmp_path: Path
) -> None:
    """Plans of the month before, loaded again, would stand there twice."""
    await load(office, tmp_path, "outlet", "code\nS1\n")
    file = "position,date,outlet\nR1,2020-01-15,S1\n"
    assert (await load(office, tmp_path, "visit_plan", file)).changed == 1
    assert await rows_of(office, "visit_plan", "partition") == [(0,)]
    assert (await load(office, tmp_path, "visit_plan", file)).changed == 0


async def test_a_row_that_was_renamed_by_hand_is_not_taken_for_another(
    office: Office, tmp_path: Path
) -> None:
    """The old buyer in a file became the new one's name and number, whom somebody had entered by hand."""
    await load(office, tmp_path, "outlet", "code,name\nS1,Shop\n")
    file = "outlet,name,phone\nS1,Ivan,1\n"
    await load(office, tmp_path, "contact", file)
    [[contact]] = await rows_of(office, "contact", "id")
    async with head_office_write(
        office.database, office.clock, actor="test", kind="renamed", about={}
    ) as writer:
        await update_rows(writer, "contact", ("id", "name", "phone"), [(contact, "Petra", "2")])
    assert (await load(office, tmp_path, "contact", file)).changed == 1
    assert await rows_of(office, "contact", "name", "phone") == [("Ivan", "1"), ("Petra", "2")]
    assert (await load(office, tmp_path, "contact", file)).changed == 0


async def test_a_problem_is_told_by_the_line_on_which_its_row_begins(
    office: Office, tmp_path: Path
) -> None:
    """A note of three lines in a cell: whoever looked for the problem found the end of it, or the row below."""
    done = await load(
        office, tmp_path, "outlet", 'code,name,legal_party\nS1,"a\nb\nc",L9\nS2,x,L9\n'
    )
    assert [one.line for one in done.problems] == [2, 5]


async def test_no_lines_are_read_where_everybody_waits_for_it(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of prices at the workplace: no device, gateway or person was heard for a seventh of a second at a time."""
    places: list[threading.Thread] = []
    for module, name in ((csv_batch, "_values"), (csv_batch, "_new_id"), (csv_import, "opened")):
        once = getattr(module, name)

        def noted(*arguments: object, once: Callable[..., object] = once) -> object:
            places.append(threading.current_thread())
            return once(*arguments)

        monkeypatch.setattr(module, name, noted)
    assert (await load(office, tmp_path, "outlet", "code,name\nS1,Shop\n")).loaded == 1
    assert len(places) >= 3
    assert places.count(threading.main_thread()) == 1, "the headings are read at once"


async def targets_stand(office: Office, *versions: tuple[int, str]) -> None:
    """Versions of one target of R1 stand, in this order."""
    async with head_office_write(
        office.database, office.clock, actor="test", kind="targets", about={}
    ) as writer:
        position = (await ids_by_code(writer.connection, "position", ["R1"]))["R1"]
        rows: list[tuple[Value, ...]] = [
            (office.maker.identifiers.new(), position, "2026-11", "visits", number, state)
            for number, state in versions
        ]
        names = ("id", "position_id", "period", "kpi", "version", "state")
        await writer.insert("plan", from_rows("plan", names, rows))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("states", "asked", "changed"),
    [
        (("past", "approved", "draft"), "", 3),
        (("past", "approved", "past"), "", 2),
        (("past", "past", "past"), "", 3),
        (("past", "approved", "draft"), "2", 2),
        (("past", "approved", "draft"), "4", 4),
    ],
)
async def test_a_target_without_a_version_means_the_newest_that_is_not_past(
    office: Office, tmp_path: Path, states: tuple[str, ...], asked: str, changed: int, *, turned: bool
) -> None:  # fmt: skip
    """Without it chance would decide whether the target that holds is changed, or one that is past."""
    versions = list(enumerate(states, 1))
    await targets_stand(office, *(reversed(versions) if turned else versions))
    text = "position,period,kpi,value\nR1,2026-11,visits,7\n"
    if asked:
        text = f"position,period,kpi,value,version\nR1,2026-11,visits,7,{asked}\n"
    done = await load(office, tmp_path, "plan", text)
    assert (done.loaded, done.changed, done.bad) == (1, 1, 0)
    held = await rows_of(office, "plan", "version", "value")
    assert [row[0] for row in held if row[1] == 7000] == [changed]


async def test_a_line_that_several_rows_fit_changes_none_of_them(
    office: Office, tmp_path: Path
) -> None:
    """Without it a row would be changed that nobody meant."""
    await targets_stand(office, (1, "draft"), (1, "draft"))
    text = "position,period,kpi,value\nR1,2026-11,visits,7\nR2,2026-11,visits,8\n"
    done = await load(office, tmp_path, "plan", text)
    assert (done.loaded, done.changed, done.bad) == (1, 1, 1)
    assert [problem.line for problem in done.problems] == [2]
    assert await rows_of(office, "plan", "value") == [(0,), (0,), (8000,)]


async def test_the_journal_counts_the_lines_that_were_loaded(
    office: Office, tmp_path: Path
) -> None:
    """Without it lines that would put a position above itself would be told as loaded. Promise 9."""
    await load(office, tmp_path, "position", "code,role,parent_position\nR8,rep,S1\nR9,rep,R9\n")
    async with office.database.read() as connection:
        [last] = await journal.newest(connection, 1)
    assert last.kind == "csv_loaded"
    assert json.loads(last.payload) == {"file": "position.csv", "kind": "position", "rows": 1}


async def test_a_login_in_a_file_names_the_same_person_however_it_is_spelled(
    office: Office, tmp_path: Path
) -> None:
    """The staff list spells them with capitals: a second account each night, and none signs in at the workplace."""
    await load(office, tmp_path, "app_user", "login,person\nIvan.Petrov,Ivan\n")
    async with head_office_write(
        office.database, office.clock, actor="test", kind="of before", about={}
    ) as writer:
        assert {row[0] for row in await all_rows(writer.connection, "app_user", ("login",))} == {
            "ivan.petrov"
        }
        line = (office.maker.identifiers.new(), "Ana", "", "local", "active")
        names = ("id", "login", "person", "auth_kind", "status")
        await upsert_rows(writer, "app_user", names, [line])
    text = "login,person\nIVAN.PETROV,Ivan P\nana,Ana P\n"
    assert (await load(office, tmp_path, "app_user", text)).bad == 0
    text = "position,user,valid_from\nR1,Ivan.Petrov,2026-01-01\nR2,ANA,2026-01-01\n"
    assert (await load(office, tmp_path, "assignment", text)).bad == 0
    async with office.database.read() as connection:
        rows = await all_rows(connection, "app_user", ("login", "person"))
    assert sorted(map(tuple, rows)) == [("Ana", "Ana P"), ("ivan.petrov", "Ivan P")]
