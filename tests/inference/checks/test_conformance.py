"""What every check of the list promises, seen on each of them."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import isfinite, isnan
from pathlib import Path
from typing import Any, NoReturn

import cv2
import numpy as np
import pytest
from numpy.random import default_rng
from pydantic import SecretStr
from structlog.testing import capture_logs

from detectors.findings import Finding
from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import OutlierModel
from detectors.parsing import Image, Parsing
from detectors.patches.patches import Patch
from detectors.probing.perceptual import perceptual_hash
from detectors.registry import FEATURES, FITTED_NAMES, FeatureVector, Group
from detectors.rule_book import RULES, SKIN_SHARE_LOW
from inference.checks.base import Case, Check, CheckResult, Needs, ensure_order
from inference.checks.run import run_check
from inference.ensemble.policy import EnsembleMode
from inference.figures import draw_figure
from inference.gate.screen import Screened
from inference.metrics import Metrics
from inference.segmenters.current import present
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from inference.upload import Arrival, Upload
from store.audit.actors import job
from store.decisions.decisions import NewDecision, add_decision
from store.decisions.pictures.listed_patches import patch_evidence
from store.decisions.pictures.listed_perturbations import signature_evidence
from store.decisions.scopes import Kind, Scope
from store.models.outlier_models import OutlierModelStore, promote
from tests.detectors.perturbation_pictures import lay_over, noise, signature_of
from tests.inference.check_cases import ARRIVAL, LOOKS
from tests.makers import SECRET

Encode = Callable[..., bytes]
ROOT = Path(__file__).parents[3]
NOW = ARRIVAL.received_at
COSTS = {feature.name for feature in FEATURES if feature.group is Group.COST}
PARTS = ("face", "hair", "arms", "legs", "feet", "clothes")
# What is about a part, a person, an earlier request or a model's baseline: there may be none.
MAY_BE_MISSING = {
    *(f"confidence_{part}" for part in PARTS),
    *(f"hidden_{part}_share" for part in PARTS),
    *("head_torso_gap", "torso_legs_gap", "trousers_feet_gap", "headless_share"),
    # Asked only where its answer matters.
    *("faces_found", "faces_hidden"),
    *("fragments_per_person", "entropy_foreground", "label_delta", "patch_consistency"),
    *("tamper_score", "client_interval", "client_refusal_share"),
}
BLOCKS = default_rng(0).integers(0, 256, (4, 4, 3)).astype(np.uint8)
MARK = cv2.resize(BLOCKS, (40, 40), interpolation=cv2.INTER_NEAREST).astype(np.uint8)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service in which every check has something to look for; the tests only read."""
    built = build_service(
        ServiceSettings(
            var_dir=tmp_path_factory.mktemp("service"),
            fingerprint_salt=SECRET,
            ensemble=EnsembleMode.ALWAYS,
            ensemble_members=2,
            ensemble_scale=0.25,
            ensemble_sample_share=1,
            ensemble_max_ms=600_000,
        )
    )
    _promote(built, default_rng(7).normal(500, 1, (60, len(FITTED_NAMES))))
    patch, signature = Patch(MARK, 40 / np.sqrt(_picture().size / 3)), signature_of(noise())
    _block(built, Scope.PATCH, patch.digest, patch_evidence(patch, 0.7))
    _block(built, Scope.PERTURBATION, signature.digest, signature_evidence(signature, 7.0))
    yield built
    built.close()


def _promote(service: Service, rows: Any) -> None:
    """Let a model serve that finds everything unusual."""
    model, now = (
        OutlierModel.fit(OutlierKind.NEAREST_NEIGHBOURS, rows, FITTED_NAMES, 7),
        datetime.now(UTC),
    )
    store = OutlierModelStore(service.settings.store.var_dir)
    with service.database.write() as session:
        row = store.add(
            session, archive=model.dumps(), kind=model.kind, rows=60, metrics={}, now=now
        )
        promote(session, row.id, job("retrain"), now)
    service.champion.refresh()


def _block(service: Service, scope: Scope, value: str, evidence: dict[str, object]) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    decision = NewDecision(
        *(Kind.BLOCK, scope, value, "by_hand", "analyst", "A test.", "ada", until),
        simulated=True,
        evidence=evidence,
    )
    alike = replace(
        decision,
        scope=Scope.SIMILAR,
        value=f"{perceptual_hash(_picture()).bits.hex()}/10",
        simulated=False,
        evidence={},
    )
    with service.database.write() as session:
        add_decision(session, decision, NOW)
        add_decision(session, alike, NOW)
    service.access.refresh()


