"""Requests of an age with all that belongs to them, and what is left of them."""

import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import func, select, update

from jobs.context import JobContext
from store.counts.period_counts import ROLL_UP
from store.counts.roll_ups import make_marks
from store.keeping.retention import OF_A_REQUEST
from store.models.outlier_models import OutlierModelStore
from store.requests.picture_store import PICTURE, PictureStore
from store.requests.records import PictureFile, RequestRecord, Trace
from store.requests.request_keys import key_of
from store.tables.all_tables import METADATA
from store.tables.request_tables import RequestRow, fingerprint_keys_table
from store.tables.roll_up_tables import SequenceRow
from tests.full_record import Scored, full_record

DAY = timedelta(days=1)


class World:
    """Requests with all that can belong to one, at ages of choice."""

    def __init__(self, context: JobContext) -> None:
        self.context = context
        self.store = PictureStore(context.settings.store.var_dir)
        models = OutlierModelStore(context.settings.store.var_dir)
        self.scored = Scored(context.database, models, context.now)
        self.count_until(context.now)

    def count_until(self, moment: datetime) -> None:
        """Let all records up to a time be counted in the roll-ups."""
        row = update(SequenceRow).where(SequenceRow.name == ROLL_UP)
        with self.context.database.write() as session:
            make_marks(session)
            session.execute(row.values(last=key_of(moment)))

    def add(self, *ages: timedelta, pictures: tuple[bytes, ...] | None = None) -> list[str]:
        records = [self._record(age, pictures) for age in ages]
        for record in records:
            self.scored.add(record)
        return [record.request_id for record in records]

    def put(self, data: bytes, *, unused_for: timedelta) -> PictureFile:
        file = self.store.put(PICTURE, data, "image/webp")
        then = (self.context.now - unused_for).timestamp()
        os.utime(self.path(file.sha256), (then, then))
        return file

    def path(self, digest: str) -> Path:
        return self.context.settings.store.var_dir / "evidence" / digest[:2] / digest

    def _record(self, age: timedelta, pictures: tuple[bytes, ...] | None) -> RequestRecord:
        request_id = str(uuid4())
        pictures = (request_id.encode(),) if pictures is None else pictures
        files = [self.put(data, unused_for=max(age, DAY)) for data in pictures]
        return full_record(
            request_id,
            client="ip:192.0.2.1",
            received_at=self.context.now - age,
            evidence=tuple(replace(file, kind=f"kind{n}") for n, file in enumerate(files)),
            trace=Trace(b"data", (len(request_id),), request_id),
        )

    def left(self) -> list[str]:
        with self.context.database.read() as session:
            return list(session.scalars(select(RequestRow.request_id).order_by(RequestRow.id)))

    def counts(self) -> dict[str, int]:
        with self.context.database.read() as session:
            return {
                name: session.scalar(select(func.count()).select_from(METADATA.tables[name])) or 0
                for name in (*OF_A_REQUEST, fingerprint_keys_table.name)
            }

    def files(self) -> int:
        return sum(1 for _ in self.store.files())


def with_settings(context: JobContext, **settings: object) -> JobContext:
    return replace(context, settings=context.settings.model_copy(update=settings))
