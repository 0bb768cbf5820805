"""The web services answer as their description says, whatever they are asked: a hub's own process, over HTTPS."""

import asyncio
import copy
import random
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, not_a_server_error
from schemathesis.schemas import APIOperation

from tests.kit.served import BOSS, Program, Served, served

LOW = "sup01-000"
SETTINGS = """
[pace]
person_a_second = 1e6
person_at_once = 1000000
attempts_a_minute = 1.0
attempts_at_once = 4
"""
"""Programs of these tests ask faster than people; strangers wait soon: two tokens, two attempts more."""
KNOWN = 4
"""Records of each list that are asked for."""
SHARE = 4
"""Of so many services `make test` asks one, chosen by its seed; `--thorough` asks all."""
EXAMPLES, MANY_EXAMPLES = 3, 12
LONGEST_ADDRESS = 8_000
_ID = "{id}"


@dataclass
class World:
    """A hub, an administrator's token and a supervisor's session, the description, and what records there are."""

    hub: Served
    boss: dict[str, str]
    low: dict[str, str]
    document: dict[str, Any]
    ids: dict[str, list[str]] = field(default_factory=dict)
    hidden: dict[str, list[str]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A hub that serves; its process outlives the loop that started it."""
    with asyncio.Runner() as runner:
        made = served(tmp_path_factory.mktemp("services"), SETTINGS)
        hub = runner.run(made.__aenter__())
        try:
            yield runner.run(_explored(hub))
        finally:
            runner.run(made.__aexit__(None, None, None))


async def _explored(hub: Served) -> World:
    """Which records there are, and which of them a rep is not shown."""
    boss, rep = await hub.token(BOSS), await hub.session(LOW)
    async with hub.program(boss) as all_seeing, hub.program(rep) as low:
        _, document = await all_seeing.ask("GET", "/api/v1/openapi.json")
        found = World(hub, boss, rep, document)
        _, me = await all_seeing.ask("GET", "/api/v1/me")
        for path in document["paths"]:
            view = _view(path)
            if path != f"/api/v1/{view}/{_ID}":
                continue
            known = await _rows(all_seeing, view)
            seen = {row["id"] for row in await _rows(low, view)}
            mine = [
                row["id"]
                for row in known
                if me["id"] in row.values() or row.get("code") == "administrator"
            ]
            found.ids[view] = [row["id"] for row in known if row["id"] not in mine][:KNOWN]
            found.hidden[view] = [row["id"] for row in known if row["id"] not in seen][:KNOWN]
    return found


async def _rows(program: Program, view: str) -> list[dict[str, Any]]:
    status, page = await program.ask("GET", f"/api/v1/{view}?limit=1000")
    return page["rows"] if status == 200 else []


def _view(path: str) -> str:
    return path.removeprefix("/api/v1/").split("/")[0]


def _with_real_ids(world: World) -> dict[str, Any]:
    """The description, in which an id is that of a record that is there."""
    document = copy.deepcopy(world.document)
    for path, services in document["paths"].items():
        ids = world.ids.get(_view(path))
        if _ID not in path or not ids:
            continue
        given_id = {
            "name": "id",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "enum": ids},
        }
        services["parameters"] = [given_id]
    return document


def test_every_service_answers_as_described(world: World, pytestconfig: pytest.Config) -> None:
    """A program that reads the description would meet answers that it can't, or a fault instead of an answer."""
    thorough = pytestconfig.getoption("--thorough")
    chance = pytestconfig.getoption("randomly_seed", 0)
    schema = schemathesis.openapi.from_dict(_with_real_ids(world))
    schema.config.update(base_url=world.hub.base)
    operations = [one.ok() for one in schema.get_all_operations()]
    chosen = (
        operations
        if thorough
        else random.Random(chance).sample(operations, len(operations) // SHARE)
    )
    answered: Counter[int] = Counter()
    with requests.Session() as line:
        line.trust_env = False
        line.verify = str(world.hub.authority)
        line.headers.update(world.boss)
        for operation in chosen:
            found = _attack(operation, line, chance, MANY_EXAMPLES if thorough else EXAMPLES)
            if _ID not in operation.path or world.ids.get(_view(operation.path)):
                answered += found
        me = line.get(f"{world.hub.base}/api/v1/me")
    assert me.status_code == 200, (
        "the token has lost its rights on the way: what came later was not asked"
    )
    good = sum(count for status, count in answered.items() if status < 300)
    assert good * 4 > answered.total(), answered
    assert answered[404] * 5 < answered.total(), answered


def _attack(
    operation: APIOperation, line: requests.Session, chance: int, examples: int
) -> Counter[int]:
    """The service is asked what its description allows, and what it does not. Returns what the former was answered."""
    _asked(operation, GenerationMode.NEGATIVE, line, chance, examples)
    return _asked(operation, GenerationMode.POSITIVE, line, chance, examples)


def _asked(
    operation: APIOperation,
    mode: GenerationMode,
    line: requests.Session,
    chance: int,
    examples: int,
) -> Counter[int]:
    """How the service has answered so many requests; each answer is as described."""
    names = ["status_code_conformance", "content_type_conformance", "response_schema_conformance"]
    checks = [not_a_server_error, *CHECKS.get_by_names(names)]
    answered: Counter[int] = Counter()

    @seed(chance)
    @settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        answer = case.call(session=line, verify=line.verify)
        if len(answer.request.url or "") > LONGEST_ADDRESS:
            return  # the HTTP library refuses it before the hub hears of it
        answered[answer.status_code] += 1
        case.validate_response(answer, checks=checks)

    ask()
    return answered


def test_another_persons_record_is_told_apart_from_none_by_no_service(world: World) -> None:
    """Who tries ids would learn which customers, people and devices there are. Zero leaks, by every method."""
    asked = asyncio.run(_told_apart(world))
    assert len(asked) > 50, "records were hidden from the rep, and services asked for them"
    assert {
        service: answers for service, answers in asked.items() if answers[0] != answers[1]
    } == {}
    assert {answers[0][0] for answers in asked.values()} <= {400, 403, 404}


async def _told_apart(world: World) -> dict[str, tuple[tuple[int, str], tuple[int, str]]]:
    """Service → its answers about a record that a rep is not shown, and about one that is not there."""
    found = {}
    async with world.hub.program(world.low) as rep:
        for path, services in world.document["paths"].items():
            hidden = world.hidden.get(_view(path))
            if _ID not in path or not hidden:
                continue
            for method in services.keys() - {"parameters"}:
                body = None if method == "get" else _filled(services[method])
                answers = []
                for one in (hidden[0], str(uuid.UUID(int=7))):
                    status, content = await rep.ask(method.upper(), path.replace(_ID, one), body)
                    answers.append((status, str(content).replace(one, "")))
                found[f"{method} {path}"] = (answers[0], answers[1])
    return found


def _filled(service: dict[str, Any]) -> dict[str, Any]:
    """A body that the description allows, every field filled in."""
    content = service["requestBody"]["content"]["application/json"]["schema"]
    return {name: _value(one) for name, one in content["properties"].items()}


def _value(schema: dict[str, Any]) -> object:
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "uuid":
        return str(uuid.UUID(int=8))
    if schema.get("format") == "date":
        return "2030-01-01"
    return {"boolean": False, "integer": 1}.get(kinds[0], schema.get("example", "1"))


def test_strangers_who_try_to_get_in_wait_and_nobody_who_is_in_does(world: World) -> None:
    """Passwords could be tried as fast as the hub can hash; or one of a branch could keep its others out."""
    refused, page, me, figures = asyncio.run(_knocked(world.hub, world.boss))
    assert refused["code"] == "too_many_requests"
    assert refused["retry_after_s"] > 0
    assert "Wait" in page
    assert me == 200
    assert 'fieldmesh_hub_refused_requests_total{node="hub",who="attempt"}' in figures


async def _knocked(hub: Served, boss: dict[str, str]) -> tuple[dict[str, Any], str, int, str]:
    """What a program and a browser are told after too many attempts, and what somebody who is in is."""
    address, fields = f"{hub.base}/sign-in", {"login": "nobody", "password": "x"}
    async with hub.stranger() as stranger, hub.program(boss) as program:
        refused: dict[str, Any] = {}
        for _ in range(10):
            async with stranger.browser.post(address, data=fields) as answer:
                if answer.status == 429:
                    refused = await answer.json(content_type="application/problem+json")
        headers = {"Accept": "text/html"}
        async with stranger.browser.post(address, data=fields, headers=headers) as answer:
            assert (answer.status, answer.headers["Retry-After"].isdigit()) == (429, True)
            page = await answer.text()
        me, _ = await program.ask("GET", "/api/v1/me")
        async with stranger.browser.get(f"{hub.base}/metrics") as answer:
            return refused, page, me, await answer.text()
