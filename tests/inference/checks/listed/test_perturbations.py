"""Listed perturbations through the whole pipeline: flagged, refused, let through."""

from collections.abc import Callable

import pytest

from detectors.parsing import Image
from detectors.perturbations.signatures import Signature
from detectors.verdict import Mode, Verdict
from inference.service import Service
from store.decisions.pictures.listed_perturbations import signature_evidence
from store.decisions.scopes import Scope
from tests.detectors.perturbation_pictures import lay_over, noise, signature_of
from tests.inference.checks.listed.guarded import Guarded

Encode = Callable[..., bytes]
CODE = "blocked_perturbation"


def block(guarded: Guarded, signature: Signature, *, simulated: bool = False) -> int:
    evidence = signature_evidence(signature, 7.0)
    return guarded.block(Scope.PERTURBATION, signature.digest, evidence, simulated=simulated)


@pytest.fixture
def guarded(service: Service) -> Guarded:
    return Guarded(service)


@pytest.fixture(scope="module")
def signature() -> Signature:
    return signature_of(noise())


@pytest.fixture
def laid_over(figure: Image, encode: Encode) -> bytes:
    """A figure under the perturbation."""
    return encode(lay_over(figure, noise()))


def test_a_listed_perturbation_is_refused_with_its_decision(
    guarded: Guarded, signature: Signature, laid_over: bytes, figure: Image, encode: Encode
) -> None:
    decision = block(guarded, signature)
    outcome = guarded.send(laid_over)
    assert outcome.record.verdict is Verdict.REFUSE
    assert outcome.refusal is not None
    assert outcome.refusal.code == "not_accepted"
    [finding] = [each for each in outcome.record.findings if each.rule.code == CODE]
    assert finding.evidence["decision"] == decision
    assert finding.evidence["strength"] > 2 * finding.evidence["limit"]
    assert finding.places == ()
    assert CODE not in guarded.send(encode(figure)).record.reasons


def test_another_perturbation_is_not_the_listed_one(
    guarded: Guarded, signature: Signature, figure: Image, encode: Encode
) -> None:
    block(guarded, signature)
    assert CODE not in guarded.send(encode(lay_over(figure, noise(seed=1)))).record.reasons


def test_in_monitor_mode_it_is_flagged(
    service: Service, signature: Signature, laid_over: bytes
) -> None:
    watched = Guarded(service, Mode.MONITOR)
    block(watched, signature)
    outcome = watched.send(laid_over)
    assert outcome.record.verdict is Verdict.FLAG
    assert CODE in outcome.record.reasons


def test_a_simulated_block_flags(guarded: Guarded, signature: Signature, laid_over: bytes) -> None:
    block(guarded, signature, simulated=True)
    outcome = guarded.send(laid_over)
    assert outcome.refusal is None
    assert CODE in outcome.record.reasons


def test_who_is_allowed_is_flagged_only(
    guarded: Guarded, signature: Signature, laid_over: bytes
) -> None:
    block(guarded, signature)
    guarded.allow_client()
    assert guarded.send(laid_over).record.verdict is Verdict.FLAG


def test_a_picture_that_passed_before_is_looked_at_again_and_a_block_ends(
    guarded: Guarded, signature: Signature, laid_over: bytes
) -> None:
    assert guarded.send(laid_over).refusal is None
    block(guarded, signature)
    assert guarded.send(laid_over).refusal is not None
    assert guarded.send(laid_over, minutes=61).refusal is None


def test_one_request_has_one_finding_however_many_perturbations_it_shows(
    guarded: Guarded, signature: Signature, laid_over: bytes
) -> None:
    block(guarded, signature)
    block(guarded, signature, simulated=True)
    record = guarded.send(laid_over).record
    assert record.verdict is Verdict.REFUSE
    assert len([each for each in record.findings if each.rule.code == CODE]) == 1
