"""Arguments → command → answer → exit code."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from pathlib import Path

from fieldmesh.basics.errors import FieldmeshError
from fieldmesh.service import logs, translation
from fieldmesh.service.config import language_of_environment
from fieldmesh.service.storage_problems import file_problem
from fieldmesh.service.translation import _
from hub.cli.answers import TRY_AGAIN, Answer, print_answer, print_error

_NOUNS = {
    "setup": {"init", "serve", "status", "config"},
    "organisation": {"org", "import", "outlet", "price"},
    "people": {"user"},
    "gateways": {"gateway"},
    "devices": {"device"},
    "oversight": {"audit", "quarantine", "gap", "conflict", "reject", "session", "verify"},
    "bus": {"bus"},
    "backups": {"backup", "restore", "recover"},
    "authority": {"authority"},
    "sample": {"sample"},
}
"""The module of each noun: a command loads its own only, which is most of its time."""

Command = Callable[[argparse.Namespace], Awaitable[Answer]]


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code."""
    translation.set_language(language_of_environment())
    logs.setup(level="critical")
    words = sys.argv[1:] if arguments is None else arguments
    options = parser(words).parse_args(words)
    command: Command = options.command
    try:
        answer = asyncio.run(_run(command, options))
    except FieldmeshError as error:
        return print_error(error, as_json=options.json)
    except OSError as error:
        problem = file_problem(error, str(error.filename or options.home))
        if problem is None:
            raise
        return print_error(problem, as_json=options.json)
    except KeyboardInterrupt:
        return TRY_AGAIN
    print_answer(answer, as_json=options.json)
    return answer.code


async def _run(command: Command, options: argparse.Namespace) -> Answer:
    return await command(options)


def _shared() -> argparse.ArgumentParser:
    """Options that stand before or after the command; where they are not given nothing is set."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--home",
        type=Path,
        default=argparse.SUPPRESS,
        help=_("folder of the hub (default: fieldmesh-hub in the current folder)"),
    )
    shared.add_argument(
        "--json",
        action="store_true",
        default=argparse.SUPPRESS,
        help=_("answer with one JSON object"),
    )
    return shared


def parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The command line: of the nouns among the words, or the whole of it when there is none."""
    parser = argparse.ArgumentParser(
        prog="fieldmesh-hub",
        parents=[_shared()],
        description=_("The hub of a Fieldmesh network: organisation, identity, journal."),
    )
    parser.set_defaults(home=Path("fieldmesh-hub"), json=False)
    nouns = parser.add_subparsers(metavar="COMMAND", required=True)
    named = [part for part, known in _NOUNS.items() if known.intersection(words)]
    for part in named or _NOUNS:
        import_module(f"hub.cli.{part}").add_commands(nouns, _shared())
    return parser
