"""The job that lists perturbations: real kept pictures in, a decision out, on both databases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest
from sqlalchemy import select

from detectors.findings import Place
from detectors.perturbations.perturbation_choice import choose_perturbations
from detectors.perturbations.perturbation_match import MIN_ORDINARY, PerturbationMatcher
from detectors.perturbations.residuals import residual_of, spectrum_of
from detectors.rule_book import ADVERSARIAL_PICTURE
from inference.answer.encode import webp
from jobs.blocking.find_perturbations import run
from jobs.blocking.suspects import NothingToCompare
from jobs.context import JobContext
from store.decisions.decisions import revoke
from store.decisions.pictures.listed_perturbations import signature_of
from store.decisions.scenarios import RECURRING_PERTURBATION, enable_scenario
from store.decisions.scopes import Scope
from store.pages.audit_views import AuditFilter, audit_entries
from store.tables.work_tables import DecisionRow
from tests.detectors.perturbation_pictures import HEIGHT, WIDTH, lay_over, noise, scene
from tests.jobs.blocking.kept import Sent, choose_once, keep_pictures

MIDDLE = Place(75, 75, 175, 175)
Send = Callable[..., list[str]]
CHOOSE = choose_once(choose_perturbations)


@pytest.fixture(autouse=True)
def search_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search is long, and both databases hold the same pictures."""
    monkeypatch.setattr("jobs.blocking.find_perturbations.choose_perturbations", CHOOSE)


@pytest.fixture
def send(context: JobContext) -> Send:
    """Stores requests with their pictures as a service keeps them; gives their ids."""

    def sent(*pictures: Sent) -> list[str]:
        return keep_pictures(context, ADVERSARIAL_PICTURE, (HEIGHT, WIDTH), pictures)

    return sent


@pytest.fixture
def ordinary(send: Send) -> None:
    numbers = range(MIN_ORDINARY)
    send(*(Sent(kept_scene(500 + each), f"ip:192.0.2.{each}") for each in numbers))


@cache
def kept_scene(seed: int) -> bytes:
    """A plain picture as a service keeps it."""
    return webp(scene(seed))


@cache
def kept_laid_over(seed: int) -> bytes:
    """The same under the perturbation."""
    return webp(lay_over(scene(seed), noise()))


def send_laid_over(send: Send, seeds: range) -> set[str]:
    """Flagged pictures of two clients under one perturbation; their ids."""
    return set(
        send(*(Sent(kept_laid_over(seed), f"ip:198.51.100.{seed % 2}", MIDDLE) for seed in seeds))
    )


def decisions(context: JobContext) -> list[DecisionRow]:
    with context.database.read() as session:
        return list(session.scalars(select(DecisionRow).order_by(DecisionRow.id)))


@pytest.mark.usefixtures("ordinary")
def test_a_perturbation_that_recurs_is_listed_once(context: JobContext, send: Send) -> None:
    ids = send_laid_over(send, range(8))
    send(Sent(kept_scene(20), "ip:198.51.100.1", MIDDLE))
    assert run(context).sentence == "Blocked 1 perturbation."
    [decision] = decisions(context)
    assert decision.scope == Scope.PERTURBATION
    assert not decision.simulated
    assert decision.until == context.now + timedelta(days=30)
    assert decision.reason == ("8 flagged pictures of 2 clients show it; ordinary pictures do not.")
    assert set(decision.evidence["request_ids"]) == ids
    signature, limit = signature_of(decision.evidence)
    assert decision.value == signature.digest
    matcher = PerturbationMatcher(signature)
    laid_over = lay_over(scene(77), noise())
    assert matcher.look(spectrum_of(residual_of(laid_over))) >= limit
    assert matcher.look(spectrum_of(residual_of(scene(78)))) < limit
    [line] = audit_entries(context.database, AuditFilter())
    assert (line.actor, line.action) == ("job:find_perturbations", "decision_made")
    assert line.details["scope"] == "perturbation"
    # The pictures are explained now.
    with pytest.raises(NothingToCompare, match="too few flagged pictures are unexplained"):
        run(context)


@pytest.mark.usefixtures("ordinary")
def test_its_scenario_is_turned_on_by_name(context: JobContext, send: Send) -> None:
    settings = context.settings.model_copy(update={"simulate_blocks": True})
    with context.database.write() as session:
        enable_scenario(session, RECURRING_PERTURBATION, "ada", "Seen.", "analyst:ada", context.now)
    send_laid_over(send, range(8))
    send(Sent(kept_scene(20), "ip:198.51.100.1", MIDDLE))
    assert run(replace(context, settings=settings)).sentence == "Blocked 1 perturbation."
    assert [decision.simulated for decision in decisions(context)] == [False]


@pytest.mark.usefixtures("ordinary")
def test_a_simulated_one_that_a_person_revoked_is_not_listed_again(
    context: JobContext, send: Send
) -> None:
    settings = context.settings.model_copy(
        update={"simulate_blocks": True, "perturbation_block_days": 3}
    )
    context = replace(context, settings=settings)
    send_laid_over(send, range(8))
    assert run(context).sentence.startswith("Would block 1 perturbation (simulated")
    [decision] = decisions(context)
    assert decision.simulated
    assert decision.until == context.now + timedelta(days=3)
    with context.database.write() as session:
        revoke(session, decision.id, "ada", "Our own camera.", context.now)
    with pytest.raises(NothingToCompare):
        run(replace(context, now=context.now + timedelta(days=4)))
    assert len(decisions(context)) == 1


@pytest.mark.usefixtures("ordinary")
def test_plain_flagged_pictures_list_nothing(context: JobContext, send: Send) -> None:
    send(*(Sent(kept_scene(seed), "ip:198.51.100.1", MIDDLE) for seed in range(8)))
    assert run(context).sentence == "No perturbation recurs that ordinary pictures do not show."
    assert decisions(context) == []


@pytest.mark.usefixtures("ordinary")
def test_copies_of_one_picture_are_no_recurrence(context: JobContext, send: Send) -> None:
    image = lay_over(scene(1), noise())
    factors = (1.0, 0.97, 0.94, 0.91, 0.88, 0.85, 0.82)
    copies = [webp((image * factor).astype(image.dtype)) for factor in factors]
    send(*(Sent(file, "ip:198.51.100.1", MIDDLE) for file in copies))
    with pytest.raises(NothingToCompare):
        run(context)


def test_without_ordinary_pictures_nothing_is_listed(context: JobContext, send: Send) -> None:
    send_laid_over(send, range(8))
    send(*(Sent(kept_scene(seed), "ip:192.0.2.1") for seed in range(4)))
    with pytest.raises(NothingToCompare, match=r"2 sampled pictures .* 30 do"):
        run(context)
