"""Runs a mode: picks a gateway, tries the next one when it fails, waits when told to."""

import asyncio
from collections.abc import Awaitable, Callable

from device_agent.link.gateways import HEARD, Candidate
from device_agent.modes.choice import candidates, note_failure, note_success
from device_agent.modes.context import Report, SyncContext
from device_agent.modes.duplicate import duplicate
from device_agent.modes.fast import fast
from device_agent.modes.full import full
from device_agent.modes.initialize import initialize
from device_agent.modes.progress import Step
from device_agent.modes.upload import upload
from device_agent.storage import swap
from device_agent.storage.database import DeviceDatabase
from device_agent.storage.state import is_retired
from fieldmesh.basics.backoff import Backoff
from fieldmesh.basics.errors import Fenced, FieldmeshError, Rejected, Retry
from fieldmesh.service import tls
from fieldmesh.session.transitions import Mode

Story = Callable[[SyncContext, Candidate], Awaitable[Report]]
STORIES: dict[Mode, Story] = {
    Mode.FAST: fast,
    Mode.FULL: full,
    Mode.INITIALIZE: initialize,
    Mode.DUPLICATE: duplicate,
    Mode.UPLOAD: upload,
}
SERVED = frozenset({"done"})
_OF_ONE_GATEWAY = frozenset({"foreign_certificate", "peer_certificate_bad", "hub_tick_invalid"})
"""Refusals that another gateway may not share."""
_NO_LINE = frozenset({"no_gateway_reachable", "session_cut"})


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
        await _use_the_live_database(context)
        context.home.remove_other_databases()
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


async def _use_the_live_database(context: SyncContext) -> None:
    """Another process may have initialized the device meanwhile: its database is the live one.

    So is the one that an initialize of this process has made, where that was cut before it was named the live one.
    """
    same = context.database.path == context.home.current_database()
    if not same or await context.database.read(is_retired):
        key = context.database.key
        await context.database.close()
        live = await asyncio.to_thread(swap.settle, context.home, key)
        context.database = await DeviceDatabase.open(live, key)


async def _until_served(context: SyncContext, story: Story, only: str) -> Report:
    """Rounds over the gateways, nearest first, until one serves or patience ends."""
    deadline = context.clock.monotonic() + context.settings.patience_s
    pause = Backoff(0.2, 10.0, context.chance)
    last: FieldmeshError | None = None
    tries = 0
    while True:
        wait_s = 0.0
        deferred: Report | None = None
        for candidate in await candidates(context, only):
            tries += 1
            try:
                report = await story(context, candidate)
            except (Retry, Rejected) as error:
                if isinstance(error, Rejected) and error.code not in _OF_ONE_GATEWAY:
                    raise
                if (
                    last is None or candidate.source != HEARD
                ):  # else: our own gateways have the word
                    last = error
                wait_s = max(wait_s, error.delay_s if isinstance(error, Retry) else 0.0)
                await note_failure(context, candidate, error)
                continue
            report.sessions = tries
            if report.outcome != "deferred":
                await note_success(context, candidate, report)
                return report
            deferred = report
            wait_s = max(wait_s, report.retry_after_s)
        pause_s = max(wait_s, pause.next_delay()) * (1 + context.chance.random() / 4)
        is_last = context.clock.monotonic() + pause_s > deadline
        if deferred is not None and is_last:
            return deferred
        if last is not None and last.code in _NO_LINE:
            _explain(context)
        if is_last:
            raise last or Retry("no_gateway_reachable", place="gateways")
        context.tell(Step.WAIT, note=f"{pause_s:.1f} s")
        await asyncio.sleep(pause_s)


def _explain(context: SyncContext) -> None:
    """A gateway ends the handshake without a word when the device's certificate is no good.

    Raises:
        Rejected: `foreign_certificate` or `certificate_expired`, with the file.
    """
    home = context.home
    problem = tls.certificate_problem(
        context.certificate,
        home.authority.read_bytes(),
        context.clock.now(),
        str(home.certificate),
    )
    if problem is not None:
        raise problem
