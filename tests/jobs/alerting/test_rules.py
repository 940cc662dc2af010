"""Every alert rule has what people need who are told of it: title, steps, place in the runbook."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from jobs.alerting import rules
from jobs.alerting.alerts import INVALID_SHARE, JOB_FAILED
from jobs.alerting.next_steps import next_steps
from jobs.alerting.titles import title
from jobs.context import JobContext
from store.alerts.alerts import CRITICAL, WARNING, Event, apply_condition
from tests.makers import make_condition

RUNBOOK = Path(__file__).parents[3] / "docs" / "operations.md"


def _names() -> Iterator[str]:
    """The rules that the modules of the folder name: constants that say their own name."""
    for module in iter_modules(rules.__path__, f"{rules.__name__}."):
        for name, value in vars(import_module(module.name)).items():
            if name.isupper() and value == name.lower() and value not in {WARNING, CRITICAL}:
                yield value


OF_FOLDER = sorted({*_names(), JOB_FAILED})


def test_the_rules_are_found() -> None:
    assert len(OF_FOLDER) >= len(list(iter_modules(rules.__path__))) + 1


@pytest.mark.parametrize("event", [Event.FIRING, Event.RESOLVED])
@pytest.mark.parametrize("rule", OF_FOLDER)
def test_a_rule_has_a_title_and_steps_of_its_own(
    context: JobContext, rule: str, event: Event
) -> None:
    with context.database.write() as session:
        alert = apply_condition(session, make_condition(rule=rule, evidence={}), context.now)
        share = apply_condition(session, make_condition(fingerprint="share"), context.now)
    assert alert is not None
    assert share is not None
    assert not title(alert, event).startswith(rule.replace("_", " "))
    assert next_steps(alert, {}) != next_steps(share, {})


@pytest.mark.parametrize("rule", [INVALID_SHARE, *OF_FOLDER])
def test_the_runbook_tells_of_a_rule(rule: str) -> None:
    assert f"`{rule}`" in RUNBOOK.read_text()
