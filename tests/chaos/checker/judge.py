"""All promises at once."""

from collections.abc import Callable, Iterator

from tests.chaos.checker import readings, rest, service, uploads, values
from tests.chaos.checker.case import Case, Violation

CHECKS: tuple[Callable[[Case], Iterator[Violation]], ...] = (
    uploads.rows_are_there,
    uploads.batches_are_there,
    uploads.first_ticks_are_kept,
    uploads.batches_are_once,
    uploads.nobody_else_makes_rows,
    uploads.batches_are_in_order,
    uploads.nothing_waits_for_a_row,
    values.contents_are_kept,
    values.updates_are_kept,
    values.removals_are_kept,
    readings.nothing_is_torn,
    readings.nothing_goes_back,
    readings.nothing_needs_repair,
    readings.nothing_leaks,
    rest.everybody_rests,
    rest.all_tiers_are_equal,
    rest.gateways_have_their_own,
    rest.devices_have_their_own,
    rest.refusals_are_explained,
    rest.the_chain_is_whole,
    rest.sessions_are_noted,
    service.branches_work_alone,
    service.programs_run_on,
)


def judge(case: Case) -> list[Violation]:
    """Everything that was broken, by promise; empty = all nine were kept."""
    return sorted((one for check in CHECKS for one in check(case)), key=lambda one: one.promise)
