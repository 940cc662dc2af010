"""A disk that is really full: readiness means that the next upload would be recorded."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from detectors.parsing import Image
from inference.http.app import build_app
from inference.recording.readiness import DiskProbe, Readiness
from inference.service import Service, build_service
from inference.settings import ServiceSettings
from tests.inference.http.conftest import Encode, post
from tests.small_disk import fill_disk, small_disk
from tests.waiting import wait_for


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk") as folder:
        yield folder


@pytest.fixture
def service_there(settings: ServiceSettings, disk: Path) -> Iterator[Service]:
    with closing(build_service(settings.model_copy(update={"var_dir": disk}))) as service:
        yield service


def test_a_service_whose_disk_is_full_is_not_ready_and_comes_back_by_itself(
    service_there: Service, disk: Path, figure: Image, encode: Encode
) -> None:
    client = TestClient(build_app(service_there))
    assert client.get("/readyz").json() == {"status": "ready"}
    assert post(client, encode(figure)).status_code == 200
    filling = fill_disk(disk)
    wait_for(lambda: client.get("/readyz").status_code == 503)
    assert client.get("/readyz").json() == {"status": "unavailable"}
    assert client.get("/healthz").status_code == 200
    free = service_there.metrics.registry.get_sample_value("maskwatch_disk_free_bytes")
    assert free is not None
    assert free < 65_536
    filling.unlink()
    wait_for(lambda: client.get("/readyz").json() == {"status": "ready"})
    assert post(client, encode(figure)).status_code == 200


def test_a_probe_leaves_nothing_and_asks_the_disk_seldom(disk: Path) -> None:
    clock = [100.0]
    probe = DiskProbe(disk / "spool", lambda: clock[0])
    assert probe.takes_files()
    assert list((disk / "spool").iterdir()) == []
    filling = fill_disk(disk)
    assert probe.takes_files(), "the last answer holds for two seconds"
    clock[0] += 2
    assert not probe.takes_files()
    assert list((disk / "spool").iterdir()) == []
    filling.unlink()
    assert not probe.takes_files()
    clock[0] += 2
    assert probe.takes_files()


@pytest.mark.parametrize(
    ("database", "spool", "said"),
    [
        (True, True, Readiness.READY),
        (True, False, Readiness.DEGRADED),
        (False, True, Readiness.DEGRADED),
        (False, False, Readiness.UNAVAILABLE),
    ],
)
def test_readiness_follows_from_who_takes_records(
    database: bool, spool: bool, said: Readiness
) -> None:
    assert Readiness.of(database=database, spool=spool) is said
