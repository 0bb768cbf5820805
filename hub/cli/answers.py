"""What a command prints, and the exit code it ends with."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table

from fieldmesh.basics.errors import FieldmeshError, Retry
from fieldmesh.basics.problems import fill, problem_of
from fieldmesh.service.translation import _

DONE, REFUSED, USAGE, TRY_AGAIN = 0, 1, 2, 75
_WIDTH = 2_000
"""Rows are never broken, so that they can be searched and cut by other programs."""


class Nouns(Protocol):
    """Where commands are added: what `ArgumentParser.add_subparsers` returns."""

    def add_parser(self, *names: Any, **options: Any) -> ArgumentParser:
        """A new command."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command has to say.

    Attributes:
        facts: the JSON object of `--json`.
        lines: sentences for people.
        table: rows for people; their keys are the headings.
        code: exit code.
    """

    facts: Mapping[str, object] = field(default_factory=dict)
    lines: Sequence[str] = ()
    table: Sequence[Mapping[str, object]] = ()
    code: int = DONE


def print_answer(answer: Answer, *, as_json: bool) -> None:
    """The answer stands on stdout."""
    if as_json:
        _print_json({"ok": answer.code == DONE, **answer.facts})
        return
    for line in answer.lines:
        sys.stdout.write(f"{line}\n")
    if answer.table:
        _print_table(answer.table)


def print_error(error: FieldmeshError, *, as_json: bool) -> int:
    """The problem stands on stdout as JSON or on stderr in words; returns the exit code."""
    problem = problem_of(error)
    title, remedy = fill(_(problem.title), error, _), fill(_(problem.remedy), error, _)
    if as_json:
        _print_json(
            {
                "ok": False,
                "code": error.code,
                "place": error.place,
                "title": title,
                "remedy": remedy,
                "fields": {name: str(value) for name, value in error.fields.items()},
            }
        )
    else:
        place = f"{error.place}: " if error.place and error.place not in title else ""
        sys.stderr.write(f"{place}{title} {remedy}\n")
    if error.code == "usage":
        return USAGE
    return TRY_AGAIN if isinstance(error, Retry) else REFUSED


def _print_json(facts: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(facts, ensure_ascii=False, default=str) + "\n")


def _print_table(rows: Sequence[Mapping[str, object]]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in rows[0]:
        table.add_column(heading.replace("_", " "), no_wrap=True)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    Console(width=_WIDTH).print(table, crop=False)
