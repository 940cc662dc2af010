"""Runs a check so that its fault costs nothing but its own result."""

import structlog

from detectors.registry import FeatureVector
from inference.checks.base import Case, Check, CheckResult, Needs
from inference.metrics import Metrics

_log = structlog.get_logger(__name__)


def run_check(check: Check, case: Case, metrics: Metrics) -> CheckResult:
    """What a check says; an empty result that has failed if it breaks or gives impossible numbers.

    A fault is counted under the check's name. A check that does not need the findings before it is
    given none, so that its result cannot depend on its place in the list.
    """
    try:
        with metrics.time_step(check.name):
            result = check.run(case if check.needs is Needs.FINDINGS else case.alone())
        FeatureVector.of(result.features)
    except Exception:  # noqa: BLE001
        # Open on purpose: a check that fails must not cost the parse.
        _log.exception("check failed", check=check.name, request_id=case.arrival.request_id)
        result = CheckResult(has_failed=True)
    if result.has_failed:
        metrics.faults.labels(check.name).inc()
    return result
