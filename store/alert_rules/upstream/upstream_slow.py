"""The alert rule ``upstream_slow``: the service behind the proxy does not answer in time."""

from store.alert_rules.rule import AlertRule
from store.alert_rules.upstream.upstream_shares import SHARE, UpstreamShare, list_share
from store.counts.upstream_answers import AnswerFate

_SHARE = UpstreamShare(
    "upstream_slow", AnswerFate.SLOW, "had no answer in time, or found no connection free"
)

RULE = AlertRule(
    code=_SHARE.code,
    words="Upstream slow",
    meaning="The service behind the proxy was too slow for too many pictures of 15 minutes.",
    unit=SHARE,
    firing=_SHARE.title("service too slow for"),
    resolved=_SHARE.title("service answers in time: too slow for"),
    next_steps=(
        "See what the service is busy with: more traffic, larger pictures, or one client?",
        "If it is only slower than the limits, raise MASKWATCH_UPSTREAM_ANSWER_SECONDS, or "
        "MASKWATCH_MAX_UPSTREAM_CONNECTIONS if all connections are in use.",
    ),
    runbook="upstream_slow",
    look=_SHARE.look,
    facts=list_share,
)
