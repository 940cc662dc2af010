"""Who may report: keys for observing, or anybody where that is set."""

import httpx2
from starlette.testclient import TestClient

from inference.service import Service
from inference.settings import ServiceSettings
from store.people.key_scopes import KeyScope
from tests.inference.http.conftest import block
from tests.inference.http.observe.observed import (
    PEER,
    Headers,
    add_logger_key,
    count_observations,
    open_service,
    wait_for_rows,
)


def test_only_keys_for_observing_are_taken(settings: ServiceSettings) -> None:
    with open_service(settings) as (client, service):
        report = {"features": {"persons": 1}}
        assert client.post("/v1/observe", json=report).status_code == 401
        parsing = {"X-API-Key": add_logger_key(service, KeyScope.PARSE)}
        wrong = client.post("/v1/observe", json=report, headers=parsing)
        assert wrong.json()["type"] == "urn:maskwatch:problem:wrong_scope"
        assert (
            count_observations(service, "key_required")
            == count_observations(service, "wrong_scope")
            == 1
        )


def test_a_key_is_taken_as_the_password_of_an_address(
    observed: TestClient, service_on_both: Service, key: Headers
) -> None:
    auth = httpx2.BasicAuth("logger", key["X-API-Key"])
    report = {"features": {"persons": 1}}
    assert observed.post("/v1/observe", json=report, auth=auth).status_code == 202
    wrong = httpx2.BasicAuth("logger", "mwk_wrong")
    assert observed.post("/v1/observe", json=report, auth=wrong).status_code == 401
    for text in (b"\xe9", b"", b"====", b"bXdr"):
        broken = {b"Authorization": b"Basic " + text}
        assert observed.post("/v1/observe", json=report, headers=broken).status_code == 401


def test_without_a_key_only_if_that_is_set(settings: ServiceSettings) -> None:
    with open_service(settings, require_observe_key=False) as (client, service):
        response = client.post("/v1/observe", json={"features": {"persons": 1}})
        assert response.status_code == 202
        [row] = wait_for_rows(service)
        assert row.client == f"unknown@ip:{PEER}"
        block(service, f"ip:{PEER}")
        response = client.post("/v1/observe", json={"features": {"persons": 1}})
        assert response.status_code == 403
