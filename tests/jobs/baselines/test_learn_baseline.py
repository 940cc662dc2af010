"""A source is learnt from its own traffic: phases, tests, renewals, and what holds them."""

import json
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from detectors.baseline.baseline import Baseline, BaselineError
from detectors.baseline.baseline_fit import learn
from detectors.baseline.baseline_text import to_json
from detectors.baseline.phases import Phase, SourceState
from detectors.rule_book import TRIGGER_SUSPECTED
from jobs.baselines import learn_baseline
from jobs.baselines.next_step import Plan, Standing, choose_plan
from jobs.context import JobContext
from store.audit.audit_log import Action
from store.baselines.baselines import NewBaseline, Origin, add_baseline, list_baselines
from store.baselines.sources import promote, read_states, roll_back
from store.engine.change_marks import Mark, read_marks
from store.tables.audit_tables import AuditRow
from store.tables.baseline_tables import BaselineRow
from tests.jobs.baselines.conftest import SOURCE, Deployment, draw_features

DAY = timedelta(days=1, minutes=1)


def _state(deployment: Deployment) -> SourceState:
    with deployment.database.read() as session:
        return read_states(session)[SOURCE]


def _give(deployment: Deployment, oddness: float = 1.0) -> Baseline:
    rows = [draw_features(10_000 + seed, oddness) for seed in range(400)]
    baseline = learn(SOURCE, rows[:200], rows[200:])
    new = NewBaseline(SOURCE, Origin.SHIPPED, to_json(baseline))
    with deployment.database.write() as session:
        add_baseline(session, new, "service:test", deployment.now)
    return baseline


def test_a_source_learns_judges_and_flags(deployment: Deployment) -> None:
    deployment.send(137)
    deployment.learn()
    assert (deployment.source().pictures, deployment.source().why) == (
        137,
        "It judges nothing yet.",
    )
    assert _state(deployment).baseline is None
    deployment.send(63)
    deployment.learn()
    assert (_state(deployment).phase, deployment.source().pictures) == (Phase.PROVISIONAL, 200)
    assert _state(deployment).baseline is not None
    deployment.send(400)
    said = deployment.learn()
    state = _state(deployment)
    assert state.phase is Phase.IN_FORCE
    assert "is in_force: It flags: learnt from 600 pictures of 150 clients." in said.sentence
    assert state.max_entropy == pytest.approx(0.57, abs=0.05)
    assert state.limits.min_skin_share == pytest.approx(0.02, abs=0.005)


def test_every_change_moves_the_mark_and_is_audited(deployment: Deployment) -> None:
    deployment.send(600)
    deployment.learn()
    with deployment.database.read() as session:
        assert read_marks(session)[Mark.SOURCES] > 0
        actions = {row.action for row in session.query(AuditRow)}
    assert {Action.BASELINE_ADDED.value, Action.SOURCE_CHANGED.value} <= actions


def test_a_source_of_three_clients_stays_provisional_and_says_why(deployment: Deployment) -> None:
    deployment.send(900, clients=3)
    deployment.learn()
    deployment.learn()
    source = deployment.source()
    assert source.phase == Phase.PROVISIONAL
    assert "They are of 3 clients, of whom each counts with 30 at most" in source.why
    assert "20 clients, or a person who promotes a baseline" in source.why


def test_a_given_baseline_that_fits_is_in_force_after_sixty_requests(
    deployment: Deployment,
) -> None:
    given = _give(deployment)
    deployment.send(59)
    deployment.learn()
    assert _state(deployment).phase is Phase.LEARNING
    deployment.send(1)
    deployment.learn()
    assert (_state(deployment).phase, _state(deployment).baseline) == (Phase.IN_FORCE, given)


def test_a_source_that_a_file_judges_goes_on_to_its_own_baseline(deployment: Deployment) -> None:
    given = _give(deployment)
    deployment.send(60)
    deployment.learn()
    assert not _state(deployment).has_own
    assert not _state(deployment).is_learnt
    deployment.send(540)
    deployment.learn()
    assert _state(deployment).is_learnt
    assert _state(deployment).baseline != given


def test_a_given_baseline_that_cannot_be_read_is_passed_over_and_logged(
    deployment: Deployment,
) -> None:
    _give(deployment)
    with deployment.database.write() as session:
        session.execute(update(BaselineRow).values(text="{}"))
    deployment.send(60)
    with capture_logs() as logs:
        deployment.learn()
    assert _state(deployment).phase is Phase.LEARNING
    assert "given baseline passed over" in {log["event"] for log in logs}


def test_a_given_baseline_of_other_pictures_accuses_nobody(deployment: Deployment) -> None:
    _give(deployment)
    deployment.send(60, oddness=3)
    deployment.learn()
    assert _state(deployment).baseline is None
    assert "The baseline of the file does not fit" in deployment.source().why
    deployment.send(540, oddness=3)
    deployment.learn()
    assert _state(deployment).phase is Phase.IN_FORCE
    assert deployment.source().baseline_id == 2


def test_sixty_requests_of_one_client_prove_nothing(deployment: Deployment) -> None:
    _give(deployment)
    deployment.send(100, clients=1)
    deployment.learn()
    assert _state(deployment).phase is Phase.LEARNING


def test_strangers_put_a_source_back_to_learning(deployment: Deployment) -> None:
    deployment.send(600)
    deployment.learn()
    deployment.now += DAY
    deployment.send(100, oddness=4)
    said = deployment.learn()
    source = deployment.source()
    assert (source.phase, source.is_strange, source.baseline_id) == ("learning", True, None)
    assert "does not fit its baseline any more" in said.sentence
    deployment.now += timedelta(hours=1)
    deployment.send(600, oddness=4)
    deployment.learn()
    assert (_state(deployment).phase, deployment.source().is_strange) == (Phase.IN_FORCE, False)


