"""Packages say what they are, and hand nothing on."""

import ast

from tests.house.sources import listed, python_files, tree


def test_a_package_says_what_belongs_there_and_nothing_else() -> None:
    """A re-exporting package hides where things live and loads what nobody asked for."""
    wrong = []
    for name in python_files():
        if name.endswith("__init__.py"):
            body = tree(name).body
            # The package of a command line holds the command's own entry point.
            is_command = name.endswith("/cli/__init__.py")
            most = len(body) if is_command else 1
            if len(body) > most or ast.get_docstring(tree(name)) is None:
                wrong.append(name)
    assert wrong == []


def test_every_folder_with_code_is_a_package() -> None:
    """A folder without one is not installed."""
    packages = {name.rsplit("/", 1)[0] for name in listed() if name.endswith("__init__.py")}
    folders = {name.rsplit("/", 1)[0] for name in python_files() if "/" in name}
    assert sorted(folders - packages) == []


def test_every_eternal_task_has_an_owner() -> None:
    """A bare thread or loop.create_task has nobody who sees it die."""
    wild = []
    for name in python_files():
        for node in ast.walk(tree(name)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                is_loop = isinstance(owner, ast.Name) and owner.id in {"asyncio", "loop"}
                if node.func.attr in {"create_task", "ensure_future"} and is_loop:
                    wild.append(f"{name}:{node.lineno}")
    assert wild == []
