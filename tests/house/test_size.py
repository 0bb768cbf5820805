"""Nothing is too large to be read in one sitting."""

import ast
from collections.abc import Iterator

from tests.house.sources import listed, python_files, text, tree

MOST_FILE_LINES = 400
MOST_FUNCTION_LINES = 80
MOST_POSITIONAL = 6
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions() -> Iterator[tuple[str, Function]]:
    """Every function of ours with its file."""
    for name in python_files():
        for node in ast.walk(tree(name)):
            if isinstance(node, Function):
                yield name, node


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    """A longer one is two modules."""
    python = [name for name in listed() if name.endswith(".py") and "/wire/" not in name]
    long = {name: count for name in python if (count := text(name).count("\n")) > MOST_FILE_LINES}
    assert long == {}


def test_no_function_is_longer_than_eighty_lines() -> None:
    """A longer one is several steps."""
    long = [
        f"{name}:{node.lineno} {node.name}"
        for name, node in functions()
        if (node.end_lineno or node.lineno) - node.lineno + 1 > MOST_FUNCTION_LINES
    ]
    assert long == []


def test_no_function_takes_more_than_six_positional_parameters() -> None:
    """Nobody remembers the seventh."""
    many = []
    for name, node in functions():
        positional = [*node.args.posonlyargs, *node.args.args]
        own = [found for found in positional if found.arg not in {"self", "cls"}]
        if len(own) > MOST_POSITIONAL:
            many.append(f"{name}:{node.lineno} {node.name}")
    assert many == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    """Such a file attracts everything."""
    empty = [
        name
        for name in python_files()
        if FORBIDDEN_NAMES & set(name.removesuffix(".py").split("/"))
    ]
    assert empty == []
