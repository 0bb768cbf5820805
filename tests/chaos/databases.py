"""The databases of a network at rest, read into `checker.facts` by SQL of the campaign's own."""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from device_agent.storage.database import connect as connect_device
from device_agent.storage.home import Home
from device_agent.storage.keyring import Keyring
from fieldmesh.codec.columns import from_rows
from fieldmesh.codec.row_hash import row_hashes
from fieldmesh.data.policy import Audience
from fieldmesh.data.schema import TABLES
from fieldmesh.service.database import connect
from tests.chaos import reader
from tests.chaos.checker.facts import (
    Aside,
    Decided,
    DeviceFacts,
    Facts,
    GatewayFacts,
    HubFacts,
    Link,
    Place,
    Reject,
    Shelf,
)

_PIECE_ROWS = 5_000
_NAMES = {table.number: name for name, table in TABLES.items()}
_TO_DEVICES = frozenset(
    name for name, table in TABLES.items() if table.policy.audience is Audience.DEVICE
)
_TO_GATEWAYS = frozenset(
    name for name, table in TABLES.items() if table.policy.audience is not Audience.HUB
)


def read_facts(
    hub: Path, gateways: dict[str, Path], devices: dict[str, tuple[Path, str]], password: str
) -> Facts:
    """What all databases hold.

    Args:
        hub: its home folder.
        gateways: code → home folder.
        devices: code → home folder and login; nobody may be writing to them.
        password: everybody's.
    """
    return Facts(
        read_hub(hub / "data" / "hub.db"),
        {code: read_gateway(code, home / "data" / "gateway.db") for code, home in gateways.items()},
        {code: read_device(code, home, login, password) for code, (home, login) in devices.items()},
    )


def read_hub(path: Path) -> HubFacts:
    """Head office."""
    with closing(connect(path, read_only=True)) as found:
        found.execute("BEGIN")
        facts = HubFacts(
            lsn=found.execute("SELECT lsn FROM fm_hub").fetchone()[0],
            epochs=found.execute(
                "SELECT epoch, began_after FROM fm_hub_epoch ORDER BY 1"
            ).fetchall(),
            device_tables=_TO_DEVICES,
        )
        _read_batches(found, facts)
        _read_written(found, facts)
        _read_contents(found, facts)
        _read_journal(found, facts)
        facts.devices = dict(found.execute("SELECT code, lower(hex(id)) FROM device"))
        facts.gateways = dict(found.execute("SELECT code, lower(hex(id)) FROM gateway"))
        codes = facts.gateway_codes
        for gateway, area in found.execute(
            "SELECT lower(hex(gateway_id)), partition FROM fm_gateway_partition"
        ):
            facts.gateway_areas.setdefault(codes[gateway], set()).add(area)
        where = "deleted = 0 AND partition <> 0"
        facts.shelves, facts.misfits = _shelves(found, _TO_GATEWAYS, where)
        return facts


def _read_batches(found: sqlite3.Connection, facts: HubFacts) -> None:
    for *place, sha, decision, lsn in found.execute(
        "SELECT lower(hex(device_id)), device_epoch, sequence, lower(hex(sha256)), decision, lsn FROM fm_inbox"
    ):
        facts.inbox[_place(place)] = Decided(sha, decision, lsn)
    for place in found.execute(
        "SELECT lower(hex(device_id)), device_epoch, sequence FROM fm_waiting"
    ):
        facts.waiting.append(_place(place))
    for *place, number, row in found.execute(
        "SELECT lower(hex(device_id)), device_epoch, sequence, table_no, lower(hex(row_id)) FROM fm_early_row"
    ):
        facts.early.append((_place(place), f"{_NAMES[number]}/{row}"))
    for *place, sha, code, gateway in found.execute(
        "SELECT lower(hex(device_id)), device_epoch, sequence, lower(hex(sha256)), code, lower(hex(gateway_id))"
        " FROM fm_quarantine"
    ):
        facts.aside.append(Aside(_place(place), sha, code, gateway or ""))
    for *row, fields in found.execute(
        "SELECT lower(hex(device_id)), table_name, lower(hex(row_id)), code, text, device_epoch, sequence, lsn, fields"
        " FROM reject WHERE deleted = 0"
    ):
        facts.rejects.append(_of_its_batch(Reject(*row), json.loads(fields)))
    put_away = "SELECT payload FROM fm_journal WHERE kind = 'reject_put_away'"
    for (payload,) in found.execute(put_away):
        facts.rejects.append(_put_away(json.loads(payload)))


def _put_away(told: dict[str, Any]) -> Reject:
    """What was refused of a spare's work before somebody else got the spare."""
    device, row = (str(told[name]).replace("-", "") for name in ("device", "row_id"))
    names = ("table_name", "code", "text", "device_epoch", "sequence", "lsn")
    table, code, text, epoch, sequence, lsn = (told[name] for name in names)
    return Reject(device, table, row, code, text, epoch, sequence, lsn)


def _of_its_batch(reject: Reject, fields: dict[str, str]) -> Reject:
    """What head office refused of a spare's work is told to the device that it stood in for."""
    if reject.sequence:
        return reject
    batch = int(fields["spare_epoch"]), int(fields["spare_sequence"])
    return replace(reject, device=fields["spare"], epoch=batch[0], sequence=batch[1])


