"""How far a source is learnt, and which of its rules were demoted, in words and as alerts."""

from datetime import timedelta

from detectors.baseline.budgets import RuleCount
from detectors.baseline.phases import Phase
from detectors.topology.topology_limits import DEFAULTS
from store.alert_rules.rule_demoted import demotion_condition
from store.alert_rules.strange_traffic import strange_condition
from store.baselines.rule_budgets import keep_counts, list_budgets, read_demoted
from store.baselines.sources import Step, ensure_source, list_sources, read_states, take_step
from store.baselines.trigger_limits import keep_trigger_limit
from store.engine.change_marks import Mark, read_marks
from store.engine.database import Database
from store.pages.source_progress import list_progress
from tests.makers import NOW

SOURCE = "7" * 64


def _count(share: float, *, is_demoted: bool) -> RuleCount:
    return RuleCount("trousers_without_feet", share, share, 1_200, 150, 61, is_demoted)


def test_a_new_source_is_learning(database: Database) -> None:
    with database.write() as session:
        ensure_source(session, SOURCE, NOW).pictures = 137
    with database.read() as session:
        [progress] = list_progress(session)
    assert progress.summary == "learning, 137 of 200"
    assert progress.standing == "learning, 137 of 200. No sampled picture was counted yet."


def test_a_demoted_rule_is_said_and_weighs_nothing_until_it_is_promoted(
    database: Database,
) -> None:
    with database.write() as session:
        row = ensure_source(session, SOURCE, NOW)
        take_step(session, row, Step(Phase.IN_FORCE, None, "It flags."), "job:test", NOW)
        mark = read_marks(session)[Mark.SOURCES]
        count = _count(0.19, is_demoted=True)
        assert keep_counts(session, SOURCE, [count], 0.005, "job:test", NOW) == [count.code]
        assert read_marks(session)[Mark.SOURCES] > mark
    with database.read() as session:
        [progress] = list_progress(session)
        assert progress.summary == "in force, 1 rule demoted"
        [budget] = list_budgets(session, SOURCE)
        condition = demotion_condition(budget)
        assert condition.active
        assert progress.demoted[0] == (
            "`trousers_without_feet` fires on 19 % of the requests of 61 of 150 clients: it is "
            "recorded and no longer flags."
        )
        assert condition.summary == f"On {SOURCE[:12]}, {progress.demoted[0]}"
        named = demotion_condition(budget, "form at http://127.0.0.1:5000")
        assert named.summary.startswith("On form at http://127.0.0.1:5000, `trousers_without_feet`")
        assert read_states(session)[SOURCE].demoted == {count.code}
    later = NOW + timedelta(hours=1)
    with database.write() as session:
        keep_counts(session, SOURCE, [_count(0.002, is_demoted=False)], 0.005, "job:test", later)
        assert read_demoted(session, SOURCE) == frozenset()
        [budget] = list_budgets(session)
        assert (budget.since, demotion_condition(budget).active) == (later, False)


def test_a_learnt_limit_of_triggers_is_said_and_stays_until_another_is_learnt(
    database: Database,
) -> None:
    with database.write() as session:
        row = ensure_source(session, SOURCE, NOW)
        assert keep_trigger_limit(session, row, 0.0, "job:test", NOW) is None
        mark = read_marks(session)[Mark.SOURCES]
        keep_trigger_limit(session, row, 0.12, "job:test", NOW)
        assert read_marks(session)[Mark.SOURCES] > mark
    with database.read() as session:
        [progress] = list_progress(session)
        state = read_states(session)[SOURCE]
    assert progress.why.endswith(" Suspected triggers flag above 0.12.")
    assert (state.max_trigger_score, state.limits) == (0.12, DEFAULTS)


def test_counts_that_change_nothing_move_no_mark(database: Database) -> None:
    with database.write() as session:
        mark = read_marks(session)[Mark.SOURCES]
        count = _count(0.001, is_demoted=False)
        assert keep_counts(session, SOURCE, [count], 0.005, "job:test", NOW) == []
        assert read_marks(session)[Mark.SOURCES] == mark


def test_strangers_are_an_alert(database: Database) -> None:
    with database.write() as session:
        row = ensure_source(session, SOURCE, NOW)
        assert not strange_condition(row).active
        step = Step(Phase.LEARNING, None, "Odd.", is_strange=True)
        take_step(session, row, step, "job:test", NOW)
        [source] = list_sources(session)
        assert strange_condition(source).active
        assert "learns anew" in strange_condition(source).summary
