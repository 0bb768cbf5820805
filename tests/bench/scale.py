"""scale.*: people at work in a company of national size, through the hub's own process over HTTPS.

A region's manager and an administrator search, page, open records and the day's board; then 250 outlets go from one
rep to another and back. What the preview says, and what is derived from the move, is worked out a second time here.
"""

import random
import re
import ssl
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp

from fieldmesh.basics.identifiers import to_text
from fieldmesh.service.tls import certificate_pem
from hub.fleet.office import Office
from hub.fleet.subscriptions import today
from tests.bench.company import PASSWORD, Measured
from tests.bench.figures import Figures, percentile
from tests.bench.national import ADMINISTRATOR, MANAGER, NATIONAL, QUICK_NATIONAL, national
from tests.kit.workplace import Person

MOVED, PEOPLE_OF_REGION = 250, 4
ROUNDS = 12
"""Times that each address is asked, with other words each time, after once that is not counted."""
SEARCHES = (
    ("word", "/outlets?q={shop}"),
    ("words", "/outlets?q={shop}+{number}+{street}"),
    ("beginning", "/outlets?q={letter}"),
    ("nothing", "/outlets?q=zanzibar"),
    ("code", "/outlets?q={code}"),
    ("filter", "/outlets?q={shop}&channel=modern&class=A"),
    ("parties", "/legal-parties?q=owner+{code}"),
    ("service", "/api/v1/outlets?q={shop}+{number}"),
)
PAGES = (
    ("list", "/outlets"),
    ("filtered", "/outlets?channel=horeca&class=B"),
    ("deep", "/outlets?after={after}"),
    ("positions", "/positions"),
    ("position", "/positions/{position}"),
    ("outlet", "/outlets/{outlet}"),
    ("today", "/today"),
    ("plans", "/visit-plans"),
)
_SHOPS = ("kiosk", "market", "grocery", "minimart", "corner")
_STREETS = ("station", "mill", "high", "park")
_LOSES = re.compile(r"<li>(\w+) [^<]*: (\d+)</li>")
_TRAVELS = re.compile(r"(\d+) outlets and legal parties change")
Rows = list[tuple[bytes, ...]]


@dataclass(slots=True)
class _World:
    """The company, and who works in it."""

    office: Office
    people: Mapping[str, Person]
    figures: Figures

    async def rows(self, text: str, values: Sequence[object] = ()) -> Rows:
        """What a query finds in the hub's database."""
        async with self.office.database.read() as connection:
            result = await connection.exec_driver_sql(text, tuple(values))
            return [tuple(row) for row in result.fetchall()]


async def measure_scale(measured: Measured, figures: Figures) -> None:
    """Search, lists, records and moves among 800,000 outlets."""
    size = QUICK_NATIONAL if measured.quick else NATIONAL
    async with national(size) as (network, office), AsyncExitStack() as stack:
        base = f"https://localhost:{network.hub.https_port}"
        people = {
            login: await stack.enter_async_context(_signed_in(office, base, login))
            for login in (MANAGER, ADMINISTRATOR)
        }
        world = _World(office, people, figures)
        for key, addresses in (("search", SEARCHES), ("page", PAGES)):
            await _measure_reading(world, key, addresses)
        await _measure_moves(world, measured.repeat)


@asynccontextmanager
async def _signed_in(office: Office, base: str, login: str) -> AsyncIterator[Person]:
    authority = certificate_pem(office.trust.authority.certificate).decode("ascii")
    trust = ssl.create_default_context(cadata=authority)
    timeout = aiohttp.ClientTimeout(total=600)
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as browser:
        person = Person(browser, base)
        await person.get("/sign-in")
        status, text = await person.post("/sign-in", {"login": login, "password": PASSWORD})
        assert status == HTTPStatus.OK, text
        await person.get("/move-outlets")
        yield person


