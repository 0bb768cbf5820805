"""fleet.*: 750 gateways and 5,000 devices for a compressed day, with the product's code, TLS and fsync.

Four gateways are processes of their own, whose memory is measured; the others share a few processes, since 750 do not
fit. Devices have no database: they send signed batches, 21 rows in the morning, the rest of a day's 630
in the evening.
"""

import asyncio
import random
import secrets
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import nkeys

from fieldmesh.service.tls import key_pem, make_csr, make_key
from gateway.trust import certificates
from gateway.trust.certificates import GatewayIdentity
from hub.fleet.office import Office
from hub.fleet.registry import NewGateway, add_gateway
from hub.fleet.running import running_ports
from hub.storage.org_changes import head_office_write
from hub.trust.authority import NodeKind
from hub.trust.enrolment import EnrolmentRequest, Trust, enrol, new_code
from tests.bench.company import BareDevice, Measured, Shape
from tests.bench.crowd_line import Crowd, Visits, crowd
from tests.bench.figures import Figures, percentile
from tests.bench.fleet_line import Fleet, home_of, planned, started
from tests.bench.gateway import cpu_seconds
from tests.bench.memory import measure_memory, peak_mib
from tests.bench.visits import NAMES, VISIT_ROWS

DAY_VISITS = 30
PRICES_CHANGED = 1_000
_ALONE, _SHARED_PROCESSES, _CROWDS = 4, 6, 2
_LONGEST_S = 1_800.0
_LOOK_S = 0.25
_AT_ONCE = 250
"""Devices registered in one transaction."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many gateways, and within how many seconds all devices call, in the morning and in the evening."""

    gateways: int
    calls_s: float


Homes = Sequence[tuple[BareDevice, str]]
"""Devices, and the addresses of their gateways."""
FLEET = Shape(reps=5_000, outlets=2, products=100, orders=0, lines=1, offices=76)
QUICK_FLEET = Shape(reps=60, outlets=2, products=100, orders=0, lines=1, offices=4)
SIZE, QUICK_SIZE = Size(750, 60.0), Size(20, 5.0)


async def measure_fleet(measured: Measured, figures: Figures) -> None:
    """A day: all gateways come, devices sync in the morning, prices change, everybody comes home in the evening."""
    size = QUICK_SIZE if measured.quick else SIZE
    codes = await _gateways(measured, figures, size)
    homes = await _devices(measured, figures, codes)
    async with AsyncExitStack() as stack:
        shared = planned(measured, codes[_ALONE:], _SHARED_PROCESSES)
        fleet = await started(stack, measured, shared)
        await _come(measured, figures, fleet)
        devices = [(one, fleet.addresses[code]) for one, code in homes]
        before = await _held(measured)
        await _call(measured, figures, "morning", devices, 1, since=0)
        await _everywhere(measured, fleet)
        await _new_prices(measured, figures, fleet)
        await _evening(measured, figures, fleet, devices)
        _count(figures, before, await _held(measured), len(devices))
        assert not (differing := await fleet.differing()), differing
        await _memory(measured, figures, fleet)


async def _gateways(measured: Measured, figures: Figures, size: Size) -> list[str]:
    """All gateways are enrolled: their codes, first of those that have a process of their own, and serve."""
    for number in range(2, _ALONE + 1):
        await measured.network.add_gateway(f"GW{number}", "OF01")
    shared = [f"FLEET{number:04d}" for number in range(size.gateways - _ALONE)]
    began = time.monotonic()
    await _registered(measured, shared)
    figures.put("fleet.enrol_seconds", time.monotonic() - began)
    return [*(one.code for one in measured.network.gateways), *shared]


async def _come(measured: Measured, figures: Figures, fleet: Fleet) -> None:
    """All gateways serve, and have the areas of all their devices."""
    began = time.monotonic()
    await fleet.serve()
    figures.put("fleet.start_seconds", time.monotonic() - began)
    figures.put("fleet.gateways", len(fleet.addresses))
    await _everywhere(measured, fleet)
    figures.put("fleet.seeded_seconds", time.monotonic() - began)


