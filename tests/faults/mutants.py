"""The fault tests are judged: code is broken on purpose in a copy of the tree, and a test has to notice.

`python -m tests.faults.mutants [name …]` breaks one thing at a time and demands that the named test fails, and that it
passes on an unbroken copy; and that a focused campaign (`tests/chaos`) finds a violation, and none in an unbroken copy.
A mutant whose text is no longer in the code, or found twice, is an error.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
COPIED = ("device_agent", "deploy", "fieldmesh", "gateway", "hub", "tests", "pyproject.toml")
AT_ONCE = 2
MOST_S = 200
FAILED = 1
"""Exit code of pytest when tests ran and one failed; others mean that it could not run at all."""
BROKEN = 3
"""Exit code of a campaign that found a violation; the same holds."""

_FAULTS = "tests/faults/test_"
_WAYS = "tests/faults/test_batches_on_their_way.py::"
BY_HAND = _WAYS + "test_a_batch_that_comes_by_hand_and_through_two_gateways_counts_once"
JOURNAL = _WAYS + "test_a_changed_journal_is_found"
ALTERED = f"{_FAULTS}altered.py::test_a_batch_that_a_gateway_rewrote_well_is_found_by_its_signature"
ORDER = "tests/faults/test_order.py::test_a_batch_that_overtakes_another_waits_for_it"
SCOPE = f"{_FAULTS}scope.py::test_an_order_for_an_outlet_that_has_moved_arrives_and_moves_too"
RESTORED = (
    "tests/faults/test_restored_hub.py::"
    "test_a_hub_from_an_older_backup_loses_nothing_that_devices_sent"
)
_MODEL = "tests/model/test_stories.py::test_"
_COMES_AGAIN = "tests/unit/gateway/test_provisional.py::test_an_order_that_comes_again_after_"
_AUTHORITY = "tests/integration/hub/test_ingest_authority.py::test_"
_SPARES = "tests/integration/gateway/test_spares.py::test_"
_NEVER = "100000"
"""Seconds: longer than a campaign."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A short campaign under the faults that matter to a mutant, with settings of the environment."""

    faults: str
    minutes: str = "0.6"
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def words(self) -> list[str]:
        """After `python -m`."""
        size = ["--gateways", "2", "--devices", "4", "--at-once", "1", "--seed", "11"]
        return ["tests.chaos", *size, "--minutes", self.minutes, "--faults", self.faults]


NOT_AGAIN = (("FIELDMESH_GATEWAY_REPUBLISH_AFTER_S", _NEVER),)
"""A gateway that sends again after a minute would make good what an acknowledgement promised in vain."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One thing broken: `search` in `file` becomes `replacement`; then each of `tests` must fail."""

    name: str
    file: str
    search: str
    replacement: str
    tests: tuple[str, ...]
    campaign: Campaign | None = None


