"""Re-rankers: archives in content-addressed files, their lineage in the database.

They stand beside the outlier models: the same folder, the same signatures, promotions of the same
shape. All of them are kept; without one in force lists are in the order of p-values.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.ranking.reranker import (
    MAX_RERANKER_BYTES,
    Reranker,
    RerankerChanged,
    RerankerError,
)
from store.audit.actors import job
from store.audit.audit_log import Action, Entry, append
from store.engine.files.kept_files import FileStore
from store.engine.locks import take_turn
from store.models.archive_signatures import RERANKER, sign_archive, verify_archive
from store.models.promotions import (
    NoWayBack,
    Promotion,
    add_promotion,
    find_present,
    find_previous,
    is_by_job,
)
from store.models.trainings import add_training
from store.tables.model_tables import RerankerPromotionRow, RerankerRow

_TURN = "rerankers"
_NUMBER = re.compile(r"r([1-9][0-9]{0,8})")


class NoReranker(RerankerError):
    """The re-ranker that is asked for does not exist."""


class RerankerStore:
    """Archives under ``var/models``; a row in ``rerankers`` for each.

    Args:
        keys: PEM files of public keys; with any, only archives that one of them signed are read.
    """

    def __init__(self, var_dir: Path, keys: Sequence[Path] = ()) -> None:
        self._files = FileStore(var_dir / "models", ".reranker")
        self._keys = keys

    def add(
        self,
        session: Session,
        reranker: Reranker,
        *,
        labels: int,
        metrics: Mapping[str, object],
        now: datetime,
    ) -> RerankerRow:
        """Keep a re-ranker, not promoted yet; the same one again is the same row, judged anew.

        Until the transaction ends nobody else adds one or changes which is in force.
        """
        take_turn(session, _TURN)
        row = RerankerRow(
            digest=self._files.put(reranker.dumps()),
            basis=reranker.basis,
            trained_at=now,
            labels=labels,
            metrics=dict(metrics),
        )
        return add_training(session, row, _describe_training, now)

    def sign(self, reranker: Reranker, key: Path) -> None:
        """Keep an archive with a signature beside it.

        Raises:
            UntrustedModel: the key cannot be used, or is not one of those that are accepted.
        """
        digest = self._files.put(reranker.dumps())
        sign_archive(self.path_of(digest), digest, key, RERANKER)
        self._verify(digest)

    def read(self, row: RerankerRow) -> Reranker:
        """The re-ranker of a row.

        Raises:
            RerankerError: its file is gone, was changed or is of another version.
            UntrustedModel: no accepted key signed it.
        """
        data = self._files.get(row.digest, MAX_RERANKER_BYTES + 1)
        if data is None:
            raise self._name_fault(row, "is gone")
        try:
            reranker = Reranker.loads(data, row.digest)
        except RerankerChanged as fault:
            raise self._name_fault(row, str(fault), RerankerChanged) from None
        except RerankerError as fault:
            raise self._name_fault(row, str(fault)) from None
        self._verify(row.digest)
        return reranker

    def path_of(self, digest: str) -> Path:
        """Where an archive lies, if it is there."""
        return self._files.path_of(digest)

    def _verify(self, digest: str) -> None:
        if self._keys:
            verify_archive(self.path_of(digest), digest, self._keys, RERANKER)

    def _name_fault(
        self, row: RerankerRow, fault: str, kind: type[RerankerError] = RerankerError
    ) -> RerankerError:
        return kind(
            f"The file {self.path_of(row.digest)} of re-ranker r{row.id} {fault}: put it back from "
            "a backup, or go back with `maskwatch detectors rollback --reranker`."
        )


def find_reranker_in_force(session: Session) -> RerankerRow | None:
    """The re-ranker that orders lists; ``None`` for the order by p-value."""
    present = find_present(session, RerankerPromotionRow)
    if present is None or present.model_id is None:
        return None
    return session.get_one(RerankerRow, present.model_id)


def list_rerankers(session: Session) -> Sequence[RerankerRow]:
    """All of them, the newest first."""
    return session.scalars(select(RerankerRow).order_by(RerankerRow.id.desc())).all()


def is_reranker_name(name: str) -> bool:
    """Whether a name is that of a re-ranker: `r` and its number."""
    return _NUMBER.fullmatch(name) is not None


def find_reranker(session: Session, name: str) -> RerankerRow:
    """The re-ranker of a name such as `r3`.

    Raises:
        NoReranker: there is none.
    """
    number = _NUMBER.fullmatch(name)
    row = None if number is None else session.get(RerankerRow, int(number[1]))
    if row is None:
        raise NoReranker(f"There is no re-ranker {name!r}: `maskwatch detectors list` shows all.")
    return row


def was_taken_out(session: Session, reranker_id: int) -> bool:
    """Whether a re-ranker was in force until a person put something else in its place."""
    present = find_present(session, RerankerPromotionRow)
    if present is None or is_by_job(present):
        return False
    first = select(RerankerPromotionRow.id).where(RerankerPromotionRow.model_id == reranker_id)
    return session.scalars(first.limit(1)).first() is not None


def promote_reranker(
    session: Session, row: RerankerRow, actor: str, now: datetime, why: str
) -> None:
    """Put a re-ranker in force; every other one stays.

    Args:
        actor: who does it, made by :mod:`store.audit.actors`.
    """
    take_turn(session, _TURN)
    previous_id = find_previous(session, RerankerPromotionRow, row.id)
    promotion = Promotion(row.id, actor, now, why, previous_id)
    _put_in_force(session, promotion, Action.RERANKER_PROMOTED)


def roll_back_reranker(session: Session, actor: str, now: datetime, why: str) -> RerankerRow | None:
    """Go back to what was in force before the present re-ranker: another one, or p-values alone.

    Raises:
        NoWayBack: no re-ranker is in force.
    """
    take_turn(session, _TURN)
    present = find_present(session, RerankerPromotionRow)
    if present is None or present.model_id is None:
        raise NoWayBack("No re-ranker is in force: lists are in the order of p-values.")
    before = None
    if present.previous_id is not None:
        before = session.get_one(RerankerPromotionRow, present.previous_id)
    model_id, previous_id = (
        (None, None) if before is None else (before.model_id, before.previous_id)
    )
    _put_in_force(
        session, Promotion(model_id, actor, now, why, previous_id), Action.RERANKER_REVERTED
    )
    return find_reranker_in_force(session)


def _put_in_force(session: Session, promotion: Promotion, action: Action) -> None:
    former = find_reranker_in_force(session)
    add_promotion(session, RerankerPromotionRow, promotion)
    session.flush()
    row = find_reranker_in_force(session)
    subject = "order by p-value" if row is None else _subject(row)
    details = {"instead_of": former and former.id, "why": promotion.why}
    append(session, Entry(promotion.by, action, subject, details), promotion.at)


def _describe_training(row: RerankerRow) -> Entry:
    details = {"digest": row.digest, "labels": row.labels}
    return Entry(job("train_reranker"), Action.RERANKER_TRAINED, _subject(row), details)


def _subject(row: RerankerRow) -> str:
    return f"re-ranker r{row.id}"