async def _registered(measured: Measured, codes: Sequence[str]) -> None:
    """The gateways are registered and have their identities, as after enrolment (whose door has a pace)."""
    office = measured.office
    text = "SELECT code FROM org_unit WHERE kind = 'office' ORDER BY code"
    offices = [str(row[0]) for row in await measured.rows(text)]
    enrolments = {}
    async with head_office_write(
        office.database, office.clock, actor="bench", kind="bench", about={}
    ) as writer:
        for number, code in enumerate(codes):
            new = NewGateway(code, unit=offices[number % len(offices)])
            gateway = await add_gateway(writer, office.maker, new)
            enrolments[code] = await new_code(
                writer.connection, office.trust, NodeKind.GATEWAY, gateway
            )
    ports = running_ports(office.home)
    assert ports is not None
    trust = replace(office.trust, bus_url=f"tls://127.0.0.1:{ports['bus']}")
    for code, enrolment in enrolments.items():
        home = home_of(measured, code)
        home.make()
        identity = await _identity(office, trust, code, enrolment)
        await asyncio.to_thread(certificates.save, home.identity, identity)


async def _identity(office: Office, trust: Trust, code: str, enrolment: str) -> GatewayIdentity:
    key = make_key()
    seed = bytes(nkeys.encode_seed(secrets.token_bytes(32), nkeys.PREFIX_BYTE_USER))
    public = nkeys.from_seed(bytearray(seed)).public_key.decode("ascii")
    request = EnrolmentRequest(enrolment, make_csr(key, code), bus_key=public)
    grant = await enrol(office.database, trust, request)
    return GatewayIdentity(
        grant.node_id, grant.name, key_pem(key), grant.certificate, grant.authority,
        grant.hub_public_key, grant.bus_url, grant.bus_credentials, seed, "",
    )  # fmt: skip


async def _devices(
    measured: Measured, figures: Figures, codes: Sequence[str]
) -> list[tuple[BareDevice, str]]:
    """A device at each post with outlets, and the gateway that is its home."""
    posts = [
        str(row[0])
        for row in await measured.rows(
            'SELECT DISTINCT p.code FROM "position" AS p'
            " JOIN outlet_assignment AS a ON a.position_id = p.id ORDER BY p.code"
        )
    ]
    homes = {post: codes[number % len(codes)] for number, post in enumerate(posts)}
    began = time.monotonic()
    devices: list[BareDevice] = []
    for start in range(0, len(posts), _AT_ONCE):
        some = posts[start : start + _AT_ONCE]
        devices += await measured.bare_devices(1, positions=some, gateway=homes)
    figures.put("fleet.devices", len(devices))
    figures.put("fleet.register_seconds", time.monotonic() - began)
    return [(one, homes[one.position]) for one in devices]


async def _call(
    measured: Measured, figures: Figures, name: str, homes: Homes, visits: int, *, since: int
) -> float:
    """Each device calls once, at a moment of its own, and brings so many visits. When the first could begin.

    Args:
        measured: the network.
        figures: get how long the sessions took.
        name: of the time of day.
        homes: devices, and where each calls.
        visits: that each brings.
        since: batches that each has sent before.
    """
    calls_s = (QUICK_SIZE if measured.quick else SIZE).calls_s
    chance = random.Random(since + 1)
    calls = [
        Visits(one, "fast", [chance.uniform(0, calls_s)], since, visits, address)
        for one, address in homes
    ]
    seconds, began = await _sync_all(measured, name, calls)
    figures.put(f"fleet.{name}_p50", percentile(seconds, 0.5))
    figures.put(f"fleet.{name}_p99", percentile(seconds, 0.99))
    return began


async def _new_prices(measured: Measured, figures: Figures, fleet: Fleet) -> None:
    began = time.monotonic()
    await measured.change_prices(PRICES_CHANGED)
    await _everywhere(measured, fleet)
    figures.put("fleet.prices_seconds", time.monotonic() - began)


