"""Every alert rule there is, in the order in which ``evaluate_alerts`` judges them."""

from store.alert_rules import (
    attacking_client,
    blocks_proposed,
    challenger_held_back,
    clock_stepped,
    disk_low,
    drift,
    invalid_share,
    job_failed,
    jobs_standing_still,
    mail_refused,
    model_file_changed,
    recurring_patch,
    recurring_perturbation,
    rule_demoted,
    scenario_simulated,
    spool_in_use,
    strange_traffic,
)
from store.alert_rules.rule import AlertRule
from store.alert_rules.upstream import (
    upstream_gone,
    upstream_refusing,
    upstream_slow,
    upstream_unread,
)

ALERT_RULES: tuple[AlertRule, ...] = (
    # First, so that the first mail of an evening names who attacks.
    attacking_client.RULE,
    attacking_client.MANY_RULE,
    blocks_proposed.RULE,
    invalid_share.RULE,
    model_file_changed.RULE,
    job_failed.RULE,
    mail_refused.RULE,
    recurring_patch.RULE,
    recurring_perturbation.RULE,
    rule_demoted.RULE,
    scenario_simulated.RULE,
    strange_traffic.RULE,
    drift.PUSH_RULE,
    drift.RULE,
    challenger_held_back.RULE,
    disk_low.RULE,
    spool_in_use.RULE,
    upstream_gone.RULE,
    upstream_slow.RULE,
    upstream_refusing.RULE,
    upstream_unread.RULE,
    clock_stepped.RULE,
    jobs_standing_still.RULE,
)
_RULES_BY_CODE = {rule.code: rule for rule in ALERT_RULES}


def find_alert_rule(code: str) -> AlertRule | None:
    """The rule of a stored code; ``None`` if another version of Maskwatch stored it."""
    return _RULES_BY_CODE.get(code)
