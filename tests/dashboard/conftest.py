"""A day of made-up traffic on a real SQLite file, and the parts of a dashboard around it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from uuid import UUID

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from dashboard.settings import DashboardSettings
from dashboard.wiring import Parts, utc_now
from detectors.findings import Finding
from detectors.parsing import Parsing
from detectors.registry import FeatureVector
from detectors.rule_book import NO_PERSON, SKIN_SHARE_LOW, TROUSERS_WITHOUT_FEET
from detectors.verdict import Verdict
from inference.answer.composite import mask_overlay
from store.actors import job
from store.alerts import Condition, apply_condition, claim_notification, mark_sent, postpone
from store.database import Database
from store.decisions import Kind, NewDecision, Scope, add_decision, revoke
from store.evidence import ENTROPY_MAP, OVERLAY, PICTURE, EvidenceStore
from store.job_runs import FAILED, SUCCEEDED, finish_run, start_run
from store.outlier_models import NewScore, OutlierModelStore, add_scores, promote
from store.records import EvidenceFile, RequestRecord, Stage
from store.request_tables import RequestRow
from store.requests import add_record
from store.schema import upgrade

LABELS = ("background", "hat", "hair", "face", "coat", "arm", "pants", "leg", "shoes")
ATTACKER = "ip:203.0.113.66"
NEIGHBOURS = (
    "ip:198.51.100.7",
    "ip:198.51.100.23",
    "ip:192.0.2.141",
    "ip:2001:db8::1c",
    "cli:local",
)
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
            for record in records:
                add_record(session, record)
        self._scores(now)
        alert_id = self._alerts(now, records)
        decision_id = self._decisions(now)
        self._job_runs(now)
        flagged = [r for r in records if r.verdict is Verdict.FLAG]
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

    def _evidence(self) -> tuple[EvidenceFile, ...]:
        store = EvidenceStore(self.parts.settings.var_dir)
        picture, overlay, heat = draw_pictures()
        drawn = {PICTURE: picture, OVERLAY: overlay, ENTROPY_MAP: heat}
        return tuple(store.put(kind, png(image), "image/png") for kind, image in drawn.items())

    def _scores(self, now: datetime) -> None:
        models = OutlierModelStore(self.parts.settings.var_dir)
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
            add_scores(session, model.id, [self._score(row) for row in parsed], now)

    def _score(self, row: RequestRow) -> NewScore:
        if row.verdict == Verdict.PASS.value:
            p_value = self.random.uniform(0.05, 1)
            return NewScore(row.id, 0.45, p_value, False, {"holes": 0.8, "width": -0.6})
        far = {
            "high_frequency_share": 9.41,
            "median_residual": 6.3,
            "confidence_face": -5.12,
            "entropy_foreground": 4.05,
            "skin_share": -3.37,
        }
        return NewScore(row.id, 0.71, 0.0036, True, far)

    def _alerts(self, now: datetime, records: list[RequestRecord]) -> int:
        flagged = [record.request_id for record in records if record.verdict is Verdict.FLAG]
        share = Condition(
            fingerprint="invalid_share",
            rule="invalid_share",
            severity="warning",
            active=True,
            value=0.0866,
            threshold=0.05,
            summary="8.65 % of the last 312 requests in 24 hours were invalid (limit 5 %).",
            atlas="AML.T0043",
            owasp="ML01:2023",
            evidence={
                "requests": 312,
                "invalid": 27,
                "window_hours": 24,
                "reasons": [["trousers_without_feet", 9], ["skin_share_too_low", 7]],
                "clients": [[ATTACKER, 21], [NEIGHBOURS[1], 6]],
                "request_ids": flagged[-5:],
            },
        )
        failed = Condition(
            fingerprint="job_failed:retrain",
            rule="job_failed",
            severity="warning",
            active=True,
            value=1.0,
            threshold=0.0,
            summary="The job retrain failed. The database is locked by another program.",
            atlas="none",
            owasp="none",
            evidence={"job": "retrain", "run_id": 7},
        )
        database = self.parts.database
        with database.write() as session:
            old = apply_condition(session, failed, now - timedelta(hours=20))
            over = Condition(**{**failed.__dict__, "active": False, "value": 0.0})
            apply_condition(session, over, now - timedelta(hours=19))
        with database.write() as session:
            first = apply_condition(session, share, now - timedelta(minutes=42))
            assert first is not None
            assert old is not None
        self._notifications(now)
        with database.write() as session:
            apply_condition(session, failed, now - timedelta(minutes=12))
        return first.id

    def _notifications(self, now: datetime) -> None:
        with self.parts.database.write() as session:
            for _ in range(2):
                claimed = claim_notification(session, now - timedelta(minutes=41), 60)
                assert claimed is not None
                at = claimed.created_at + timedelta(seconds=4)
                mark_sent(session, claimed.id, "smtp", "soc@example.com", at)
            claimed = claim_notification(session, now - timedelta(minutes=41), 60)
            assert claimed is not None
            error = "The mail server mail.example.com:587 refused the connection."
            postpone(session, claimed.id, error, now + timedelta(minutes=3))

    def _decisions(self, now: datetime) -> int:
        block = NewDecision(
            kind=Kind.BLOCK,
            scope=Scope.CLIENT,
            value=ATTACKER,
            scenario="repeated_outliers",
            origin="policy",
            reason="11 outliers and 7 refusals within an hour.",
            created_by="policy",
            until=now + timedelta(minutes=50),
        )
        tried = NewDecision(
            kind=Kind.BLOCK,
            scope=Scope.CLIENT,
            value=NEIGHBOURS[2],
            scenario="probing_sequence",
            origin="policy",
            reason="24 near-duplicates of one picture.",
            created_by="policy",
            until=now + timedelta(hours=3),
            simulated=True,
        )
        picture = NewDecision(
            kind=Kind.BLOCK,
            scope=Scope.CONTENT,
            value=self._digest(),
            scenario="by_hand",
            origin="analyst",
            reason="Known adversarial picture from the red-team exercise.",
            created_by="local",
            until=now + timedelta(days=7),
        )
        ended = NewDecision(
            kind=Kind.BLOCK,
            scope=Scope.CLIENT,
            value=NEIGHBOURS[0],
            scenario="repeated_outliers",
            origin="policy",
            reason="5 outliers within an hour.",
            created_by="policy",
            until=now - timedelta(hours=11),
        )
        allow = NewDecision(
            kind=Kind.ALLOW,
            scope=Scope.CLIENT,
            value=NEIGHBOURS[4],
            scenario="by_hand",
            origin="analyst",
            reason="Our own nightly regression run.",
            created_by="local",
            until=now + timedelta(days=30),
        )
        with self.parts.database.write() as session:
            past = add_decision(session, ended, now - timedelta(hours=12))
            undone = add_decision(session, tried, now - timedelta(hours=6))
            revoke(session, undone.id, "local", "A photographer with a burst.", now)
            add_decision(session, allow, now - timedelta(days=1))
            add_decision(session, picture, now - timedelta(hours=2))
            add_decision(session, tried, now - timedelta(minutes=31))
            assert past.id
            return add_decision(session, block, now - timedelta(minutes=10)).id

    def _job_runs(self, now: datetime) -> None:
        failed = "The mail server mail.example.com:587 refused the connection."
        runs = {
            "scan": (4, SUCCEEDED, 12, None),
            "decide": (4, SUCCEEDED, 1, None),
            "evaluate_alerts": (1, SUCCEEDED, 2, None),
            "notify": (1, FAILED, 0, failed),
            "retrain": (14, FAILED, 0, "The database is locked by another program."),
        }
        with self.parts.database.write() as session:
            for job, (minutes, outcome, rows, message) in runs.items():
                started = now - timedelta(minutes=minutes)
                run = start_run(session, job, started)
                ended = started + timedelta(seconds=1.4)
                finish_run(session, run, outcome, rows, message, ended)


Drawing = npt.NDArray[np.uint8]


def draw_pictures() -> tuple[Drawing, Drawing, Drawing]:
    """A street with two figures, their parts in colours, and where a model would be unsure."""
    height, width = 420, 300
    sky = np.linspace(225, 165, height, dtype=np.float32)[:, None, None]
    picture = np.broadcast_to(sky, (height, width, 3)).astype(np.uint8).copy()
    picture[300:] = (118, 122, 128)
    label_map = np.zeros((height, width), np.uint8)
    for centre, scale in ((95, 1.0), (205, 0.86)):
        _draw_figure(picture, label_map, centre, scale)
    noise = np.random.default_rng(7).normal(0, 7, picture.shape)
    picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    coarse = cv2.resize(cv2.resize(picture, (25, 35)), (width, height), interpolation=0)
    face = label_map == 3
    picture[face] = coarse[face]
    unsure = np.full((len(LABELS), 1, 1), 1 / len(LABELS), np.float32)
    overlay = mask_overlay(picture, Parsing(unsure, label_map, LABELS))
    edges = cv2.GaussianBlur(cv2.Canny(label_map * 40, 10, 20), (0, 0), 4)
    shade = np.clip(edges.astype(np.float32) * 2.6 + 12, 0, 235).astype(np.uint8)
    heat = cv2.applyColorMap(shade, cv2.COLORMAP_INFERNO)
    return picture, overlay, cv2.cvtColor(heat, cv2.COLOR_BGR2RGB).astype(np.uint8)


def _draw_figure(picture: Drawing, label_map: Drawing, centre: int, scale: float) -> None:
    def at(x: float, y: float) -> tuple[int, int]:
        return round(centre + x * scale), round(70 + y * scale)

    for canvas, palette in (
        (picture, ((96, 64, 48), (214, 170, 146), (58, 84, 122), (46, 48, 60))),
        (label_map, (2, 3, 4, 6)),
    ):
        hair, face, coat, pants = palette
        cv2.rectangle(canvas, at(-26, 165), at(-4, 285), pants, -1)
        cv2.rectangle(canvas, at(4, 165), at(26, 285), pants, -1)
        cv2.ellipse(canvas, at(0, 115), (round(38 * scale), round(62 * scale)), 0, 0, 360, coat, -1)
        cv2.circle(canvas, at(0, 22), round(25 * scale), hair, -1)
        cv2.ellipse(canvas, at(0, 30), (round(18 * scale), round(22 * scale)), 0, 0, 360, face, -1)


def png(image: Drawing) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()


def make_parts(var_dir: Path, clock: Callable[[], datetime] = utc_now) -> Parts:
    settings = DashboardSettings(var_dir=var_dir)
    return Parts(settings, Database.open(settings), clock)


@pytest.fixture(scope="session")
def filled_folder(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Sample]:
    """A folder with a filled database, to copy."""
    folder = tmp_path_factory.mktemp("filled")
    parts = make_parts(folder)
    upgrade(parts.database)
    sample = Filler(parts, Random(3)).fill()  # noqa: S311
    parts.database.close()
    return folder, sample


@dataclass(frozen=True)
class Day:
    """A filled database and what is in it."""

    parts: Parts
    sample: Sample


@pytest.fixture
def day(filled_folder: tuple[Path, Sample], tmp_path: Path) -> Iterator[Day]:
    """A day of traffic that a test may change."""
    shutil.copytree(filled_folder[0], tmp_path / "var")
    parts = make_parts(tmp_path / "var")
    yield Day(parts, filled_folder[1])
    parts.database.close()


@pytest.fixture
def nothing(tmp_path: Path) -> Iterator[Parts]:
    """A database without a single record."""
    parts = make_parts(tmp_path / "empty")
    upgrade(parts.database)
    yield parts
    parts.database.close()


@pytest.fixture
def fixed_now() -> datetime:
    return datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
