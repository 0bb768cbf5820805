"""Arguments → command → answer → exit code."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from fieldmesh.basics.errors import FieldmeshError
from fieldmesh.service import logs, translation
from fieldmesh.service.config import language_of_environment
from fieldmesh.service.storage_problems import file_problem
from fieldmesh.service.translation import _
from hub.cli import (
    authority,
    backups,
    devices,
    gateways,
    organisation,
    oversight,
    people,
    sample,
    setup,
)
from hub.cli.answers import TRY_AGAIN, Answer, print_answer, print_error

Command = Callable[[argparse.Namespace], Awaitable[Answer]]


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code."""
    translation.set_language(language_of_environment())
    logs.setup(level="critical")
    options = parser().parse_args(arguments)
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


def parser() -> argparse.ArgumentParser:
    """The whole command line, for running and for its page."""
    parser = argparse.ArgumentParser(
        prog="fieldmesh-hub",
        parents=[_shared()],
        description=_("The hub of a Fieldmesh network: organisation, identity, journal."),
    )
    parser.set_defaults(home=Path("fieldmesh-hub"), json=False)
    nouns = parser.add_subparsers(metavar="COMMAND", required=True)
    parts = (setup, organisation, people, gateways, devices, oversight, backups, authority, sample)
    for part in parts:
        part.add_commands(nouns, _shared())
    return parser
