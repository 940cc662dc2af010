"""The table of refusals, and that no code that the gate's own source names is missing from it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import inference.gate
from detectors.rule_book import GATE_RULES, RULES
from inference.gate.refusals import (
    DECODER_CRASHED,
    GATE_REFUSALS,
    RULE_REFUSALS,
    refusal_named,
)
from inference.refusals import REFUSALS, Refusal

GATE = Path(inference.gate.__file__).parent
DECODER = sorted((GATE / "decoder").glob("*.py"))
SANDBOX = sorted((GATE / "sandbox").glob("*.py"))
ALL = (*GATE_REFUSALS, *RULE_REFUSALS.values())
CODES = {refusal.code for refusal in GATE_REFUSALS}


def _calls(files: list[Path]) -> Iterator[ast.Call]:
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                yield node


def _name(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def _words(node: ast.AST) -> set[str]:
    """Texts that an expression can be: those of a comparison in it are not."""
    if isinstance(node, ast.IfExp):
        return _words(node.body) | _words(node.orelse)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    return set()


def _raised() -> set[str]:
    """Codes that the decoder refuses with."""
    raised = (call for call in _calls(DECODER) if _name(call) == "Unacceptable")
    return set().union(*(_words(call.args[0]) for call in raised))


def _said_by_the_sandbox() -> set[str]:
    """Every lower-case word with an underscore that its modules could put into a reply."""
    texts: set[str] = set()
    for file in SANDBOX:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Assign):
                inside: list[ast.AST] = [node.value]
                if isinstance(node.value, ast.Dict):
                    inside = list(node.value.values)
                elif isinstance(node.value, ast.Tuple):
                    inside = list(node.value.elts)
                texts |= set().union(*map(_words, inside))
            elif isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                texts |= set().union(
                    *(_words(value) for key, value in pairs if key and _words(key) == {"refusal"})
                )
    ends = re.compile(r"[A-Z_]+ = \"(\w+)\"").findall((GATE / "sandbox/process.py").read_text())
    return {text for text in texts if re.fullmatch(r"[a-z]+(_[a-z]+)+", text)} - set(ends)


def _signs() -> set[str]:
    """Keys that ``examine`` gives to its signs."""
    tree = ast.parse((GATE / "decoder/examine.py").read_text())
    return {
        word
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Subscript)
        for word in _words(target.slice)
    }


def test_every_code_that_the_decoder_raises_is_in_the_table() -> None:
    found = _raised()
    assert {"too_many_pixels", "truncated", "unreadable", "profile_too_large"} <= found
    assert {"metadata_too_large", "too_many_frames", "too_many_scans"} <= found
    assert found <= CODES


def test_every_code_that_the_sandbox_gives_is_in_the_table() -> None:
    found = _said_by_the_sandbox()
    assert {"decoder_crashed", "decoder_unavailable", "takes_too_long", "decoder_busy"} <= found
    assert "too_much_memory" in found
    assert found <= CODES


def test_every_sign_that_the_decoder_gives_is_a_rule_of_the_gate() -> None:
    found = _signs()
    assert {"polyglot", "profile_unusable", "end_missing"} <= found
    assert found <= {rule.code for rule in GATE_RULES}


def test_codes_are_distinct_over_all_tables_and_fit_into_the_store() -> None:
    codes = [refusal.code for refusal in (*ALL, *REFUSALS)]
    assert len(set(codes)) == len(codes)
    assert max(map(len, codes)) <= 64
    assert not set(codes) & ({rule.code for rule in RULES} - set(RULE_REFUSALS))


def test_every_rule_of_the_gate_has_a_refusal_under_its_own_name() -> None:
    assert list(RULE_REFUSALS) == [rule.code for rule in GATE_RULES]
    for rule in GATE_RULES:
        refusal = RULE_REFUSALS[rule.code]
        assert (refusal.code, refusal.atlas, refusal.owasp) == (rule.code, rule.atlas, rule.owasp)


@pytest.mark.parametrize("refusal", ALL, ids=lambda refusal: refusal.code)
def test_a_sentence_says_what_to_do_and_gives_no_limit_away(refusal: Refusal) -> None:
    assert re.fullmatch(r"[A-Z][^\n]*: [^\n]*\.", refusal.sentence)
    assert not re.search(r"\d|score|threshold|worker|sandbox|Pillow", refusal.sentence)


@pytest.mark.parametrize("refusal", ALL, ids=lambda refusal: refusal.code)
def test_only_a_refusal_that_passes_says_when_to_try_again(refusal: Refusal) -> None:
    assert (refusal.status.value == 503) == (refusal.retry_after_seconds is not None)


@pytest.mark.parametrize("refusal", ALL, ids=lambda refusal: refusal.code)
def test_threat_ids_come_in_pairs(refusal: Refusal) -> None:
    assert bool(refusal.atlas) == bool(refusal.owasp)
    assert re.fullmatch(r"(AML\.T\d{4})?", refusal.atlas)


def test_a_code_is_found_and_an_invented_one_is_a_crash() -> None:
    assert [refusal_named(refusal.code) for refusal in GATE_REFUSALS] == list(GATE_REFUSALS)
    for code in ("", "blocked", "not_accepted", "polyglot", "TRUNCATED", "\0"):
        assert refusal_named(code) is DECODER_CRASHED
