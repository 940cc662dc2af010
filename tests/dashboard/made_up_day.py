"""A day of made-up traffic."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from uuid import UUID

from dashboard.wiring import Parts
from detectors.findings import Finding
from detectors.registry import FeatureVector
from detectors.rule_book import NO_PERSON, SKIN_SHARE_LOW, TROUSERS_WITHOUT_FEET
from detectors.verdict import Verdict
from store.audit.actors import job
from store.models.outlier_models import OutlierModelStore, promote
from store.requests.picture_store import ENTROPY_MAP, OVERLAY, PICTURE, PictureStore
from store.requests.record_store import add_records
from store.requests.records import PictureFile, RequestRecord, Stage
from store.tables.request_tables import RequestRow, ScoreRow
from tests.dashboard.drawn import LABELS, draw_pictures, png
from tests.dashboard.made_up_events import ATTACKER, NEIGHBOURS, decide, raise_alerts, run_jobs
from tests.makers import make_score

_TYPICAL: dict[str, tuple[float, float]] = {
    "upload_bytes": (182_000, 60_000),
    "width": (854, 120),
    "height": (1180, 160),
    "grey_entropy": (4.9, 0.2),
    "flat_share": (0.08, 0.03),
    "laplacian_variance": (310, 90),
    "high_frequency_share": (0.021, 0.006),
    "spectral_slope": (-2.2, 0.2),
    "periodic_peak": (3.1, 0.5),
    "median_residual": (1.9, 0.4),
    "jpeg_blockiness": (1.08, 0.05),
    "faces_found": (1, 0.4),
    "entropy_mean": (0.09, 0.02),
    "entropy_p95": (0.52, 0.08),
    "entropy_foreground": (0.21, 0.04),
    "margin_mean": (0.94, 0.01),
    "max_softmax_mean": (0.96, 0.008),
    "foreground_share": (0.31, 0.06),
    "confidence_face": (0.95, 0.01),
    "confidence_hair": (0.93, 0.02),
    "confidence_arms": (0.9, 0.02),
    "confidence_legs": (0.89, 0.03),
    "confidence_feet": (0.86, 0.03),
    "confidence_clothes": (0.95, 0.01),
    "persons": (2, 0.8),
    "components": (17, 4),
    "fragments_per_person": (8.4, 1.2),
    "holes": (1, 0.6),
    "boundary_share": (0.052, 0.01),
    "skin_share": (0.19, 0.04),
    "headless_share": (0, 0.02),
    "head_torso_gap": (0.004, 0.004),
    "torso_legs_gap": (0.002, 0.003),
    "trousers_feet_gap": (0.006, 0.005),
    "stray_share": (0.004, 0.003),
    "gate_ms": (34, 6),
    "forward_ms": (212, 30),
    "measure_ms": (28, 4),
    "total_ms": (281, 32),
}
_COUNTS = {"upload_bytes", "width", "height", "faces_found", "persons", "components", "holes"}
_SHARES = {"confidence", "share", "margin", "softmax"}


@dataclass(frozen=True)
class Sample:
    """Keys of what was filled in."""

    flagged: str
    passed: str
    refused: str
    alert_id: int
    decision_id: int


@dataclass(frozen=True)
class Filler:
    """Writes a day of traffic; the same for every run with the same ``now``."""

    parts: Parts
    random: Random

    def fill(self) -> Sample:
        now = self.parts.clock()
        records = sorted(self._records(now), key=lambda record: record.received_at)
        with self.parts.database.write() as session:
            add_records(session, records)
        self._scores(now)
        flagged = [r for r in records if r.verdict is Verdict.FLAG]
        alert_id = raise_alerts(self.parts.database, [r.request_id for r in flagged], now)
        decision_id = decide(self.parts.database, self._digest(), now)
        run_jobs(self.parts.database, now)
        passed = [r for r in records if r.verdict is Verdict.PASS]
        refused = [r for r in records if r.verdict is Verdict.REFUSE]
        return Sample(
            flagged[-1].request_id,
            passed[-1].request_id,
            refused[-1].request_id,
            alert_id,
            decision_id,
        )

    def _records(self, now: datetime) -> list[RequestRecord]:
        records = [self._passed(self._moment(now, 24)) for _ in range(285)]
        records += [self._refused(self._moment(now, 24)) for _ in range(14)]
        records += [self._flagged(now - timedelta(minutes=4 * i + 3)) for i in range(13)]
        records += [self._blocked(now - timedelta(seconds=20 * i + 5)) for i in range(6)]
        return records

    def _moment(self, now: datetime, hours: float) -> datetime:
        # Fewer at the far end of the day: traffic has a tide.
        share = self.random.betavariate(1.3, 1.9)
        return now - timedelta(hours=hours * share)

    def _id(self) -> str:
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def _features(self, changed: dict[str, float]) -> FeatureVector:
        values: dict[str, float] = {}
        for name, (centre, spread) in _TYPICAL.items():
            value = self.random.gauss(centre, spread)
            value = value if name == "spectral_slope" else max(0.0, value)
            if any(word in name for word in _SHARES):
                value = min(1.0, value)
            values[name] = float(round(value)) if name in _COUNTS else value
        return FeatureVector.of({**values, **changed})

    def _passed(self, at: datetime) -> RequestRecord:
        return RequestRecord(
            request_id=self._id(),
            received_at=at,
            client=self.random.choices(NEIGHBOURS, (9, 6, 4, 2, 1))[0],
            route="api",
            stage=Stage.PARSED,
            verdict=Verdict.PASS,
            status=200,
            content_sha256=self._digest(),
            media_type="image/jpeg",
            segmenter=sha256(b"segmenter").hexdigest(),
            labels=LABELS[2:],
            features=self._features({}),
        )

    def _refused(self, at: datetime) -> RequestRecord:
        reason, status = self.random.choice(
            [("unsupported_type", 415), ("truncated", 422), ("too_many_pixels", 413)]
        )
        return RequestRecord(
            request_id=self._id(),
            received_at=at,
            client=self.random.choice([ATTACKER, NEIGHBOURS[1]]),
            route="api",
            stage=Stage.GATE,
            verdict=Verdict.REFUSE,
            status=status,
            reasons=(reason,),
            content_sha256=self._digest(),
        )

    def _blocked(self, at: datetime) -> RequestRecord:
        return RequestRecord(
            request_id=self._id(),
            received_at=at,
            client=ATTACKER,
            route="api",
            stage=Stage.ADMISSION,
            verdict=Verdict.REFUSE,
            status=403,
            reasons=("blocked",),
        )

    def _flagged(self, at: datetime) -> RequestRecord:
        findings = self._findings()
        changed = {
            "skin_share": 0.003,
            "trousers_feet_gap": 0.31,
            "high_frequency_share": 0.094,
            "median_residual": 5.2,
            "entropy_foreground": 0.61,
            "confidence_face": 0.52,
            "headless_share": 0.5,
        }
        return RequestRecord(
            request_id=self._id(),
            received_at=at,
            client=self.random.choices([ATTACKER, NEIGHBOURS[2]], (6, 1))[0],
            route="api",
            stage=Stage.PARSED,
            verdict=Verdict.FLAG,
            status=200,
            reasons=tuple(finding.rule.code for finding in findings),
            content_sha256=self._digest(),
            media_type="image/png",
            segmenter=sha256(b"segmenter").hexdigest(),
            labels=("Hair", "UpperClothes", "Pants"),
            features=self._features(changed),
            findings=findings,
            evidence=self._evidence(),
        )

    def _findings(self) -> tuple[Finding, ...]:
        skin = Finding(SKIN_SHARE_LOW, {"person": 0.0, "skin_share": 0.0031})
        feet = Finding(TROUSERS_WITHOUT_FEET, {"person": 1.0, "gap": 0.312})
        nobody = Finding(NO_PERSON, {"foreground_share": 0.0008})
        return self.random.choice([(skin, feet), (skin, feet), (feet,), (nobody,)])

    def _digest(self) -> str:
        return sha256(self._id().encode()).hexdigest()

    def _evidence(self) -> tuple[PictureFile, ...]:
        store = PictureStore(self.parts.settings.store.var_dir)
        picture, overlay, heat = draw_pictures()
        drawn = {PICTURE: picture, OVERLAY: overlay, ENTROPY_MAP: heat}
        return tuple(store.put(kind, png(image), "image/png") for kind, image in drawn.items())

    def _scores(self, now: datetime) -> None:
        models = OutlierModelStore(self.parts.settings.store.var_dir)
        with self.parts.database.write() as session:
            model = models.add(
                session,
                archive=b"not a real model",
                kind="isolation_forest",
                rows=280,
                metrics={},
                now=now - timedelta(hours=9),
            )
            promote(session, model.id, job("retrain"), now)
            parsed = session.query(RequestRow).filter(RequestRow.stage == Stage.PARSED.value)
            session.add_all([self._score(row, model.id, now) for row in parsed])

    def _score(self, row: RequestRow, model_id: int, now: datetime) -> ScoreRow:
        if row.verdict == Verdict.PASS.value:
            p_value = self.random.uniform(0.05, 1)
            return make_score(row.id, model_id, now, score=0.45, p_value=p_value)
        far = {
            "high_frequency_share": 9.41,
            "median_residual": 6.3,
            "confidence_face": -5.12,
            "entropy_foreground": 4.05,
            "skin_share": -3.37,
        }
        return make_score(
            row.id, model_id, now, score=0.71, p_value=0.0036, outlier=True, contributions=far
        )
