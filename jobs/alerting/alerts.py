"""The job ``evaluate_alerts``: opens, refreshes and resolves alerts as their rules say."""

from jobs.context import JobContext, JobOutcome
from store.alert_rules.registry import ALERT_RULES
from store.alert_rules.rule import Surroundings
from store.alerts.alerts import apply_condition, open_fingerprints
from store.engine.locks import take_turn
from store.phrases import phrase_count


def run(context: JobContext) -> JobOutcome:
    """Judge each rule that this job looks after."""
    # Looks read files: no transaction should wait for them.
    around = surroundings(context)
    judgements = [rule.look(around) for rule in ALERT_RULES if rule.look is not None]
    with context.database.write() as session:
        take_turn(session, "alerts")
        before = open_fingerprints(session)
        conditions = [each for judgement in judgements for each in judgement(session)]
        for condition in conditions:
            apply_condition(session, condition, context.now)
        after = open_fingerprints(session)
    fire_count, resolve_count = len(after - before), len(before - after)
    return JobOutcome(
        f"{phrase_count(fire_count, 'alert')} fired, {resolve_count} resolved, {len(after)} open.",
        fire_count + resolve_count,
    )


def surroundings(context: JobContext) -> Surroundings:
    """What the rules judge by."""
    settings = context.settings
    return Surroundings(
        context.now,
        context.database.file,
        settings.store,
        settings.alerts,
        settings.outliers,
        settings.blocking.block_after,
        settings.blocking.block_window_minutes,
        settings.blocking.simulate_blocks,
        settings.blocking.simulation_days,
        settings.proxies.trusted_proxies,
    )
