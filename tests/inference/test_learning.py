"""A fresh service learns a baseline from its own traffic and then uses it."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from detectors.baseline.phases import Phase
from inference.ensemble.sources import LearntSources
from inference.figures import draw_figure
from inference.http.app import build_app
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from inference.upload import Arrival, Upload
from jobs.baselines import learn_baseline, next_step
from jobs.context import JobContext
from jobs.settings import JobSettings
from store.people.api_keys import add_key
from store.requests.records import RequestRecord
from store.requests.request_ids import new_request_id
from tests.inference.check_cases import check_named
from tests.inference.conftest import FEW_LOOKS, Encode
from tests.makers import SECRET

PICTURES = 80


@pytest.fixture
def fresh(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    """It sees pictures small, for it has to see many."""
    monkeypatch.setattr("inference.segmenters.reference.segmenter.WORKING_PIXELS", 64 * 96)
    shutil.copy(sqlite_template, tmp_path / "maskwatch.db")
    settings = ServiceSettings(
        var_dir=tmp_path,
        fingerprint_salt=SECRET,
        learn_traffic=True,
        **FEW_LOOKS,
    )
    built = build_service(settings)
    yield built
    built.close()


def _send(service: Service, data: bytes, client: str, route: str = "api") -> RequestRecord:
    now = datetime.now(UTC)
    arrival = Arrival(new_request_id(now), now, client, route)
    return service.pipeline.handle(arrival, Upload(data)).record


def _picture(encode: Encode, seed: int) -> bytes:
    return encode(draw_figure(seed, (96, 144)).image)


def test_before_anything_is_learnt_nothing_flags_by_content(fresh: Service, encode: Encode) -> None:
    nobody = draw_figure(3, (96, 144)).image[:20, :20]
    record = _send(fresh, encode(nobody), "cli:local", "cli")
    assert [(f.rule.code, f.rule.severity) for f in record.findings] == [("no_person_found", "odd")]
    assert (record.verdict, record.sample_family) == ("pass", None)
    assert record.features is not None
    assert "glance_divergence" not in record.features.collect_values()


def test_a_fresh_service_learns_from_its_traffic_and_uses_it(
    fresh: Service, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(next_step, "MIN_PROVISIONAL", 40)
    monkeypatch.setattr(next_step, "MIN_IN_FORCE", PICTURES)
    digest = fresh.pipeline.segmenter.digest
    faces = check_named(fresh.pipeline.checks, "faces")
    assert faces.max_entropy_of(digest) == fresh.settings.looks.ensemble_max_entropy
    context = JobContext(
        fresh.database, JobSettings(var_dir=fresh.settings.store.var_dir), datetime.now(UTC)
    )
    for seed in range(PICTURES):
        record = _send(fresh, _picture(encode, seed), f"ip:10.{seed % 30}.0.1")
        assert record.sample_family is not None
        assert record.features is not None
        assert record.features["ensemble_passes"] > 2
    learn_baseline.run(context)
    assert isinstance(fresh.sources, LearntSources)
    fresh.sources.refresh()
    state = fresh.pipeline.knowledge.state_of(digest)
    assert (state.phase, state.baseline is not None) == (Phase.IN_FORCE, True)
    assert state.max_entropy is not None
    assert faces.max_entropy_of(digest) == state.max_entropy
    record = _send(fresh, _picture(encode, PICTURES), "ip:10.1.0.1")
    assert record.features is not None
    assert "tamper_score" in record.features.collect_values()


def test_readyz_says_to_key_holders_how_far_the_source_is_learnt(fresh: Service) -> None:
    with fresh.database.write() as session:
        secret = add_key(session, "acme", "ada", datetime.now(UTC))
    fresh.access.refresh()
    with TestClient(build_app(fresh)) as client:
        assert client.get("/readyz").json() == {"status": "ready"}
        told = client.get("/readyz", headers={"X-API-Key": secret}).json()
        wrong = client.get("/readyz", headers={"X-API-Key": "mwk_wrong"}).json()
    assert told == {"status": "ready", "learning": "learning, 0 of 200"}
    assert wrong == {"status": "ready"}
