"""Outlier models: archives in content-addressed files, their lineage in the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from detectors.errors import MaskwatchError
from detectors.outliers.archive import MAX_ARCHIVE_BYTES
from store.audit.actors import job
from store.audit.audit_log import Action, Entry, append
from store.engine.change_marks import Mark, move_mark
from store.engine.files.kept_files import FileStore
from store.models.archive_signatures import sign_archive, verify_archive
from store.models.promotions import Promotion, add_promotion, find_previous, find_way_back
from store.models.trainings import add_training
from store.tables.model_tables import PromotionRow
from store.tables.work_tables import OutlierModelRow

FORMER_SUFFIX = ".skops"
"""Of archives that an earlier version wrote; nobody reads them any more."""


HELD_BACK = "held_back_because"
"""Under this name the metrics of a model say why it was not promoted."""
CLIENTS = "clients"
"""And under this one from how many clients it learnt."""


class NoOutlierModel(MaskwatchError):
    """The model that is asked for does not exist."""


class OutlierModelStore:
    """Archives under ``var/models``; a row in ``outlier_models`` for each.

    Args:
        keys: PEM files of public keys; with any, only archives that one of them signed are read.
    """

    def __init__(self, var_dir: Path, keys: Sequence[Path] = ()) -> None:
        self._files = FileStore(var_dir / "models", ".safetensors")
        self._signatures = FileStore(var_dir / "models", ".safetensors.sig")
        self._former = FileStore(var_dir / "models", FORMER_SUFFIX)
        self._keys = keys

    def add(
        self,
        session: Session,
        *,
        archive: bytes,
        kind: str,
        rows: int,
        metrics: Mapping[str, object],
        now: datetime,
    ) -> OutlierModelRow:
        """Keep an archive, not promoted yet; the same one again is the same row, judged anew."""
        row = OutlierModelRow(
            digest=self._files.put(archive),
            kind=kind,
            trained_at=now,
            rows=rows,
            promoted=False,
            metrics=dict(metrics),
        )
        return add_training(session, row, _describe_training, now)

    def read(self, digest: str) -> bytes:
        """The archive of a digest; of one that is too large, more than the largest has.

        Raises:
            NoOutlierModel: the file is gone, or is one of an earlier version.
            UntrustedModel: no accepted key signed it.
        """
        data = self._files.get(digest, MAX_ARCHIVE_BYTES + 1)
        if data is None:
            raise NoOutlierModel(self.explain_absence(digest))
        if self._keys:
            verify_archive(self.path_of(digest), digest, self._keys)
        return data

    def sign(self, archive: bytes, key: Path) -> None:
        """Keep an archive with a signature beside it.

        Raises:
            UntrustedModel: the key cannot be used, or is not one of those that are accepted.
        """
        digest = self._files.put(archive)
        sign_archive(self.path_of(digest), digest, key)
        self.read(digest)

    def path_of(self, digest: str) -> Path:
        """Where an archive lies, if it is there."""
        return self._files.path_of(digest)

    def list_missing(self, session: Session) -> tuple[str, ...]:
        """The digest of the champion, if it has no archive; retention removes those of others."""
        digests = session.scalars(select(OutlierModelRow.digest).where(OutlierModelRow.promoted))
        return tuple(digest for digest in digests if not self._files.has(digest))

    def remove_archives(self, session: Session, before: datetime) -> int:
        """Remove the files of models trained before a time; the champion's stays, and all rows.

        A row says what was trained from what, and what scored the records; it takes no room.
        """
        digests = session.scalars(
            select(OutlierModelRow.digest).where(
                OutlierModelRow.trained_at < before, ~OutlierModelRow.promoted
            )
        )
        removals = [
            files.remove(digest, before)
            for digest in digests
            for files in (self._files, self._former, self._signatures)
        ]
        return sum(bool(removal.freed_bytes) for removal in removals)

    def explain_absence(self, digest: str) -> str:
        """What became of an archive that is not there, and what to do."""
        if self._former.has(digest):
            return former_archive_sentence(self._former.path_of(digest))
        return f"The file of outlier model {digest[:12]} is gone: run `maskwatch jobs run retrain`."


def former_archive_sentence(archive: Path) -> str:
    """What to do about an archive of an earlier version."""
    return (
        f"The outlier model {archive} was written by an earlier version and is not read any more: "
        "run `maskwatch jobs run retrain`, which trains one that replaces it."
    )


def promote(session: Session, model_id: int, actor: str, now: datetime, why: str = "") -> None:
    """Make one model the champion; every other one steps back but stays.

    Args:
        actor: who does it, made by :mod:`store.audit.actors`.
        why: one sentence, if there is one.

    Raises:
        NoOutlierModel: there is no such model; the champion stays.
    """
    move_mark(session, Mark.OUTLIER_MODEL)
    previous_id = find_previous(session, PromotionRow, model_id)
    _put_in_force(session, Promotion(model_id, actor, now, why, previous_id))


def roll_back(session: Session, actor: str, now: datetime, why: str) -> OutlierModelRow:
    """Make the model the champion again that was it before the present one.

    Raises:
        NoWayBack: there was none.
    """
    move_mark(session, Mark.OUTLIER_MODEL)
    before = find_way_back(session)
    return _put_in_force(session, Promotion(before.model_id, actor, now, why, before.previous_id))


def _put_in_force(session: Session, promotion: Promotion) -> OutlierModelRow:
    row = session.get(OutlierModelRow, promotion.model_id)
    if row is None:
        raise NoOutlierModel(f"There is no outlier model with id {promotion.model_id}.")
    former = champion(session)
    session.execute(update(OutlierModelRow).values(promoted=OutlierModelRow.id == row.id))
    add_promotion(session, PromotionRow, promotion)
    goes_back = former is not None and former.id > row.id
    action = Action.OUTLIER_MODEL_REVERTED if goes_back else Action.OUTLIER_MODEL_PROMOTED
    details = {"digest": row.digest, "instead_of": former and former.id, "why": promotion.why}
    append(session, Entry(promotion.by, action, _subject(row), details), promotion.at)
    return row


def _describe_training(row: OutlierModelRow) -> Entry:
    details = {"digest": row.digest, "kind": row.kind, "rows": row.rows}
    return Entry(job("retrain"), Action.OUTLIER_MODEL_TRAINED, _subject(row), details)


def _subject(row: OutlierModelRow) -> str:
    return f"outlier model {row.id}"


def champion(session: Session) -> OutlierModelRow | None:
    """The promoted model."""
    return session.scalars(select(OutlierModelRow).where(OutlierModelRow.promoted)).one_or_none()


def find_held_back(session: Session) -> OutlierModelRow | None:
    """The newest model, if it was held back and nobody has promoted it since."""
    newest = session.scalars(
        select(OutlierModelRow).order_by(OutlierModelRow.id.desc()).limit(1)
    ).first()
    if newest is None or newest.promoted or HELD_BACK not in newest.metrics:
        return None
    return newest
