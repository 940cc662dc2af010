"""What to do about an alert, in the order in which to do it."""

import re
from collections.abc import Mapping

from store.alert_rules.registry import find_alert_rule
from store.tables.work_tables import AlertRow, DecisionRow

_ACKNOWLEDGE = "Acknowledge the alert, so that others see that you look after it."
_SIMULATED = (
    "Blocks are simulated: `maskwatch decisions enable SCENARIO` enforces those of one scenario "
    "and says first whom that hits. MASKWATCH_SIMULATE_BLOCKS=false enforces those of all but "
    "`attacking_network`; `maskwatch doctor` says whom that hits."
)


def next_steps(alert: AlertRow, blocks: Mapping[str, DecisionRow]) -> tuple[str, ...]:
    """Sentences for whoever is on call.

    Args:
        blocks: the active block of each client that the alert names.
    """
    rule = find_alert_rule(alert.rule)
    steps = tuple(_fill_in(step, alert) for step in rule.next_steps) if rule else ()
    simulated = alert.evidence.get("simulated") or any(b.simulated for b in blocks.values())
    return (_ACKNOWLEDGE, *steps, *((_SIMULATED,) if simulated else ()))


def _fill_in(step: str, alert: AlertRow) -> str:
    return re.sub(r"\{(\w+)\}", lambda name: str(alert.evidence.get(name[1])), step)
