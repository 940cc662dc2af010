"""Traffic through the whole pipeline: searches are flagged, streams are not, faults cost little."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import uuid4

import cv2
import numpy as np
import pytest
from sqlalchemy import select

from detectors.parsing import Image
from detectors.probing.fingerprint import Fingerprinter
from detectors.verdict import Verdict
from inference.checks.traffic import trail_features
from inference.results.outcomes import Outcome
from inference.segmenters.reference.training.attacks import square_search
from inference.service import Service
from inference.upload import Arrival, Upload
from store.engine.database import StoreUnavailable
from store.requests.fingerprints import Trail
from store.tables.request_tables import FingerprintRow
from tests.inference.check_cases import LOOKS, with_changed, without

Encode = Callable[..., bytes]
_START = datetime(2026, 3, 2, tzinfo=UTC)
_TRAFFIC = ("client_rate", "fine_duplicates", "coarse_duplicates", "probing_score", "label_delta")


class Street:
    """Sends pictures to a service, one a second, from several clients in turn."""

    def __init__(self, service: Service) -> None:
        # What is flagged would be looked at again: many passes that these tests do not need.
        checks = without(service.pipeline.checks, *LOOKS)
        self._pipeline = replace(service.pipeline, checks=checks)
        self.sent = 0

    def send(self, data: bytes, clients: int = 1) -> Outcome:
        at = _START + timedelta(seconds=self.sent)
        client = f"ip:192.0.2.{self.sent % clients}"
        self.sent += 1
        arrival = Arrival(str(uuid4()), at, client, "api")
        return self._pipeline.handle(arrival, Upload(data))


@pytest.fixture
def street(service: Service, monkeypatch: pytest.MonkeyPatch) -> Street:
    # The network sees half of the pixels: fingerprints are taken of all.
    module = "inference.segmenters.reference.segmenter"
    monkeypatch.setattr(f"{module}.WORKING_PIXELS", 2 * 96 * 144)
    return Street(service)


def _jpegs_of_a_camera(figure: Image, encode: Encode) -> Iterator[bytes]:
    random = np.random.default_rng(0)
    size = (figure.shape[1], figure.shape[0])
    for frame in range(14):
        matrix = np.array([[1, 0, 0.4 * frame], [0, 1, 0.2 * frame]])
        moved = cv2.warpAffine(figure, matrix, size, borderMode=cv2.BORDER_REFLECT)
        noisy = moved + random.normal(0, 2, figure.shape)
        yield encode(np.clip(noisy, 0, 255).astype(np.uint8), "JPEG", quality=85)


@pytest.mark.parametrize("clients", [1, 20])
def test_a_square_search_is_flagged_whoever_asks(
    street: Street, figure: Image, encode: Encode, clients: int
) -> None:
    random = np.random.default_rng(0)
    search = square_search(figure, lambda _: random.random() < 0.3, queries=1000, epsilon=8, seed=1)
    outcomes = [
        street.send(encode(picture, compress_level=1), clients) for picture in islice(search, 16)
    ]
    found = [
        finding
        for outcome in outcomes
        for finding in outcome.record.findings
        if finding.rule.code == "probing_sequence"
    ]
    assert found
    assert found[-1].evidence["clients"] == min(clients, 16)
    assert found[-1].evidence["score"] > 12
    assert outcomes[-1].record.verdict is Verdict.FLAG
    assert outcomes[-1].refusal is None
    traces = {outcome.record.trace.family for outcome in outcomes if outcome.record.trace}
    assert traces == {outcomes[0].record.request_id}


def test_a_video_stream_is_not_flagged(street: Street, figure: Image, encode: Encode) -> None:
    outcomes = [street.send(frame) for frame in _jpegs_of_a_camera(figure, encode)]
    reasons = {reason for outcome in outcomes for reason in outcome.record.reasons}
    assert "probing_sequence" not in reasons
    features = outcomes[-1].record.features
    assert features is not None
    assert features["coarse_duplicates"] > 0


def test_what_came_before_is_measured(street: Street, figure: Image, encode: Encode) -> None:
    street.send(encode(figure))
    features = street.send(encode(figure)).record.features
    assert features is not None
    assert [features[name] for name in _TRAFFIC] == [2, 1, 1, 0, 0]
    assert (features["client_interval"], features["client_refusal_share"]) == (1, 0)


def test_a_fingerprint_is_stored_with_its_record(
    street: Street, service: Service, figure: Image, encode: Encode
) -> None:
    record = street.send(encode(figure)).record
    with service.database.read() as session:
        [row] = session.scalars(select(FingerprintRow))
    assert record.trace is not None
    assert (row.family, row.data) == (record.request_id, record.trace.data)


def test_what_the_gate_refuses_has_none(street: Street, service: Service) -> None:
    assert street.send(b"no picture").record.trace is None


def test_a_fault_costs_only_the_traffic_features(
    street: Street, service: Service, figure: Image, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("The fingerprinter is broken.")

    monkeypatch.setattr(Fingerprinter, "of", broken)
    outcome = street.send(encode(figure))
    assert outcome.refusal is None
    assert outcome.record.trace is None
    assert outcome.record.features is not None
    assert np.isnan(outcome.record.features["client_rate"])
    faults = service.metrics.registry.get_sample_value(
        "maskwatch_faults_total", {"part": "traffic"}
    )
    assert faults == 1


def test_without_a_database_the_fingerprint_waits_with_its_record(
    service: Service, figure: Image, encode: Encode
) -> None:
    class Away:
        def read(self) -> None:
            raise StoreUnavailable("It is away.")

    checks = with_changed(service.pipeline.checks, "traffic", database=Away())
    pipeline = replace(service.pipeline, checks=checks)
    arrival = Arrival(str(uuid4()), _START, "ip:192.0.2.1", "api")
    outcome = pipeline.handle(arrival, Upload(encode(figure)))
    assert outcome.refusal is None
    assert outcome.record.trace is not None
    assert outcome.record.trace.family == arrival.request_id


def test_a_trail_gives_rate_interval_and_share_refused() -> None:
    seconds = (5, 30, 90)
    trail = Trail(tuple(_START - timedelta(seconds=s) for s in seconds), (True, False, False))
    assert trail_features(trail, _START) == {
        "client_rate": 3,
        "client_interval": 5,
        "client_refusal_share": 1 / 3,
    }
    assert trail_features(Trail(), _START) == {"client_rate": 1}
