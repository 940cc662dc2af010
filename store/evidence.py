"""Evidence: pictures of flagged and sampled requests, faces made unrecognisable beforehand."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.files import FileStore
from store.records import EvidenceFile
from store.tables import EvidenceRow

PICTURE, OVERLAY, ENTROPY_MAP = "picture", "overlay", "entropy_map"


class EvidenceStore:
    """Content-addressed pictures under ``var/evidence``."""

    def __init__(self, var_dir: Path) -> None:
        self._files = FileStore(var_dir / "evidence", "")

    def put(self, kind: str, data: bytes, media_type: str) -> EvidenceFile:
        """Keep a picture; the record that refers to it is written by the recorder."""
        return EvidenceFile(kind, self._files.put(data), media_type)

    def of_request(self, session: Session, request_pk: int) -> dict[str, bytes]:
        """The kept pictures of a request by kind; one whose file is gone is left out."""
        rows = session.scalars(select(EvidenceRow).where(EvidenceRow.request_pk == request_pk))
        found = {row.kind: self._files.get(row.sha256) for row in rows}
        return {kind: data for kind, data in found.items() if data is not None}

    def missing(self, session: Session) -> Iterator[str]:
        """The digests that records name and that are not kept."""
        named = select(EvidenceRow.sha256).distinct()
        for digest in session.scalars(named.execution_options(yield_per=1000)):
            if not self._files.has(digest):
                yield digest
