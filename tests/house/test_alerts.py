"""Alerts fire on what they name and stay quiet otherwise; Prometheus itself reads and judges them."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.sources import ROOT, text
from tests.kit.debian import needed

FOLDER = ROOT / "deploy" / "prometheus"
MOST_S = 60
DAY = 86_400
Series = tuple[str, str]
"""A series and its samples, one a minute from the time 0 on, as promtool writes them."""
STORIES: dict[str, tuple[Series, Series]] = {
    "NodeGone": (
        ('up{job="fieldmesh-gateway"}', "0x180"),
        ('up{job="fieldmesh-gateway"}', "1x180"),
    ),
    "HubGone": (('up{job="fieldmesh-hub"}', "0x180"), ('up{job="fieldmesh-gateway"}', "0x180")),
    "GatewayCutOff": (
        ("fieldmesh_gateway_hub_reachable_info", "0x180"),
        ("fieldmesh_gateway_hub_reachable_info", "1x170 0x10"),
    ),
    "OutboxOld": (
        ("fieldmesh_gateway_outbox_oldest_seconds", "0+60x180"),
        ("fieldmesh_gateway_outbox_oldest_seconds", "3000x180"),
    ),
    "SeedStuck": (
        ("fieldmesh_gateway_seed_oldest_progress_seconds", "0+60x180"),
        ("fieldmesh_gateway_seed_oldest_progress_seconds", "60x180"),
    ),
    "DiskLow": (
        ("fieldmesh_gateway_disk_free_bytes", "900000000x180"),
        ("fieldmesh_gateway_disk_free_bytes", "1100000000x180"),
    ),
    "IngestStopped": (
        ("fieldmesh_hub_ingest_last_progress_timestamp_seconds", "5x180"),
        ("fieldmesh_hub_ingest_last_progress_timestamp_seconds", "0+60x180"),
    ),
    "RelayStopped": (
        ("fieldmesh_hub_relay_last_progress_timestamp_seconds", "5x180"),
        ("fieldmesh_hub_relay_last_progress_timestamp_seconds", "0+60x180"),
    ),
    "Quarantine": (
        ('fieldmesh_hub_ingest_batches_total{decision="quarantined"}', "0x150 1x30"),
        ('fieldmesh_hub_ingest_batches_total{decision="applied"}', "0+9x180"),
    ),
    "DeviceTwice": (
        ("fieldmesh_hub_chain_breaks_total", "0x150 1x30"),
        ("fieldmesh_hub_chain_breaks_total", "7x180"),
    ),
    "RowsDiffered": (
        ("fieldmesh_gateway_device_differences_total", "0x150 1x30"),
        ("fieldmesh_gateway_device_differences_total", "0x20 1x160"),
    ),
    "HubDiskLow": (
        ("fieldmesh_hub_disk_free_bytes", "1900000000x180"),
        ("fieldmesh_hub_disk_free_bytes", "2100000000x180"),
    ),
    "BackupOld": (
        ("fieldmesh_hub_backup_age_seconds", "93700x180"),
        ("fieldmesh_hub_backup_age_seconds", "93500x180"),
    ),
    "AuthorityEnds": (
        ("fieldmesh_hub_authority_ends_timestamp_seconds", f"{399 * DAY}x180"),
        ("fieldmesh_hub_authority_ends_timestamp_seconds", f"{401 * DAY}x180"),
    ),
    "HubCertificateEnds": (
        ("fieldmesh_hub_certificate_ends_timestamp_seconds", f"{29 * DAY}x180"),
        ("fieldmesh_hub_certificate_ends_timestamp_seconds", f"{31 * DAY}x180"),
    ),
    "GatewayCertificateEnds": (
        ("fieldmesh_gateway_certificate_ends_timestamp_seconds", f"{19 * DAY}x180"),
        ("fieldmesh_gateway_certificate_ends_timestamp_seconds", f"{21 * DAY}x180"),
    ),
}
"""Alert → a story in which it must fire after three hours, and one in which it must not."""


def _promtool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    program = needed("promtool", "prometheus")
    return subprocess.run(  # noqa: S603 - our own command
        [program, *words], capture_output=True, text=True, check=False, timeout=MOST_S
    )


def _told(name: str, *, fires: bool) -> dict[str, object]:
    series, values = STORIES[name][0 if fires else 1]
    asked = f'count(ALERTS{{alertname="Fieldmesh{name}", alertstate="firing"}})'
    found = [{"labels": "{}", "value": 1}] if fires else []
    return {
        "interval": "1m",
        "input_series": [{"series": series, "values": values}],
        "promql_expr_test": [{"expr": asked, "eval_time": "3h", "exp_samples": found}],
    }


def test_the_files_that_ship_are_ones_that_prometheus_reads(tmp_path: Path) -> None:
    """With the rules and the authority beside it, as its first lines say."""
    for path in FOLDER.iterdir():
        shutil.copy(path, tmp_path)
    (tmp_path / "authority.pem").write_text("")
    answer = _promtool("check", "config", tmp_path / "prometheus.yml")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert f"{len(STORIES)} rules found" in answer.stdout


@pytest.mark.parametrize("fires", [True, False])
def test_an_alert_fires_on_what_it_names_and_on_nothing_less(
    tmp_path: Path, *, fires: bool
) -> None:
    """One that never fires is a false comfort, one that always does is switched off."""
    names = re.findall(r"- alert: Fieldmesh(\w+)", text("deploy/prometheus/alerts.yml"))
    assert sorted(names) == sorted(STORIES)
    cases = {
        "rule_files": [str(FOLDER / "alerts.yml")],
        "evaluation_interval": "1m",
        "tests": [_told(name, fires=fires) for name in names],
    }
    (tmp_path / "cases.yml").write_text(json.dumps(cases))
    answer = _promtool("test", "rules", tmp_path / "cases.yml")
    assert answer.returncode == 0, answer.stdout + answer.stderr
