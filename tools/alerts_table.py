"""The alerts of the runbook: every rule with when it fires, its value, and who judges it."""

from collections.abc import Iterator
from pathlib import Path

from store.alert_rules.registry import ALERT_RULES
from store.alert_rules.rule import AlertRule, Unit, UnitKind
from store.phrases import plural
from tools.markdown import fill, table


def runbook_page(page: Path) -> str:
    """The page with the rules that there are between its markers."""
    return fill(page, "alerts", alerts_table())


def alerts_table() -> Iterator[str]:
    """A row for each rule, which leads to its heading on the same page."""
    yield ""
    yield from table(
        ("Alert", "Fires when", "Its value", "Judged by"), [_row(rule) for rule in ALERT_RULES]
    )
    yield ""


def _row(rule: AlertRule) -> tuple[str, ...]:
    return (
        f"[`{rule.code}`](#{rule.runbook})",
        rule.meaning,
        _describe_unit(rule.unit),
        f"`{rule.judge}`",
    )


def _describe_unit(unit: Unit) -> str:
    return plural(unit.noun) if unit.kind is UnitKind.COUNT else unit.noun
