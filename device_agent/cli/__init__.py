"""`fieldmesh-device`: what a person, or a script, does with a device.

    arguments  commands and their flags
    commands   what each command does, as one answer that can be printed as JSON
    showing    bars, JSON progress lines, and answers in words

Heavy parts are imported when a command needs them, so that `--help` starts quickly.
Exit codes: 0 done, 1 refused, 2 usage, 75 try again.
"""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit code."""
    from device_agent.cli.arguments import parser  # noqa: PLC0415  (only when it runs)
    from fieldmesh.service.config import language_of_environment  # noqa: PLC0415  (the same)
    from fieldmesh.service.translation import set_language  # noqa: PLC0415  (the same)

    set_language(language_of_environment())
    options = parser().parse_args(arguments)
    from device_agent.cli.commands import run  # noqa: PLC0415  (heavy: not for --help)

    return run(options)
