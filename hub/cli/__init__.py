"""The command line of the hub: noun verb, `--json` on every command.

program        arguments → command → answer → exit code
answers        what is printed, and exit codes
setup          init, serve, status, config show, sample
gateways       gateway add | list | revoke | code | command
devices        device add | spare | authorise | replace | home | revoke | code | list
organisation   org, import, outlet, price, user
oversight      audit, quarantine, gap, conflict, reject, session, verify
backups        backup, restore, recover
authority      authority show | renew | codes
"""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code: 0 done, 1 refused, 2 usage, 75 try again."""
    from hub.cli.program import run  # noqa: PLC0415 - the package itself must stay light

    return run(arguments)
