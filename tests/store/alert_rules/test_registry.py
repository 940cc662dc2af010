"""Every alert rule has all that people need who are told of it, or who look after it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest
from sqlalchemy import String

from jobs.catalogue import JOBS
from store import alert_rules
from store.alert_rules.job_failed import WATCHED_JOBS
from store.alert_rules.registry import ALERT_RULES, find_alert_rule
from store.alert_rules.rule import AlertRule
from store.tables.work_tables import AlertRow

RUNBOOK = Path(__file__).parents[3] / "docs" / "operations" / "on-call.md"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
JOB_NAMES = {job.name for job in JOBS}

each_rule = pytest.mark.parametrize("rule", ALERT_RULES, ids=[rule.code for rule in ALERT_RULES])


def _alert(rule: AlertRule) -> AlertRow:
    return AlertRow(rule=rule.code, value=2.0, threshold=1.0, evidence={}, fired_at=NOW)


def _rules_of_modules() -> Iterator[AlertRule]:
    for module in walk_packages(alert_rules.__path__, f"{alert_rules.__name__}."):
        values = vars(import_module(module.name)).values()
        yield from (value for value in values if isinstance(value, AlertRule))


def test_every_rule_of_a_module_is_registered_once() -> None:
    assert sorted(rule.code for rule in _rules_of_modules()) == sorted(
        rule.code for rule in ALERT_RULES
    )
    assert len({rule.code for rule in ALERT_RULES}) == len(ALERT_RULES)


@each_rule
def test_a_rule_is_found_by_its_code_which_fits_its_column(rule: AlertRule) -> None:
    assert find_alert_rule(rule.code) is rule
    assert re.fullmatch("[a-z_]+", rule.code)
    column = AlertRow.__table__.c.rule.type
    assert isinstance(column, String)
    assert len(rule.code) <= (column.length or 0)


@each_rule
def test_a_rule_has_words_a_meaning_and_a_unit(rule: AlertRule) -> None:
    assert rule.words
    assert rule.words[0].isupper()
    assert rule.meaning.endswith(".")
    assert rule.unit.noun


@each_rule
def test_a_rule_has_two_titles_on_one_line_each_and_facts(rule: AlertRule) -> None:
    for title in (rule.firing(_alert(rule)), rule.resolved(_alert(rule))):
        assert title
        assert title.splitlines() == [title]
    assert all(label and value for label, value in rule.facts(_alert(rule)))


@each_rule
def test_a_rule_has_steps_of_its_own_that_are_sentences(rule: AlertRule) -> None:
    assert rule.next_steps
    assert all(re.search(r"[.?]$", step) for step in rule.next_steps)
    assert [other for other in ALERT_RULES if other.next_steps == rule.next_steps] == [rule]


@each_rule
def test_a_rule_is_judged_by_a_job_or_by_the_watchdog(rule: AlertRule) -> None:
    assert rule.judge in {*JOB_NAMES, "watchdog"}


@each_rule
def test_a_rule_of_evaluate_alerts_is_looked_at_or_one_beside_it_is(rule: AlertRule) -> None:
    beside = [other for other in ALERT_RULES if other.runbook == rule.runbook]
    assert rule.judge != "evaluate_alerts" or any(other.look for other in beside)


@each_rule
def test_the_runbook_has_the_heading_of_a_rule_and_names_it(rule: AlertRule) -> None:
    runbook = RUNBOOK.read_text(encoding="utf-8")
    _, heading, section = runbook.partition(f"\n### `{rule.runbook}`\n")
    assert heading, f"docs/operations/on-call.md says nothing under `{rule.runbook}`."
    section = section.partition("\n##")[0]
    assert f"`{rule.code}`" in heading + section
    assert "What to do:" in section


def test_a_code_of_another_version_has_no_rule() -> None:
    assert find_alert_rule("a_rule_of_tomorrow") is None


def test_every_job_is_watched_but_the_one_that_sends_mail() -> None:
    assert set(WATCHED_JOBS) == JOB_NAMES - {"notify"}
