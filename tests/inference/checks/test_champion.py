"""The promoted outlier model at request time: as the scan judges, and never in the way."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from detectors.outliers.kinds import OutlierKind
from detectors.outliers.model import OutlierModel
from detectors.parsing import Image
from detectors.registry import FITTED_NAMES
from detectors.rule_book import OUTLIER_TRAFFIC
from detectors.verdict import Verdict
from inference.checks.base import CheckResult
from inference.checks.champion import Champion, ChampionCheck
from inference.checks.run import run_check
from inference.metrics import Metrics
from inference.results.outcomes import Outcome
from inference.service import Service
from inference.upload import Arrival, Upload
from store.audit.actors import job
from store.engine.database import Database
from store.models.outlier_models import OutlierModelStore, champion, promote
from store.requests.unscored import unscored_requests
from store.settings import StoreSettings
from tests.inference.check_cases import Blind, blank_content, case_of

pytestmark = pytest.mark.usefixtures("few_trees")

Encode = Callable[..., bytes]
NORMAL = dict.fromkeys(FITTED_NAMES, 5.0)
FAR = dict.fromkeys(FITTED_NAMES, 50.0)


def _train(kind: OutlierKind = OutlierKind.ISOLATION_FOREST, centre: float = 5.0) -> OutlierModel:
    rows = np.random.default_rng(7).normal(centre, 1.0, (60, len(FITTED_NAMES)))
    return OutlierModel.fit(kind, rows, FITTED_NAMES, 7)


def _promote(database: Database, var_dir: Path, model: OutlierModel | None = None) -> None:
    known, now = model or _train(), datetime.now(UTC)
    with database.write() as session:
        row = OutlierModelStore(var_dir).add(
            session, archive=known.dumps(), kind=known.kind, rows=60, metrics={}, now=now
        )
        promote(session, row.id, job("retrain"), now)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def watching(database: Database, store_settings: StoreSettings, metrics: Metrics) -> Champion:
    return Champion(database, OutlierModelStore(store_settings.store.var_dir), 0.01, metrics)


def _faults(metrics: Metrics) -> float:
    value = metrics.registry.get_sample_value("maskwatch_faults_total", {"part": "champion"})
    return value or 0.0


def _run(
    watching: Champion,
    features: Mapping[str, float],
    metrics: Metrics,
    *,
    is_measured: bool = True,
) -> CheckResult:
    case = replace(case_of(blank_content(), Blind()), features=features, is_measured=is_measured)
    return run_check(ChampionCheck(watching), case, metrics)


def test_without_a_model_nothing_is_found(watching: Champion, metrics: Metrics) -> None:
    watching.refresh()
    assert watching.findings(FAR) == ()
    assert _faults(metrics) == 0


@pytest.mark.parametrize("kind", list(OutlierKind))
def test_a_promoted_model_of_any_kind_finds_what_is_far_out_and_says_why(
    watching: Champion, database: Database, store_settings: StoreSettings, kind: OutlierKind
) -> None:
    _promote(database, store_settings.store.var_dir, _train(kind))
    watching.refresh()
    assert watching.findings(NORMAL) == ()
    [finding] = watching.findings(FAR)
    assert finding.rule == OUTLIER_TRAFFIC
    assert finding.evidence["p_value"] <= 1 / 61
    assert len(set(finding.evidence) & set(FITTED_NAMES)) == 3


def test_a_promotion_by_another_process_arrives(
    watching: Champion, elsewhere: Database, store_settings: StoreSettings
) -> None:
    watching.refresh()
    _promote(elsewhere, store_settings.store.var_dir)
    assert watching.findings(FAR) == ()
    watching.refresh()
    assert len(watching.findings(FAR)) == 1
    _promote(elsewhere, store_settings.store.var_dir, _train(centre=500.0))
    watching.refresh()
    assert len(watching.findings(NORMAL)) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.rename(path.with_suffix(".skops")),
    ],
    ids=["gone", "changed", "of_an_earlier_version"],
)
def test_a_file_that_is_gone_or_changed_is_counted_once_and_nothing_is_found(
    watching: Champion,
    database: Database,
    store_settings: StoreSettings,
    metrics: Metrics,
    change: Callable[[Path], Any],
) -> None:
    _promote(database, store_settings.store.var_dir)
    watching.refresh()
    _promote(database, store_settings.store.var_dir, _train(centre=500.0))
    with database.read() as session:
        row = champion(session)
    assert row is not None
    [archive] = (store_settings.store.var_dir / "models").rglob(f"{row.digest}.safetensors")
    change(archive)
    with capture_logs() as said:
        for _ in range(3):
            watching.refresh()
    assert [line["event"] for line in said[:1]] == ["outlier model not refreshed"]
    assert _faults(metrics) == 1
    assert watching.findings(FAR) == watching.findings(NORMAL) == ()
    _promote(database, store_settings.store.var_dir)
    watching.refresh()
    assert len(watching.findings(FAR)) == 1


def test_while_the_database_is_away_the_last_model_goes_on(
    watching: Champion, database: Database, store_settings: StoreSettings, metrics: Metrics
) -> None:
    _promote(database, store_settings.store.var_dir)
    watching.refresh()
    with database.write() as session:
        session.execute(text("ALTER TABLE change_marks RENAME TO change_marks_away"))
    watching.refresh()
    assert _faults(metrics) == 1
    assert len(watching.findings(FAR)) == 1


def test_a_model_that_fails_costs_nothing_but_its_finding(
    watching: Champion, database: Database, store_settings: StoreSettings, metrics: Metrics
) -> None:
    _promote(database, store_settings.store.var_dir)
    watching.refresh()
    result = _run(watching, {**FAR, "width": "wide"}, metrics)  # type: ignore[dict-item]
    assert (result.findings, result.has_failed) == ((), True)
    assert _faults(metrics) == 1
    assert len(watching.findings(FAR)) == 1


def test_what_could_not_be_measured_is_not_judged(
    watching: Champion, database: Database, store_settings: StoreSettings, metrics: Metrics
) -> None:
    _promote(database, store_settings.store.var_dir, _train(centre=500.0))
    watching.refresh()
    assert len(_run(watching, NORMAL, metrics).findings) == 1
    result = _run(watching, {"traffic_ms": 1.0}, metrics, is_measured=False)
    assert (result.findings, result.has_failed) == ((), False)


def _sent(service: Service, content: bytes) -> Outcome:
    arrival = Arrival(str(uuid4()), datetime.now(UTC), "ip:203.0.113.7", "api")
    return service.pipeline.handle(arrival, Upload(content))


def test_an_outlier_is_recorded_with_the_request_and_passes(
    service: Service, figure: Image, encode: Encode
) -> None:
    assert OUTLIER_TRAFFIC.code not in _sent(service, encode(figure)).record.reasons
    _promote(service.database, service.settings.store.var_dir)
    service.champion.refresh()
    record = _sent(service, encode(figure)).record
    assert record.verdict is Verdict.PASS
    assert OUTLIER_TRAFFIC.code in record.reasons


def test_a_request_is_scored_as_the_scan_will_score_it(
    service: Service, figure: Image, encode: Encode
) -> None:
    model = _train()
    _promote(service.database, service.settings.store.var_dir, model)
    service.champion.refresh()
    [finding] = [
        each
        for each in _sent(service, encode(figure)).record.findings
        if each.rule == OUTLIER_TRAFFIC
    ]
    with service.database.read() as session:
        [row] = unscored_requests(session, model.names, 0, 10).rows
    [p_value] = model.p_values(model.score(row[np.newaxis]))
    assert finding.evidence == {"p_value": round(p_value, 6), **model.contributions(row, 3)}