def test_one_client_of_strange_pictures_puts_nothing_back(deployment: Deployment) -> None:
    deployment.send(600)
    deployment.learn()
    deployment.now += DAY
    deployment.send(100)
    deployment.send(100, clients=1, oddness=6, network="203.0.113.{}")
    deployment.learn()
    assert _state(deployment).phase is Phase.IN_FORCE


def test_a_baseline_is_renewed_nightly_with_its_lineage(deployment: Deployment) -> None:
    deployment.send(600)
    deployment.learn()
    deployment.now += DAY
    deployment.send(300)
    deployment.learn()
    with deployment.database.read() as session:
        newest, first = list_baselines(session)
        assert (newest.parent_id, newest.origin) == (first.id, "learnt")
        assert newest.promoted_at == deployment.now
    assert deployment.source().anchor_id == first.id
    deployment.learn(later=timedelta(minutes=1))
    assert deployment.source().baseline_id == newest.id


def test_a_night_that_moves_too_far_is_held_back(deployment: Deployment) -> None:
    deployment.send(600, oddness=0.5)
    deployment.learn()
    deployment.now += DAY
    # Every client sends one or two that are odd: too few for strangers, too many to be left out.
    deployment.send(400, oddness=0.5)
    deployment.send(200, oddness=1.5)
    deployment.learn()
    source = deployment.source()
    assert (source.phase, source.baseline_id) == ("in_force", 1)
    assert "was held back" in source.why
    with deployment.database.read() as session:
        assert [row.promoted_at is None for row in list_baselines(session)] == [True, False]


def test_a_night_of_odd_pictures_that_lie_apart_moves_little(deployment: Deployment) -> None:
    deployment.send(600, oddness=0.5)
    deployment.learn()
    deployment.now += DAY
    deployment.send(490, oddness=0.5)
    deployment.send(110, oddness=2)
    deployment.learn()
    source = deployment.source()
    assert (source.phase, source.baseline_id) == ("in_force", 2)
    assert "was renewed" in source.why


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(days=-2)])
def test_a_clock_that_jumps_changes_no_phase(deployment: Deployment, jump: timedelta) -> None:
    deployment.send(600)
    deployment.learn()
    deployment.learn(later=jump)
    assert _state(deployment).phase is Phase.IN_FORCE


def test_what_a_person_did_meanwhile_is_not_undone(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.send(200)
    deployment.learn()
    deployment.send(400)

    def choose_slowly(standing: Standing, now: datetime) -> Plan:
        with deployment.database.write() as session:
            promote(session, 1, "analyst:ada", now)
        return choose_plan(standing, now)

    monkeypatch.setattr(learn_baseline, "choose_plan", choose_slowly)
    deployment.learn()
    assert (deployment.source().baseline_id, deployment.source().why) == (
        1,
        "A person put its baseline in force.",
    )


def test_of_two_that_learn_at_once_one_counts_and_the_other_says_so(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.send(600)

    def choose_slowly(standing: Standing, now: datetime) -> Plan:
        monkeypatch.undo()
        assert "is in_force" in deployment.learn().sentence
        return choose_plan(standing, now)

    monkeypatch.setattr(learn_baseline, "choose_plan", choose_slowly)
    said = deployment.learn().sentence
    assert "was changed by somebody else meanwhile: the next run looks again." in said
    with deployment.database.read() as session:
        assert [row.id for row in list_baselines(session)] == [deployment.source().baseline_id]


def test_a_baseline_goes_back_to_the_one_before(deployment: Deployment) -> None:
    deployment.send(600)
    deployment.learn()
    deployment.now += DAY
    deployment.send(300)
    deployment.learn()
    with deployment.database.write() as session:
        assert roll_back(session, SOURCE[:8], "analyst:ada", deployment.now).baseline_id == 1
    with (
        deployment.database.write() as session,
        pytest.raises(BaselineError, match="No baseline was in force before"),
    ):
        roll_back(session, SOURCE[:8], "analyst:ada", deployment.now)


def test_a_baseline_that_somebody_changed_is_said(deployment: Deployment) -> None:
    deployment.send(200)
    deployment.learn()
    with deployment.database.write() as session:
        session.execute(update(BaselineRow).values(text="{}"))
    with pytest.raises(BaselineError, match="Baseline 1 is not what was stored under its hash"):
        learn_baseline.run(JobContext(deployment.database, deployment.settings, deployment.now))
    with deployment.database.read() as session, pytest.raises(BaselineError):
        read_states(session)


def test_the_limit_of_triggers_is_learnt_audited_and_kept_through_later_steps(
    deployment: Deployment,
) -> None:
    deployment.send(180)
    deployment.send(15, reasons=(TRIGGER_SUSPECTED.code,), trigger_score=0.11)
    deployment.learn()
    assert _state(deployment).max_trigger_score == 0.0
    deployment.send(405)
    said = deployment.learn()
    assert "Suspected triggers flag above 0.11, above 0 before." in said.sentence
    state = _state(deployment)
    assert (state.phase, state.max_trigger_score) == (Phase.IN_FORCE, 0.11)
    assert TRIGGER_SUSPECTED.code not in state.demoted
    assert state.limits.min_skin_share == pytest.approx(0.02, abs=0.005)
    with deployment.database.write() as session:
        promote(session, list_baselines(session)[0].id, "cli:ada", deployment.now)
        changes = [json.loads(row.details) for row in session.query(AuditRow)]
    assert _state(deployment).max_trigger_score == 0.11
    [change] = [each for each in changes if each.get("limit") == "max_trigger_score"]
    assert (change["before"], change["after"]) == (0.0, 0.11)