def _picture() -> Image:
    """A figure that wears a listed patch, under a listed perturbation."""
    image = draw_figure(11).image.copy()
    image[120:160, 60:100] = MARK
    return lay_over(image, noise())


@pytest.fixture(scope="module")
def case(service: Service) -> Case:
    """A request as it is before the first check."""
    _, data = cv2.imencode(".png", cv2.cvtColor(_picture(), cv2.COLOR_RGB2BGR))
    upload = Upload(data.tobytes(), "image/png")
    screened = service.pipeline.gate.screen(upload.data)
    assert isinstance(screened, Screened)
    segmenter = present(service.models.current)
    return Case(ARRIVAL, upload, segmenter, screened, segmenter.parse(screened.image), 50.0)


@pytest.fixture(scope="module")
def checks(service: Service) -> tuple[Check, ...]:
    """The list of a service."""
    return service.pipeline.checks


@dataclass(frozen=True)
class Step:
    """A check with the case that it met and what it said."""

    check: Check
    case: Case
    result: CheckResult


@pytest.fixture(scope="module")
def steps(checks: Sequence[Check], case: Case) -> list[Step]:
    """The whole list, one check after the other, as the pipeline runs it."""
    taken, metrics = [], Metrics()
    for check in checks:
        taken.append(Step(check, case, run_check(check, case, metrics)))
        case = case.plus(taken[-1].result)
    return taken


def _said(result: CheckResult) -> tuple[object, ...]:
    """All that has to be equal, costs left out; NaN is equal to NaN."""
    measured = {name: value for name, value in result.features.items() if name not in COSTS}
    places = {name: place() for name, place in result.places.items()}
    vector = [None if isnan(each) else each for each in FeatureVector.of(measured).values()]
    return vector, result.findings, result.trace, places, result.has_failed


