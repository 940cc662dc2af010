"""The request path with one part broken at a time: what is refused, what passes, what is kept."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from math import isnan
from pathlib import Path
from random import SystemRandom
from uuid import uuid4

import numpy as np
import pytest

from detectors.parsing import Image, Parsing
from detectors.registry import FEATURES, Group
from detectors.verdict import Mode, Verdict
from inference.checks.base import Check
from inference.ensemble.policy import EnsembleMode, EnsemblePolicy
from inference.machine.stopwatch import Stopwatch
from inference.metrics import Metrics
from inference.pipeline import Pipeline
from inference.recording.picture_keeper import PictureKeeper
from inference.refusals import BLOCKED, FAULT, FINDING_ENFORCED
from inference.results.outcomes import MEASUREMENT_FAILED, Outcome
from inference.segmenters.reference.segmenter import ReferenceSegmenter
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from inference.upload import Arrival, Upload
from store.pages.request_detail import RequestDetail, request_detail
from store.requests.picture_store import LABEL_MAP, OVERLAY, PICTURE, PictureStore
from store.requests.records import Stage
from store.spool.spool import SpoolFailed
from tests.inference.check_cases import check_named, with_changed

Encode = Callable[..., bytes]
_COSTS = {feature.name for feature in FEATURES if feature.group is Group.COST}
_TRAFFIC = {feature.name for feature in FEATURES if feature.group is Group.TRAFFIC}
_ALWAYS_MEASURED_COSTS = _COSTS - {"glance_ms", "ensemble_ms", "ensemble_passes"}


class Answering:
    """A segmenter with a fixed answer."""

    name, digest, labels = (
        "answering",
        "0" * 64,
        ("background", "upper_clothes", "face", "pants", "shoes"),
    )

    def __init__(self, answer: Callable[[Image], Parsing]) -> None:
        self.parse = answer


def _clothes(image: Image, sureness: float = 1.0) -> Parsing:
    """Trousers that end in the air: a bad finding; no skin, which is odd."""
    height, width = image.shape[:2]
    probabilities = np.zeros((5, 8, 8), dtype=np.float32)
    probabilities[1, :4] = probabilities[3, 4:6] = probabilities[0, 6:] = sureness
    label_map = np.ones((height, width), dtype=np.uint8)
    label_map[height // 2 :] = 3
    label_map[height * 3 // 4 :] = 0
    return Parsing(probabilities, label_map, Answering.labels)


def _nonsense(image: Image) -> Parsing:
    return _clothes(image, sureness=3.0)


def _broken(_image: Image) -> Parsing:
    raise RuntimeError("The model is broken.")


@pytest.fixture
def arrival() -> Arrival:
    return Arrival(str(uuid4()), datetime(2026, 3, 2, tzinfo=UTC), "ip:192.0.2.1", "api")


@pytest.fixture
def upload(figure: Image, encode: Encode) -> Upload:
    return Upload(encode(figure), "image/png")


def _with(service: Service, answer: Callable[[Image], Parsing], **changes: object) -> Pipeline:
    changes = {
        "segmenter": Answering(answer),
        "checks": _looking(service, EnsembleMode.NEVER),
        **changes,
    }
    return replace(service.pipeline, **changes)  # type: ignore[arg-type]


def _looking(service: Service, mode: EnsembleMode) -> tuple[Check, ...]:
    return with_changed(service.pipeline.checks, "ensemble", policy=EnsemblePolicy(mode))


def _stored(service: Service, outcome: Outcome) -> RequestDetail:
    with service.database.read() as session:
        detail = request_detail(session, outcome.record.request_id)
    assert detail is not None
    return detail


def _metric(service: Service, name: str, **labels: str) -> float:
    return service.metrics.registry.get_sample_value(name, labels) or 0.0


def test_a_picture_becomes_a_record_with_all_its_features(
    service: Service, arrival: Arrival, upload: Upload
) -> None:
    outcome = service.pipeline.handle(arrival, upload)
    stored = _stored(service, outcome)
    assert outcome.refusal is None
    assert outcome.parsing is not None
    assert stored.features is not None
    inputs = {feature.name for feature in FEATURES if feature.group is Group.INPUT}
    always = (inputs - {"faces_found", "faces_hidden"}) | _ALWAYS_MEASURED_COSTS
    assert not [name for name in always if isnan(stored.features[name])]
    assert stored.features["total_ms"] >= stored.features["forward_ms"] > 0
    assert stored.content_sha256 == sha256(upload.data).hexdigest()
    assert stored.segmenter == service.pipeline.segmenter.digest
    assert stored.labels == outcome.parsing.present_labels()
    assert stored.summary.received_at == arrival.received_at


def test_every_step_takes_its_time_once(service: Service, arrival: Arrival, upload: Upload) -> None:
    steps = (
        *("decode", "picture", "parse", "faces", "traffic", "first_look", "evidence"),
        *("record_queue", "record"),
    )
    count = partial(_metric, service, "maskwatch_step_seconds_count")
    before = {step: count(step=step) for step in steps}
    service.pipeline.handle(arrival, upload)
    assert {step: count(step=step) - before[step] for step in steps} == dict.fromkeys(steps, 1)


@pytest.mark.parametrize(
    ("mode", "verdict", "refusal"),
    [(Mode.MONITOR, Verdict.FLAG, None), (Mode.ENFORCE, Verdict.REFUSE, FINDING_ENFORCED)],
)
def test_a_bad_finding_is_told_by_the_mode(
    service: Service,
    arrival: Arrival,
    upload: Upload,
    mode: Mode,
    verdict: Verdict,
    refusal: object,
) -> None:
    outcome = _with(service, _clothes, mode=mode).handle(arrival, upload)
    stored = _stored(service, outcome)
    assert (outcome.record.verdict, outcome.refusal) == (verdict, refusal)
    rules = [finding.rule for finding in stored.findings]
    # The face prior sees the face of the figure.
    assert rules == ["skin_share_too_low", "trousers_without_feet", "face_hidden"]
    kinds = [file.kind for file in outcome.record.evidence]
    assert kinds == [PICTURE, OVERLAY, LABEL_MAP]


@pytest.mark.parametrize("size", [(8, 8), (8, 6_000), (6_000, 8)])
def test_a_picture_of_any_admitted_size_comes_through(
    settings: ServiceSettings, arrival: Arrival, encode: Encode, size: tuple[int, int]
) -> None:
    service = build_service(settings.model_copy(update={"max_ratio": 1_000.0}))
    strip = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    outcome = service.pipeline.handle(arrival, Upload(encode(strip), "image/png"))
    service.close()
    assert outcome.record.stage is Stage.PARSED
    assert MEASUREMENT_FAILED not in outcome.record.reasons
    assert len(outcome.record.evidence) == 4


def test_a_broken_model_refuses_and_is_recorded(
    service: Service, arrival: Arrival, upload: Upload
) -> None:
    outcome = _with(service, _broken).handle(arrival, upload)
    stored = _stored(service, outcome)
    assert outcome.refusal is FAULT
    assert (stored.summary.stage, stored.summary.verdict) == (Stage.FAILED, Verdict.REFUSE)
    assert stored.summary.reasons == ("fault",)
    assert stored.content_sha256 == upload.sha256
    assert _metric(service, "maskwatch_faults_total", part="gate_or_segmenter") == 1


@pytest.mark.parametrize("mode", Mode)
def test_a_fault_in_measuring_lets_the_request_pass_and_is_counted(
    service: Service, arrival: Arrival, upload: Upload, mode: Mode
) -> None:
    outcome = _with(service, _nonsense, mode=mode).handle(arrival, upload)
    stored = _stored(service, outcome)
    assert outcome.refusal is None
    assert outcome.parsing is not None
    assert (stored.summary.verdict, stored.summary.reasons) == (
        Verdict.PASS,
        (MEASUREMENT_FAILED,),
    )
    assert stored.features is not None
    assert set(stored.features.collect_values()) - _TRAFFIC == _ALWAYS_MEASURED_COSTS
    assert _metric(service, "maskwatch_faults_total", part="model") == 1


def test_evidence_that_cannot_be_kept_costs_only_itself(
    service: Service, arrival: Arrival, upload: Upload, tmp_path: Path
) -> None:
    (tmp_path / "evidence").write_text("A file where the folder should be.")
    keeper = PictureKeeper(PictureStore(tmp_path), 1, SystemRandom())
    outcome = _with(service, _clothes, picture_keeper=keeper).handle(arrival, upload)
    stored = _stored(service, outcome)
    assert (outcome.refusal, outcome.record.evidence) == (None, ())
    assert stored.summary.verdict is Verdict.FLAG
    assert _metric(service, "maskwatch_faults_total", part="evidence") == 1


def test_a_refusal_beside_the_bytes_is_recorded_without_them(
    service: Service, arrival: Arrival
) -> None:
    outcome = service.pipeline.refuse(arrival, BLOCKED)
    stored = _stored(service, outcome)
    assert (stored.summary.stage, stored.summary.status) == (Stage.ADMISSION, 403)
    assert (stored.content_sha256, stored.features) == (None, None)
    assert _metric(service, "maskwatch_reasons_total", reason="blocked") == 1


def test_without_a_place_for_its_record_there_is_no_answer(
    service: Service, arrival: Arrival, upload: Upload, tmp_path: Path
) -> None:
    """Neither the database nor the spool takes it, so nothing may be told to the client."""
    service.database.close()
    (tmp_path / "maskwatch.db").write_bytes(b"damaged" * 600)
    (tmp_path / "spool").write_text("A file where the folder should be.")
    with pytest.raises(SpoolFailed):
        service.pipeline.handle(arrival, upload)
    assert _metric(service, "maskwatch_requests_total", verdict="pass", stage="parsed") == 0


def test_an_answer_is_made_while_its_record_is_written_and_not_given_without_it(
    service: Service, arrival: Arrival, upload: Upload, tmp_path: Path
) -> None:
    service.database.close()
    (tmp_path / "maskwatch.db").write_bytes(b"damaged" * 600)
    (tmp_path / "spool").write_text("A file where the folder should be.")
    outcomes: list[Outcome] = []
    with pytest.raises(SpoolFailed):
        service.pipeline.answer(arrival, upload, outcomes.append)
    assert [outcome.record.verdict for outcome in outcomes] == [Verdict.PASS]


def test_a_record_is_kept_though_its_answer_cannot_be_made(
    service: Service, arrival: Arrival, upload: Upload
) -> None:
    outcomes: list[Outcome] = []

    def fail(outcome: Outcome) -> None:
        outcomes.append(outcome)
        raise RuntimeError("The answer cannot be made.")

    with pytest.raises(RuntimeError):
        service.pipeline.answer(arrival, upload, fail)
    assert _stored(service, outcomes[0]).summary.verdict is Verdict.PASS
    assert _metric(service, "maskwatch_requests_total", verdict="pass", stage="parsed") == 1


def test_the_stopwatch_laps_add_up() -> None:
    watch = Stopwatch()
    laps = [watch.lap() for _ in range(3)]
    assert min(laps) >= 0
    assert sum(laps) <= watch.total()


def test_metrics_of_two_services_are_apart() -> None:
    first, second = Metrics(), Metrics()
    first.faults.labels("model").inc()
    assert b'maskwatch_faults_total{part="model"} 1.0' in first.exposition()
    assert b'part="model"' not in second.exposition()


def test_what_looks_odd_is_looked_at_again(
    settings: ServiceSettings, arrival: Arrival, encode: Encode
) -> None:
    service = build_service(settings.model_copy(update={"ensemble_tiles": True}))
    blank = np.full((300, 200, 3), 90, np.uint8)
    outcome = service.pipeline.handle(arrival, Upload(encode(blank), "image/png"))
    stored = _stored(service, outcome)
    assert "blank_picture" in {finding.rule for finding in stored.findings}
    assert stored.features is not None
    recipe = check_named(service.pipeline.checks, "ensemble").recipe
    # The first look, the full ensemble, and a search for a tile that ends early without a return.
    least = 1 + recipe.without_tiles().passes
    assert least < stored.features["ensemble_passes"] <= 1 + recipe.passes
    assert stored.features["total_ms"] >= stored.features["ensemble_ms"] > 0
    assert not isnan(stored.features["hidden_area_share"])
    assert _metric(service, "maskwatch_ensembles_total", outcome="full") == 1
    service.close()


def test_a_second_look_that_fails_costs_only_itself(
    service: Service, arrival: Arrival, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError("The network is broken.")

    monkeypatch.setattr(ReferenceSegmenter, "probabilities", broken)
    always = _looking(service, EnsembleMode.ALWAYS)
    outcome = replace(service.pipeline, checks=always).handle(arrival, upload)
    stored = _stored(service, outcome)
    assert (outcome.refusal, stored.summary.reasons) == (None, ())
    assert stored.features is not None
    assert isnan(stored.features["ensemble_ms"])
    assert stored.features["entropy_mean"] > 0
    assert _metric(service, "maskwatch_faults_total", part="first_look") == 1


def test_bytes_that_are_remembered_are_looked_at_again_and_in_the_same_way(
    settings: ServiceSettings, arrival: Arrival, upload: Upload
) -> None:
    """Whether a file was sent before makes no difference to what its looks measure."""
    remembering = {"cache_bytes": 100_000_000, "ensemble": EnsembleMode.ALWAYS}
    service = build_service(settings.model_copy(update=remembering))
    again = replace(arrival, request_id=str(uuid4()))
    both = [_stored(service, service.pipeline.handle(each, upload)) for each in (arrival, again)]
    service.close()
    first, second = (each.features for each in both)
    assert first is not None
    assert second is not None
    assert isnan(second["forward_ms"])
    assert first["entropy_mean"] == second["entropy_mean"]
    assert first["mutual_information"] == second["mutual_information"]
