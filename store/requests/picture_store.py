"""Evidence: pictures of flagged and sampled requests, faces made unrecognisable beforehand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256 as digest_of
from pathlib import Path

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from detectors.errors import MaskwatchError
from store.engine.database import Database
from store.engine.files.kept_files import FileStore, KeptFile, Removal
from store.requests.records import PictureFile
from store.tables.request_tables import EvidenceRow

PICTURE, OVERLAY, LABEL_MAP, ENTROPY_MAP = "picture", "overlay", "label_map", "entropy_map"
_MAX_DIGESTS = 500
# A kept picture has a few hundred kilobytes; what is longer was put there by somebody else.
_MAX_BYTES = 16_000_000


@dataclass(frozen=True)
class RemovedFiles:
    """What became of files that were to be removed.

    Attributes:
        spared_files: those that no request refers to, but that were put a moment ago: somebody may
            be about to refer to them.
    """

    files: int = 0
    freed_bytes: int = 0
    spared_files: int = 0

    def __add__(self, other: "RemovedFiles") -> "RemovedFiles":
        return RemovedFiles(
            self.files + other.files,
            self.freed_bytes + other.freed_bytes,
            self.spared_files + other.spared_files,
        )


class PictureChanged(MaskwatchError):
    """A kept picture's file is not what was kept."""


@dataclass(frozen=True)
class KeptPictures:
    """What is kept of a request.

    Attributes:
        pictures: by kind, each as it was kept.
        changed: kinds whose file is there and is not what was kept.
    """

    pictures: Mapping[str, bytes]
    changed: frozenset[str]

    def __bool__(self) -> bool:
        """Whether there is anything to say of them."""
        return bool(self.pictures or self.changed)


@dataclass(frozen=True)
class FilesChecked:
    """Digests that records name, and whose file is gone or is not what was kept."""

    missing: tuple[str, ...]
    changed: tuple[str, ...]


class PictureStore:
    """Content-addressed pictures under ``var/evidence``."""

    def __init__(self, var_dir: Path) -> None:
        self._files = FileStore(var_dir / "evidence", "")

    def put(self, kind: str, data: bytes, media_type: str) -> PictureFile:
        """Keep a picture; the record that refers to it is written by the recorder."""
        return PictureFile(kind, self._files.put(data), media_type)

    def read(self, sha256: str) -> bytes | None:
        """A kept picture; ``None`` if its file is gone.

        Raises:
            PictureChanged: the file is not what was kept: whoever shows it would show a forgery;
                or it is there, and this user or this disk does not hand it out.
        """
        try:
            data = self._files.get(sha256, _MAX_BYTES)
        except OSError as error:
            why = f"cannot be read from disk ({error.strerror})"
            raise PictureChanged(f"The kept picture {sha256[:12]} {why}.") from error
        if data is not None and digest_of(data).hexdigest() != sha256:
            raise PictureChanged(f"The kept picture {sha256[:12]} was changed on disk.")
        return data

    def of_request(self, session: Session, request_pk: int) -> KeptPictures:
        """The kept pictures of a request; one whose file is gone is left out."""
        rows = session.scalars(select(EvidenceRow).where(EvidenceRow.request_pk == request_pk))
        pictures, changed = dict[str, bytes](), set[str]()
        for row in rows:
            try:
                data = self.read(row.sha256)
            except PictureChanged:
                changed.add(row.kind)
            else:
                pictures |= {} if data is None else {row.kind: data}
        return KeptPictures(pictures, frozenset(changed))

    def check_all(self, session: Session) -> FilesChecked:
        """Read every file that a record names, however long it takes."""
        digests = select(EvidenceRow.sha256).distinct()
        missing, changed = list[str](), list[str]()
        for digest in session.scalars(digests.execution_options(yield_per=1000)):
            try:
                if self.read(digest) is None:
                    missing.append(digest)
            except PictureChanged:
                changed.append(digest)
        return FilesChecked(tuple(missing), tuple(changed))

    def files(self) -> Iterator[KeptFile]:
        """Every file that lies in the folder."""
        return self._files.files()

    def remove_parts(self, before: datetime) -> int:
        """Remove what was cut off half-way before a time."""
        return self._files.remove_parts(before)

    def remove_unreferred(
        self, database: Database, digests: Sequence[str], unused_since: datetime | None
    ) -> RemovedFiles:
        """Remove those files that no request refers to.

        The rows go first, in a transaction of their own: cut off between the two, files are left
        that nobody refers to, and the next sweep finds them. A file is never missed.

        Args:
            unused_since: spare what was put at or after this time; ``None`` spares nothing.
        """
        removals: list[Removal] = []
        unique = list(dict.fromkeys(digests))
        for start in range(0, len(unique), _MAX_DIGESTS):
            some = unique[start : start + _MAX_DIGESTS]
            with database.read() as session:
                in_use = _find_references(session, some)
            removals += [self._files.remove(d, unused_since) for d in some if d not in in_use]
        sizes = [removal.freed_bytes for removal in removals if removal.freed_bytes]
        return RemovedFiles(len(sizes), sum(sizes), sum(removal.is_spared for removal in removals))


def _find_references(session: Session, digests: Sequence[str]) -> set[str]:
    rows = session.scalars(select(EvidenceRow.sha256).where(EvidenceRow.sha256.in_(digests)))
    return set(rows)


def forget_evidence(session: Session, before_key: int | None, most: int) -> tuple[str, ...]:
    """Delete the oldest rows, about so many, whole requests at a time.

    Args:
        before_key: only of requests whose key is smaller; ``None`` for any.

    Returns:
        Digests of the files that the rows referred to.
    """
    oldest = select(EvidenceRow.request_pk).order_by(EvidenceRow.request_pk).limit(most)
    if before_key is not None:
        oldest = oldest.where(EvidenceRow.request_pk < before_key)
    last = session.scalar(select(func.max(oldest.subquery().c.request_pk)))
    if last is None:
        return ()
    statement = (
        delete(EvidenceRow).where(EvidenceRow.request_pk <= last).returning(EvidenceRow.sha256)
    )
    return tuple(session.scalars(statement))
