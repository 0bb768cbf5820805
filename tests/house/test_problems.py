"""Every code that is raised stands in the table, with words."""

import ast
from collections.abc import Iterator

from fieldmesh.basics.problems import PROBLEMS
from tests.house.sources import python_files, tree

ERRORS = {"Rejected", "Retry", "Fenced", "Quarantined", "Defect", "FieldmeshError"}


def raised() -> Iterator[tuple[str, str]]:
    """Every code that the program names, with its place."""
    for name in python_files():
        for node in ast.walk(tree(name)):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = node.func
            title = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            code = node.args[0]
            if title in ERRORS and isinstance(code, ast.Constant) and isinstance(code.value, str):
                yield code.value, f"{name}:{node.lineno}"


def test_every_code_stands_in_the_table() -> None:
    """A code without words is what people would see as 'defect'."""
    unknown = {f"{code} ({place})" for code, place in raised() if code not in PROBLEMS}
    assert sorted(unknown) == []


def test_every_problem_says_what_to_do() -> None:
    """An error without a remedy leaves a person alone with it."""
    silent = [code for code, problem in PROBLEMS.items() if not problem.title or not problem.remedy]
    assert silent == []
