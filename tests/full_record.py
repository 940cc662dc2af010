"""A request with all that can belong to one, to see what is left of it."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import select

from detectors.findings import Finding
from detectors.registry import FeatureVector
from detectors.rule_book import NO_PERSON
from detectors.verdict import Verdict
from store.audit.actors import job
from store.engine.database import Database
from store.models.outlier_models import OutlierModelStore, promote
from store.requests.record_store import add_records
from store.requests.records import PictureFile, RequestRecord, Stage, Trace
from store.tables.family_tables import FamilyMemberRow, FeedbackRow
from store.tables.request_tables import RequestRow
from tests.makers import make_score


def full_record(
    request_id: str,
    client: str,
    received_at: datetime,
    evidence: tuple[PictureFile, ...],
    trace: Trace,
) -> RequestRecord:
    """Parsed and flagged, with features, a finding, pictures and a fingerprint."""
    return RequestRecord(
        request_id=request_id,
        received_at=received_at,
        client=client,
        route="api",
        stage=Stage.PARSED,
        verdict=Verdict.FLAG,
        status=200,
        reasons=(NO_PERSON.code,),
        features=FeatureVector.of({"width": 640}),
        findings=(Finding(NO_PERSON, {"persons": 0.0}),),
        evidence=evidence,
        trace=trace,
    )


def pictured_record(
    client: str,
    received_at: datetime,
    size: tuple[float, float],
    evidence: tuple[PictureFile, ...],
    findings: tuple[Finding, ...] = (),
) -> RequestRecord:
    """Parsed, with kept pictures of an upload of some height and width; flagged if findings are."""
    height, width = size
    return RequestRecord(
        request_id=str(uuid4()),
        received_at=received_at,
        client=client,
        route="api",
        stage=Stage.PARSED,
        verdict=Verdict.FLAG if findings else Verdict.PASS,
        status=200,
        reasons=tuple(each.rule.code for each in findings),
        features=FeatureVector.of({"height": height, "width": width}),
        findings=findings,
        evidence=evidence,
    )


class Scored:
    """Stores records with a score by a promoted model."""

    def __init__(self, database: Database, models: OutlierModelStore, now: datetime) -> None:
        self._database, self._now = database, now
        with database.write() as session:
            row = models.add(session, archive=b"m", kind="k", rows=40, metrics={}, now=now)
            promote(session, row.id, job("retrain"), now)
            self._model_id = row.id

    def add(self, record: RequestRecord) -> int:
        """The record's key."""
        with self._database.write() as session:
            add_records(session, [record])
            query = select(RequestRow.id).where(RequestRow.request_id == record.request_id)
            key = session.scalars(query).one()
            session.add(make_score(key, self._model_id, self._now))
            session.add(FamilyMemberRow(request_pk=key, looked_at=self._now))
            session.add(
                FeedbackRow(
                    request_pk=key,
                    feedback="dismissed",
                    said_by="ada",
                    reason="It is ours.",
                    said_at=self._now,
                )
            )
        return key
