"""Entries of the journal in words: who did what, before and after."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from fieldmesh.data.types import WireType
from fieldmesh.service.translation import N_, translate
from hub.desk.history import Event
from hub.desk.view import View
from hub.desk.views.registry import view_of_table
from hub.desk.words import column_title
from hub.web.showing import NOTHING, Showing

KINDS: Mapping[str, str] = {
    "record_changed": N_("has changed it"),
    "record_made": N_("has made it"),
    "outlets_moved": N_("has given it to another position"),
    "decided": N_("has decided on it"),
    "price_set": N_("has set a price"),
    "password_set": N_("has set a new password"),
    "user_added": N_("has added a person"),
    "signed_in": N_("has signed in"),
    "signed_out": N_("has signed out"),
    "sign_in_refused": N_("was not let in"),
    "sessions_ended": N_("has ended all sessions of somebody"),
    "recognised": N_("was recognised by another system"),
    "groups_read": N_("has given other posts to somebody, by their groups"),
    "directory_left": N_("no longer knows somebody: signed out, without posts of groups"),
    "session_ended": N_("has ended a session"),
    "name_unlocked": N_("has let a name try again"),
    "password_changed": N_("has changed the password"),
    "password_chosen": N_("has chosen a new password with a code"),
    "password_asked": N_("has asked for a new password"),
    "password_code_made": N_("has made a code for a new password"),
    "second_factor_set": N_("has set up a second factor"),
    "second_factor_removed": N_("has removed a second factor"),
    "token_made": N_("has made a token for a program"),
    "token_dropped": N_("has dropped a token"),
    "position_filled": N_("has given a position to somebody"),
    "assignment_ended": N_("has ended an assignment"),
    "seen": N_("has looked at a list"),
    "exported": N_("has exported"),
    "sync_session": N_("has synced"),
    "batch_quarantined": N_("sent what can't be applied"),
    "reject_put_away": N_(
        "put away what was refused of a spare's last user, as somebody else gets it"
    ),
    "spare_took_over_refused": N_("wanted to stand in for a device, which nobody had allowed"),
    "spare_handed_over_refused": N_("wanted to hand over for a device, which nobody had allowed"),
    "day_begun": N_("has begun the day"),
    "csv_loaded": N_("has loaded a file"),
    "sample_loaded": N_("has loaded a sample company"),
    "hub_made": N_("has made the hub"),
    "hub_backed_up": N_("has made a backup"),
    "hub_recovered": N_("has opened a restored hub"),
    "revocations_carried": N_("has carried over what was revoked before the restore"),
    "authority_renewed": N_("has renewed the authority"),
    "certificate_renewed": N_("has renewed a certificate"),
    "codes_made": N_("has made enrolment codes"),
    "node_enrolled": N_("has enrolled a device or gateway"),
    "device_added": N_("has added a device"),
    "device_code_made": N_("has made an enrolment code for a device"),
    "device_home_changed": N_("has given a device another gateway"),
    "device_replaced": N_("has replaced a device"),
    "device_revoked": N_("has revoked a device"),
    "spare_added": N_("has added a spare device"),
    "spare_authorised": N_("has let a spare device stand in for another"),
    "spare_took_over": N_("stands in for a device from now on"),
    "spare_handed_over": N_("has handed back to the device that it stood in for"),
    "spare_works_without_takeover": N_("works for a device that it does not stand in for"),
    "late_upload_of_suspended_device": N_("has sent work that it had from before it was suspended"),
    "gateway_added": N_("has added a gateway"),
    "gateway_code_made": N_("has made an enrolment code for a gateway"),
    "gateway_commanded": N_("has asked a gateway to do something"),
    "gateway_answered": N_("has an answer of a gateway"),
    "gateway_revoked": N_("has revoked a gateway"),
    "lease_given": N_("has lent rows to a gateway for a guest"),
    "leases_ended": N_("has ended what was lent to gateways"),
    "subscriptions_refreshed": N_("has worked out anew who gets what"),
    "patches_refreshed": N_("has worked out anew which outlets belong together"),
    "sign_ins_refreshed": N_("has worked out anew who signs in where"),
    "another_batch_came_before": N_("sent another batch under a number that was used"),
    "batch_retried": N_("has applied what had waited in quarantine"),
    "quarantine_retried": N_("has applied an entry of the quarantine"),
    "quarantine_released": N_("has closed an entry of the quarantine"),
    "gap_released": N_("has let a device go on without what is missing"),
    "rows_wait_for_others": N_("sent rows that wait for others"),
    "rows_no_longer_wait": N_("sent rows that wait no longer"),
    "conflict_overturned": N_("has let the other value of a conflict stand"),
    "conflict_kept": N_("has kept the value of a conflict"),
    "report_seen": N_("has looked at a report"),
    "report_exported": N_("has exported a report"),
    "report_kept": N_("has kept a report"),
    "report_shared": N_("has shared a report"),
    "report_unshared": N_("shares a report no more"),
    "report_deleted": N_("has deleted a report"),
    "report_mail": N_("has a report sent by mail"),
}
"""Kind of entry → what follows the actor."""


@dataclass(frozen=True, slots=True)
class ShownChange:
    """One column, before and after."""

    title: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """One entry."""

    at: str
    actor: str
    text: str
    changes: tuple[ShownChange, ...]


def kind_text(kind: str, language: str) -> str:
    """What happened, after the actor's name."""
    known = KINDS.get(kind)
    return translate(known, language) if known is not None else kind.replace("_", " ")


def shown_event(
    event: Event, view: View, showing: Showing, names: Mapping[object, str]
) -> ShownEvent:
    """The entry for a page; ``names`` says what the records are called whose ids stand in it."""
    columns = dict.fromkeys([*event.before, *event.after])
    changes = tuple(
        ShownChange(
            translate(column_title(name), showing.language),
            _text(view, name, event.before.get(name), showing, names),
            _text(view, name, event.after.get(name), showing, names),
        )
        for name in columns
        if view.schema.has_column(name) and event.before
    )
    return ShownEvent(
        showing.time(event.at), event.actor, kind_text(event.kind, showing.language), changes
    )


def ids_in(events: Iterable[Event], view: View) -> dict[str, set[str]]:
    """Name of a list → the ids of its records that stand in the entries."""
    found: dict[str, set[str]] = {}
    for event in events:
        for name, value in (*event.before.items(), *event.after.items()):
            other = _linked(view, name)
            if other is not None and isinstance(value, str) and value:
                found.setdefault(other.name, set()).add(value)
    return found


def _linked(view: View, name: str) -> View | None:
    known = view.schema.has_column(name)
    return view_of_table(view.schema.column(name).references or "") if known else None


def _text(
    view: View, name: str, value: object, showing: Showing, names: Mapping[object, str]
) -> str:
    """A value as it stands in the journal (`hub.desk.changes.plain`), for people."""
    column = view.schema.column(name)
    if value is None or value == "":
        return NOTHING
    if column.kind.wire is WireType.IDENTIFIER:
        return names.get(value) or translate("not in your area", showing.language)
    if column.kind.wire is WireType.DECIMAL and isinstance(value, str):
        return showing.decimal(Decimal(value), column.kind.scale)
    return showing.plain(column, value) if isinstance(value, str | int) else str(value)
