"""Perturbations on the blacklist: what a decision carries, and which of them are read."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.random import default_rng
from structlog.testing import capture_logs

from detectors.perturbations.residuals import CHANNELS, GRID
from detectors.perturbations.signatures import Signature, SignatureError
from store.decisions.access_list import read_access_list
from store.decisions.decisions import Kind, NewDecision, Scope, add_decision, revoke
from store.decisions.pictures.listed_perturbations import (
    MAX_PERTURBATIONS,
    list_decided_perturbations,
    listed_perturbations,
    signature_evidence,
    signature_of,
)
from store.engine.database import Database

Block = Callable[..., int]


def signature(seed: int = 1) -> Signature:
    shape = (CHANNELS, GRID, GRID)
    return Signature.of_residual(default_rng(seed).normal(size=shape).astype(np.float32))


@pytest.fixture
def block(database: Database, now: datetime) -> Block:
    """Blocks a perturbation; gives the decision's key."""

    def blocked(seed: int = 1, *, days: int = 1, at: datetime = now, **changes: Any) -> int:
        new = NewDecision(
            kind=Kind.BLOCK,
            scope=Scope.PERTURBATION,
            value=signature(seed).digest,
            scenario="recurring_perturbation",
            origin="policy",
            reason="A test.",
            created_by="policy",
            until=at + timedelta(days=days),
            evidence=signature_evidence(signature(seed), 7.0),
        )
        new = replace(new, **changes)
        with database.write() as session:
            return add_decision(session, new, at).id

    return blocked


def test_a_signature_survives_the_evidence_of_a_decision() -> None:
    read, limit = signature_of(signature_evidence(signature(), 7.12344))
    assert read.digest == signature().digest
    assert limit == 7.1234


@pytest.mark.parametrize(
    "change",
    [{"signature": None}, {"signature": "!!"}, {"signature": "YWJj"}, {"limit": "x"}],
)
def test_damaged_evidence_is_an_error(change: dict[str, object]) -> None:
    with pytest.raises(SignatureError):
        signature_of({**signature_evidence(signature(), 7.0), **change})
    with pytest.raises(SignatureError, match="carries no signature"):
        signature_of({})


def test_the_access_list_holds_active_ones_newest_first(
    database: Database, block: Block, now: datetime
) -> None:
    keys = [block(1), block(2, simulated=True)]
    block(3, at=now - timedelta(days=5))
    block(4, kind=Kind.ALLOW)
    with database.read() as session:
        perturbations = read_access_list(session, now).perturbations
    assert [each.decision_id for each in perturbations] == keys[::-1]
    assert [each.simulated for each in perturbations] == [True, False]
    assert perturbations[1].signature.digest == signature(1).digest
    assert perturbations[1].until == now + timedelta(days=1)


def test_as_many_as_can_be_looked_for_are_listed(
    database: Database, block: Block, now: datetime
) -> None:
    keys = [block(seed) for seed in range(MAX_PERTURBATIONS + 2)]
    with database.read() as session:
        listed = listed_perturbations(session, now)
    assert [each.decision_id for each in listed] == keys[:1:-1]


def test_one_that_cannot_be_read_is_left_out_and_logged(
    database: Database, block: Block, now: datetime
) -> None:
    good, bad = block(1), block(2, evidence={})
    with capture_logs() as logs, database.read() as session:
        listed = listed_perturbations(session, now)
    assert [each.decision_id for each in listed] == [good]
    assert [line["decision"] for line in logs] == [bad]


def test_what_a_person_revoked_stays_known_and_what_expired_does_not(
    database: Database, block: Block, now: datetime
) -> None:
    revoked, active, tried = block(1), block(2), block(4, simulated=True)
    block(3, at=now - timedelta(days=5))
    with database.write() as session:
        revoke(session, revoked, "ada", "A camera.", now)
    with database.read() as session:
        later = now + timedelta(hours=1)
        known = list_decided_perturbations(session, later, simulated=True)
        enforced = list_decided_perturbations(session, later, simulated=False)
        listed = listed_perturbations(session, now)
    assert {each.decision_id for each in known} == {revoked, active, tried}
    assert {each.decision_id for each in enforced} == {revoked, active}
    assert [each.decision_id for each in listed] == [tried, active]
