"""The pages that come from code: problems, settings, metrics, commands, tables, layers, sessions.

tools/docs.py            write them
tools/docs.py --check    say which are stale, change nothing
"""

import argparse
import ast
import sys
import tomllib
from pathlib import Path

import device_agent.cli.arguments
import gateway.cli.arguments
import hub.cli.program
from device_agent.config import DeviceSettings
from fieldmesh.basics.problems import PROBLEMS, Problem
from fieldmesh.data.model import ReplicatedColumn, ReplicatedTable, Tier
from fieldmesh.data.policy import HUB_WRITES, Audience, Conflict
from fieldmesh.data.schema import SCHEMA_VERSION, TABLES
from fieldmesh.data.wire_types import WireType
from fieldmesh.service.config import describe
from fieldmesh.session.transitions import (
    AFTER_WELCOME,
    DOWNLOADING_MODES,
    MOST_TIMES,
    REPAIRING_MODES,
    Mode,
    as_diagram,
)
from gateway.config import GatewayConfig
from hub.config import HubSettings

ROOT = Path(__file__).resolve().parent.parent
OPERATIONS = "docs/operations"
NOTE = "<!-- Written by `make docs`; change the code instead. -->\n\n"
FIGURES = {"counter", "gauge", "histogram"}
LEAST_ARGUMENTS = 2
_CONFLICTS = {
    Conflict.INSERT_ONLY: "A row that is there is never changed.",
    Conflict.HUB_WINS: "Head office's word stands.",
    Conflict.MERGE_COLUMNS: "Writes are merged by column: of each the latest stands.",
    Conflict.MOVEMENTS: "Movements are added up.",
}
SETTINGS = (
    ("Device", "device.toml", "FIELDMESH_DEVICE_", DeviceSettings),
    ("Gateway", "gateway.toml", "FIELDMESH_GATEWAY_", GatewayConfig),
    ("Hub", "hub.toml", "FIELDMESH_HUB_", HubSettings),
)


def problems_page() -> str:
    """Every problem: what it says, what to do, how loud it is."""
    lines = [
        "# Problems\n\n",
        NOTE,
        "Every refusal, failure and wait has a code. Programs and logs show the code, people see"
        " the words; `--json` shows both. A problem that may be *sent again* heals by itself: the"
        " same bytes go through later.\n\n",
    ]
    for code in sorted(PROBLEMS):
        lines += _problem(PROBLEMS[code])
    return "".join(lines)


def _problem(problem: Problem) -> list[str]:
    again = "yes" if problem.retry_same_bytes else "no"
    return [
        f"## {problem.code}\n\n",
        f"{problem.title}\n\n",
        f"**What to do.** {problem.remedy}\n\n",
        f"Severity {problem.severity} · gRPC {problem.grpc_status} · HTTP {problem.http_status}"
        f" · sent again: {again}\n\n",
    ]


def settings_page() -> str:
    """Every setting of every tier."""
    lines = [
        "# Settings\n\n",
        NOTE,
        "Each node reads its file, then the environment, then its flags; later ones win. In the"
        " environment a setting is the prefix and its key in capitals, with two underscores for"
        " the dot. Secrets (`database.url`, `directory.password`, `openid.secret`, `mail.password`)"
        " are taken from the file only; in the environment they are an error."
        ' Durations and sizes may carry units: `"30s"`, `"5m"`, `"64MiB"`. An unknown key'
        " is an error. `config show` prints every value and where it comes from.\n\n",
    ]
    for tier, file, prefix, kind in SETTINGS:
        lines.append(f"## {tier}\n\nFile `{file}`, environment `{prefix}…`.\n\n")
        lines.append("| setting | what it does | kind | default |\n|---|---|---|---|\n")
        for setting in describe(kind):
            default = f"`{setting.default}`" if setting.default else "empty"
            text = setting.help.replace("|", "\\|")
            lines.append(f"| `{setting.key}` | {text} | {setting.kind} | {default} |\n")
        lines.append("\n")
    return "".join(lines)


def metrics_page() -> str:
    """Every figure of every tier, with the question that it answers."""
    lines = [
        "# Figures\n\n",
        NOTE,
        "Prometheus reads them at `/metrics` of each gateway and of the hub; a device has none."
        " Each carries the label `node` besides those named here. No figure carries a device or a"
        " person. A gateway tells them only on its own machine until `metrics_host` names an"
        " internal address in `gateway.toml`. The hub tells them on its HTTPS port, under its own"
        " authority. `deploy/prometheus/prometheus.yml` shows how both are read.\n\n",
    ]
    for tier in ("gateway", "hub"):
        lines.append(f"## {tier.capitalize()}\n\n| figure | question | kind | labels |\n")
        lines.append("|---|---|---|---|\n")
        for name, kind, question, labels in sorted(_declared(ROOT / tier / "metrics.py")):
            shown = ", ".join(f"`{label}`" for label in labels)
            lines.append(f"| `{name}` | {question} | {kind} | {shown} |\n")
        lines.append("\n")
    return "".join(lines)


