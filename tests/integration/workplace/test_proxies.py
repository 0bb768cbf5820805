"""Where a request comes from: behind a proxy, what the proxy says, and nobody else."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from fieldmesh.basics.clock import ManualClock
from fieldmesh.basics.errors import Rejected
from fieldmesh.service.metrics import Registry
from hub.config import HubSettings, PaceSettings, WorkplaceSettings
from hub.exchange.sample.generated import Size
from hub.metrics import RequestFigures
from hub.storage import journal
from hub.web.pacing import Paces, network_of
from hub.web.sessions import address_of
from tests.kit.workplace import PASSWORD, site

SMALL = Size(offices=1, reps=1, outlets_a_rep=1, products=1)
HERE, NEAR, SOMEBODY, FORGED = "127.0.0.1", "10.0.0.2", "203.0.113.9", "198.51.100.1"


@dataclass(frozen=True)
class Case:
    """What proxies there are, what headers come, and from where the request is held to come."""

    proxies: list[str]
    told: list[str]
    wanted: str


CASES = (
    Case([], [SOMEBODY], HERE),
    Case([HERE], [SOMEBODY], SOMEBODY),
    Case([HERE], [f"{FORGED}, {SOMEBODY}"], SOMEBODY),
    Case([HERE], [FORGED, SOMEBODY], SOMEBODY),
    Case([HERE, NEAR], [f"{FORGED}, {SOMEBODY}, {NEAR}"], SOMEBODY),
    Case([HERE], [f"{FORGED}, {NEAR}"], NEAR),
    Case([HERE], [f"{FORGED}, rubbish"], HERE),
    Case([HERE], ["2001:db8::9"], "2001:db8::9"),
    Case([HERE], [], HERE),
)


def headers(case: Case) -> CIMultiDict[str]:
    """The headers of a request."""
    return CIMultiDict(("X-Forwarded-For", one) for one in case.told)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_only_who_is_named_as_a_proxy_tells_where_a_request_comes_from(case: Case) -> None:
    """Whoever chooses their own address is never locked out, and locks others out."""
    request = make_mocked_request("GET", "/", headers(case)).clone(remote=HERE)
    assert address_of(request, case.proxies) == case.wanted


NETWORKS = (
    (SOMEBODY, SOMEBODY),
    ("2001:db8::9", "2001:db8::/64"),
    ("2001:db8::ffff:1:2:3", "2001:db8::/64"),
    (f"::ffff:{SOMEBODY}", SOMEBODY),
    ("", "unknown"),
)


@pytest.mark.parametrize(("address", "wanted"), NETWORKS)
def test_all_addresses_that_one_line_brings_are_counted_together(address: str, wanted: str) -> None:
    """Every IPv6 line has more addresses than could ever be counted."""
    assert network_of(address) == wanted


def test_a_pace_at_which_nobody_could_ask_is_refused_at_the_start() -> None:
    """A hub that refuses everybody would be found out by everybody."""
    with pytest.raises(Rejected, match="person_at_once"):
        Paces(PaceSettings(person_at_once=0), ManualClock(), RequestFigures(Registry("hub")))


async def test_the_journal_names_who_stood_before_the_proxy(tmp_path: Path) -> None:
    """An entry that names the proxy names nobody."""
    case = CASES[3]
    settings = HubSettings(workplace=WorkplaceSettings(proxies=case.proxies))
    async with site(tmp_path, SMALL, settings) as company, company.stranger() as rep:
        fields = {"login": "sup01-000", "password": PASSWORD}
        async with rep.browser.post(
            f"{rep.base}/sign-in", data=fields, headers=headers(case), allow_redirects=False
        ) as answer:
            assert answer.status == 303
        async with company.office.database.read() as connection:
            entries = await journal.newest(connection, 5)
    signed_in = next(one.payload for one in entries if one.kind == "signed_in")
    assert json.loads(signed_in)["origin"] == case.wanted