async def _evening(measured: Measured, figures: Figures, fleet: Fleet, homes: Homes) -> None:
    """Everybody's day comes in: to the gateways, to the hub, and back to the gateways."""
    rows = len(homes) * (DAY_VISITS - 1) * VISIT_ROWS
    applied, hub = await _applied(measured), cpu_seconds(measured.network.hub.service.pid)
    began = await _call(measured, figures, "evening", homes, DAY_VISITS - 1, since=1)
    figures.put("fleet.upload_seconds", time.monotonic() - began)
    until = time.monotonic() + _LONGEST_S
    while (found := await _applied(measured) - applied) < rows:
        assert time.monotonic() < until, f"{found} of {rows} rows: {await fleet.standing()}"
        await asyncio.sleep(_LOOK_S)
    figures.put("fleet.wave_rows", rows)
    figures.put("fleet.drain_seconds", time.monotonic() - began)
    await _everywhere(measured, fleet)
    figures.put("fleet.settled_seconds", time.monotonic() - began)
    used = cpu_seconds(measured.network.hub.service.pid) - hub
    figures.put("fleet.hub_cpu_us_per_row", used / rows * 1e6)


async def _sync_all(
    measured: Measured, name: str, visits: Sequence[Visits]
) -> tuple[list[float], float]:
    """Seconds of every session, and when the first could begin."""
    async with AsyncExitStack() as stack:
        crowds: list[Crowd] = [
            await stack.enter_async_context(
                crowd(measured, f"{name}-{number}", visits[number::_CROWDS])
            )
            for number in range(_CROWDS)
        ]
        began = time.monotonic()
        async with asyncio.timeout(_LONGEST_S), asyncio.TaskGroup() as group:
            for one in crowds:
                group.create_task(one.run())
        seconds = [taken for one in crowds for taken in one.seconds()]
    assert len(seconds) == len(visits), f"{len(seconds)} of {len(visits)} sessions"
    return seconds, began


async def _everywhere(measured: Measured, fleet: Fleet) -> None:
    """Every gateway has all that the hub has, and a receipt for all that it sent.

    Raises:
        AssertionError: one does not get there.
    """
    until = time.monotonic() + _LONGEST_S
    while True:
        lsn = await measured.hub_lsn()
        stands = await fleet.standing()
        if stands.mark >= lsn and not stands.missing and not stands.waiting:
            return
        assert time.monotonic() < until, f"the hub is at {lsn}, gateways at {stands}"
        await asyncio.sleep(_LOOK_S)


async def _applied(measured: Measured) -> int:
    text = """SELECT coalesce(sum("rows"), 0) FROM fm_inbox WHERE decision = 'applied'"""
    return int((await measured.rows(text))[0][0])


async def _held(measured: Measured) -> dict[str, int]:
    """Rows of the day at head office, by table."""
    found = {}
    for table in NAMES:
        rows = await measured.rows(f'SELECT count(*) FROM "{table}" WHERE deleted = 0')
        found[table] = int(rows[0][0])
    return found


def _count(figures: Figures, before: dict[str, int], after: dict[str, int], devices: int) -> None:
    """Rows that came, against those that every device sent."""
    of_a_visit = {"visit": 1, "sales_order": 1, "order_line": 12, "survey_response": 1, "answer": 4}
    of_a_visit["gps_point"] = VISIT_ROWS - sum(of_a_visit.values())
    more = {
        table: after[table] - before[table] - devices * DAY_VISITS * count
        for table, count in of_a_visit.items()
    }
    figures.put("fleet.rows", devices * DAY_VISITS * VISIT_ROWS)
    figures.put("fleet.rows_lost", sum(max(0, -one) for one in more.values()))
    figures.put("fleet.rows_doubled", sum(max(0, one) for one in more.values()))


async def _memory(measured: Measured, figures: Figures, fleet: Fleet) -> None:
    alone = [peak_mib(one.service.pid) for one in measured.network.gateways]
    figures.put("fleet.gateway_mib", max(alone))
    together = sum(peak_mib(pid) for pid in fleet.pids)
    figures.put("fleet.gateway_shared_mib", together / (len(fleet.addresses) - len(alone)))
    await measure_memory(measured, figures)
