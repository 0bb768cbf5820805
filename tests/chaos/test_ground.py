"""What the faults of disks and clocks stand on does what it says: else they would prove nothing."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fieldmesh.basics.clock import SystemClock
from tests.kit.other_clock import OtherClock, can_be_made
from tests.kit.power_disk import power_disk
from tests.kit.small_disk import MIB

_DAY_S = 86_400.0
_TELLS = """
import datetime, sqlite3, sys, threading, time
for line in sys.stdin:
    began = time.monotonic()
    threading.Event().wait(0.05)
    waited = time.monotonic() - began
    link = sqlite3.connect(":memory:")
    database = link.execute("SELECT strftime('%s', 'now')").fetchone()[0]
    print(time.time_ns() // 10**9, datetime.datetime.now().timestamp(), database, time.monotonic(), waited, flush=True)
"""


def _told(process: subprocess.Popen[str]) -> list[float]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("now\n")
    process.stdin.flush()
    return [float(word) for word in process.stdout.readline().split()]


@pytest.mark.skipif(not can_be_made(), reason="a clock of its own needs a C compiler")
def test_the_clock_of_a_running_process_jumps_forth_and_back_and_nothing_else_does(
    tmp_path: Path,
) -> None:
    """Python and SQLite see the jump; what measures, waits and sleeps does not."""
    other, right = OtherClock(tmp_path, "node"), SystemClock()
    with subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-c", _TELLS], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, **other.environment},  # noqa: TID251 - a process of the test
    ) as process:  # fmt: skip
        for jump_s in (0.0, _DAY_S, -3 * _DAY_S, 0.5, 0.0):
            other.jump(jump_s)
            *times, monotonic, waited = _told(process)
            for told in times:
                assert told == pytest.approx(right.now() / 1e6 + jump_s, abs=5)
            assert monotonic == pytest.approx(right.monotonic(), abs=5)
            assert waited < 5
        assert process.stdin is not None
        process.stdin.close()


def test_a_full_disk_takes_no_byte_and_a_slow_one_makes_wait(tmp_path: Path) -> None:
    """Without a byte written for it; and afterwards both are as they were."""
    with power_disk(tmp_path / "disk", size_bytes=24 * MIB) as disk:
        file = disk.folder / "file"
        disk.fill()
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            file.write_bytes(bytes(MIB))
        disk.empty()
        file.write_bytes(bytes(MIB))
        clock = SystemClock()
        disk.begin_to_stall(stands_s=0.4, works_s=0.01)
        began, longest = clock.monotonic(), 0.0
        while clock.monotonic() < began + 1.0:
            at = clock.monotonic()
            with file.open("ab", buffering=0) as held:
                held.write(b"more")
            longest = max(longest, clock.monotonic() - at)
        disk.end_stalling()
        assert longest > 0.2
