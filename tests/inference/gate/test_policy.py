import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.findings import Finding, Severity
from detectors.rule_book import GATE_RULES
from inference.gate.policy import DEFAULT_ACTIONS, Action, GatePolicy, parse_actions
from inference.gate.refusals import RULE_REFUSALS
from inference.refusals import Refusal

CODES = st.sampled_from(sorted(DEFAULT_ACTIONS))
FINDINGS = st.lists(st.sampled_from(GATE_RULES).map(lambda rule: Finding(rule, {"bytes": 1.0})))
ACTIONS = st.dictionaries(CODES, st.sampled_from(Action))


def test_by_default_every_rule_weighs_what_its_book_says_and_none_refuses() -> None:
    findings = tuple(Finding(rule) for rule in GATE_RULES)
    assert len(DEFAULT_ACTIONS) == len(GATE_RULES)
    assert GatePolicy().apply(findings) == findings
    assert Action.REFUSE not in DEFAULT_ACTIONS.values()


@pytest.mark.parametrize("rule", GATE_RULES, ids=lambda rule: rule.code)
def test_every_rule_can_be_given_every_action(rule: object) -> None:
    [own] = [found for found in GATE_RULES if found is rule]
    finding = Finding(own, {"bytes": 7.0})

    def applied(action: Action) -> tuple[Finding, ...] | Refusal:
        return GatePolicy({own.code: action}).apply([finding])

    assert applied(Action.OFF) == ()
    assert applied(Action.REFUSE) is RULE_REFUSALS[own.code]
    for action, severity in ((Action.RECORD, Severity.ODD), (Action.FLAG, Severity.SUSPECT)):
        found = applied(action)
        assert isinstance(found, tuple)
        assert (found[0].rule.code, found[0].rule.severity) == (own.code, severity)
        assert found[0].evidence == {"bytes": 7.0}


@given(FINDINGS, ACTIONS)
def test_it_refuses_just_where_a_rule_that_fired_is_told_to(
    findings: list[Finding], actions: dict[str, Action]
) -> None:
    policy = GatePolicy(actions)
    applied = policy.apply(findings)
    told = [policy.action(finding.rule.code) for finding in findings]
    if Action.REFUSE in told:
        first = findings[told.index(Action.REFUSE)].rule.code
        assert applied is RULE_REFUSALS[first]
        return
    assert not isinstance(applied, Refusal)
    kept = [finding.rule.code for finding in findings if policy.action(finding.rule.code) != "off"]
    assert [finding.rule.code for finding in applied] == kept


@given(ACTIONS, st.sampled_from([",", " , ", ",,", ",\n"]), st.sampled_from(["=", " = "]))
def test_actions_are_read_as_they_are_written(
    actions: dict[str, Action], comma: str, equals: str
) -> None:
    text = comma.join(f"{code}{equals}{action}" for code, action in actions.items())
    assert parse_actions(text) == actions


@pytest.mark.parametrize("text", ["", " ", ",", " , "])
def test_no_pairs_are_no_actions(text: str) -> None:
    assert parse_actions(text) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("moon_phase=off", "no rule 'moon_phase'.*polyglot"),
        ("=off", "no rule ''"),
        ("no_person_found=refuse", "no rule 'no_person_found'"),
        ("polyglot=explode", "'polyglot' can be off, record, flag, refuse, not 'explode'"),
        ("polyglot", "not ''"),
        ("polyglot=", "not ''"),
        ("polyglot=REFUSE", "not 'REFUSE'"),
        ("polyglot=off=on", "not 'off=on'"),
        ("polyglot=off;trailing_data=off", "not 'off;trailing_data=off'"),
    ],
)
def test_what_is_not_known_is_said_in_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_actions(text)
