"""Frozen sets: content-addressed files with a row each; the newest of a kind is what holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.outliers.challengers.frozen import (
    MAX_SET_BYTES,
    FrozenSet,
    FrozenSetError,
)
from detectors.outliers.kinds import FrozenKind
from store.audit.audit_log import Action, Entry, append
from store.engine.files.kept_files import FileStore
from store.tables.model_tables import FrozenSetRow


@dataclass(frozen=True)
class Freeze:
    """Who makes a frozen set, and why.

    Attributes:
        clients: how many clients its requests are of.
    """

    by: str
    why: str
    clients: int
    at: datetime


class FrozenSetStore:
    """Files under ``var/frozen``."""

    def __init__(self, var_dir: Path) -> None:
        self._files = FileStore(var_dir / "frozen", ".safetensors")

    def add(self, session: Session, frozen: FrozenSet, freeze: Freeze) -> FrozenSetRow:
        """Keep a set; models are held against it from now on."""
        count = len(frozen.keys)
        row = FrozenSetRow(
            kind=frozen.kind.value,
            digest=self._files.put(frozen.dumps()),
            rows=count,
            clients=freeze.clients,
            made_at=freeze.at,
            made_by=freeze.by,
            why=freeze.why,
        )
        session.add(row)
        session.flush()
        details = {"kind": row.kind, "digest": row.digest, "rows": count, "why": freeze.why}
        entry = Entry(freeze.by, Action.FROZEN_SET_MADE, f"frozen set {row.id}", details)
        append(session, entry, freeze.at)
        return row

    def read(self, row: FrozenSetRow) -> FrozenSet:
        """The set of a row.

        Raises:
            FrozenSetError: its file is gone, was changed or is of another version.
        """
        data = self._files.get(row.digest, MAX_SET_BYTES + 1)
        if data is None:
            raise self._name_fault(row, "is gone")
        try:
            return FrozenSet.loads(data, row.digest)
        except FrozenSetError as fault:
            raise self._name_fault(row, str(fault)) from None

    def _name_fault(self, row: FrozenSetRow, fault: str) -> FrozenSetError:
        return FrozenSetError(
            f"The file {self._files.path_of(row.digest)} of the frozen {row.kind} set {row.id} "
            f"{fault}: put it back from a backup, or make the set anew with `maskwatch detectors "
            f"freeze {row.kind}`."
        )


def find_frozen_set(session: Session, kind: FrozenKind) -> FrozenSetRow | None:
    """The set of a kind that holds."""
    statement = select(FrozenSetRow).where(FrozenSetRow.kind == kind.value)
    return session.scalars(statement.order_by(FrozenSetRow.id.desc()).limit(1)).first()


def list_frozen_sets(session: Session) -> Sequence[FrozenSetRow]:
    """All sets, the newest first."""
    return session.scalars(select(FrozenSetRow).order_by(FrozenSetRow.id.desc())).all()
