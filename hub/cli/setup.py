"""init, serve, status, config show."""

import argparse
import shutil
from pathlib import Path

from fieldmesh.basics.codes import authority_fingerprint
from fieldmesh.basics.errors import Rejected
from fieldmesh.service import config, logs, translation
from fieldmesh.service.translation import _
from hub.cli.answers import Answer, Nouns
from hub.cli.asking import opened, parts_of_running_hub
from hub.config import ENV_PREFIX, HubHome, HubSettings, load_settings
from hub.fleet.office import make_office, open_office
from hub.fleet.running import running_ports
from hub.storage import nodes
from hub.storage.rows import count_from_devices, count_rows

_COUNTED = ("position", "outlet", "product", "price", "sales_order")
_FROM_DEVICES = ("sales_order", "order_line", "visit", "payment")


def add_commands(nouns: Nouns, shared: argparse.ArgumentParser) -> None:
    """The commands of the hub itself are known."""
    init = nouns.add_parser("init", parents=[shared], help=_("make a new hub"))
    init.add_argument("--company", help=_("name of the company"))
    init.add_argument(
        "--settings",
        type=Path,
        help=_("begin with these settings, such as database.url; then no other is a flag"),
    )
    init.set_defaults(command=_init)
    run = nouns.add_parser("serve", parents=[shared], help=_("run the hub"))
    run.add_argument("--log-level", help=_("debug, info, warning or error"))
    run.set_defaults(command=_serve)
    for command in (init, run):
        command.add_argument("--https-host", help=_("address of the HTTPS server"))
        command.add_argument("--https-port", type=int, help=_("its port; 0 = any free one"))
        command.add_argument(
            "--bus-server",
            action="append",
            help=_("host:port of a server of a NATS cluster; given for each of them"),
        )
        command.add_argument("--bus-host", help=_("address of the message bus"))
        command.add_argument("--bus-port", type=int, help=_("its port; 0 = any free one"))
        command.add_argument(
            "--bus-advertise", help=_("host:port under which gateways reach the bus")
        )
        command.add_argument(
            "--name",
            action="append",
            help=_("name or address under which gateways reach the hub; may be given again"),
        )
    status = nouns.add_parser("status", parents=[shared], help=_("how the hub is"))
    status.set_defaults(command=_status)
    settings = nouns.add_parser("config", parents=[shared], help=_("settings"))
    settings.add_argument("what", choices=["show"])
    settings.set_defaults(command=_config)


def _flags(options: argparse.Namespace) -> dict[str, object]:
    return {
        "https.host": options.https_host,
        "https.port": options.https_port,
        "https.names": options.name,
        "bus.servers": options.bus_server,
        "bus.host": options.bus_host,
        "bus.port": options.bus_port,
        "bus.advertise": options.bus_advertise,
    }


async def _init(options: argparse.Namespace) -> Answer:
    settings, text = _chosen(options)
    office = await make_office(options.home, settings, text)
    await office.database.close()
    fingerprint = authority_fingerprint(office.trust.authority.certificate).hex()
    return Answer(
        {"home": str(options.home.absolute()), "authority": fingerprint},
        [
            _("A hub stands in {home}.").format(home=options.home.absolute()),
            _("Fingerprint of its authority: {fingerprint}").format(fingerprint=fingerprint),
            _("Next: fieldmesh-hub serve, org import FILES, gateway add CODE, device add CODE."),
        ],
    )


def _chosen(options: argparse.Namespace) -> tuple[HubSettings, str]:
    """The settings of a new hub, and what its file says.

    Raises:
        Rejected: `usage`, flags beside a file; `file_unreadable`; `settings_invalid`.
    """
    flags = {"company": options.company, **_flags(options)}
    if options.settings is None:
        settings = load_settings(HubHome(options.home), flags).settings
        return settings, _settings_text(settings)
    if any(value is not None for value in flags.values()):
        raise Rejected("usage", text=_("With --settings every setting stands in the file."))
    try:
        text = options.settings.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Rejected("file_unreadable", place=str(options.settings), text=str(error)) from None
    return config.load_with_origins(HubSettings, options.settings, ENV_PREFIX, None).settings, text


def _settings_text(settings: HubSettings) -> str:
    """The settings file of a new hub: what differs from the defaults."""
    sections: dict[str, list[str]] = {"": [f"company = {_toml(settings.company)}"]}
    for section in ("https", "bus"):
        chosen, plain = getattr(settings, section), getattr(HubSettings(), section)
        for name in type(chosen).__slots__:
            value = getattr(chosen, name)
            if value != getattr(plain, name):
                sections.setdefault(section, []).append(f"{name} = {_toml(value)}")
    parts = []
    for section, lines in sections.items():
        head = [f"[{section}]"] if section else ["# fieldmesh-hub config show tells every setting"]
        parts.append("\n".join([*head, *lines]))
    return "\n\n".join(parts) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value).lower() if isinstance(value, bool) else str(value)


async def _serve(options: argparse.Namespace) -> Answer:
    office = await open_office(options.home, {**_flags(options), "log_level": options.log_level})
    logs.setup(level=office.settings.log_level, fields={"node": "hub"})
    if office.settings.language:
        translation.set_language(office.settings.language)
    from hub.app import serve  # noqa: PLC0415 - all of the hub: only when it runs

    await serve(office)
    return Answer({"state": "stopped"}, [_("The hub has stopped.")])


async def _status(options: argparse.Namespace) -> Answer:
    async with opened(options) as office, office.database.read() as connection:
        gateways = await nodes.gateways(connection)
        devices = await nodes.devices(connection)
        rows = {table: await count_rows(connection, table) for table in _COUNTED}
        made = {table: await count_from_devices(connection, table) for table in _FROM_DEVICES}
        ports = running_ports(office.home)
        parts = await parts_of_running_hub(office, ports["https"]) if ports else {}
        free = shutil.disk_usage(office.home.folder).free
    facts = {
        "running": ports is not None,
        "ports": ports or {},
        "parts": parts,
        "disk_free_bytes": free,
        "gateways": len(gateways),
        "devices": len(devices),
        "rows": rows,
        "made_on_devices": made,
    }
    running = (
        _("The hub runs: HTTPS port {https}, bus port {bus}.").format(**ports)
        if ports
        else _("The hub does not run: fieldmesh-hub serve starts it.")
    )
    counts = [{"what": name, "count": count} for name, count in rows.items()]
    counts += [
        {"what": "gateway", "count": len(gateways)},
        {"what": "device", "count": len(devices)},
    ]
    lines = [running, _("Free on its disk: {size:,} MB.").format(size=free // 1_000_000)]
    lines += [f"  {name}: {state}" for name, state in parts.items()]
    return Answer(facts, lines, counts)


async def _config(options: argparse.Namespace) -> Answer:
    loaded = load_settings(HubHome(options.home))
    shown = config.show(loaded.settings, loaded.origins)
    rows = [{"setting": key, **value} for key, value in shown.items()]
    return Answer({"settings": shown}, [], rows)
