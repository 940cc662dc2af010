"""What alerts about things that a job listed lately have in common."""

from collections.abc import Sequence

from detectors.findings import Rule
from store.alerts.alerts import WARNING, Condition
from store.decisions.pictures.listings import NewListing

WINDOW_HOURS = 24
_MAX_EXAMPLES = 5


def listing_condition(
    code: str, finding: Rule, listings: Sequence[NewListing], summary: str
) -> Condition:
    """Something was put on the blacklist lately and stands there still.

    Args:
        code: of the alert rule.
        finding: what pictures that show it are found to be.
    """
    return Condition(
        fingerprint=code,
        rule=code,
        severity=WARNING,
        active=bool(listings),
        value=float(len(listings)),
        threshold=0.0,
        summary=summary,
        atlas=finding.atlas,
        owasp=finding.owasp,
        evidence={
            "decisions": [each.decision_id for each in listings],
            "simulated": any(each.simulated for each in listings),
            "request_ids": list_pictures(listings)[:_MAX_EXAMPLES],
        },
    )


def list_pictures(listings: Sequence[NewListing]) -> list[str]:
    """The flagged requests whose pictures show one of them, each once."""
    return list(dict.fromkeys(name for each in listings for name in each.request_ids))
