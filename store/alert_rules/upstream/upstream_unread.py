"""The alert rule ``upstream_unread``: answers of the service are not what the preset says."""

from store.alert_rules.rule import AlertRule
from store.alert_rules.upstream.upstream_shares import SHARE, UpstreamShare, list_share
from store.counts.upstream_answers import AnswerFate

_SHARE = UpstreamShare(
    "upstream_unread", AnswerFate.UNREAD, "had an answer that could not be read, nor checked"
)

RULE = AlertRule(
    code=_SHARE.code,
    words="Upstream unread",
    meaning="Answers to too many pictures of 15 minutes could not be read as the preset says.",
    unit=SHARE,
    firing=_SHARE.title("answers not read:"),
    resolved=_SHARE.title("answers are read again: not read"),
    next_steps=(
        "The proxy's log says under answer not read why: does the preset fit the service?",
        "If the service has changed, change the preset; maskwatch proxy --learn writes one.",
        "If only some answers are unreadable, look at who sends their pictures.",
    ),
    runbook="upstream_unread",
    look=_SHARE.look,
    facts=list_share,
)
