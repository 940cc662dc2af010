"""What a reporter hears while the queue is full."""

from threading import Event

import pytest

from inference.settings import ServiceSettings
from inference.upstream.observe.observe_settings import WhenFull
from tests.inference.http.observe.observed import count_observations, open_service, wait_for_rows
from tests.waiting import wait_for


@pytest.mark.parametrize(
    ("when_full", "status", "outcome"),
    [
        (WhenFull.BUSY, 503, "observations_full"),
        (WhenFull.SLOW_DOWN, 429, "observations_full"),
        (WhenFull.DROP, 202, "dropped"),
    ],
)
def test_a_full_queue_is_told_as_it_is_set(
    settings: ServiceSettings, when_full: WhenFull, status: int, outcome: str
) -> None:
    changes = {"observe_queue": 1, "observe_when_full": when_full, "require_observe_key": False}
    with open_service(settings, **changes) as (client, service):
        go_on = Event()
        assert service.observer.accept(1, lambda: wait_for(go_on.is_set))
        response = client.post("/v1/observe", json={"features": {"persons": 1}})
        assert response.status_code == status
        assert count_observations(service, outcome) == 1
        if status != 202:
            assert response.headers["retry-after"] == "2"
        go_on.set()
        wait_for(service.observer.has_room)
        response = client.post("/v1/observe", json={"features": {"persons": 1}})
        assert response.status_code == 202
        assert len(wait_for_rows(service)) == 1