def _read_row(page: str, beginning: str) -> str:
    """The one row of a table of a page whose first cell begins so."""
    lines = (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines()
    [row] = [line for line in lines if line.startswith(f"| {beginning}")]
    return row


def test_every_check_has_something_to_say_here(steps: Sequence[Step]) -> None:
    """Otherwise the others of these tests would pass for nothing."""
    for step in steps:
        assert not step.result.has_failed, step.check.name
        assert step.result.features or step.result.findings, step.check.name


def test_names_are_unique_in_order_and_explained(checks: Sequence[Check]) -> None:
    ensure_order(checks)
    faults = _read_row("operations/on-call.md", "`maskwatch_faults_total{part}`")
    for check in checks:
        assert re.fullmatch("[a-z_]{3,32}", check.name)
        assert f"`{check.name}`" in faults, f"Explain the check {check.name} in on-call.md."


def test_the_page_on_architecture_lists_them_by_what_they_need(checks: Sequence[Check]) -> None:
    for needs in Needs:
        row = _read_row("architecture.md", f"`{needs.name}`").split("|")[2]
        names = [check.name for check in checks if check.needs is needs]
        assert re.findall(r"`(\w+)`", row) == names


def test_the_same_case_gives_the_same_result_and_stays_as_it_is(steps: Sequence[Step]) -> None:
    case = steps[0].case
    arrays = (case.image, case.parsing.probabilities, case.parsing.label_map)
    before = [array.copy() for array in arrays]
    for step in steps:
        features, findings = dict(step.case.features), step.case.findings
        again = run_check(step.check, step.case, Metrics())
        assert _said(again) == _said(step.result), step.check.name
        assert (step.case.features, step.case.findings) == (features, findings)
        for array, copy in zip(arrays, before, strict=True):
            assert np.array_equal(array, copy), step.check.name


def test_features_are_in_the_registry_and_missing_only_where_there_may_be_none(
    steps: Sequence[Step],
) -> None:
    for step in steps:
        FeatureVector.of(step.result.features)
        missing = {name for name, value in step.result.features.items() if not isfinite(value)}
        assert missing <= MAY_BE_MISSING, step.check.name
        assert step.result.places.keys() <= step.result.features.keys(), step.check.name


def test_findings_are_in_the_rule_book_and_inside_the_picture(steps: Sequence[Step]) -> None:
    sentences = {rule.code: rule.sentence for rule in RULES}
    height, width = steps[0].case.image.shape[:2]
    found = [finding for step in steps for finding in step.result.findings]
    codes = {finding.rule.code for finding in found}
    assert {"blocked_patch", "blocked_perturbation", "outlier_traffic"} <= codes
    for finding in found:
        assert sentences[finding.rule.code] == finding.rule.sentence
        assert all(isfinite(value) for value in finding.evidence.values())
        for place in finding.places:
            assert 0 <= place.left < place.right <= width
            assert 0 <= place.top < place.bottom <= height


def _broken(parsing: Parsing) -> Iterator[Parsing]:
    yield replace(parsing, probabilities=np.full_like(parsing.probabilities, np.nan))
    yield replace(parsing, probabilities=parsing.probabilities[:2])
    yield replace(parsing, label_map=np.full_like(parsing.label_map, 255))
    yield replace(parsing, label_map=parsing.label_map[:1, :1])
    yield replace(parsing, labels=())


def test_a_broken_parsing_costs_no_more_than_a_result(steps: Sequence[Step]) -> None:
    for step in steps:
        for parsing in _broken(step.case.parsing):
            metrics = Metrics()
            result = run_check(step.check, replace(step.case, parsing=parsing), metrics)
            assert (_faults(metrics, step.check.name) == 1) == result.has_failed
        assert _said(run_check(step.check, step.case, Metrics())) == _said(step.result)


def test_what_the_bytes_hold_does_not_depend_on_who_sent_them(steps: Sequence[Step]) -> None:
    other = Arrival("other", NOW + timedelta(days=9), "key:other", "cli", "ip:203.0.113.9")
    for step in steps:
        if step.check.needs is Needs.CONTENT:
            upload = Upload(step.case.upload.data, "text/html", "other.exe")
            case = replace(step.case, arrival=other, upload=upload)
            assert _said(run_check(step.check, case, Metrics())) == _said(step.result)


def test_only_a_check_that_says_so_depends_on_those_before_it(steps: Sequence[Step]) -> None:
    claims = CheckResult(
        dict.fromkeys(FeatureVector.of({}), 0.1), (Finding(SKIN_SHARE_LOW),), None, {}
    )
    for step in steps:
        if step.check.needs is not Needs.FINDINGS:
            case = replace(step.case.plus(claims), is_measured=False)
            assert _said(run_check(step.check, case, Metrics())) == _said(step.result)


class Bomb:
    """Whatever is asked of it fails."""

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError(f"A test: nobody gets {name}.")


def test_a_fault_is_counted_under_the_checks_name_and_logged_with_the_request(
    checks: Sequence[Check],
) -> None:
    bomb: Any = Bomb()
    case = Case(ARRIVAL, Upload(b""), bomb, bomb, bomb, features=bomb, findings=bomb)
    for check in checks:
        metrics = Metrics()
        with capture_logs() as said:
            result = run_check(check, case, metrics)
        assert (result.features, result.findings, result.has_failed) == ({}, (), True)
        assert _faults(metrics, check.name) == 1
        [line] = said
        assert (line["check"], line["request_id"]) == (check.name, ARRIVAL.request_id)


def _faults(metrics: Metrics, part: str) -> float | None:
    return metrics.registry.get_sample_value("maskwatch_faults_total", {"part": part})


def test_the_same_bytes_are_looked_at_in_the_same_way(tmp_path: Path, case: Case) -> None:
    first, again, other = (
        _take_looks(tmp_path / name, case, secret)
        for name, secret in (("one", "a" * 16), ("two", "a" * 16), ("three", "b" * 16))
    )
    assert first == again
    assert first.keys() == other.keys()
    assert first != other


def _take_looks(var_dir: Path, case: Case, secret: str) -> dict[str, str]:
    """What a service with a secret measures in its looks, but for the time."""
    settings = ServiceSettings(
        var_dir=var_dir,
        fingerprint_salt=SecretStr(secret),
        ensemble_sample_share=1,
        ensemble_members=2,
        ensemble_scale=0.25,
        ensemble_max_ms=600_000,
    )
    with closing(build_service(settings)) as built:
        looks = [each for each in built.pipeline.checks if each.name in LOOKS]
        for check in looks:
            case = case.plus(run_check(check, case, built.metrics))
    # As text, so that what is missing equals what is missing.
    return {name: str(value) for name, value in case.features.items() if name not in COSTS}
