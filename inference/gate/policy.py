"""What follows from a rule of the gate: nothing, a note, a flag or a refusal."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from detectors.findings import Finding, Severity
from detectors.rule_book import GATE_RULES
from inference.gate.refusals import RULE_REFUSALS
from inference.refusals import Refusal


class Action(StrEnum):
    """What a rule of the gate does when it fires."""

    OFF = "off"
    RECORD = "record"
    FLAG = "flag"
    REFUSE = "refuse"


_WEIGHTS = {Action.RECORD: Severity.ODD, Action.FLAG: Severity.SUSPECT}
_ACTIONS = {severity: action for action, severity in _WEIGHTS.items()}
DEFAULT_ACTIONS: dict[str, Action] = {rule.code: _ACTIONS[rule.severity] for rule in GATE_RULES}


@dataclass(frozen=True)
class GatePolicy:
    """Actions by rule code; rules that are not named do what they do by default."""

    actions: Mapping[str, Action] = field(default_factory=dict)

    def action(self, code: str) -> Action:
        """What a rule does."""
        return self.actions.get(code, DEFAULT_ACTIONS[code])

    def apply(self, findings: Iterable[Finding]) -> tuple[Finding, ...] | Refusal:
        """The findings that count, each with the weight that its rule has here; or a refusal."""
        counting = []
        for finding in findings:
            action = self.action(finding.rule.code)
            if action is Action.REFUSE:
                return RULE_REFUSALS[finding.rule.code]
            if action is not Action.OFF:
                rule = replace(finding.rule, severity=_WEIGHTS[action])
                counting.append(replace(finding, rule=rule))
        return tuple(counting)


def parse_actions(text: str) -> dict[str, Action]:
    """Read ``rule=action`` pairs, separated by commas.

    Raises:
        ValueError: a rule or an action that does not exist, in words.

    >>> parse_actions("trailing_data=off, polyglot=refuse")
    {'trailing_data': <Action.OFF: 'off'>, 'polyglot': <Action.REFUSE: 'refuse'>}
    """
    pairs = (pair.partition("=") for pair in text.split(",") if pair.strip())
    return check_actions({code.strip(): action.strip() for code, _, action in pairs})


def check_actions(actions: Mapping[str, object]) -> dict[str, Action]:
    """Actions by rule code, from their names.

    Raises:
        ValueError: a rule or an action that does not exist, in words.
    """
    return {code: _check_action(code, str(action)) for code, action in actions.items()}


def _check_action(code: str, action: str) -> Action:
    if code not in DEFAULT_ACTIONS:
        raise ValueError(f"the gate has no rule {code!r}; it has {', '.join(DEFAULT_ACTIONS)}")
    if action not in set(Action):
        raise ValueError(f"{code!r} can be {', '.join(Action)}, not {action!r}")
    return Action(action)