MUTANTS = (
    Mutant(
        "inbox check removed",
        "hub/ingest/group.py",
        "            case Turn.PASSED:\n                await self._repeat(batch)",
        "            case Turn.PASSED:\n                await self._apply(applier, batch)",
        (_MODEL + "a_batch_that_comes_again_changes_nothing",),
        Campaign("by_hand,one_way_down,kill_broker"),
    ),
    Mutant(
        "outbox forgets on broker ack",
        "gateway/storage/outbox.py",
        '"UPDATE fm_outbox SET published_at = ?, attempts = attempts + 1 WHERE outbox_number = ?",\n'
        "        [(now, number) for number in numbers],",
        '"DELETE FROM fm_outbox WHERE outbox_number = ?",\n        [(number,) for number in numbers],',
        (RESTORED, _MODEL + "a_gateway_keeps_a_batch_until_head_office_has_decided"),
        Campaign("restore_hub"),
    ),
    Mutant(
        "hub acknowledges before the commit",
        "hub/ingest/consume.py",
        "            try:\n                done = await self._apply(read)\n",
        "            for message in messages[:portion]:\n                await message.ack()\n"
        "            try:\n                done = await self._apply(read)\n",
        (_MODEL + "head_office_acknowledges_only_what_it_has_committed",),
        Campaign("kill_hub", "1.2", NOT_AGAIN),
    ),
    Mutant(
        "gateway acknowledges before the commit",
        "gateway/serving/session.py",
        "        result = await self.parts.database.write(partial(self._write_group, checked, now))\n",
        "        work = self.parts.database.write(partial(self._write_group, checked, now))\n"
        "        loop = asyncio.get_running_loop()\n"
        "        loop.call_later(0.5, lambda: loop.create_task(work))\n"
        "        held = await self.parts.database.read(\n"
        "            partial(self._upload_state, stored=Stored(0, 0, 0))\n"
        "        )\n"
        "        held.ticks.gateway_epoch = self.hello.device_epoch\n"
        "        held.ticks.gateway_sequence = checked[-1].sequence\n"
        "        result = held\n",
        (),
        Campaign("kill_gateway"),
    ),
    Mutant(
        "gateway acknowledges what it could not commit",
        "gateway/serving/session.py",
        "        result = await self.parts.database.write(partial(self._write_group, checked, now))\n",
        "        try:\n"
        "            result = await self.parts.database.write(partial(self._write_group, checked, now))\n"
        "        except Retry:\n"
        "            self.ticks.gateway_sequence = checked[-1].sequence\n"
        "            result = UploadResult(Stored(0, 0, 0), self.ticks, None)\n",
        (_MODEL + "a_gateway_gives_its_tick_only_to_what_it_has_committed",),
    ),
    Mutant(
        "gateway's place moved before the rows",
        "gateway/replication/downlink.py",
        "    changed = await parts.database.write_alone(\n",
        "    await parts.database.write(\n"
        "        lambda c: cursors.set_mark(c, content.lsn, marked_at=content.marked_at,\n"
        "                                   down_sequence=buffer[-1].stream_sequence)\n"
        "    )\n"
        "    await asyncio.sleep(0.2 if content.frames else 0)\n"
        "    changed = await parts.database.write_alone(\n",
        (_MODEL + "a_gateway_that_could_not_commit_a_mark_fetches_it_again",),
        Campaign("kill_gateway"),
    ),
    Mutant(
        "device's cursor moved before the rows",
        "device_agent/modes/full.py",
        "    talk.report.rows_down, differs = await context.database.apply(work)\n",
        "    await context.database.apply(\n"
        "        lambda c: c.execute('UPDATE fm_device SET cursor_lsn = ?', (announced.mark_lsn,))\n"
        "    )\n"
        "    talk.report.rows_down, differs = await context.database.apply(work)\n",
        (_MODEL + "a_device_that_could_not_commit_a_delta_asks_for_it_again",),
        Campaign("kill_devices"),
    ),
    Mutant(
        "provisional rows never go",
        "gateway/storage/provisional.py",
        "    for device_id, epoch, sequence, number in batches:\n        table =",
        "    return len(batches)\n    for device_id, epoch, sequence, number in batches:\n        table =",
        (_MODEL + "an_answer_that_was_cut_off_doubles_nothing",),
    ),
    Mutant(
        "lines go with an earlier header than is shown",
        "gateway/storage/provisional.py",
        "({shadow} ORDER BY rowid DESC LIMIT 1)",
        "({shadow} ORDER BY rowid LIMIT 1)",
        (_COMES_AGAIN + "its_outlet_moved_is_shown_with_its_lines",),
    ),
    Mutant(
        "lines go with a header that a restore undid",
        "gateway/storage/provisional.py",
        "({found} AND {stands}), ",
        "({found}), ",
        (_COMES_AGAIN + "a_restore_is_shown_with_its_lines",),
    ),
    Mutant(
        "what a newer backup brings back is not fetched",
        "gateway/replication/subscription.py",
        "    if heard is cursors.Restored.COME_BACK:\n",
        "    if False:\n",
        (_MODEL + "a_newer_backup_that_is_restored_after_an_older_one_stands",),
    ),
    Mutant(
        "a batch that fails in its turn is not told from the one before it",
        "hub/ingest/group.py",
        "            raise FailedBatchError(batch.sha256, error) from error\n",
        "            raise\n",
        (_AUTHORITY + "a_poisonous_batch_that_waited_holds_up_nobody",),
    ),
    Mutant(
        "a spare's word of its handover not heard",
        "gateway/serving/session.py",
        "facts.handed_over or 0 < facts.epoch_floor < self.hello.handover_epoch",
        "facts.handed_over",
        (_SPARES + "a_spare_tells_a_gateway_that_has_not_heard_of_its_handover",),
    ),
    Mutant(
        "signature not checked",
        "hub/ingest/verify.py",
        "            signature.verify(key, forwarded.header, forwarded.signature, place=place)\n",
        "",
        (ALTERED, _MODEL + "a_batch_that_its_gateway_rewrote_is_not_applied"),
        Campaign("rewritten"),
    ),
    Mutant(
        "seeds of a lost future kept",
        "gateway/storage/cursors.py",
        "Restored.NOTHING_NEW if is_first else Restored.GONE_ON",
        "Restored.GONE_ON if mark < held.mark_lsn else Restored.NOTHING_NEW",
        (_MODEL + "a_gateway_that_was_seeded_ahead_of_its_mark_keeps_nothing_of_a_lost_future",),
    ),
    Mutant(
        "a place that nobody holds is waited for",
        "device_agent/storage/ticks.py",
        "    update_state(connection, previous_epoch=stood.device_epoch, previous_sequence=stood.sequence)\n",
        "",
        (_MODEL + "a_device_that_packed_beside_its_clone_is_not_waited_for_for_ever",),
    ),
    Mutant(
        "order check removed",
        "hub/ingest/group.py",
        "                await self._park(batch)",
        "                await self._apply(applier, batch)",
        (ORDER, _MODEL + "a_batch_that_overtakes_another_waits_for_it"),
    ),
    Mutant(
        "removal dropped",
        "hub/storage/emission.py",
        "                    self._removals[table.name, _whole(old)][row_id] = None\n",
        "                    pass\n",
        (SCOPE, _MODEL + "an_outlet_that_goes_to_another_rep_leaves_and_comes"),
        Campaign("reparent"),
    ),
    Mutant(
        "gateway goes on with what it no longer hears",
        "gateway/replication/hello.py",
        "    changed = _take_scope(connection, set(welcome.partitions), now) or changed\n",
        "",
        (_MODEL + "a_device_is_shown_no_torn_state_by_a_gateway_that_lost_its_home_and_is_behind",),
    ),
    Mutant(
        "scope filter dropped",
        "hub/relay/consumers.py",
        '[MARK_SUBJECT, *(f"down.{partition}" for partition in sorted(partitions))]',
        '["down.*"] if partitions else []',
        (_MODEL + "an_outlet_that_goes_to_another_rep_leaves_and_comes",),
    ),
    Mutant(
        "journal hash not chained",
        "hub/storage/journal.py",
        "            or entry.hash != entry.right_hash()\n",
        "",
        (JOURNAL,),
    ),
)


