"""Which gateways to try, nearest healthy first; and what is remembered of them."""

from collections.abc import Iterable
from dataclasses import replace

from device_agent.link.discovery import discover
from device_agent.link.gateways import (
    HEARD,
    Candidate,
    check_address,
    in_order,
    is_alone_and_well,
    is_measured,
    measure,
)
from device_agent.modes.context import Report, SyncContext
from device_agent.modes.progress import Step
from device_agent.storage.database import Connection
from device_agent.storage.gateways import (
    GatewayRow,
    forget_source,
    known_gateways,
    save_gateway,
)
from fieldmesh.basics.errors import FieldmeshError


async def candidates(context: SyncContext, only: str) -> list[Candidate]:
    """Gateways to try, nearest healthy first.

    Raises:
        Rejected: `bad_address`, in the settings or as ``only``.
    """
    for address in (only, *context.settings.gateways):
        check_address(address)
    known = await context.database.read(known_gateways)
    rows = [_candidate(row) for row in known]
    if only:
        there = [row for row in rows if row.address == only]
        return there or [Candidate(b"", only, only, source="given")]
    rows = [row for row in rows if row.source != "given"]
    have = {row.address for row in rows}
    rows += [
        Candidate(b"", address, address, source="settings")
        for address in context.settings.gateways
        if address not in have
    ]
    now = context.clock.now()
    if is_alone_and_well(rows, now) or is_measured(rows, now):
        return in_order(rows, now)
    found: list[Candidate] = []
    if context.settings.discovery:
        found = await discover(context.settings.discovery_window_s)
    merged = {row.address: row for row in (*found, *rows)}
    measured = await measure(merged.values(), context.clock)
    await _remember(context, measured)
    return in_order(measured, context.clock.now())


async def _remember(context: SyncContext, measured: Iterable[Candidate]) -> None:
    def work(connection: Connection) -> None:
        forget_source(connection, HEARD)
        for candidate in measured:
            save_gateway(connection, _row(candidate))

    await context.database.write(work)


async def note_failure(context: SyncContext, candidate: Candidate, error: FieldmeshError) -> None:
    """A gateway that failed is asked last for a while; one that is full is asked again."""
    context.tell(Step.WAIT, note=f"{candidate.address}: {error.code}")
    if not candidate.gateway_id:
        return
    failed = replace(candidate, failed_at=context.clock.now())
    await context.database.write(lambda found: save_gateway(found, _row(failed)))


async def note_success(context: SyncContext, candidate: Candidate, report: Report) -> None:
    """A gateway that served well after a failure, unknown so far, or in another's place, is remembered.

    Of addresses that were given for one sync the last is kept: the next sync there need not ask who it is.
    """
    good = replace(candidate, gateway_id=report.gateway_id, failed_at=0)
    if good == candidate or not report.gateway_id:
        return

    def work(connection: Connection) -> None:
        if good.source == "given":
            forget_source(connection, "given")
        # The session itself may have brought the address in the hub's list: it stays there.
        held = {row.address: row for row in known_gateways(connection)}.get(
            good.address, _row(good)
        )
        save_gateway(connection, replace(held, gateway_id=good.gateway_id, failed_at=0))

    await context.database.write(work)


def _candidate(row: GatewayRow) -> Candidate:
    return Candidate(
        gateway_id=row.gateway_id,
        name=row.name,
        address=row.address,
        enrolment_address=row.enrolment_address,
        source=row.source,
        latency_us=row.latency_us,
        measured_at=row.measured_at,
        failed_at=row.failed_at,
    )


def _row(candidate: Candidate) -> GatewayRow:
    return GatewayRow(
        address=candidate.address,
        gateway_id=candidate.gateway_id,
        name=candidate.name,
        enrolment_address=candidate.enrolment_address,
        source=candidate.source,
        latency_us=candidate.latency_us,
        measured_at=candidate.measured_at,
        failed_at=candidate.failed_at,
    )
