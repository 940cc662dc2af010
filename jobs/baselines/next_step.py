"""What comes next for a source, decided from its sample alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from detectors.baseline.baseline import Baseline, BaselineError
from detectors.baseline.movement import find_largest_move, is_too_far
from detectors.baseline.phases import Phase
from detectors.baseline.sample import Caps, SampleRow, cap_rows
from detectors.baseline.source_fit import SourceFit, learn_source
from detectors.baseline.traffic_fit import MIN_CLIENTS, TrafficFit, measure_fit
from detectors.topology.topology_limits import TopologyLimits, learn_limits
from store.baselines.sources import MIN_IN_FORCE, MIN_PROVISIONAL
from store.phrases import phrase_count

# Who flags must not have been taught by few: 600 pictures are those of at least 20 clients.
IN_FORCE_CAPS = Caps(per_client=30, per_network=90, per_family=2)
PROVISIONAL_CAPS = Caps(per_client=200, per_network=200, per_family=2)
MIN_TESTED = 60
_DAY = timedelta(days=1)
# What services call crafted by default; only how two baselines compare hangs on it.
_RATE = 0.005


@dataclass(frozen=True)
class Standing:
    """What is known of a source before a run.

    Attributes:
        baseline: what judges it now.
        given: a baseline of a file that may come into force.
        anchor: the baseline from which later ones may move only so far.
        rows: its sample, newest first, without caps; if there are looks, those looked at in full.
        recent: those of them that no test counted yet.
    """

    digest: str
    phase: Phase
    baseline: Baseline | None
    given: Baseline | None
    anchor: Baseline | None
    tested_at: datetime | None
    learnt_at: datetime | None
    rows: Sequence[SampleRow]
    recent: Sequence[SampleRow]
    has_looks: bool


@dataclass(frozen=True)
class Plan:
    """What a run does with a source.

    Attributes:
        phase: the phase that it enters or stays in.
        why: one sentence: what changes, or what holds it.
        changes: whether anything but the counts changes.
        learnt: a baseline that was learnt, to be kept.
        judge: which baseline judges from now on: the learnt one, the given one, or none.
        limits: of the topology rules, where something changes.
    """

    phase: Phase
    why: str
    pictures: int
    clients: int
    changes: bool = False
    learnt: SourceFit | None = None
    judge: Baseline | None = None
    limits: TopologyLimits | None = None
    max_entropy: float | None = None
    is_strange: bool = False
    is_anchor: bool = False
    is_tested: bool = False


def choose_plan(standing: Standing, now: datetime) -> Plan:
    """Decide on a source.

    A clock that was put forward or back makes a test or a renewal due once more, and nothing else.
    """
    try:
        return _choose(standing, now)
    except BaselineError as error:
        return _stay(standing, str(error))


def _choose(standing: Standing, now: datetime) -> Plan:
    fit = _test_present(standing, now)
    if fit is not None and fit.is_strange:
        return _put_back(fit)
    plan = _go_on(standing, now)
    return plan if fit is None else replace(plan, is_tested=True)


def _go_on(standing: Standing, now: datetime) -> Plan:
    full = cap_rows(standing.rows, IN_FORCE_CAPS)
    if standing.phase is Phase.IN_FORCE and standing.anchor is not None:
        return _renew(standing, standing.anchor, full, now)
    if len(full) >= MIN_IN_FORCE and _may_come_into_force(standing):
        return _enter(standing, Phase.IN_FORCE, full)
    if standing.phase is Phase.LEARNING:
        return _leave_learning(standing, now)
    return _stay(standing, _explain_wait(standing, full))


def _may_come_into_force(standing: Standing) -> bool:
    return standing.phase is not Phase.IN_FORCE or standing.has_looks


def _leave_learning(standing: Standing, now: datetime) -> Plan:
    """By a given baseline that fits, else by what was learnt of enough pictures."""
    if standing.given is not None and standing.has_looks and _is_due(standing.tested_at, now):
        plan = _test_given(standing, standing.given)
        if plan is not None:
            return plan
    rows = cap_rows(standing.rows, PROVISIONAL_CAPS)
    if len(rows) >= MIN_PROVISIONAL:
        return _enter(standing, Phase.PROVISIONAL, rows)
    return _stay(standing, "It judges nothing yet.")


def _enter(standing: Standing, phase: Phase, rows: Sequence[SampleRow]) -> Plan:
    """Learn from the rows and enter a phase; a source without looks has limits only."""
    clients = len({row.client for row in rows})
    learnt = learn_source(standing.digest, rows) if standing.has_looks else None
    limits = learn_limits([row.extremes for row in rows]) if learnt is None else None
    verb = "It flags" if phase is Phase.IN_FORCE else "It judges, and flags nothing yet"
    return Plan(
        phase,
        f"{verb}: learnt from {len(rows)} pictures of {phrase_count(clients, 'client')}.",
        len(rows),
        clients,
        changes=True,
        learnt=learnt,
        judge=None if learnt is None else learnt.baseline,
        limits=limits if learnt is None else learnt.baseline.limits,
        max_entropy=None if learnt is None else learnt.max_entropy,
        is_anchor=phase is Phase.IN_FORCE and learnt is not None,
    )


def _test_given(standing: Standing, given: Baseline) -> Plan | None:
    """Whether a baseline of a file comes into force; ``None`` while nothing can be said."""
    rows = cap_rows(standing.rows, IN_FORCE_CAPS)
    fit = measure_fit(given, rows)
    if len(rows) < MIN_TESTED or fit.clients < MIN_CLIENTS:
        return None
    if not fit.fits:
        why = f"The baseline of the file does not fit: {_describe(fit)}."
        return _stay(standing, why, is_tested=True)
    return Plan(
        Phase.IN_FORCE,
        f"The baseline of the file fits: {_describe(fit)}.",
        len(rows),
        fit.clients,
        changes=True,
        judge=given,
        limits=given.limits,
        is_tested=True,
    )


def _test_present(standing: Standing, now: datetime) -> TrafficFit | None:
    """How the traffic since the last test fits the baseline that flags; ``None`` if not due."""
    rows = cap_rows(standing.recent, IN_FORCE_CAPS)
    if standing.phase is not Phase.IN_FORCE or standing.baseline is None:
        return None
    if not _is_due(standing.tested_at, now) or len(rows) < MIN_TESTED:
        return None
    return measure_fit(standing.baseline, rows)


def _put_back(fit: TrafficFit) -> Plan:
    why = f"Its traffic does not fit its baseline any more: {_describe(fit)}. It learns anew."
    return Plan(Phase.LEARNING, why, 0, 0, changes=True, is_strange=True, is_tested=True)


def _renew(standing: Standing, anchor: Baseline, rows: Sequence[SampleRow], now: datetime) -> Plan:
    """Learn once a day, and let the new baseline judge unless it moved too far."""
    baseline = standing.baseline or anchor
    if not _is_due(standing.learnt_at, now) or len(rows) < MIN_IN_FORCE:
        return _stay(standing, "It flags.")
    learnt = learn_source(standing.digest, rows)
    features = [row.features for row in rows]
    evidence, step = find_largest_move(baseline, learnt.baseline, features, _RATE)
    _, drift = find_largest_move(anchor, learnt.baseline, features, _RATE)
    move = f"of {evidence} it lets {step:.2f} times as much pass, {drift:.2f} of the first one"
    if is_too_far(step, drift):
        why = f"It flags; the baseline of the night was held back: {move}."
        return _stay(standing, why, learnt=learnt)
    return Plan(
        Phase.IN_FORCE,
        f"It flags, by a baseline that was renewed: {move}.",
        learnt.rows,
        learnt.clients,
        changes=True,
        learnt=learnt,
        judge=learnt.baseline,
        limits=learnt.baseline.limits,
        max_entropy=learnt.max_entropy,
    )


def _stay(
    standing: Standing, why: str, *, learnt: SourceFit | None = None, is_tested: bool = False
) -> Plan:
    """Nothing changes but what is known of the progress."""
    is_learning = standing.phase is Phase.LEARNING
    rows = cap_rows(standing.rows, PROVISIONAL_CAPS if is_learning else IN_FORCE_CAPS)
    clients = len({row.client for row in rows})
    return Plan(standing.phase, why, len(rows), clients, learnt=learnt, is_tested=is_tested)


def _explain_wait(standing: Standing, rows: Sequence[SampleRow]) -> str:
    """What a source waits for that has left learning."""
    if standing.phase is Phase.IN_FORCE:
        return f"It flags; {len(rows)} of {MIN_IN_FORCE} pictures for a baseline of its own."
    clients = len({row.client for row in standing.rows})
    least = -(-MIN_IN_FORCE // IN_FORCE_CAPS.per_client)
    sentence = "It judges, and flags nothing yet."
    if clients >= least:
        return sentence
    return (
        f"{sentence} They are of {phrase_count(clients, 'client')}, of whom each counts with "
        f"{IN_FORCE_CAPS.per_client} at most: it takes {least} clients, or a person who promotes a "
        "baseline."
    )


def _describe(fit: TrafficFit) -> str:
    return (
        f"{100 * fit.beyond:.0f} % of the pictures of {phrase_count(fit.clients, 'client')} are "
        f"odd to it, 10 % are expected (p = {fit.chance:.2g})"
    )


def _is_due(last: datetime | None, now: datetime) -> bool:
    """Once a day; a clock that was put back counts as well."""
    return last is None or abs(now - last) >= _DAY