def _declared(path: Path) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """What a metrics.py declares, read from its text: nothing has to run for it."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        texts = [part.value for part in node.args if isinstance(part, ast.Constant)]
        if node.func.attr in FIGURES and len(texts) >= LEAST_ARGUMENTS:
            name, question, *labels = (str(text) for text in texts)
            found.append((name, node.func.attr, question, tuple(labels)))
    return found


def commands_page() -> str:
    """Every command of the three programs, as its help says it."""
    parsers = (
        device_agent.cli.arguments.parser(),
        gateway.cli.arguments.parser(),
        hub.cli.program.parser(),
    )
    lines = [
        "# Commands\n\n",
        NOTE,
        "Every command takes `--json` and then prints one JSON object. Exit codes: 0 done,"
        " 1 refused, 2 wrong use, 75 try again.\n\n",
    ]
    for parser in parsers:
        lines += _command(parser, 2)
    return "".join(lines)


def _command(parser: argparse.ArgumentParser, depth: int) -> list[str]:
    parser.formatter_class = _wide
    lines = [f"{'#' * min(depth, 4)} {parser.prog}\n\n```text\n{parser.format_help()}```\n\n"]
    for action in parser._actions:  # noqa: SLF001 - argparse offers no list of its sub-commands
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - the same
            for found in dict.fromkeys(action.choices.values()):
                lines += _command(found, depth + 1)
    return lines


def _wide(prog: str) -> argparse.HelpFormatter:
    """The same width on every terminal, so that the page does not depend on who writes it."""
    return argparse.HelpFormatter(prog, width=100)


def layers_page() -> str:
    """Who may import whom, as `make check` enforces it."""
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    lines = [
        "# Layers\n\n",
        NOTE,
        "Who may import whom; `make check` enforces it. In a chain each part may import what stands"
        " to its right; parts between bars do not know each other: they hand work over through"
        " storage.\n\n",
    ]
    for contract in contracts:
        lines.append(f"- **{contract['name']}**")
        if "layers" in contract:
            lines.append(": " + " → ".join(f"`{layer}`" for layer in contract["layers"]))
        elif "forbidden_modules" in contract:
            lines.append(f": {_names(contract['source_modules'])} never import ")
            lines.append(_names(contract["forbidden_modules"]))
        elif "protected_modules" in contract:
            lines.append(f": {_names(contract['protected_modules'])} only from ")
            lines.append(_names(contract["allowed_importers"]))
        lines.append("\n")
    return "".join(lines)


def _names(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def session_page() -> str:
    """Who may say what when, drawn from the table that both sides check."""
    most = ", ".join(f"`{name}` {times:,}" for name, times in MOST_TIMES.items())
    welcome = ", ".join(f"`{name}`" for name in sorted(AFTER_WELCOME))
    return (
        "# States of a session\n\n"
        f"{NOTE}"
        "One sync session, as device and gateway both check it. What has no arrow may not be said"
        " there. [The protocol](../protocol.md) tells what the messages mean.\n\n"
        f"```mermaid\n{as_diagram()}\n```\n\n"
        f"- At most in one session: {most}.\n"
        f"- Not before `welcome`: {welcome}.\n"
        f"- `download_start` only in {_modes(DOWNLOADING_MODES)}; `repair` only in"
        f" {_modes(REPAIRING_MODES)}.\n"
    )


def _modes(modes: frozenset[Mode]) -> str:
    return ", ".join(sorted(modes))


def tables_page() -> str:
    """Every table that devices have, with its columns as they travel: what a client of ours must know."""
    lines = [
        "# Tables of a device\n\n",
        NOTE,
        "What a device holds, and what it may send. Each table also begins with the six columns"
        " that [the protocol](protocol.md) names. `decimal 15,2` travels as an integer, the value"
        " × 10²; a text's number is the most characters that it has; `null` may be missing. A"
        " column that is left out of an INSERT has its default: the one that is named, else null if"
        " it may be missing, else 0 or the empty text; an identifier that may not be missing has"
        f" to come.\n\nThis is schema version {SCHEMA_VERSION}.\n\n",
    ]
    tables = (table for table in TABLES.values() if table.is_at(Tier.DEVICE))
    for table in sorted(tables, key=lambda one: one.name):
        lines += _table(table)
    return "".join(lines)


def _table(table: ReplicatedTable) -> list[str]:
    policy = table.policy
    writers = sorted(role.value for role in policy.writers - HUB_WRITES)
    written = f"Devices of: {', '.join(writers)}." if writers else "Written by head office only."
    if policy.audience is not Audience.DEVICE:
        written += " Goes up only: rows of it leave the device when the hub has answered them."
    lines = [
        f"## {table.name}\n\n",
        f"{written} {_CONFLICTS[policy.conflict]}\n\n",
        "| column | kind | |\n|---|---|---|\n",
    ]
    for column in table.columns:
        notes = [f"id of `{column.references}`"] if column.references else []
        notes += ["null"] if column.nullable else []
        notes += [f"default {column.default!r}"] if column.default not in {None, "", 0} else []
        notes += ["head office only"] if column.name in policy.hub_columns and writers else []
        lines.append(f"| `{column.name}` | {_kind(column)} | {', '.join(notes)} |\n")
    return [*lines, "\n"]


def _kind(column: ReplicatedColumn) -> str:
    match column.wire_type:
        case WireType.DECIMAL:
            return f"decimal {column.kind.precision},{column.scale}"
        case WireType.TEXT:
            return f"text {column.kind.precision}"
        case WireType.BINARY:
            return f"binary {column.kind.precision}"
        case other:
            return other.name.lower()


def pages() -> dict[str, str]:
    """Every generated page by its path."""
    return {
        f"{OPERATIONS}/problems/README.md": problems_page(),
        f"{OPERATIONS}/settings.md": settings_page(),
        f"{OPERATIONS}/metrics.md": metrics_page(),
        f"{OPERATIONS}/commands.md": commands_page(),
        "docs/tables.md": tables_page(),
        "docs/architecture/layers.md": layers_page(),
        "docs/architecture/session-states.md": session_page(),
    }


def main() -> int:
    """0 if every page is up to date."""
    checking = "--check" in sys.argv[1:]
    stale = []
    for name, text in pages().items():
        path = ROOT / name
        if checking:
            if not path.exists() or path.read_text("utf-8") != text:
                stale.append(name)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            print(f"docs: {name}")
    if stale:
        print(f"stale: {', '.join(stale)}; run make docs")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