async def _measure_reading(world: _World, key: str, addresses: Sequence[tuple[str, str]]) -> None:
    """One after the other, as one person waits; the worst of both people's 95th percentile is the figure."""
    every: dict[str, list[float]] = defaultdict(list)
    for login, person in world.people.items():
        choose = random.Random(login)
        known = await _known(person)
        for kind, address in addresses:
            for turn in range(ROUNDS + 1):
                path = address.format(
                    shop=choose.choice(_SHOPS), street=choose.choice(_STREETS),
                    number=choose.randint(1, 139), letter=choose.choice("kmgso"), **{
                        name: choose.choice(values) for name, values in known.items()
                    },
                )  # fmt: skip
                began = time.perf_counter()
                status, text = await person.get(path)
                taken = time.perf_counter() - began
                assert status == HTTPStatus.OK, f"{path}: {status} {text[-300:]}"
                if turn:
                    every[login].append(taken)
                    every[kind].append(taken)
    for kind, _ in addresses:
        world.figures.put(f"scale.{key}_{kind}_p95", percentile(every[kind], 0.95))
    both = [percentile(every[login], 0.95) for login in world.people]
    world.figures.put(f"scale.{key}_p95", max(both))


async def _known(person: Person) -> dict[str, list[str]]:
    """Codes, ids and cursors that the person comes across."""
    after, pages, rows = "", [], []
    for _ in range(4):
        _, page = await person.json(f"/api/v1/outlets?limit=1000&after={after}")
        rows += page["rows"]
        if page["after"] is None:
            break
        after = page["after"]
        pages.append(after)
    _, posts = await person.json("/api/v1/positions?limit=200")
    return {
        "code": [row["code"] for row in rows],
        "outlet": [row["id"] for row in rows],
        "after": pages or [""],
        "position": [row["id"] for row in posts["rows"]],
    }


async def _measure_moves(world: _World, repeat: int) -> None:
    """250 outlets go between two reps of a region, there and back; then all of a rep's, chains included."""
    person = world.people[MANAGER]
    reps = await _reps(world)
    source, target, *others = sorted(reps, key=lambda one: -len(reps[one]))
    while len(reps[source]) < MOVED + 50:
        giver = others.pop()
        await _move(person, await _movable(world, giver, 130), source)
        reps = await _reps(world)
    outlets = await _movable(world, source, MOVED)
    assert len(outlets) == MOVED
    previews, moves = [], []
    for _ in range(max(2, repeat)):
        previews.append(await _preview(world, person, outlets, source, target))
        moves.append(await _move(person, outlets, target))
        await _check_derived(world, outlets, target)
        source, target = target, source
    world.figures.put_samples("scale.preview_seconds", previews)
    world.figures.put_samples("scale.move_seconds", moves)
    everything = (await _reps(world))[others[0]]
    whole = [await _move(person, everything, source)]
    await _check_derived(world, everything, source)
    whole.append(await _move(person, everything, others[0]))
    world.figures.put_samples("scale.whole_rep_move_seconds", whole)


async def _reps(world: _World) -> dict[bytes, list[bytes]]:
    """Rep of the first region → outlets that they serve today."""
    day = today(world.office.clock)
    found = await world.rows(
        "SELECT p.id, a.outlet_id FROM position AS p JOIN position AS s ON s.id = p.parent_position_id"
        " JOIN position AS r ON r.id = s.parent_position_id"
        " JOIN outlet_assignment AS a ON a.position_id = p.id AND a.deleted = 0 AND a.valid_from <= ?"
        " AND (a.valid_to IS NULL OR a.valid_to >= ?) WHERE r.code = ? ORDER BY a.outlet_id",
        (day, day, MANAGER.upper()),
    )
    reps: dict[bytes, list[bytes]] = defaultdict(list)
    for rep, outlet in found:
        reps[rep].append(outlet)
    return dict(sorted(reps.items())[: PEOPLE_OF_REGION * 2])


async def _movable(world: _World, rep: bytes, most: int) -> list[bytes]:
    """Outlets of the rep; of each chain one stays."""
    held = (await _reps(world))[rep]
    party = dict(await world.rows("SELECT id, legal_party_id FROM outlet WHERE id IN"
                                  f" ({','.join('?' * len(held))})", held))  # fmt: skip
    shared = {row[0] for row in await world.rows(
        "SELECT id FROM legal_party WHERE code LIKE 'LP-chain-%'")}  # fmt: skip
    kept: set[bytes] = set()
    free = []
    for one in held:
        if party[one] in shared and party[one] not in kept:
            kept.add(party[one])
        else:
            free.append(one)
    return free[:most]


