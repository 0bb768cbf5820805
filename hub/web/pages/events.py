"""Entries of the journal in words: who did what, before and after."""

from collections.abc import Mapping
from dataclasses import dataclass

from fieldmesh.data.types import WireType
from fieldmesh.service.translation import N_, translate
from hub.desk.history import Event
from hub.desk.view import View
from hub.desk.words import column_title, word
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
    "spare_took_over_refused": N_("wanted to stand in for a device, which nobody had allowed"),
    "spare_handed_over_refused": N_("wanted to hand over for a device, which nobody had allowed"),
    "day_begun": N_("has begun the day"),
    "csv_imported": N_("has loaded a file"),
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


def shown_event(event: Event, view: View, showing: Showing) -> ShownEvent:
    """The entry for a page."""
    names = dict.fromkeys([*event.before, *event.after])
    changes = tuple(
        ShownChange(
            translate(column_title(name), showing.language),
            _text(view, name, event.before.get(name), showing),
            _text(view, name, event.after.get(name), showing),
        )
        for name in names
        if view.schema.has_column(name) and event.before
    )
    return ShownEvent(
        showing.time(event.at), event.actor, kind_text(event.kind, showing.language), changes
    )


def _text(view: View, name: str, value: object, showing: Showing) -> str:
    column = view.schema.column(name)
    if value in {None, ""}:
        return NOTHING
    if column.kind.wire is WireType.BOOLEAN:
        return translate("yes", showing.language) if value else translate("no", showing.language)
    if column.name in {"state", "status"}:
        return word(str(value), showing.language)
    return str(value)
