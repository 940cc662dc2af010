"""``GET /v1/decisions`` and its stream, as bouncers of CrowdSec read them."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from inference.http.app import build_app
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from store.decisions.decisions import NewDecision, add_decision, revoke
from store.decisions.scopes import Kind, Scope
from store.people.api_keys import add_key
from store.people.key_scopes import KeyScope
from tests.waiting import wait_for

NETWORK, ADDRESS = "203.0.113.0/29", "ip:198.51.100.7"


class Bouncer:
    """A bouncer with a key of its own, as go-cs-bouncer asks."""

    def __init__(self, http: TestClient, service: Service, name: str) -> None:
        with service.database.write() as session:
            self.key = add_key(session, name, "ada", datetime.now(UTC), {KeyScope.DECISIONS})
        wait_for(lambda: service.access.current.find_key(self.key) is not None)
        self._http = http

    def get(self, path: str = "/v1/decisions", **query: str) -> Any:
        answer = self._http.get(path, params=query, headers={"X-Api-Key": self.key})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def pull(self, **query: str) -> tuple[set[str], set[str], str]:
        answer = self.get("/v1/decisions/stream", **query)
        new, deleted = ({each["value"] for each in answer[name]} for name in ("new", "deleted"))
        return new, deleted, answer["cursor"]


@pytest.fixture
def service(settings: ServiceSettings) -> Iterator[Service]:
    quick = settings.model_copy(update={"access_refresh_seconds": 0.05})
    with closing(build_service(quick)) as built:
        yield built


@pytest.fixture
def http(service: Service) -> Iterator[TestClient]:
    with TestClient(build_app(service)) as client:
        yield client


@pytest.fixture
def bouncer(http: TestClient, service: Service) -> Bouncer:
    return Bouncer(http, service, "nginx")


def decide(
    service: Service,
    value: str,
    kind: Kind = Kind.BLOCK,
    *,
    simulated: bool = False,
    origin: str = "analyst",
    hours: int = 1,
) -> int:
    now = datetime.now(UTC)
    scope = Scope.CLIENT if value.startswith(("ip:", "key:")) else Scope.NETWORK
    until = now + timedelta(hours=hours)
    new = NewDecision(
        kind, scope, value, "crafted_pictures", origin, "A test.", "ada", until, simulated
    )
    with service.database.write() as session:
        return add_decision(session, new, now).id


def end(service: Service, decision: int) -> None:
    with service.database.write() as session:
        revoke(session, decision, "ada", "A mistake.", datetime.now(UTC))


def test_bans_have_the_form_of_crowdsec(bouncer: Bouncer, service: Service) -> None:
    assert bouncer.get() is None
    decision = decide(service, ADDRESS)
    decide(service, "key:acme")
    decide(service, "192.0.2.0/24", simulated=True)
    [ban] = bouncer.get()
    assert ban.pop("duration").startswith("59m")
    assert ban == {
        "id": decision,
        "origin": "analyst",
        "type": "ban",
        "scope": "Ip",
        "value": "198.51.100.7",
        "scenario": "crafted_pictures",
        "simulated": False,
    }


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ({"ip": "203.0.113.3"}, {NETWORK}),
        ({"ip": "198.51.100.7"}, {"198.51.100.7"}),
        ({"ip": "::ffff:203.0.113.3"}, {NETWORK}),
        ({"value": "::ffff:c633:6407"}, {"198.51.100.7"}),
        ({"ip": "192.0.2.1"}, None),
        ({"range": "203.0.113.0/30"}, {NETWORK}),
        ({"scopes": "ip"}, {"198.51.100.7"}),
        ({"scope": "Range"}, {NETWORK}),
        ({"type": "captcha"}, None),
        ({"scopes": "country"}, None),
        ({"origins": "policy"}, None),
        ({"origins": "policy,Analyst"}, {NETWORK, "198.51.100.7"}),
        ({"scenarios_containing": "flood,crafted"}, {NETWORK, "198.51.100.7"}),
        ({"scenarios_containing": "flood"}, None),
        ({"scenarios_not_containing": "crafted"}, None),
        ({"origins": "", "scenarios_not_containing": ""}, {NETWORK, "198.51.100.7"}),
    ],
)
def test_a_bouncer_asks_about_an_address(
    bouncer: Bouncer, service: Service, query: dict[str, str], values: set[str] | None
) -> None:
    decide(service, NETWORK)
    decide(service, ADDRESS)
    answer = bouncer.get(**query)
    assert (answer and {ban["value"] for ban in answer}) == values


def test_a_longer_ban_that_a_bouncer_does_not_heed_hides_none_that_it_does(
    bouncer: Bouncer, service: Service
) -> None:
    decide(service, ADDRESS)
    decide(service, ADDRESS, origin="policy", hours=2)
    [ban] = bouncer.get(origins="analyst")
    assert ban["origin"] == "analyst"
    assert bouncer.pull(startup="true", origins="analyst")[0] == {"198.51.100.7"}


def test_a_ban_is_lifted_though_one_that_the_bouncer_does_not_heed_still_holds(
    bouncer: Bouncer, service: Service
) -> None:
    first = decide(service, ADDRESS)
    decide(service, ADDRESS, origin="policy", hours=2)
    assert bouncer.pull(startup="true", origins="analyst")[0] == {"198.51.100.7"}
    end(service, first)
    assert bouncer.pull(origins="analyst")[:2] == (set(), {"198.51.100.7"})


def test_a_stream_tells_what_came_and_went(bouncer: Bouncer, service: Service) -> None:
    first = decide(service, ADDRESS)
    assert bouncer.pull(startup="true")[:2] == ({"198.51.100.7"}, set())
    assert bouncer.pull(startup="false")[:2] == (set(), set())
    decide(service, NETWORK)
    assert bouncer.pull(startup="false")[:2] == ({NETWORK}, set())
    end(service, first)
    assert bouncer.pull(startup="false")[:2] == (set(), {"198.51.100.7"})


def test_a_ban_that_another_decision_still_holds_is_not_lifted(
    bouncer: Bouncer, service: Service
) -> None:
    first, _ = decide(service, ADDRESS), decide(service, ADDRESS)
    bouncer.pull(startup="true")
    end(service, first)
    assert bouncer.pull()[1] == set()


def test_an_allow_within_a_network_leaves_the_rest_of_it(
    bouncer: Bouncer, service: Service
) -> None:
    decide(service, NETWORK)
    bouncer.pull(startup="true")
    allow = decide(service, "ip:203.0.113.3", Kind.ALLOW)
    parts = {"203.0.113.0/31", "203.0.113.2", "203.0.113.4/30"}
    assert bouncer.pull()[:2] == (parts, {NETWORK})
    end(service, allow)
    new, deleted, _ = bouncer.pull()
    assert new == {NETWORK}
    assert deleted >= parts


def test_a_stream_goes_on_from_a_cursor_or_a_time(bouncer: Bouncer, service: Service) -> None:
    _, _, cursor = bouncer.pull(startup="true")
    decide(service, ADDRESS)
    for _ in range(2):
        assert bouncer.pull(since=cursor)[0] == {"198.51.100.7"}
    ago = datetime.now(UTC) - timedelta(minutes=5)
    assert bouncer.pull(since=ago.isoformat())[0] == {"198.51.100.7"}


def test_a_cursor_that_the_database_does_not_know_yet_is_told_all(
    bouncer: Bouncer, service: Service
) -> None:
    """As after a restore of an older backup."""
    decide(service, ADDRESS)
    _, _, cursor = bouncer.pull(startup="true")
    version, second = map(int, cursor.split("-"))
    new, deleted, after = bouncer.pull(since=f"{version + 1}-{second}")
    assert (new, deleted) == ({"198.51.100.7"}, set())
    assert bouncer.pull(since=after)[0] == set()


def test_each_bouncer_reads_for_itself(
    bouncer: Bouncer, http: TestClient, service: Service
) -> None:
    other = Bouncer(http, service, "firewall")
    bouncer.pull(startup="true")
    decide(service, ADDRESS)
    assert bouncer.pull()[0] == {"198.51.100.7"}
    # One that never asked here is told all.
    assert other.pull()[0] == {"198.51.100.7"}


def test_only_a_key_for_decisions_reads_them(http: TestClient, service: Service) -> None:
    with service.database.write() as session:
        key = add_key(session, "parser", "ada", datetime.now(UTC))
    wait_for(lambda: service.access.current.find_key(key) is not None)
    for path in ("/v1/decisions", "/v1/decisions/stream?startup=true"):
        assert http.get(path).status_code == 401
        assert http.get(path, headers={"X-Api-Key": key}).status_code == 403
        assert http.head(path, headers={"X-Api-Key": "mwk_guess"}).status_code == 401


@pytest.mark.parametrize("query", [{"ip": "moon"}, {"range": "1.2.3.0/99"}])
def test_a_parameter_that_cannot_be_read_is_named(
    bouncer: Bouncer, http: TestClient, query: dict[str, str]
) -> None:
    headers = {"X-Api-Key": bouncer.key}
    answer = http.get("/v1/decisions", params=query, headers=headers)
    assert answer.status_code == 400
    assert f"The parameter {next(iter(query))}" in answer.json()["detail"]
    answer = http.get("/v1/decisions/stream?since=noon", headers=headers)
    assert answer.status_code == 400
    assert http.head("/v1/decisions", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "since",
    [
        "noon",
        "1-999999999999",
        "\u00b2-5",
        f"{'9' * 30}-5",
        f"1-{'9' * 5_000}",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_a_since_that_no_clock_shows_is_refused(
    http: TestClient, bouncer: Bouncer, since: str
) -> None:
    headers = {"X-Api-Key": bouncer.key}
    answer = http.get("/v1/decisions/stream", params={"since": since}, headers=headers)
    assert answer.status_code == 400
    assert "The parameter since" in answer.json()["detail"]


def test_a_since_of_before_there_were_clocks_is_told_all(
    bouncer: Bouncer, service: Service
) -> None:
    decide(service, ADDRESS)
    for since in ("0001-01-01T00:00:00Z", "0-0"):
        assert bouncer.pull(since=since)[0] == {"198.51.100.7"}
