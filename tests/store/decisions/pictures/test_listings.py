"""What the blacklist lists of pictures: what a decision carries, and which of them are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.random import default_rng
from structlog.testing import capture_logs

from detectors.patches.patches import Patch, PatchError
from detectors.perturbations.residuals import CHANNELS, GRID
from detectors.perturbations.signatures import Signature, SignatureError
from store.decisions.access_list import AccessList, read_access_list
from store.decisions.decisions import NewDecision, add_decision, revoke
from store.decisions.pictures.listed_patches import PATCHES, patch_evidence, patch_of
from store.decisions.pictures.listed_perturbations import (
    PERTURBATIONS,
    signature_evidence,
    signature_of,
)
from store.decisions.pictures.listings import Listing
from store.decisions.scopes import Kind
from store.engine.database import Database

Block = Callable[..., int]


@dataclass(frozen=True)
class Made:
    """A subject that tests list."""

    digest: str
    evidence: Mapping[str, object]


@dataclass(frozen=True)
class Sort:
    """One sort of thing that is listed."""

    listing: Listing[Any]
    make: Callable[[int], Made]
    held: Callable[[AccessList], tuple[Any, ...]]


def make_patch(seed: int) -> Patch:
    return Patch(default_rng(seed).integers(0, 256, (24, 24, 3)).astype(np.uint8), 0.1)


def make_signature(seed: int) -> Signature:
    shape = (CHANNELS, GRID, GRID)
    return Signature.of_residual(default_rng(seed).normal(size=shape).astype(np.float32))


def list_patch(seed: int) -> Made:
    patch = make_patch(seed)
    return Made(patch.digest, patch_evidence(patch, 0.7))


def list_signature(seed: int) -> Made:
    signature = make_signature(seed)
    return Made(signature.digest, signature_evidence(signature, 7.0))


@pytest.fixture(
    params=[
        Sort(PATCHES, list_patch, lambda access: access.patches),
        Sort(PERTURBATIONS, list_signature, lambda access: access.perturbations),
    ],
    ids=["patch", "perturbation"],
)
def sort(request: pytest.FixtureRequest) -> Sort:
    made: Sort = request.param
    return made


@pytest.fixture
def block(database: Database, now: datetime, sort: Sort) -> Block:
    """Blocks one of the sort; gives the decision's key."""

    def blocked(seed: int = 1, *, days: int = 1, at: datetime = now, **changes: Any) -> int:
        made = sort.make(seed)
        new = NewDecision(
            kind=Kind.BLOCK,
            scope=sort.listing.scope,
            value=made.digest,
            scenario=f"recurring_{sort.listing.scope.value}",
            origin="policy",
            reason="A test.",
            created_by="policy",
            until=at + timedelta(days=days),
            evidence=made.evidence,
        )
        new = replace(new, **changes)
        with database.write() as session:
            return add_decision(session, new, at).id

    return blocked


def test_a_patch_survives_the_evidence_of_a_decision() -> None:
    read, limit = patch_of(patch_evidence(make_patch(1), 0.71234))
    assert read.digest == make_patch(1).digest
    assert (read.share, limit) == (0.1, 0.7123)


def test_a_signature_survives_the_evidence_of_a_decision() -> None:
    read, limit = signature_of(signature_evidence(make_signature(1), 7.12344))
    assert read.digest == make_signature(1).digest
    assert limit == 7.1234


@pytest.mark.parametrize(
    "change",
    [{"patch": None}, {"patch": "!!"}, {"patch": "YWJj"}, {"limit": "x"}, {"patch_share": 7}],
)
def test_damaged_evidence_of_a_patch_is_an_error(change: dict[str, object]) -> None:
    with pytest.raises(PatchError):
        patch_of({**list_patch(1).evidence, **change})
    with pytest.raises(PatchError, match="carries no patch"):
        patch_of({})


@pytest.mark.parametrize(
    "change",
    [{"signature": None}, {"signature": "!!"}, {"signature": "YWJj"}, {"limit": "x"}],
)
def test_damaged_evidence_of_a_perturbation_is_an_error(change: dict[str, object]) -> None:
    with pytest.raises(SignatureError):
        signature_of({**list_signature(1).evidence, **change})
    with pytest.raises(SignatureError, match="carries no signature"):
        signature_of({})


def test_the_access_list_holds_active_ones_newest_first(
    database: Database, block: Block, sort: Sort, now: datetime
) -> None:
    keys = [block(1), block(2, simulated=True)]
    block(3, at=now - timedelta(days=5))
    block(4, kind=Kind.ALLOW)
    with database.read() as session:
        held = sort.held(read_access_list(session, now))
    assert [each.decision_id for each in held] == keys[::-1]
    assert [each.simulated for each in held] == [True, False]
    assert held[1].subject.digest == sort.make(1).digest
    assert held[1].until == now + timedelta(days=1)


def test_as_many_as_can_be_looked_for_are_listed(
    database: Database, block: Block, sort: Sort, now: datetime
) -> None:
    keys = [block(seed) for seed in range(sort.listing.max_listed + 2)]
    with database.read() as session:
        listed = sort.listing.read_blocked(session, now)
    assert [each.decision_id for each in listed] == keys[:1:-1]


def test_one_that_cannot_be_read_is_left_out_and_logged(
    database: Database, block: Block, sort: Sort, now: datetime
) -> None:
    good, bad = block(1), block(2, evidence={})
    with capture_logs() as logs, database.read() as session:
        listed = sort.listing.read_blocked(session, now)
    assert [each.decision_id for each in listed] == [good]
    assert [line["decision"] for line in logs] == [bad]


def test_what_a_person_revoked_stays_known_and_what_expired_does_not(
    database: Database, block: Block, sort: Sort, now: datetime
) -> None:
    revoked, active, tried = block(1), block(2), block(4, simulated=True)
    block(3, at=now - timedelta(days=5))
    with database.write() as session:
        revoke(session, revoked, "ada", "A brand.", now)
    with database.read() as session:
        later = now + timedelta(hours=1)
        known = sort.listing.read_decided(session, later, simulated=True)
        enforced = sort.listing.read_decided(session, later, simulated=False)
        listed = sort.listing.read_blocked(session, now)
    assert {each.decision_id for each in known} == {revoked, active, tried}
    assert {each.decision_id for each in enforced} == {revoked, active}
    assert [each.decision_id for each in listed] == [tried, active]