def copy_of_tree(folder: Path) -> Path:
    """The sources without what builds and tests left behind."""
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in COPIED:
        source = TREE / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignore)
        else:
            shutil.copy2(source, folder / name)
    return folder


def break_tree(folder: Path, mutant: Mutant) -> None:
    """The copy is broken.

    Raises:
        ValueError: the text is not there exactly once.
    """
    file = folder / mutant.file
    text = file.read_text("utf-8")
    if text.count(mutant.search) != 1:
        raise ValueError(f"{mutant.name}: found {text.count(mutant.search)} times in {mutant.file}")
    file.write_text(text.replace(mutant.search, mutant.replacement), encoding="utf-8")


def run(folder: Path, test: str) -> tuple[int, str]:
    """Exit code and end of the output of a test on the copy; programs it starts come from the copy too."""
    paths = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:randomly", test]
    done = subprocess.run(  # noqa: S603 - our own tests
        [*command, f"--basetemp={folder / 'tmp'}", f"--timeout={MOST_S}"],
        cwd=folder, env={**os.environ, **paths}, capture_output=True, text=True, check=False,  # noqa: TID251 - a tool
    )  # fmt: skip
    return done.returncode, done.stdout[-1500:]


def judge(case: tuple[Mutant, str]) -> tuple[bool, str]:
    """Whether the test noticed, with how it ended. A test that could not be set up has noticed nothing."""
    mutant, test = case
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        folder = copy_of_tree(Path(name))
        break_tree(folder, mutant)
        code, output = run(folder, test)
    return code == FAILED and "\nERROR tests" not in output, output


