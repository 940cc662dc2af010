"""The alert rule ``upstream_gone``: the service behind the proxy cannot be reached."""

from store.alert_rules.rule import AlertRule
from store.alert_rules.upstream.upstream_shares import SHARE, UpstreamShare, list_share
from store.counts.upstream_answers import AnswerFate

_SHARE = UpstreamShare(
    "upstream_gone", AnswerFate.GONE, "had no answer: it could not be reached, or spoke no HTTP"
)

RULE = AlertRule(
    code=_SHARE.code,
    words="Upstream gone",
    meaning="Too many pictures of 15 minutes had no answer of the service behind the proxy.",
    unit=SHARE,
    firing=_SHARE.title("service gone for"),
    resolved=_SHARE.title("service is back: gone for"),
    next_steps=(
        "See whether the service runs, and whether the proxy's host reaches it at "
        "MASKWATCH_UPSTREAM: maskwatch doctor asks it.",
        "If it crashes, look at the newest requests with the reason upstream_failed: does one "
        "client's picture come before each crash?",
    ),
    runbook="upstream_gone",
    look=_SHARE.look,
    facts=list_share,
)