def _read_written(found: sqlite3.Connection, facts: HubFacts) -> None:
    for name, table in TABLES.items():
        if table.device_writable:
            for row_id, device, lsn in found.execute(
                f"SELECT lower(hex(id)), lower(hex(origin_device_id)), lsn FROM {name}"
                " WHERE deleted = 0 AND origin_device_id IS NOT NULL"
            ):
                facts.written[f"{name}/{row_id}"] = (device, lsn)
    for comment, count in found.execute(
        "SELECT comment, count(*) FROM sales_order WHERE deleted = 0 AND comment IS NOT NULL GROUP BY 1"
    ):
        facts.comments[comment] = count
    for order, line in found.execute(
        "SELECT lower(hex(order_id)), lower(hex(id)) FROM order_line"
        " WHERE deleted = 0 AND origin_device_id IS NOT NULL"
    ):
        facts.lines.setdefault(order, set()).add(line)


def _read_contents(found: sqlite3.Connection, facts: HubFacts) -> None:
    for name, columns in reader.CONTENT.items():
        text = f"SELECT lower(hex(id)), {', '.join(columns)} FROM {name}"
        for row_id, *values in found.execute(
            f"{text} WHERE deleted = 0 AND origin_device_id IS NOT NULL"
        ):
            facts.contents[f"{name}/{row_id}"] = reader.content(values)
    facts.phones = dict(
        found.execute("SELECT lower(hex(id)), coalesce(phone, '') FROM contact WHERE deleted = 0")
    )


def _read_journal(found: sqlite3.Connection, facts: HubFacts) -> None:
    for row in found.execute(
        "SELECT number, at, kind, actor, payload, previous_hash, hash FROM fm_journal ORDER BY number"
    ):
        link = Link(*row)
        facts.journal.append(link)
        if link.kind == "sync_session":
            facts.sessions.add(str(json.loads(link.payload)["session_id"]))


def read_gateway(code: str, path: Path) -> GatewayFacts:
    """A gateway."""
    with closing(connect(path, read_only=True)) as found:
        found.execute("BEGIN")
        facts = GatewayFacts(
            code,
            mark=found.execute("SELECT mark_lsn FROM fm_state").fetchone()[0],
            areas=dict(found.execute("SELECT partition, state FROM fm_partition")),
            unsent=found.execute(
                "SELECT count(*) FROM fm_outbox WHERE receipted_at IS NULL"
            ).fetchone()[0],
        )
        for *place, sha in found.execute(
            "SELECT lower(hex(device_id)), device_epoch, sequence, lower(hex(sha256)) FROM fm_inbox"
        ):
            facts.inbox.setdefault(_place(place), set()).add(sha)
        facts.provisional = found.execute("SELECT count(*) FROM fm_provisional_batch").fetchone()[0]
        facts.shelves, facts.misfits = _shelves(found, _TO_GATEWAYS, "lsn > 0")
        return facts


def read_device(code: str, home: Path, login: str, password: str) -> DeviceFacts:
    """A device that nobody has open for writing."""
    files = Home(home)
    key = Keyring(files).open(login, password)
    with closing(connect_device(files.current_database(), key)) as found:
        found.execute("BEGIN")
        facts = DeviceFacts(
            code,
            cursor=found.execute("SELECT cursor_lsn FROM fm_device").fetchone()[0],
            waiting=found.execute(
                "SELECT (SELECT count(*) FROM fm_change) + (SELECT count(*) FROM fm_outbox)"
            ).fetchone()[0],
            areas={row[0] for row in found.execute("SELECT partition FROM fm_partition")},
            sessions=dict(
                found.execute(
                    "SELECT lower(hex(session_id)), lower(hex(gateway_id)) FROM fm_session"
                    " WHERE outcome = 'done' AND (rows_up > 0 OR mode <> 'fast')"
                )
            ),
        )
        facts.shelves, facts.misfits = _shelves(found, _TO_DEVICES, "1 = 1")
        return facts


def _shelves(
    found: sqlite3.Connection, tables: Iterable[str], where: str
) -> tuple[dict[int, Shelf], list[str]]:
    """Rows by area, each hashed anew; and those that carry another hash."""
    shelves: dict[int, Shelf] = {}
    misfits: list[str] = []
    for name in sorted(tables):
        table = TABLES[name]
        names = table.wire_names
        cursor = found.execute(f'SELECT {", ".join(names)} FROM "{name}" WHERE {where}')
        at_id, at_area, at_lsn, at_hash = map(names.index, ("id", "partition", "lsn", "row_hash"))
        while piece := cursor.fetchmany(_PIECE_ROWS):
            hashes = row_hashes(from_rows(name, names, piece), table)
            for row, worked_out in zip(piece, hashes, strict=True):
                key = f"{name}/{row[at_id].hex()}"
                shelves.setdefault(row[at_area], {})[key] = (row[at_lsn], worked_out)
                if row[at_lsn] and row[at_hash] != worked_out:
                    misfits.append(key)
    return shelves, misfits


def _place(values: Iterable[object]) -> Place:
    device, epoch, sequence = values
    return str(device), int(str(epoch)), int(str(sequence))