def run_campaign(folder: Path, campaign: Campaign) -> tuple[int, str]:
    """Exit code and output of a campaign on the copy."""
    paths = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(  # noqa: S603 - our own campaign
        [sys.executable, "-m", *campaign.words, "--folder", str(folder / "campaign")],
        cwd=folder, env={**os.environ, **paths, **dict(campaign.settings)}, capture_output=True, text=True, check=False,  # noqa: TID251 - a tool
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr[-1500:]


def judge_campaign(case: tuple[Mutant | None, Campaign]) -> tuple[bool, str]:
    """Whether the campaign found a violation in the broken copy, or none in an unbroken one, with what it said."""
    mutant, campaign = case
    with tempfile.TemporaryDirectory(prefix="campaign-") as name:
        folder = copy_of_tree(Path(name))
        if mutant is not None:
            break_tree(folder, mutant)
        code, output = run_campaign(folder, campaign)
    return code == (BROKEN if mutant is not None else 0), output


def judge_healthy(test: str) -> tuple[bool, str]:
    """Whether the test passes on an unbroken copy."""
    with tempfile.TemporaryDirectory(prefix="healthy-") as name:
        code, output = run(copy_of_tree(Path(name)), test)
    return code == 0, output


def _say(*lines: str) -> None:
    sys.stdout.write("\n    ".join(lines) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Exit code 1 when a mutant survived, or something fails without one."""
    parser = argparse.ArgumentParser(description="break the code on purpose; tests must notice")
    parser.add_argument("names", nargs="*", help="only these mutants")
    parser.add_argument("--no-healthy", action="store_true", help="skip the unbroken copies")
    parser.add_argument("--only", choices=("tests", "campaigns"), help="one of the two")
    options = parser.parse_args()
    chosen = [one for one in MUTANTS if not options.names or one.name in options.names]
    fine = bool(chosen)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        if options.only != "campaigns":
            fine &= _judge_tests(pool, chosen, healthy=not options.no_healthy)
        if options.only != "tests":
            fine &= _judge_campaigns(pool, chosen, healthy=not options.no_healthy)
    return 0 if fine else 1


def _judge_tests(pool: ThreadPoolExecutor, chosen: Sequence[Mutant], *, healthy: bool) -> bool:
    cases = [(mutant, test) for mutant in chosen for test in mutant.tests]
    unbroken = sorted({test for _, test in cases}) if healthy else []
    fine = True
    for test, (passed, output) in zip(unbroken, pool.map(judge_healthy, unbroken), strict=True):
        fine &= passed
        _say(f"{'passes' if passed else 'FAILS UNBROKEN'}: {test}")
        if not passed:
            _say(output)
    for (mutant, test), (caught, output) in zip(cases, pool.map(judge, cases), strict=True):
        fine &= caught
        why = [line for line in output.splitlines() if line.startswith(("E  ", "FAILED"))]
        _say(f"{'caught' if caught else 'SURVIVED'}: {mutant.name}, by {test}", *why[:3])
    return fine


def _judge_campaigns(pool: ThreadPoolExecutor, chosen: Sequence[Mutant], *, healthy: bool) -> bool:
    broken = [(mutant, mutant.campaign) for mutant in chosen if mutant.campaign is not None]
    unbroken = list(dict.fromkeys(campaign for _, campaign in broken)) if healthy else []
    cases: list[tuple[Mutant | None, Campaign]] = [*((None, one) for one in unbroken), *broken]
    fine = True
    for (mutant, campaign), (right, output) in zip(
        cases, pool.map(judge_campaign, cases), strict=True
    ):
        fine &= right
        words = ("passes", "FAILS UNBROKEN") if mutant is None else ("caught", "SURVIVED")
        name = "the unbroken tree" if mutant is None else mutant.name
        _say(
            f"{words[not right]}: {name}, by a campaign under {campaign.faults}",
            *_why(output, right=right),
        )
    return fine


def _why(output: str, *, right: bool) -> list[str]:
    """The promises that were broken; everything when it is not what was expected."""
    lines = output.splitlines()
    return [line for line in lines if line.startswith("Promise")][:3] if right else lines[-40:]


if __name__ == "__main__":
    sys.exit(main())
