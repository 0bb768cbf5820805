"""Runs a mode: picks a gateway, tries the next one when it fails, waits when told to."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from device_agent.link.discovery import discover
from device_agent.link.gateways import Candidate, in_order, is_measured, measure
from device_agent.link.messages import Mode
from device_agent.modes.context import Report, SyncContext
from device_agent.modes.duplicate import duplicate
from device_agent.modes.fast import fast
from device_agent.modes.full import full
from device_agent.modes.initialize import initialize
from device_agent.modes.progress import Step
from device_agent.modes.upload import upload
from device_agent.storage.database import Connection
from device_agent.storage.gateways import GatewayRow, forget_local, known_gateways, save_gateway
from fieldmesh.basics.backoff import Backoff
from fieldmesh.basics.errors import Fenced, Retry

Story = Callable[[SyncContext, Candidate], Awaitable[Report]]
STORIES: dict[Mode, Story] = {
    Mode.FAST: fast,
    Mode.FULL: full,
    Mode.INITIALIZE: initialize,
    Mode.DUPLICATE: duplicate,
    Mode.UPLOAD: upload,
}
SERVED = frozenset({"done"})


async def run(context: SyncContext, mode: Mode, *, only: str = "") -> Report:
    """The mode has been run to its end at some gateway.

    When a gateway turned out to lack batches that were not sent (its disk was lost, or the device
    came with a new epoch), a fast session follows at the same gateway.

    Args:
        context: the device.
        mode: which story.
        only: host:port; no other gateway is tried.

    Raises:
        Retry: no gateway could serve within the patience of the settings.
        Rejected, Fenced: what the story raises.
    """
    with context.home.sync_lock():
        try:
            report = await _until_served(context, STORIES[mode], only)
        except Fenced as error:
            if mode is not Mode.INITIALIZE or error.code != "initialize_needed":
                raise
            # Now it is known that the numbers are taken: the second run keeps what waits back.
            report = await _until_served(context, initialize, only)
        if report.more_waits and report.outcome == "done":
            follow = await _until_served(context, fast, report.gateway_address)
            report.sessions += follow.sessions
            report.batches_sent += follow.batches_sent
            report.rows_up += follow.rows_up
            report.bytes_up += follow.bytes_up
            report.gateway_tick, report.hub_tick = follow.gateway_tick, follow.hub_tick
            report.more_waits = follow.more_waits
    return report


async def _until_served(context: SyncContext, story: Story, only: str) -> Report:
    """Rounds over the gateways, nearest first, until one serves or patience ends."""
    deadline = context.clock.monotonic() + context.settings.patience_s
    pause = Backoff(0.2, 10.0, context.chance)
    last: Retry | None = None
    tries = 0
    while True:
        wait_s = 0.0
        for candidate in await _candidates(context, only):
            tries += 1
            try:
                report = await story(context, candidate)
            except Retry as error:
                last = error
                wait_s = max(wait_s, error.delay_s)
                await _note_failure(context, candidate, error)
                continue
            report.sessions = tries
            if report.outcome != "deferred":
                await _note_success(context, candidate, report)
                return report
            wait_s = max(wait_s, report.retry_after_s)
            if context.clock.monotonic() + wait_s > deadline:
                return report
        pause_s = max(wait_s, pause.next_delay()) * (1 + context.chance.random() / 4)
        if context.clock.monotonic() + pause_s > deadline:
            raise last or Retry("no_gateway_reachable", place="gateways")
        context.tell(Step.WAIT, note=f"{pause_s:.1f} s")
        await asyncio.sleep(pause_s)


async def _candidates(context: SyncContext, only: str) -> list[Candidate]:
    """Gateways to try, nearest healthy first."""
    known = await context.database.read(known_gateways)
    rows = [_candidate(row) for row in known]
    if only:
        return [row for row in rows if row.address == only] or [Candidate(b"", only, only)]
    have = {row.address for row in rows}
    rows += [
        Candidate(b"", address, address, source="settings")
        for address in context.settings.gateways
        if address not in have
    ]
    now = context.clock.now()
    if len(rows) == 1 or is_measured(rows, now):
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
        forget_local(connection)
        for candidate in measured:
            save_gateway(connection, _row(candidate))

    await context.database.write(work)


async def _note_failure(context: SyncContext, candidate: Candidate, error: Retry) -> None:
    """A gateway that failed is asked last for a while; one that is full is asked again."""
    context.tell(Step.WAIT, note=f"{candidate.address}: {error.code}")
    if not candidate.gateway_id:
        return
    failed = replace(candidate, failed_at=context.clock.now())
    await context.database.write(lambda found: save_gateway(found, _row(failed)))


async def _note_success(context: SyncContext, candidate: Candidate, report: Report) -> None:
    """A gateway that served well after a failure, or unknown so far, is remembered."""
    if candidate.gateway_id and not candidate.failed_at:
        return
    if not report.gateway_id:
        return
    good = replace(candidate, gateway_id=report.gateway_id, failed_at=0)
    await context.database.write(lambda found: save_gateway(found, _row(good)))


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
