"""Puts a back-test together: what is in force, and what of it is tried otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from jobs.backtest.backtest import Backtest, Result, find_begin
from jobs.backtest.facts import Facts
from jobs.backtest.model_outliers import find_outliers
from jobs.backtest.policy_file import read_policy
from jobs.backtest.trial import ModelOutliers, PolicyTrial, Stretch, Trial
from jobs.backtest.tried_rules import BadTrial, ServiceRules, TriedRules, read_limits
from jobs.blocking.plan import read_job_switches
from jobs.context import JobContext
from jobs.outliers.judging import Champion, load_judge
from jobs.outliers.scan import MIN_JUDGED
from store.baselines.sources import read_states
from store.decisions.clients.chances import name_chances, read_chances
from store.models.scans import whole_scans
from store.models.stored_models import find_model
from store.requests.past_requests import PastRows, find_rows_before, past_rows
from store.requests.request_keys import key_of

_CHUNK = 5_000
_LONGEST = timedelta(days=366)


@dataclass(frozen=True)
class Wish:
    """What somebody wants to try; nothing for what is in force.

    Attributes:
        rules: ``CODE=LIMIT`` each.
        model: number or digest of an outlier model, or the beginning of a digest.
        service: what the settings of the service say of its rules.
    """

    policy: Path | None = None
    rules: Sequence[str] = ()
    model: str | None = None
    service: ServiceRules = field(default_factory=ServiceRules)


def run_backtest(context: JobContext, wish: Wish, since: datetime, until: datetime) -> Result:
    """Go through the records of a stretch of time.

    Raises:
        BadTrial: what is to be tried cannot be, or the time is none.
        NoOutlierModel: there is no such model, there are several, or its file is gone.
        ModelChanged: its file was changed.
        OutlierModelError: its file is of another version.
        StoreUnavailable: the database cannot be reached.
    """
    stretch = choose_stretch(context, since, until)
    limits = read_limits(wish.rules)
    with context.database.read() as session:
        in_force = read_in_force(session, context)
        tried = in_force if wish.policy is None else read_policy(wish.policy, in_force)
        rules = TriedRules(limits, wish.service, read_states(session) if limits else {})
        by = None if wish.model is None else load_judge(context, find_model(session, wish.model))
    outliers = None
    if by is not None:
        outliers = _judge_by(context, by, stretch, tried, in_force)
        chances = name_chances(context.settings.outliers.outlier_p_value, by.row.rows)
        tried = replace(tried, chances=chances)
    facts = Facts(context.now, tuple(limits), outliers is None or outliers.is_promised)
    trial = Trial(tried, rules, outliers)
    seconds = context.settings.schedule.job_timeout_seconds
    return Backtest(context.database, stretch, trial, in_force, facts, seconds).run()


def choose_stretch(context: JobContext, since: datetime, until: datetime) -> Stretch:
    """The time from one moment to another, at most until now.

    Raises:
        BadTrial: nothing lies between them, or more than a year.
    """
    if since >= context.now:
        raise BadTrial(f"The time {since:%Y-%m-%d %H:%M} UTC is still to come: nothing was stored.")
    until = min(until, context.now)
    if since >= until:
        raise BadTrial("Nothing lies between --since and --until.")
    if until - since > _LONGEST:
        raise BadTrial("At most a year is gone through at once: give a later --since.")
    return Stretch(since, until, timedelta(seconds=context.settings.schedule.scan_interval_seconds))


def read_in_force(session: Session, context: JobContext) -> PolicyTrial:
    """The policy that the job ``decide`` applies now."""
    settings = context.settings
    return PolicyTrial(
        settings.blocking,
        read_job_switches(session, context),
        chances=read_chances(session, settings.outliers.outlier_p_value),
        trusted=settings.proxies.trusted_proxies,
    )


def _judge_by(
    context: JobContext, by: Champion, stretch: Stretch, *policies: PolicyTrial
) -> ModelOutliers:
    """What a model makes of all that policies look at: a walk of its own through the records."""
    with context.database.read() as session:
        begins = key_of(find_begin(session, stretch, *policies)) - 1
        begins, ends = whole_scans(session, begins, key_of(stretch.until))
        after_key, _ = whole_scans(session, find_rows_before(session, begins, MIN_JUDGED), ends)

    def read(after: int) -> PastRows:
        with context.database.read(context.settings.schedule.job_timeout_seconds) as session:
            return past_rows(session, after, ends, by.model.names, _CHUNK)

    return find_outliers(by, read, after_key)
