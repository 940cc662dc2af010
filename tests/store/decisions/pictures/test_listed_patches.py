"""Patches on the blacklist: what a decision carries, and which of them are read."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.random import default_rng
from structlog.testing import capture_logs

from detectors.patches.patches import Patch, PatchError
from store.decisions.access_list import read_access_list
from store.decisions.decisions import Kind, NewDecision, Scope, add_decision, revoke
from store.decisions.pictures.listed_patches import (
    MAX_PATCHES,
    list_decided_patches,
    listed_patches,
    patch_evidence,
    patch_of,
)
from store.engine.database import Database

Block = Callable[..., int]


def patch(seed: int = 1) -> Patch:
    return Patch(default_rng(seed).integers(0, 256, (24, 24, 3)).astype(np.uint8), 0.1)


@pytest.fixture
def block(database: Database, now: datetime) -> Block:
    """Blocks a patch; gives the decision's key."""

    def blocked(seed: int = 1, *, days: int = 1, at: datetime = now, **changes: Any) -> int:
        new = NewDecision(
            kind=Kind.BLOCK,
            scope=Scope.PATCH,
            value=patch(seed).digest,
            scenario="recurring_patch",
            origin="policy",
            reason="A test.",
            created_by="policy",
            until=at + timedelta(days=days),
            evidence=patch_evidence(patch(seed), 0.7),
        )
        new = replace(new, **changes)
        with database.write() as session:
            return add_decision(session, new, at).id

    return blocked


def test_a_patch_survives_the_evidence_of_a_decision() -> None:
    read, limit = patch_of(patch_evidence(patch(), 0.71234))
    assert read.digest == patch().digest
    assert (read.share, limit) == (0.1, 0.7123)


@pytest.mark.parametrize(
    "change",
    [{"patch": None}, {"patch": "!!"}, {"patch": "YWJj"}, {"limit": "x"}, {"patch_share": 7}],
)
def test_damaged_evidence_is_an_error(change: dict[str, object]) -> None:
    with pytest.raises(PatchError):
        patch_of({**patch_evidence(patch(), 0.7), **change})
    with pytest.raises(PatchError, match="carries no patch"):
        patch_of({})


def test_the_access_list_holds_active_patches_newest_first(
    database: Database, block: Block, now: datetime
) -> None:
    keys = [block(1), block(2, simulated=True)]
    block(3, at=now - timedelta(days=5))
    block(4, kind=Kind.ALLOW)
    with database.read() as session:
        patches = read_access_list(session, now).patches
    assert [each.decision_id for each in patches] == keys[::-1]
    assert [each.simulated for each in patches] == [True, False]
    assert patches[1].patch.digest == patch(1).digest
    assert patches[1].until == now + timedelta(days=1)


def test_as_many_as_can_be_looked_for_are_listed(
    database: Database, block: Block, now: datetime
) -> None:
    keys = [block(seed) for seed in range(MAX_PATCHES + 2)]
    with database.read() as session:
        listed = listed_patches(session, now)
    assert [each.decision_id for each in listed] == keys[:1:-1]


def test_one_that_cannot_be_read_is_left_out_and_logged(
    database: Database, block: Block, now: datetime
) -> None:
    good, bad = block(1), block(2, evidence={})
    with capture_logs() as logs, database.read() as session:
        listed = listed_patches(session, now)
    assert [each.decision_id for each in listed] == [good]
    assert [line["decision"] for line in logs] == [bad]


def test_what_a_person_revoked_stays_known_and_what_expired_does_not(
    database: Database, block: Block, now: datetime
) -> None:
    revoked, active, tried = block(1), block(2), block(4, simulated=True)
    block(3, at=now - timedelta(days=5))
    with database.write() as session:
        revoke(session, revoked, "ada", "A brand.", now)
    with database.read() as session:
        later = now + timedelta(hours=1)
        known = list_decided_patches(session, later, simulated=True)
        enforced = list_decided_patches(session, later, simulated=False)
        listed = listed_patches(session, now)
    assert {each.decision_id for each in known} == {revoked, active, tried}
    assert {each.decision_id for each in enforced} == {revoked, active}
    assert [each.decision_id for each in listed] == [tried, active]
