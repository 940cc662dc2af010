"""The alert rule ``upstream_refusing``: the service behind the proxy answers errors of its own."""

from store.alert_rules.rule import AlertRule
from store.alert_rules.upstream.upstream_shares import SHARE, UpstreamShare, list_share
from store.counts.upstream_answers import AnswerFate

_SHARE = UpstreamShare(
    "upstream_refusing", AnswerFate.REFUSING, "were answered with an error of the service"
)

RULE = AlertRule(
    code=_SHARE.code,
    words="Upstream refusing",
    meaning="The service behind the proxy answered too many pictures of 15 minutes with an error.",
    unit=SHARE,
    firing=_SHARE.title("service answers errors for"),
    resolved=_SHARE.title("service answers again: errors for"),
    next_steps=(
        "Read the service's log: a status of 500 or more is its own.",
        "If pictures cause it, compare those of the requests with such a status: size, type, "
        "client. The gate can refuse what the service cannot take.",
    ),
    runbook="upstream_refusing",
    look=_SHARE.look,
    facts=list_share,
)
