"""Commands and their flags."""

from __future__ import annotations

import argparse
from pathlib import Path

from fieldmesh.service.translation import _


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--home",
        type=Path,
        default=Path("fieldmesh-gateway"),
        help=_("folder of the gateway (default: ./fieldmesh-gateway)"),
    )
    shared.add_argument("--json", action="store_true", help=_("answer with one JSON object"))
    top = argparse.ArgumentParser(
        prog="fieldmesh-gateway", description=_("Serves the devices of one place.")
    )
    commands = top.add_subparsers(dest="command", required=True, metavar=_("COMMAND"))

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, parents=[shared], help=text, description=text)

    _add_enroll(add("enroll", _("become a gateway of a hub, with a code from it")))
    _add_serve(add("serve", _("serve devices until stopped")))
    add("status", _("where the gateway stands; also while it is stopped"))
    verify = add("verify", _("prove that the rows here are the hub's"))
    verify.add_argument("--deep", action="store_true", help=_("count every row's hash anew"))
    verify.add_argument("--repair", action="store_true", help=_("fetch what differs"))
    reseed = add("reseed", _("fetch partitions anew while serving goes on"))
    reseed.add_argument(
        "partitions", nargs="*", type=int, help=_("numbers of partitions; none = all")
    )
    carrier = add("import", _("take in a device's export file as if it had synced"))
    carrier.add_argument("file", type=Path, help=_("the file that fieldmesh-device export made"))
    add("partitions", _("partitions held here and those on their way"))
    add("devices", _("devices that have been here"))
    sessions = add("sessions", _("the newest sync sessions"))
    sessions.add_argument("--most", type=int, default=50, help=_("how many (default: 50)"))
    bandwidth = add("bandwidth", _("limit downloads and photos by hours"))
    bandwidth.add_argument(
        "hours",
        nargs="*",
        help=_("such as 08:00-18:00=500 (kilobytes a second); none = no limit"),
    )
    signin = add("sign-in", _("check that a person's sign-in has arrived here"))
    signin.add_argument("login", help=_("login name"))
    signin.add_argument(
        "--password-file",
        type=Path,
        help=_("file with the password; without it you are asked"),
    )
    config = add("config", _("settings"))
    config.add_argument("action", choices=["show"], help=_("show: every setting and its origin"))
    return top


def _add_enroll(command: argparse.ArgumentParser) -> None:
    command.add_argument("--code", required=True, help=_("enrolment code, FM-…-…"))
    command.add_argument("--hub", required=True, help=_("the hub's address, https://host:port"))
    command.add_argument(
        "--name", default="", help=_("name for people; without it, the one that head office gave")
    )
    command.add_argument(
        "--address",
        action="append",
        default=[],
        help=_("host:port where devices reach this gateway; may be given again, best first"),
    )
    command.add_argument(
        "--enrolment-address",
        default="",
        help=_("host:port where new devices reach it"),
    )
    command.add_argument("--hardware-id", default="", help=_("serial number of the machine"))


def _add_serve(command: argparse.ArgumentParser) -> None:
    command.add_argument("--listen-host", help=_("address on which devices are served"))
    command.add_argument("--port", type=int, help=_("port for enrolled devices; 0 = any"))
    command.add_argument("--enrolment-port", type=int, help=_("port for new devices; 0 = any"))
    command.add_argument(
        "--metrics-port", type=int, help=_("port of /health and /metrics; 0 = any")
    )
    command.add_argument(
        "--no-announce",
        dest="announce",
        action="store_const",
        const=False,
        default=None,
        help=_("do not announce the gateway on the local network"),
    )
    command.add_argument("--log-level", help=_("error, warning, info or debug"))
