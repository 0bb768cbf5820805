"""`fieldmesh-gateway`: what an administrator, or a script, does with a gateway.

    arguments  commands and their flags
    commands   what each command does, as one answer that can be printed as JSON
    showing    answers in words

Exit codes: 0 done, 1 refused, 2 usage, 75 try again.
"""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit code."""
    from fieldmesh.service.config import language_of_environment  # noqa: PLC0415 - the same
    from fieldmesh.service.translation import set_language  # noqa: PLC0415 - the same
    from gateway.cli.arguments import parser  # noqa: PLC0415 - --help starts quickly
    from gateway.cli.commands import run  # noqa: PLC0415 - --help starts quickly

    set_language(language_of_environment())
    return run(parser().parse_args(arguments))
