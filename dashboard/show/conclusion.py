"""One sentence about a request, from its rules and its outlier score together."""

from detectors.findings import Severity
from detectors.rule_book import OUTLIER_TRAFFIC
from store.pages.request_detail import RequestDetail


def conclusion(detail: RequestDetail) -> str:
    """What rules and outlier model say together."""
    is_outlier = detail.summary.outlier or any(
        finding.rule == OUTLIER_TRAFFIC.code for finding in detail.findings
    )
    is_flagged = any(finding.severity != Severity.ODD for finding in detail.findings)
    if is_flagged and is_outlier:
        return "Rules fired, and its measurements are unusual as a whole."
    if is_flagged and not detail.scores:
        return "Rules fired. No scan has judged its measurements as a whole yet."
    if is_flagged:
        return "Rules fired. That its measurements are ordinary as a whole does not clear it."
    if is_outlier:
        return "No rule flags it, but its measurements are unusual as a whole."
    return "Nothing flags it, and its measurements are not known to be unusual."
