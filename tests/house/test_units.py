"""The shipped units: systemd takes them, and they let the programs do what they have to, and no more."""

import re
import shlex
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.house.sources import listed, text
from tests.house.test_runbooks import PARSERS

UNITS = sorted(name for name in listed() if name.endswith((".service", ".timer")))
SERVICES = [name for name in UNITS if name.endswith(".service")]
HUB, BACKUP = "deploy/systemd/fieldmesh-hub.service", "deploy/systemd/fieldmesh-backup.service"
CLOSED = {
    "User": "fieldmesh",
    "UMask": "0077",
    "CapabilityBoundingSet": "",
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectControlGroups": "yes",
    "ProtectClock": "yes",
    "ProtectHostname": "yes",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "SystemCallArchitectures": "native",
    # Netlink tells the machine's own addresses: a gateway announces itself under them.
    "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6 AF_NETLINK",
}
MOST_S = 60


def settings(name: str) -> dict[str, str]:
    """Key → value of a unit."""
    return dict(re.findall(r"^(\w+)=(.*)$", text(name), re.MULTILINE))


def test_systemd_takes_every_unit(tmp_path: Path) -> None:
    """A key that it does not know is passed over in silence, and protects nothing."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze: not here")
    for name in UNITS:
        content = re.sub(r"/opt/fieldmesh/bin/\S+", "/bin/true", text(name))
        (tmp_path / Path(name).name).write_text(content)
    done = subprocess.run(  # noqa: S603 - our own command
        [program, "verify", *map(str, tmp_path.iterdir())],
        capture_output=True, text=True, check=False, timeout=MOST_S,
    )  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_a_program_that_is_broken_into_reaches_no_more_than_its_own_folders(name: str) -> None:
    """The hub holds the keys of the network; the machine around it is not its own."""
    held = settings(name)
    assert {key: held.get(key) for key in CLOSED} == CLOSED


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_runs_a_command_that_exists_on_a_folder_that_it_may_write(name: str) -> None:
    """A unit that starts nothing is found out at night."""
    held = settings(name)
    writable = held["ReadWritePaths"].split()
    program, *words = shlex.split(held["ExecStart"])
    if Path(program).name in PARSERS:
        options = PARSERS[Path(program).name]().parse_args(words)
        places = [options.home, *([options.file] if "backup" in words else [])]
    else:
        places = [held["WorkingDirectory"]]
    assert [
        place for place in places if not any(Path(place).is_relative_to(one) for one in writable)
    ] == []


def test_the_hub_ends_its_own_message_bus() -> None:
    """Told at the same moment, the bus is gone before the hub has written its last, and is started once more."""
    assert settings(HUB)["KillMode"] == "mixed"


def test_the_backup_looks_for_its_mount_from_outside_its_own_sandbox() -> None:
    """Inside, every folder that may be written is a mount of its own: the hub's disk would fill with backups."""
    assert re.findall(r"^ExecStartPre=(.*)$", text(BACKUP), re.MULTILINE) == [
        "+/usr/bin/mountpoint -q /mnt/backups"
    ]


def test_what_a_backup_that_was_killed_has_left_is_deleted_with_the_old_ones() -> None:
    """Each would stay for ever, as large as the database, and with everything that is in it."""
    words = shlex.split(settings(BACKUP)["ExecStartPost"])
    pattern = words[words.index("-name") + 1]
    made = "fieldmesh-hub-20261124T020000Z.tar"
    left = [made, f"{made}.part", f"{made}.db", f"{made}.db-journal"]
    assert [name for name in left if not fnmatch(name, pattern)] == []
    assert not fnmatch("other.tar", pattern)
