"""An evening that is scanned: what is sent, what a scan finds, and what is counted."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from bench.deployment.traffic import Message
from bench.evening.scan.figures import scan_figures
from bench.evening.scan.mixed import mix
from bench.evening.scan.records import Recorded
from bench.evening.scan.scanned import read_requests, scan_evening
from bench.shares import Share
from detectors.outliers.kinds import OutlierKind
from detectors.registry import FEATURES, FeatureVector
from detectors.verdict import Verdict
from jobs.outliers.sampling import train
from store.engine.database import Database
from store.engine.schema.versions import upgrade
from store.requests.record_store import add_record
from store.requests.records import RequestRecord, Stage
from store.requests.request_ids import new_request_id
from store.settings import StoreSettings

_EARLIER, _HONEST, _ATTACKS = 60, 20, 3
_START = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_attacks_are_spread_over_the_traffic_each_in_its_order_and_by_its_clients() -> None:
    traffic = [Message(f"ip:10.{n}.0.7", bytes([n])) for n in range(60)]
    pictures = {"search": [b"one", b"two", b"three"], "patch": [b"red", b"blue"]}
    messages = mix(traffic, pictures)
    assert [each for each in messages if each.attack is None] == traffic
    searched = [each for each in messages if each.attack == "search"]
    assert [each.data for each in searched] == [b"one", b"two", b"three"]
    assert len({each.client for each in searched}) == 1
    assert len({each.client for each in messages if each.attack == "patch"}) == 2
    assert messages == mix(traffic, pictures)


def test_counts_what_a_scan_found_in_all_and_by_attack() -> None:
    attacks = ["pgd_e4", "pgd_e4", "patch", None, None, None]
    outliers = np.array([True, False, True, True, False, False])
    figures = scan_figures("scan", attacks, outliers)
    assert figures["scan_tpr"] == pytest.approx(2 / 3)
    assert figures["scan_fdr"] == pytest.approx(1 / 3)
    assert figures["scan_tpr_by_attack"] == {"patch": 1.0, "pgd_e4": 0.5}
    assert figures["scan_fdr_by_attack"] == {"patch": 0.5, "pgd_e4": 0.5}
    assert figures["scan_n_by_attack"] == {"patch": 1, "pgd_e4": 2}


def test_an_interval_holds_its_share_and_is_all_there_is_for_nothing() -> None:
    low, high = Share(9, 10).bounds
    assert 0.5 < low < 0.9 < high < 1.0
    assert Share(0, 0).bounds == (0.0, 1.0)
    assert all(0 <= Share(0, n).bounds[0] <= Share(n, n).bounds[1] <= 1 for n in range(1, 200))


def test_trains_on_what_came_before_and_scans_the_evening_alone(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    with_records(before, [(normal, _EARLIER)])
    shutil.copytree(before, after)
    with_records(after, [(normal, _HONEST), (extreme, _ATTACKS)], first=_EARLIER)
    recorded = Recorded(before, after, (), _EARLIER)
    scanned = scan_evening(recorded, partial(train, kind=OutlierKind.NEAREST_NEIGHBOURS))
    assert scanned.result.records == _HONEST + _ATTACKS
    assert len(scanned.p_values) == len(scanned.outliers) == _HONEST + _ATTACKS
    assert scanned.outliers[-_ATTACKS:].all()
    assert (scanned.p_values[-_ATTACKS:] == 1 / (scanned.result.calibration_rows + 1)).all()


def test_what_was_sent_is_read_with_what_it_was(tmp_path: Path) -> None:
    with_records(tmp_path / "after", [(normal, 4), (extreme, 2)])
    messages = tuple(Message("", b"", attack) for attack in [None] * 4 + ["patch"] * 2)
    requests = read_requests(Recorded(tmp_path, tmp_path / "after", messages, 2))
    assert requests.attacks.tolist() == [""] * 4 + ["patch"] * 2
    assert len(requests.rows) == len({*requests.clients.tolist()}) == 6


def test_another_draw_takes_other_places() -> None:
    traffic = [Message(f"ip:10.{n}.0.7", bytes([n])) for n in range(60)]
    pictures = {"search": [b"one", b"two", b"three"], "patch": [b"red", b"blue"]}
    assert mix(traffic, pictures, draw=1) != mix(traffic, pictures)


def with_records(
    folder: Path, parts: list[tuple[Callable[[int], FeatureVector], int]], first: int = 0
) -> None:
    folder.mkdir(exist_ok=True)
    database = Database.open(StoreSettings(var_dir=folder))
    upgrade(database)
    made = [features for features, count in parts for _ in range(count)]
    with database.write() as session:
        for place, features in enumerate(made, start=first):
            add_record(session, record(place, features(place)))
    database.close()


def record(place: int, features: FeatureVector) -> RequestRecord:
    now = _START + timedelta(seconds=place)
    return RequestRecord(
        request_id=new_request_id(now),
        received_at=now,
        client=f"ip:10.{place}.0.7",
        route="api",
        stage=Stage.PARSED,
        verdict=Verdict.PASS,
        status=200,
        reasons=(),
        features=features,
    )


def normal(seed: int) -> FeatureVector:
    noise = np.random.default_rng(seed).uniform(0.4, 0.6, len(FEATURES))
    return FeatureVector.of(
        {
            each.name: float(min(each.high, 1.0) * value)
            for each, value in zip(FEATURES, noise, strict=True)
        }
    )


def extreme(_: int) -> FeatureVector:
    return FeatureVector.of({each.name: min(each.high, 1000.0) for each in FEATURES})
