"""A small organisation on a real database, its clock set by hand."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fieldmesh.basics.clock import ManualClock
from fieldmesh.basics.identifiers import IdentifierMaker
from hub.config import HubHome, HubSettings
from hub.exchange.csv_batch import Imported
from hub.exchange.csv_import import import_all_or_nothing, import_csv
from hub.exchange.csv_kinds import kind_named
from hub.fleet.office import Office, make_office
from hub.fleet.registry import Maker, NewDevice, NewGateway, add_device, add_gateway
from hub.fleet.subscriptions import refresh_everything
from hub.storage.org_changes import head_office_write
from hub.storage.rows import ids_by_code, rows_where
from hub.trust.authority import NodeKind
from hub.trust.enrolment import new_code

FILES = {
    "org_unit": "code,name,parent\nHQ,Head office,\nO1,Office,HQ\n",
    "role": "code,kind\nrep,rep\nsup,supervisor\ntech,technician\n",
    "territory": "code,org_unit\nT1,O1\n",
    "position": (
        "code,territory,role,parent_position\n"
        "R1,T1,rep,S1\nR2,T1,rep,S1\nK1,T1,tech,S1\nS1,T1,sup,\n"
    ),
    "legal_party": "code,name\nP1,Chain\n",
    "outlet": "code,name,legal_party\nA,Shop A,P1\nB,Shop B,P1\n",
    "outlet_assignment": "outlet,position\nA,R1\nA,K1\nB,R2\n",
}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """A hub with a small organisation."""
    made = await make_office(tmp_path / "hub", HubSettings(), 'company = "Acme"\n')
    clock = ManualClock(1_800_000_000_000_000)
    trust = made.trust
    office = Office(
        HubHome(tmp_path / "hub"),
        made.settings,
        made.database,
        type(trust)(trust.authority, trust.signer, trust.bus, "tls://bus:1", clock),
        Maker(clock, IdentifierMaker(clock, random.Random(1))),
    )
    for kind, text in FILES.items():
        await load(office, tmp_path, kind, text)
    await refresh_everything(
        office.database, clock=office.clock, identifiers=office.maker.identifiers
    )
    yield office
    await office.database.close()


async def load(
    office: Office, folder: Path, kind: str, text: str, *, all_or_nothing: bool = False
) -> Imported:
    """The text was loaded as a file of that kind."""
    path = folder / f"{kind}.csv"
    path.write_text(text, encoding="utf-8")
    if all_or_nothing:
        work = [(kind_named(kind), path)]
        done = await import_all_or_nothing(office.database, work, clock=office.clock, actor="test")
        return done[0]
    return await import_csv(
        office.database, kind_named(kind), path, clock=office.clock, actor="test"
    )


async def registered(office: Office, *, gateway: str = "G1", device: str = "D1") -> tuple[str, str]:
    """Codes of a new gateway and of a new device of R1 at it."""
    async with head_office_write(
        office.database, office.clock, actor="test", kind="registered", about={}
    ) as writer:
        gateway_id = await add_gateway(writer, office.maker, NewGateway(gateway))
        device_id = await add_device(writer, office.maker, NewDevice(device, "R1", gateway))
        return (
            await new_code(writer.connection, office.trust, NodeKind.GATEWAY, gateway_id),
            await new_code(writer.connection, office.trust, NodeKind.DEVICE, device_id),
        )


async def targets(office: Office, position: str) -> set[int]:
    """Every partition that the position may see."""
    async with office.database.read() as connection:
        ids = await ids_by_code(connection, "position", [position])
        rows = await rows_where(
            connection, "subscription", ("target_partition",), "position_id", ids.values()
        )
    return {row[0] for row in rows if isinstance(row[0], int)}
