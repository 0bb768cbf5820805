"""A campaign in words: a table of what was done and what held, and the story of each violation."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.chaos.campaign import Verdict
from tests.chaos.checker.case import Case, Event, Violation
from tests.chaos.tally import Count, suspects

RESULT = Path("build/chaos.json")
MOST_STORIES, MOST_LINES = 5, 40
_BEFORE_S = 5.0


def table(verdict: Verdict) -> Iterator[str]:
    """Lines: each fault with its operations and its pass rate, by mode."""
    head = (
        f"{'fault':<22} {'times':>5} {'seconds':>8} {'operations':>10} {'passed':>9} {'repairs':>7}"
    )
    yield f"{head}   syncs done of all, by mode"
    counts = {
        **verdict.tally.faults,
        "(no fault)": verdict.tally.calm,
        "together": verdict.tally.every,
    }
    for name, count in counts.items():
        passed = f"{count.pass_rate:.4%}"
        line = (
            f"{name:<22} {count.times:>5} {count.seconds:>8.0f} {count.operations:>10,} {passed:>9}"
        )
        yield f"{line} {count.repairs:>7}   {_modes(count)}"


def _modes(count: Count) -> str:
    return ", ".join(
        f"{mode} {found['done']}/{found.total()}" for mode, found in sorted(count.modes.items())
    )


def stories(verdict: Verdict, command: str) -> Iterator[str]:
    """Lines: what was broken, when, what happened around it, and how to see it again."""
    told: dict[tuple[str, str], Violation] = {}
    for one in verdict.violations:
        told.setdefault((one.what, one.device), one)
    for violation in list(told.values())[:MOST_STORIES]:
        yield ""
        yield f"Promise {violation.promise} was broken ({violation.what}): {violation.words}"
        yield f"  replay: {command}"
        if verdict.case is not None:
            yield from _time_line(verdict.case, violation)
    if len(verdict.violations) > MOST_STORIES:
        yield f"{len(verdict.violations)} violations in all; {RESULT} lists them"


def _time_line(case: Case, violation: Violation) -> Iterator[str]:
    start = float(case.events[0]["t"])
    codes = case.facts.hub.device_codes
    device = codes.get(violation.device, violation.device)
    lines = [
        (one.begin, f"{one.name} at {one.node}: {one.words} (until {one.end - start:.1f} s)")
        for one in suspects(case, violation)
    ]
    for event in case.events:
        near = violation.since - _BEFORE_S <= float(event["t"]) <= violation.until
        if event.get("d") == device and near and (words := _words(event, violation)):
            lines.append((float(event["t"]), words))
    if violation.place is not None:
        held = case.facts.hub.inbox.get(violation.place)
        words = f"{held.decision} at LSN {held.lsn}" if held else "not decided"
        lines.append(
            (case.end, f"head office: batch {violation.place[1]}.{violation.place[2]} is {words}")
        )
    lines.sort()
    for at, words in _shortened(lines):
        yield f"  {at - start:8.2f} s  {words}"


def _shortened(lines: list[tuple[float, str]]) -> Iterable[tuple[float, str]]:
    if len(lines) <= MOST_LINES:
        return lines
    half = MOST_LINES // 2
    left_out = (lines[half][0], f"… {len(lines) - MOST_LINES} lines left out …")
    return [*lines[:half], left_out, *lines[-half:]]


def _words(event: Event, violation: Violation) -> str:
    """What a device wrote down, in short; empty = it does not matter here."""
    match event["k"]:
        case "wrote":
            rows = {f"{table}/{row}" for table, row in event["rows"]}
            mark = " ← these" if rows & set(violation.rows) else ""
            return (
                f"{event['d']} saved {event['deed']} of step {event['n']}, {len(rows)} rows{mark}"
            )
        case "packed":
            mark = (
                " ← this"
                if violation.place and violation.place[1:] == (event["epoch"], event["seq"])
                else ""
            )
            return f"{event['d']} packed batch {event['epoch']}.{event['seq']}, {len(event['rows'])} rows{mark}"
        case "synced":
            where = event["gateway"] or "some gateway"
            return f"{event['d']} synced {event['mode']} with {where}: {event['outcome']} {event['problem']}".rstrip()
        case "seen":
            ticks = ", ".join(f"{one[0]}.{one[1]}" for one in event["gateways"].values())
            hub = f"{event['hub'][0]}.{event['hub'][1]}"
            return f"{event['d']} shows one tick to {ticks or 'none'}, two to {hub}, cursor {event['cursor']}"
        case _:
            return ""


def write_json(verdict: Verdict, path: Path, command: str) -> None:
    """All figures are in the file."""
    held = verdict.tally
    found: dict[str, Any] = {
        "seed": verdict.orders.seed,
        "command": command,
        "seconds": verdict.orders.seconds,
        "days": verdict.days,
        "gateways": len(verdict.orders.shape.gateways),
        "devices": len(verdict.orders.shape.posts),
        "together": held.every.as_json(),
        "no_fault": held.calm.as_json(),
        "faults": {name: count.as_json() for name, count in held.faults.items()},
        "violations": [
            {"promise": one.promise, "what": one.what, "words": one.words, "device": one.device}
            for one in verdict.violations
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
