"""What a fault explains: refusals, quarantine and losses, on exactly the device, the batch and the time that it struck.

A fault names the problem codes that it may lead to. That is where this begins: each code is believed only of what the
fault can have done. Promises 1 (No loss) and 7 (Authority).
"""

from fieldmesh.basics.epochs import hub_epoch_of
from tests.chaos.checker.case import (
    COPIES_SPOILT,
    DEVICE_RESTORED,
    GATEWAY_DISK_LOST,
    HUB_RESTORED,
    Case,
    Packed,
    counts_at,
)
from tests.chaos.checker.facts import Aside, Place, Reject

_FAR = float("inf")


def refusal(case: Case, reject: Reject) -> bool:
    """Whether the refusal was asked for by a rep who wrote what they may not, or is a fault's doing."""
    if case.facts.hub.devices.get(case.forbidden.get(reject.name, "")) == reject.device:
        return True
    match reject.code:
        case "depends_on_refused":
            return any(
                other.code != reject.code and other.place == reject.place and refusal(case, other)
                for other in case.facts.hub.rejects
            )
        case "batch_put_aside":
            return any(aside.place == reject.place for aside in case.facts.hub.aside)
        case "row_gone":
            return reject.name in case.removed or never_came(case, reject.name)
        case "outside_scope" | "not_your_table":
            restored = any(reject.code in one.explains for one in case.struck(HUB_RESTORED))
            return restored and _in_lost_future(case, reject)
        case _:
            return any(reject.code in one.explains for one in case.forces)


def quarantine(case: Case, aside: Aside) -> bool:
    """Whether a fault of the device that made the batch, or of the gateway that brought it, led to it."""
    hub = case.facts.hub
    genuine = aside.sha in {one.sha for one in case.packed.get(aside.place, [])}
    for force in case.forces:
        if aside.code not in force.explains:
            continue
        if hub.devices.get(force.node) == aside.place[0]:
            if not _was_applied_before(case, force.node, aside.place, force.begin):
                return True
        elif hub.gateways.get(force.node) == aside.gateway and not genuine:
            return True
    return False


def put_aside(case: Case) -> set[str]:
    """Rows of batches that stand in quarantine just as their devices packed them: a person can still apply them."""
    kept = {(one.place, one.sha) for one in case.facts.hub.aside}
    return {
        row
        for place, packings in case.packed.items()
        for one in packings
        if (place, one.sha) in kept
        for row in one.rows
    }


def went_with_device(case: Case, code: str, row: str, saved_at: float) -> bool:
    """Whether nobody but a device that was restored since can have had the row: it showed no tick that binds."""
    device = case.facts.hub.devices.get(code, code)
    for force in case.struck(DEVICE_RESTORED, code):
        if force.begin <= saved_at <= force.end:
            batches = [
                one
                for place, packings in case.packed.items()
                if place[0] == device
                for one in packings
                if row in one.rows and one.at <= force.end
            ]
            return not any(ticks_that_bind(case, one)[0] for one in batches)
    return False


def never_came(case: Case, row: str) -> bool:
    """Whether a row that a colleague saw at a gateway was put aside, or is gone with its device and its gateway."""
    if row in case.facts.hub.written:
        return False
    if row in put_aside(case):
        return True
    return any(
        went_with_device(case, code, row, float(event["t"]))
        for code, events in case.wrote.items()
        for event in events
        if row in {f"{table}/{one}" for table, one in event["rows"]}
    )


def ticks_that_bind(case: Case, batch: Packed) -> tuple[int, float]:
    """The most ticks that the device showed for the batch, and when it first showed them; (0, 0.0) = none.

    What a device shows after it was restored to before the batch says nothing of a batch that it does not know. A
    first tick of a gateway that lost its disk afterwards does not bind either where the device's own copy is gone too.
    """
    _, epoch, sequence = batch.place
    took = [
        one for one in case.struck(DEVICE_RESTORED, batch.code) if one.begin <= batch.at <= one.end
    ]
    known_until = min((one.end for one in took), default=case.end)
    most, at = 0, 0.0
    for event in case.seen[batch.code]:
        now = float(event["t"])
        if not batch.at <= now <= known_until:
            continue
        one = any(
            tick[0] == epoch
            and tick[1] >= sequence
            and not (took and lost_later(case, gateway, now))
            for gateway, tick in event["gateways"].items()
        )
        ticks = 2 if tuple(event["hub"]) >= (epoch, sequence) else int(one)
        if ticks > most:
            most, at = ticks, now
    return most, at


def lost_later(case: Case, gateway: str, at: float) -> bool:
    """Whether the gateway lost or rewrote what it held after that moment: its first ticks of then do not bind."""
    codes = case.facts.hub.gateway_codes
    node = codes.get(gateway, gateway)
    return any(
        one.end >= at
        for effect in (GATEWAY_DISK_LOST, COPIES_SPOILT)
        for one in case.struck(effect, node)
    )


def may_be_lost(case: Case, gateway: str, batch: Packed, at: float) -> bool:
    """Whether a batch with a first tick at that moment is one that the gateway has lost or rewritten.

    What it had got before its image was taken came back with it.
    """
    return any(
        batch.at <= one.end and one.begin <= at for one in case.struck(GATEWAY_DISK_LOST, gateway)
    ) or any(batch.at <= one.end for one in case.struck(COPIES_SPOILT, gateway))


def is_day_of_restore(case: Case, at: float) -> bool:
    """Whether head office had been restored that day: gateways count anew from what it has."""
    return any(case.morning(at) <= one <= at for one in case.restores)


def _in_lost_future(case: Case, reject: Reject) -> bool:
    """Whether the device stood in a future that the hub has lost when it wrote or packed; judged after it.

    What it wrote then may be signed again later, under another number.
    """
    codes = case.facts.hub.device_codes
    code = codes.get(reject.device, "")
    seen = case.seen.get(code, [])
    moments = [one.at for one in case.packed.get(reject.place, [])]
    moments += [
        float(event["t"])
        for event in case.wrote.get(code, [])
        if reject.name in {f"{table}/{row}" for table, row in event["rows"]}
    ]
    for at in moments:
        stood = [int(event["cursor"]) for event in seen if float(event["t"]) <= at]
        cursor = stood[-1] if stood else 0
        if hub_epoch_of(cursor) < hub_epoch_of(reject.lsn) and not counts_at(
            case.facts.hub, cursor, reject.lsn
        ):
            return True
    return False


def _was_applied_before(case: Case, code: str, place: Place, at: float) -> bool:
    """Whether the device showed two ticks for the batch before that moment."""
    return any(
        tuple(one["hub"]) >= place[1:] for one in case.seen.get(code, []) if float(one["t"]) < at
    )
