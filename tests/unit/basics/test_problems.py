"""Every problem says what happened and what to do."""

import ast
import string
from pathlib import Path

import grpc
import pytest

from fieldmesh.basics.errors import FieldmeshError, Rejected, Retry
from fieldmesh.basics.problems import PROBLEMS, Problem, Severity, describe, fill, problem_of

ROOT = Path(__file__).parents[3]
ERRORS = {
    "FieldmeshError",
    "Rejected",
    "Retry",
    "Fenced",
    "Quarantined",
    "Defect",
    "LocalProtocolError",
    "RemoteProtocolError",
}

every_problem = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=list(PROBLEMS))


def _raised() -> dict[str, str]:
    """Code of every error that the product makes, and where."""
    found: dict[str, str] = {}
    for tier in ("fieldmesh", "device_agent", "gateway", "hub"):
        for path in sorted((ROOT / tier).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                match node:
                    case ast.Call(
                        func=ast.Name(id=name), args=[ast.Constant(value=str(code)), *_]
                    ) if name in ERRORS:
                        found.setdefault(code, f"{path.relative_to(ROOT)}:{node.lineno}")
    return found


def test_every_code_that_is_raised_is_in_the_table() -> None:
    """A code without words would reach people as a defect."""
    unknown = {code: place for code, place in _raised().items() if code not in PROBLEMS}
    assert not unknown


@every_problem
def test_a_problem_has_words_that_can_be_filled(problem: Problem) -> None:
    """Title and remedy are sentences; fields are plain names."""
    for text in (problem.title, problem.remedy):
        assert text
        for _, name, form, conversion in string.Formatter().parse(text):
            assert name is None or name.isidentifier()
            assert not form
            assert conversion is None
    assert problem.remedy.endswith((".", "?"))


@every_problem
def test_a_problem_has_statuses_that_are_there(problem: Problem) -> None:
    """Both edges translate from this table alone."""
    assert hasattr(grpc.StatusCode, problem.grpc_status)
    assert 400 <= problem.http_status < 600


@every_problem
def test_the_same_bytes_are_sent_again_only_where_that_can_help(problem: Problem) -> None:
    """A refused batch that is sent for ever blocks the line."""
    if problem.retry_same_bytes:
        again = {"UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "ABORTED"}
        assert problem.grpc_status in again
        assert problem.severity is not Severity.ERROR


def test_the_text_has_place_fields_and_remedy() -> None:
    """People see where, what and what to do."""
    error = Rejected("unknown_column", place="line 3", table="outlet", column="colour")
    assert str(error) == (
        "line 3: Table outlet has no column colour. Check the name, or update this node."
    )


def test_a_field_that_is_not_there_does_not_hide_the_text() -> None:
    """An error about an error helps nobody."""
    assert "…" in str(Rejected("unknown_table"))
    assert fill("{one}", Rejected("unknown_table", one="{two}")) == "{two}."


def test_an_unknown_code_reads_as_a_defect_and_keeps_its_name() -> None:
    """From a newer node, say."""
    error = FieldmeshError("of_the_future")
    assert problem_of(error).code == "defect"
    assert "of_the_future" in describe(error)


def test_a_retry_says_when() -> None:
    """Callers wait that long."""
    assert Retry("gateway_busy", delay_s=1.5).delay_s == 1.5