async def _preview(
    world: _World, person: Person, outlets: Sequence[bytes], source: bytes, target: bytes
) -> float:
    """Seconds until the preview is shown; it says what is counted here."""
    began = time.perf_counter()
    status, page = await _sent(person, outlets, target)
    taken = time.perf_counter() - began
    assert status == HTTPStatus.OK, page[-300:]
    codes = dict(await world.rows("SELECT id, code FROM position"))
    held = await _serving(world, outlets)
    loses = Counter(codes[one] for posts in held.values() for one in posts if one != target)
    assert set(loses) == {codes[source]}
    assert dict(loses) == {code: int(count) for code, count in _LOSES.findall(page)}
    parties = await world.rows(
        f"SELECT DISTINCT legal_party_id FROM outlet WHERE id IN ({','.join('?' * len(outlets))})"
        " AND legal_party_id NOT IN (SELECT id FROM legal_party WHERE code LIKE 'LP-chain-%')",
        outlets,
    )
    travels = _TRAVELS.search(page)
    assert travels is not None
    assert int(travels[1]) == len(outlets) + len(parties)
    return taken


async def _move(person: Person, outlets: Sequence[bytes], target: bytes) -> float:
    """Seconds until the move is committed."""
    began = time.perf_counter()
    status, page = await _sent(person, outlets, target, confirmed=True)
    assert status == HTTPStatus.SEE_OTHER, page[-300:]
    return time.perf_counter() - began


async def _sent(
    person: Person, outlets: Sequence[bytes], target: bytes, *, confirmed: bool = False
) -> tuple[int, str]:
    fields = [("csrf", person.csrf), ("to", to_text(target)), ("confirmed", str(int(confirmed)))]
    fields += [("outlet", to_text(one)) for one in outlets]
    headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
    async with person.browser.post(
        f"{person.base}/move-outlets", data=fields, headers=headers, allow_redirects=False
    ) as answer:
        return answer.status, await answer.text()


async def _serving(world: _World, outlets: Sequence[bytes]) -> dict[bytes, set[bytes]]:
    """Outlet → positions that serve it today."""
    day = today(world.office.clock)
    found: dict[bytes, set[bytes]] = {one: set() for one in outlets}
    for outlet, position in await world.rows(
        "SELECT outlet_id, position_id FROM outlet_assignment WHERE deleted = 0 AND valid_from <= ?"
        " AND (valid_to IS NULL OR valid_to >= ?)"
        f" AND outlet_id IN ({','.join('?' * len(outlets))})",
        (day, day, *outlets),
    ):
        found[outlet].add(position)
    return found


async def _check_derived(world: _World, outlets: Sequence[bytes], target: bytes) -> None:
    """Every outlet stands in the patch of who serves it, and everybody above sees exactly what those below do."""
    assert set(map(frozenset, (await _serving(world, outlets)).values())) == {frozenset([target])}
    marks = ",".join("?" * len(outlets))
    patches = await world.rows(
        "SELECT DISTINCT p.position_id, p.patch_id FROM outlet AS o JOIN fm_patch_position AS p"
        f" ON p.patch_id = o.patch_id WHERE o.id IN ({marks})",
        outlets,
    )
    assert [row[0] for row in patches] == [target]
    wrong = await world.rows(
        "WITH RECURSIVE below (top, id) AS (SELECT id, id FROM position WHERE deleted = 0 UNION ALL"
        " SELECT b.top, p.id FROM below AS b JOIN position AS p ON p.parent_position_id = b.id AND p.deleted = 0),"
        " used (patch_id) AS (SELECT patch_id FROM outlet WHERE patch_id IS NOT NULL"
        " UNION SELECT patch_id FROM legal_party WHERE patch_id IS NOT NULL),"
        " wanted (post, patch) AS (SELECT DISTINCT b.top, m.patch_id FROM below AS b"
        " JOIN fm_patch_position AS m ON m.position_id = b.id WHERE m.patch_id IN (SELECT patch_id FROM used)),"
        " held (post, patch) AS (SELECT position_id, target_key FROM subscription WHERE deleted = 0"
        " AND target_kind = 'patch')"
        " SELECT 'hidden', post FROM (SELECT * FROM wanted EXCEPT SELECT * FROM held) UNION ALL"
        " SELECT 'leaked', post FROM (SELECT * FROM held EXCEPT SELECT b.top, m.patch_id FROM below AS b"
        " JOIN fm_patch_position AS m ON m.position_id = b.id)"
    )
    assert wrong == []
